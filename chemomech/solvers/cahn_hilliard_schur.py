"""Preconditioner for the (c, mu) block: a product of two shifted Laplacians."""

from __future__ import annotations

import math
from typing import Protocol

import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

#: Relative change of the shift at which the multigrid hierarchy is built anew.
DRIFT = 0.15


class FourthOrderProblem(Protocol):
    """What a problem must say of its stiff, fourth-order part.

    Attributes:
        c: The unknown it acts on.
        shift: Constant a in dc/dt = a c + history.
    """

    c: fem.Function
    shift: fem.Constant

    @property
    def stiffness_scale(self) -> float:
        """Typical factor m k of the fourth-order operator: mobility times gradient coefficient."""


class ShiftedLaplacianSchur:
    r"""Block factorisation of [[a M + .., K_M], [-(W + k K), M]] with a factored Schur complement.

    Eliminating mu leaves S close to a (M + p K) M^-1 (M + p K) with p^2 = m k / a, as Pearson and
    Wathen factorise: two multigrid cycles and two mass solves an application.

    Args:
        problem: Source of the present step and of the scale of the stiff part.
        mobility: Block K_M; read anew in every application.
        curvature: Block -(W + k K); read anew in every application.

    Attributes:
        coefficient: p of the multigrid in use; infinite before the first.
    """

    def __init__(
        self, problem: FourthOrderProblem, mobility: PETSc.Mat, curvature: PETSc.Mat
    ) -> None:
        self._problem = problem
        self._mobility, self._curvature = mobility, curvature
        trial, test = (
            ufl.TrialFunction(space := problem.c.function_space),
            ufl.TestFunction(space),
        )
        degree = 2 * space.ufl_element().degree
        dx = ufl.Measure("dx", metadata={"quadrature_degree": degree})
        self._mass = _assemble(ufl.inner(trial, test) * dx)
        self._stiffness = _assemble(ufl.inner(ufl.grad(trial), ufl.grad(test)) * dx)
        self._shifted = self._mass.duplicate(copy=True)
        self.coefficient = math.inf
        prefix = "chemomech_shifted_laplacian_"
        self._laplacian = _create_solver(self._shifted, prefix, "preonly", "hypre")
        self._mass_solver = _create_solver(self._mass, "chemomech_mass_", "cg", "jacobi")
        self._mass_solver.setTolerances(rtol=1e-3, max_it=10)
        self._work = [self._mass.createVecRight() for _ in range(4)]

    def refresh(self) -> None:
        """Follow the step length; rebuild the multigrid if it has changed enough.

        Called by the owner: PETSc would not call a ``setUp`` here, as it sees the same nest of
        matrices again and again.
        """
        self._shift = float(self._problem.shift.value)
        coefficient = math.sqrt(self._problem.stiffness_scale / self._shift)
        drift = abs(coefficient - self.coefficient)
        if math.isinf(self.coefficient) or drift > DRIFT * self.coefficient:
            self.build(coefficient)

    def build(self, coefficient: float) -> None:
        """Build the multigrid of M + p K.

        Args:
            coefficient: p.
        """
        self.coefficient = coefficient
        self._mass.copy(self._shifted, structure=PETSc.Mat.Structure.SAME)
        self._shifted.axpy(coefficient, self._stiffness, PETSc.Mat.Structure.SAME)
        self._laplacian.setOperators(self._shifted)

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
        self._laplacian.solve(rest, half)
        self._mass.mult(half, rest)
        self._laplacian.solve(rest, composition)
        composition.scale(1.0 / self._shift)
        self._curvature.mult(composition, rest)
        potential.axpy(-1.0, rest)
        self._mass_solver.solve(potential, half)
        y.array_w[:size] = composition.array_r
        y.array_w[size:] = half.array_r


def _assemble(form: ufl.form.Form) -> PETSc.Mat:
    matrix = fem_petsc.assemble_matrix(fem.form(form))
    matrix.assemble()
    return matrix


def _create_solver(matrix: PETSc.Mat, prefix: str, ksp_type: str, pc_type: str) -> PETSc.KSP:
    solver = PETSc.KSP().create(matrix.comm)
    solver.setOptionsPrefix(prefix)
    solver.setOperators(matrix)
    solver.setType(ksp_type)
    solver.pc.setType(pc_type)
    solver.setFromOptions()
    return solver
