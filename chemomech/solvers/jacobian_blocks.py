"""One block of a Jacobian, of which no more is assembled anew than what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.form import Form

_SAME = PETSc.Mat.Structure.SAME_NONZERO_PATTERN

Held: TypeAlias = fem.Constant | fem.Function


@dataclass(frozen=True)
class HeldRows:
    """Rows, by their owned numbers, in whose place stands that an unknown has a given value.

    Where the block's columns are of that unknown, ``is_own``, a one stands in each; where its rows
    are the unknown's own too, ``is_diagonal``, the columns are cleared as well, which keeps it
    symmetric.
    """

    rows: NDArray[np.int32]
    is_own: bool
    is_diagonal: bool


class JacobianBlock:
    r"""base + factor * scaled + (what changes with the state), in one matrix.

    The first two are assembled once, and again when a parameter in them has changed. Integrals are
    sorted by what they hold: neither an unknown nor anything else that varies between refreshs; the
    step's factor alone, of which each is a multiple; more. Dirichlet conditions replace the held
    rows, the last ones of a row for good. Turns are matrices P and Q that make global components of
    rows and columns, where unknowns are others: the block is P^T A Q.

    Attributes:
        held: Constants and fields in what is assembled once, each once.
    """

    def __init__(
        self,
        form: Form,
        held_rows: Sequence[HeldRows],
        factor: fem.Constant | None,
        varying: Set[fem.Constant | fem.Function],
        turns: tuple[PETSc.Mat | None, PETSc.Mat | None] = (None, None),
    ) -> None:
        self._held_rows = held_rows
        self._factor = factor
        base, scaled, changing = _sort(form, factor, varying)
        if scaled is not None:
            assert factor is not None
            scaled = ufl.replace(scaled, {factor: ufl.as_ufl(1.0)})
        self.held = _list_held(base, scaled)
        # The pattern is that of what is assembled first: PETSc drops what stays empty then.
        parts = [part for part in (base, scaled, changing) if part is not None]
        first = fem.form(next((part for part in parts if _covers_cells(part)), form))
        self._assembled = fem_petsc.create_matrix(first)
        fem_petsc.assemble_matrix(self._assembled, first)
        self._assembled.assemble()
        self._turns = turns
        self._products = _create_products(self._assembled, *turns)
        self.matrix = self._products[-1] if self._products else self._assembled
        self._changing = None if changing is None else fem.form(changing)
        self._scaled = None if scaled is None else self._create_part(scaled)
        self._base: _Part | None = None
        if base is not None:
            # Alone it is the whole.
            alone = _Part(first, self._assembled)
            self._base = self._create_part(base) if len(parts) > 1 else alone
        if self.is_constant:
            self._finish()
        else:
            self._add_up()

    @property
    def is_constant(self) -> bool:
        """True where nothing but a parameter can change the matrix."""
        return self._changing is None and self._scaled is None

    def refresh(self, changed: Set[Held] = frozenset()) -> bool:
        """Bring the matrix up to date; collective; True as of `BlockSystem.assemble_jacobian`.

        What has changed is what `HeldValues` finds.
        """
        has_new_parameters = not changed.isdisjoint(self.held)
        for part in (self._base, self._scaled) if has_new_parameters else ():
            if part is not None:
                part.assemble()
        if not self.is_constant:
            self._add_up()
        elif has_new_parameters:
            self._finish()
        return has_new_parameters

    def close(self) -> None:
        """Free the matrices; collective."""
        for part in (self._base, self._scaled):
            if part is not None:
                part.matrix.destroy()
        for matrix in (*self._products, self._assembled):
            matrix.destroy()

    def _add_up(self) -> None:
        matrix = self._assembled
        if self._base is None:
            matrix.zeroEntries()
            matrix.assemble()
        else:
            self._base.matrix.copy(matrix, structure=_SAME)
        if self._scaled is not None:
            assert self._factor is not None
            matrix.axpy(float(self._factor.value), self._scaled.matrix, structure=_SAME)
        if self._changing is not None:
            fem_petsc.assemble_matrix(matrix, self._changing)
        matrix.assemble()
        self._finish()

    def _finish(self) -> None:
        """Turn what is assembled to the unknowns' own axes, and replace rows."""
        if self._products:
            _create_products(self._assembled, *self._turns, self._products)
        for held in self._held_rows:
            # Of other blocks nobody asks for symmetry, and the columns meet a step of nothing.
            clear = held.is_own and held.is_diagonal
            self.matrix.setOption(PETSc.Mat.Option.KEEP_NONZERO_PATTERN, True)
            replace = self.matrix.zeroRowsColumnsLocal if clear else self.matrix.zeroRowsLocal
            replace(held.rows, 1.0 if held.is_own else 0.0)

    def _create_part(self, form: Form) -> _Part:
        """A part on the pattern of the whole."""
        part = _Part(fem.form(form), self._assembled.duplicate())
        part.assemble()
        return part


