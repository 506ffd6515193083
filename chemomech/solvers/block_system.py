"""A nonlinear system in blocks, assembled block by block into PETSc objects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.form import Form

from chemomech.arrays import FloatArray
from chemomech.forms.fields import Elastic, Field, find_given_up, find_owned_dofs
from chemomech.solvers.jacobian_blocks import HeldRows, HeldValues, JacobianBlock


class BlockProblem(Protocol):
    """A problem in fields that can be solved."""

    @property
    def fields(self) -> Sequence[Field]:
        """Fields to find, one a block."""

    @property
    def varying(self) -> Sequence[fem.Constant | fem.Function]:
        """Constants and functions in the Jacobian that change between solves, but unknowns."""

    @property
    def mass_coefficient(self) -> fem.Constant | None:
        """Coefficient of the rates, which changes with the time step; None without rates."""


class BlockSystem:
    """Residual vector and nested Jacobian of a :class:`BlockProblem`, a block for each field.

    The flat vectors, ``x`` and ``residual``, of rank r are the concatenation of the owned parts of
    all blocks. A Jacobian block whose form holds neither an unknown nor the step is assembled here,
    and again only where a parameter in it has changed.
    """

    def __init__(self, problem: BlockProblem) -> None:
        self.problem = problem
        self.fields = problem.fields
        spaces = [field.function.function_space for field in self.fields]
        self.comm: PETSc.Comm = spaces[0].mesh.comm
        self.dimension: int = spaces[0].mesh.geometry.dim
        self._residual_forms = [fem.form(field.residual) for field in self.fields]
        self._local = [
            la.vector(space.dofmap.index_map, space.dofmap.index_map_bs) for space in spaces
        ]
        self.sizes = [
            space.dofmap.index_map.size_local * space.dofmap.index_map_bs for space in spaces
        ]
        self.offsets = np.concatenate(([0], np.cumsum(self.sizes)))
        self._given_up = [find_given_up(self.fields, row) for row in range(len(self.fields))]
        self._create_jacobian()
        self.x = self.jacobian.createVecRight()
        self.residual = self.jacobian.createVecLeft()

    @property
    def size(self) -> int:
        """Number of unknowns over all ranks."""
        return int(self.x.getSize())

    @property
    def is_linear(self) -> bool:
        """True where the Jacobian does not depend on the unknowns: one linear solve does."""
        return all(block.is_constant for block in self._blocks.values())

    def is_constant(self, index: int) -> bool:
        """Tell if nothing but a parameter can change a field's own block of the Jacobian."""
        return self._blocks[index, index].is_constant

    def block(self, vector: PETSc.Vec, index: int) -> FloatArray:
        """Copy of one block's owned part of a flat vector."""
        begin, end = self.offsets[index : index + 2]
        return vector.array_r[begin:end].copy()

    def find_held_rows(self, row: int, held: int) -> NDArray[np.int32]:
        """Owned rows of one field's equation in whose place conditions hold a field."""
        space = self.fields[held].function.function_space
        conditions = [condition for one, condition in self._given_up[row] if one == held]
        rows = [find_owned_dofs(space, condition) for condition in conditions]
        return np.unique(np.concatenate([np.empty(0, dtype=np.int32), *rows]))

    def gather_unknowns(self) -> None:
        """Copy the unknowns' owned values into ``x``, Dirichlet values imposed."""
        for field in self.fields:
            field.impose_conditions()
        parts = zip(self.fields, self.sizes, strict=True)
        values = [field.resolve(field.function.x.array[:size]) for field, size in parts]
        self.x.setArray(np.concatenate(values))

    def scatter_unknowns(self, x: PETSc.Vec) -> None:
        """Copy a flat vector into the unknowns, ghosts included."""
        for index, field in enumerate(self.fields):
            values = self.block(x, index)
            if field.axes is not None:
                values = field.axes.compose(values)
            field.function.x.array[: self.sizes[index]] = values
            field.function.x.scatter_forward()

    def assemble_residual(self, x: PETSc.Vec, residual: PETSc.Vec) -> None:
        """Evaluate the residual at ``x``; rows of Dirichlet dofs hold x - value."""
        self.scatter_unknowns(x)
        values = [field.resolve(field.function.x.array) for field in self.fields]
        parts = []
        for index, (form, local) in enumerate(zip(self._residual_forms, self._local, strict=True)):
            local.array[:] = 0
            fem.assemble_vector(local.array, form)
            local.scatter_reverse(la.InsertMode.add)
            if (axes := self.fields[index].axes) is not None:
                local.array[:] = axes.resolve(local.array)
            for held, condition in self._given_up[index]:
                condition.set(local.array, values[held], -1.0)
            parts.append(local.array[: self.sizes[index]])
        residual.setArray(np.concatenate(parts))

    def assemble_jacobian(self) -> bool:
        """Refresh the blocks that change with the unknowns or the step; collective.

        True tells that a parameter has changed what is otherwise constant.
        """
        changed = self._held.find_changed()
        changes = [block.refresh(changed) for block in self._blocks.values()]
        self.jacobian.assemble()
        return any(changes)

    def close(self) -> None:
        """Free matrices and vectors; collective."""
        for block in self._blocks.values():
            block.close()
        turns = [turn for turn in self._turns if turn is not None]
        for item in (self.jacobian, self.x, self.residual, *turns):
            item.destroy()

    @cached_property
    def free_motions(self) -> list[tuple[int, FloatArray]]:
        """Block of each elastic field that is not held, and its free rigid motions."""
        found = [
            (index, field.operator.find_free_motions())
            for index, field in enumerate(self.fields)
            if isinstance(field.operator, Elastic)
        ]
        return [(index, np.array(motions)) for index, motions in found if motions]

    def create_null_space(self) -> PETSc.NullSpace | None:
        """Null space of the whole Jacobian: free rigid motions, or None."""
        vectors = []
        for index, motions in self.free_motions:
            for motion in motions:
                vector = self.x.duplicate()
                vector.array_w[self.offsets[index] : self.offsets[index + 1]] = motion
                vectors.append(vector)
        return PETSc.NullSpace().create(vectors=vectors, comm=self.comm) if vectors else None

    def _create_jacobian(self) -> None:
        self._turns = [_create_turn(field) for field in self.fields]
        blocks: list[list[PETSc.Mat | None]] = []
        self._blocks: dict[tuple[int, int], JacobianBlock] = {}
        for row, field in enumerate(self.fields):
            form = field.linearised or field.residual
            blocks.append([])
            for column, other in enumerate(self.fields):
                trial = ufl.TrialFunction(other.function.function_space)
                block = ufl.derivative(form, other.function, trial)
                blocks[-1].append(self._create_block(block, row, column))
        self._held = HeldValues(self._blocks.values())
        self.jacobian = PETSc.Mat().createNest(blocks, comm=self.comm)
        self.jacobian.setUp()
        self.jacobian.assemble()

    def _create_block(self, jacobian: Form, row: int, column: int) -> PETSc.Mat | None:
        """Create one block's matrix; None if it is zero."""
        jacobian = ufl.algorithms.expand_derivatives(jacobian)
        if jacobian.empty():
            return None
        varying = {*(field.function for field in self.fields), *self.problem.varying}
        space = self.fields[row].function.function_space
        held_rows = [
            HeldRows(find_owned_dofs(space, condition), held == column, row == column)
            for held, condition in self._given_up[row]
        ]
        turns = self._turns[row], self._turns[column]
        block = JacobianBlock(jacobian, held_rows, self.problem.mass_coefficient, varying, turns)
        self._blocks[row, column] = block
        return block.matrix


def _create_turn(field: Field) -> PETSc.Mat | None:
    """Matrix that makes global components of unknowns along a field's axes; None without them."""
    if field.axes is None:
        return None
    dofmap = field.function.function_space.dofmap
    size, count = dofmap.index_map_bs, dofmap.index_map.size_local
    blocks = np.tile(np.eye(size), (count, 1, 1))
    owned = field.axes.nodes < count
    blocks[field.axes.nodes[owned]] = field.axes.rotations[owned].swapaxes(1, 2)
    first = size * np.arange(*dofmap.index_map.local_range)
    columns = np.repeat(first[:, None] + np.arange(size), size, axis=0)
    starts = size * np.arange(size * count + 1)
    # PETSc counts in integers of 32 bits, unless it was built otherwise.
    rows, entries = starts.astype(PETSc.IntType), columns.ravel().astype(PETSc.IntType)
    layout = (size * count, size * dofmap.index_map.size_global)
    arrays = rows, entries, blocks.ravel()
    comm = field.function.function_space.mesh.comm
    turn = PETSc.Mat().createAIJ((layout, layout), size, csr=arrays, comm=comm)
    turn.assemble()
    return turn
