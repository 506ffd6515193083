"""Preconditioner for the (c, mu) block: a product of two operators of second order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import basix
import numpy as np
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.form import Form

from chemomech.arrays import FloatArray
from chemomech.forms.fields import FourthOrder
from chemomech.solvers.jacobian_blocks import HeldValues, JacobianBlock
from chemomech.solvers.options import SolverOptions

#: Krylov iterations more than after the last build that are worth building anew.
_WORTH_A_BUILD = 6
#: Factor of change of the shift at which it is built anew in any case.
_DRIFT = 2.0
#: Chebyshev sweeps that solve with the mass matrix: to a tenth.
_MASS_SWEEPS = 3
#: Below this, relative to the scale of the problem, mobility counts as none: extrapolation may have
#: left the range where a law that vanishes is positive.
_SMALLEST_MOBILITY = 1e-12

IndexArray = NDArray[np.int32]

_SAME = PETSc.Mat.Structure.SAME_NONZERO_PATTERN
_NO_ROWS: IndexArray = np.empty(0, dtype=np.int32)


@dataclass
class SchurMemory:
    """State the preconditioner of a pair was last built from, and how it has done since.

    Args:
        block: Number of the composition's block.
        shift: The shift a.
        composition: Values of c, ghosts included; they make the mobility block.
        curvature: w at the same dofs, for which W + E is a weighted mass matrix; 0 at ghosts.
        first: Krylov iterations of the first solve after it was built; None before that.
        excess: Iterations that later solves needed more.
    """

    block: int
    shift: float
    composition: FloatArray
    curvature: FloatArray
    first: int | None = None
    excess: int = 0

    @property
    def numbers(self) -> dict[str, float | int | None]:
        """Its numbers by name."""
        return {"shift": self.shift, "first": self.first, "excess": self.excess}

    @property
    def arrays(self) -> dict[str, FloatArray]:
        """Its values at all dofs of this rank, by name."""
        return {"composition": self.composition, "curvature": self.curvature}


SolverMemory = Mapping[str, SchurMemory]
"""State of a solver from one solve to the next, by the name of its part."""


class FactoredSchur:
    r"""Block factorisation of [[a M, K_M], [-G, M]], G = W + k K, with a factored Schur complement.

    Here k K is the stiffness weighted by k, which may vary in space. Eliminating mu leaves
    S = a M + K_M M^-1 G, with W the mass weighted by the curvature w of the free energy. Where w
    and the mobility m are uniform, S is a product of two shifted Laplacians; they are taken point
    by point:

        S ~ (a [1/v] + K_M) M^-1 ([v] + k K),    m v + a k / v = m w,

    [v] the mass weighted by v, v the larger root of the quadratic equation. Where it has none (w
    below 2 sqrt(a k / m), as within the spinodal) v = sqrt(a k / m), for which S would be a square;
    that is Pearson and Wathen's factorisation. Both factors are symmetric and positive, for one
    cycle of multigrid each. w and m are read off the diagonals of the blocks.

    Where conditions stand in place of rows of [a M, K_M], both factors give way where x is held,
    and the first one alone where y is: y is nearly the first factor's unknown.

    Args:
        operator: The pair.
        coefficient: The shift a of the present step.
        mobility: Block K_M; read anew in every application.
        curvature: Block -G; read anew in every application.
        prefix: Prefix of PETSc's options for the solvers ``diffusion_``, ``curvature_``, ``mass_``.
        held: Owned rows of [a M, K_M] that hold x, and those that hold y.
        block: Number of the composition's block in its system.

    Attributes:
        composition: The first field of the pair.
        memory: What it was last built from; None before.
    """

    def __init__(
        self,
        operator: FourthOrder,
        coefficient: fem.Constant,
        mobility: PETSc.Mat,
        curvature: PETSc.Mat,
        prefix: str,
        held: tuple[IndexArray, IndexArray] = (_NO_ROWS, _NO_ROWS),
        block: int = 0,
    ) -> None:
        self._block = block
        self._held, self._replaced = held[0], np.union1d(*held).astype(np.int32)
        self.composition, self._coefficient = operator.composition, coefficient
        self._mobility, self._curvature = mobility, curvature
        self._mass = _assemble(operator.mass)
        self._stiffness = JacobianBlock(operator.scaled, (), None, frozenset())
        self._values = HeldValues([self._stiffness])
        self._mass_diagonal = self._mass.getDiagonal()
        plain = _assemble(operator.stiffness)
        self._plain_diagonal = plain.getDiagonal()
        plain.destroy()
        # Diffusion first, then curvature.
        self._factors = [self._mass.duplicate(copy=True) for _ in range(2)]
        self._weighted = self._mass.duplicate(copy=True)
        names = ("diffusion", "curvature")
        self._solvers = [
            _create_solver(factor, f"{prefix}{name}_", "preonly", "hypre")
            for factor, name in zip(self._factors, names, strict=True)
        ]
        space = operator.composition.function_space
        self._has_conditions = space.mesh.comm.allreduce(len(self._replaced)) > 0
        self._mass_solver = _create_mass_solver(self._mass, space, f"{prefix}mass_")
        self._work = [self._mass.createVecRight() for _ in range(4)]
        self.memory: SchurMemory | None = None

    def close(self) -> None:
        """Free solvers, matrices and vectors, and let go of the blocks; collective."""
        for solver in (*self._solvers, self._mass_solver):
            solver.destroy()
        self._stiffness.close()
        diagonals = (self._mass_diagonal, self._plain_diagonal)
        matrices = (*self._factors, self._weighted, self._mass, self._mobility, self._curvature)
        for item in (*matrices, *diagonals, *self._work):
            item.destroy()

    def note(self, iterations: int) -> None:
        """Take notice of how many Krylov iterations a linear solve has needed."""
        assert self.memory is not None
        if self.memory.first is None:
            self.memory.first = iterations
        self.memory.excess += max(iterations - self.memory.first, 0)

    def refresh(self) -> bool:
        """Build anew if the step has changed much, or Krylov iterations have grown: True then.

        Called by the owner after the blocks have changed: PETSc would not call a ``setUp`` here, as
        it sees the same nest of matrices again and again.
        """
        memory, shift = self.memory, float(self._coefficient.value)
        if self._stiffness.refresh(self._values.find_changed()):
            memory = None
        if memory is not None and memory.excess < _WORTH_A_BUILD:
            ratio = shift / memory.shift
            if max(ratio, 1.0 / ratio) < _DRIFT:
                return False
        rest = -self._curvature.getDiagonal() - self._stiffness.matrix.getDiagonal()
        composition = self.composition.x.array.copy()
        curvature = np.zeros_like(composition)
        curvature[: rest.getLocalSize()] = rest.array_r / self._mass_diagonal.array_r
        self.build(SchurMemory(self._block, shift, composition, curvature))
        return True

    def build(self, memory: SchurMemory) -> None:
        """Build both factors from a memory; the mobility block must be that of its composition."""
        self.memory = memory
        a = memory.shift
        mobility, k = (
            matrix.getDiagonal().array_r / self._plain_diagonal.array_r
            for matrix in (self._mobility, self._stiffness.matrix)
        )
        w = memory.curvature[: len(mobility)]
        self._fill_in(mobility)
        double = np.sqrt(a * k / np.maximum(mobility, _SMALLEST_MOBILITY))
        root = np.sqrt(np.maximum(w * w - 4.0 * double * double, 0.0))
        v = np.where(w > 2.0 * double, 0.5 * (w + root), double)
        diffusion, curvature = self._factors
        self._mobility.copy(diffusion, structure=_SAME)
        diffusion.axpy(1.0, self._weigh_mass(a / v), structure=_SAME)
        self._stiffness.matrix.copy(curvature, structure=_SAME)
        curvature.axpy(1.0, self._weigh_mass(v), structure=_SAME)
        for factor, rows in zip(self._factors, (self._replaced, self._held), strict=True):
            if self._has_conditions:
                factor.setOption(PETSc.Mat.Option.KEEP_NONZERO_PATTERN, True)
                factor.zeroRowsLocal(rows, 1.0)
        for solver, factor in zip(self._solvers, self._factors, strict=True):
            solver.setOperators(factor)

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Solve approximately for y = (c, mu) with right-hand side x."""
        del pc
        potential, rest, half, composition = self._work
        size = potential.getLocalSize()
        right = x.array_r
        potential.array_w[:] = right[size:]
        self._mass_solver.solve(potential, half)
        self._mobility.mult(half, rest)
        rest.scale(-1.0)
        rest.array_w[:] += right[:size]
        rest.array_w[self._held] = 0.0
        self._solvers[0].solve(rest, half)
        self._mass.mult(half, rest)
        rest.array_w[self._held] = right[self._held]
        self._solvers[1].solve(rest, composition)
        self._curvature.mult(composition, rest)
        potential.axpy(-1.0, rest)
        self._mass_solver.solve(potential, half)
        y.array_w[:size] = composition.array_r
        y.array_w[size:] = half.array_r

    def _fill_in(self, mobility: FloatArray) -> None:
        """Give the rows that hold no mobility its mean, in place."""
        if not self._has_conditions:
            return
        free = np.delete(mobility, self._replaced)
        comm = self.composition.function_space.mesh.comm
        total, count = comm.allreduce(np.array([free.sum(), len(free)]))
        mobility[self._replaced] = total / count

    def _weigh_mass(self, weight: FloatArray) -> PETSc.Mat:
        """Mass matrix weighted by a field given at the owned dofs; the next call overwrites it."""
        scale = self._work[0]
        scale.array_w[:] = np.sqrt(weight)
        self._mass.copy(self._weighted, structure=_SAME)
        self._weighted.diagonalScale(scale, scale)
        return self._weighted