def _create_products(
    matrix: PETSc.Mat,
    rows: PETSc.Mat | None,
    columns: PETSc.Mat | None,
    former: Sequence[PETSc.Mat] = (),
) -> list[PETSc.Mat]:
    """Compute A Q and P^T A Q, as far as there are P and Q, in place of the former ones."""
    products: list[PETSc.Mat] = []
    reuse = iter(former)
    maps, sizes = matrix.getLGMap(), matrix.getBlockSizes()
    if columns is not None:
        products.append(matrix.matMult(columns, result=next(reuse, None)))
    if rows is not None:
        factor = products[-1] if products else matrix
        products.append(rows.transposeMatMult(factor, result=next(reuse, None)))
    if products and not former:
        products[-1].setLGMap(*maps)
        products[-1].setBlockSizes(*sizes)
    return products


@dataclass(frozen=True)
class _Part:
    """A summand of a block, assembled apart on the pattern of the whole."""

    form: fem.Form
    matrix: PETSc.Mat

    def assemble(self) -> None:
        """Assemble the matrix anew."""
        self.matrix.zeroEntries()
        fem_petsc.assemble_matrix(self.matrix, self.form)
        self.matrix.assemble()


class HeldValues:
    """Values of what blocks hold in what is assembled once, and which of them have changed."""

    def __init__(self, blocks: Iterable[JacobianBlock]) -> None:
        held = dict.fromkeys(one for block in blocks for one in block.held)
        self._former = {one: _read(one).copy() for one in held}

    def find_changed(self) -> set[Held]:
        """Find what has another value than when this was last asked; collective."""
        mine = {one for one, old in self._former.items() if not np.array_equal(old, _read(one))}
        self._former |= {one: _read(one).copy() for one in mine}
        fields = [one for one in self._former if isinstance(one, fem.Function)]
        if not fields:
            # Of constants every rank has the same.
            return mine
        flags = np.array([field in mine for field in fields])
        flags = fields[0].function_space.mesh.comm.allreduce(flags, op=MPI.BOR)
        return mine | {field for field, flag in zip(fields, flags, strict=True) if flag}


def _read(held: Held) -> NDArray[np.float64]:
    values: NDArray[np.float64] = held.x.array if isinstance(held, fem.Function) else held.value
    return values


def _list_held(*forms: Form | None) -> list[Held]:
    """List constants and fields of forms, each once, on all ranks in one order."""
    held = [one for f in forms if f is not None for one in (*f.constants(), *f.coefficients())]
    return list(dict.fromkeys(held))


def _sort(
    form: Form, factor: fem.Constant | None, varying: Set[fem.Constant | fem.Function]
) -> tuple[Form | None, Form | None, Form | None]:
    """Integrals that never change, that are multiples of the factor, and all others."""
    parts: tuple[list[ufl.Integral], ...] = ([], [], [])
    for integral in form.integrals():
        alone = Form([integral])
        held = {*alone.coefficients(), *alone.constants()}
        if not varying.isdisjoint(held):
            parts[2].append(integral)
        else:
            parts[1 if factor in held else 0].append(integral)
    base, scaled, changing = (Form(integrals) if integrals else None for integrals in parts)
    return base, scaled, changing


def _covers_cells(form: Form) -> bool:
    """Tell if a form couples all degrees of freedom of each cell, so that its pattern is full."""
    return any(
        integral.integral_type() == "cell" and integral.subdomain_id() == "everywhere"
        for integral in form.integrals()
    )