def _assemble(form: Form) -> PETSc.Mat:
    matrix = fem_petsc.assemble_matrix(fem.form(form))
    matrix.assemble()
    return matrix


def _create_mass_solver(mass: PETSc.Mat, space: fem.FunctionSpace, prefix: str) -> PETSc.KSP:
    """Chebyshev sweeps on the bounds that Wathen's theorem gives."""
    lowest, highest = _compute_mass_spectrum(space)
    bounds = {"ksp_chebyshev_eigenvalues": f"{lowest},{highest}"}
    if PETSc.Options(prefix).hasName("ksp_chebyshev_eigenvalues"):
        bounds = {}
    with SolverOptions(prefix, bounds).in_force():
        solver = _create_solver(mass, prefix, "chebyshev", "jacobi")
        solver.setNormType(PETSc.KSP.NormType.NONE)
        solver.setTolerances(max_it=_MASS_SWEEPS)
        solver.setFromOptions()
    return solver


def _compute_mass_spectrum(space: fem.FunctionSpace) -> tuple[float, float]:
    """Bounds of the eigenvalues of diag(M)^-1 M: those of one affine cell's M (Wathen, 1987)."""
    element = space.ufl_element().basix_element
    points, weights = basix.make_quadrature(element.cell_type, 2 * element.embedded_superdegree)
    values = element.tabulate(0, points)[0, :, :, 0]
    mass = values.T @ (weights[:, None] * values)
    scale = 1.0 / np.sqrt(np.diag(mass))
    eigenvalues = np.linalg.eigvalsh(scale[:, None] * mass * scale)
    return float(eigenvalues[0]), float(eigenvalues[-1])


def _create_solver(matrix: PETSc.Mat, prefix: str, ksp_type: str, pc_type: str) -> PETSc.KSP:
    solver = PETSc.KSP().create(matrix.comm)
    solver.setOptionsPrefix(prefix)
    solver.setOperators(matrix)
    solver.setType(ksp_type)
    solver.pc.setType(pc_type)
    solver.setFromOptions()
    return solver
