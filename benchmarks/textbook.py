"""The textbook way: one mixed element, one residual, MUMPS at every Newton iteration.

    (c - c_old, q) / dt + (M(c) grad mu, grad q) = 0,   mu = theta mu_new + (1 - theta) mu_old,
    (mu, v) - dF/dc[v] = 0,   dF/du[w] = 0

with steps that follow Newton's iterations: few make the next step longer, many or a failure halve
it. Plain DOLFINx and PETSc; of the package only the mesh, the material's laws and the initial state
are taken, so that both solve the same equations with the same quadrature. Three displacements are
pinned to hold the free body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from basix.ufl import element, mixed_element
from dolfinx import fem, la
from dolfinx.fem import petsc as fem_petsc
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.form import Form

from chemomech.forms.energy import FreeEnergyDensity, create_strain
from chemomech.problems.chemo_mechanics import ChemoMechanics


@dataclass(frozen=True)
class IterationControl:
    """Steps by the count of Newton iterations.

    Args:
        theta: 1 for backward Euler, 0.5 for the trapezoidal rule.
        few: Newton iterations up to which the next step is longer.
        many: Those from which on it is halved.
        growth: Factor by which it is longer.
        relative_tolerance: Of Newton's residual.
        max_iterations: Before a step is halved and tried again.
    """

    theta: float = 1.0
    few: int = 4
    many: int = 8
    growth: float = 1.3
    relative_tolerance: float = 1e-7
    max_iterations: int = 12


class Textbook:
    """Solve a 2-D problem from its initial state.

    Args:
        problem: Mesh, laws, initial composition; never solved.
        control: Time scheme and choice of steps.
        first_step: First step, in the problem's unit of time.

    Attributes:
        time: Time reached.
        steps, newton, failures: Accepted steps, all Newton iterations, attempts that failed.
    """

    def __init__(
        self, problem: ChemoMechanics, control: IterationControl, first_step: float
    ) -> None:
        self._control = control
        self._step = first_step
        self.time = 0.0
        self.steps = self.newton = self.failures = 0
        mesh = problem.domain.mesh
        scalar = element("Lagrange", mesh.basix_cell(), 1)
        vector = element("Lagrange", mesh.basix_cell(), 1, shape=(mesh.geometry.dim,))
        space = fem.functionspace(mesh, mixed_element([scalar, scalar, vector]))
        self.state, self._old = fem.Function(space), fem.Function(space)
        self.state.sub(0).interpolate(problem.c)
        self._length = fem.Constant(mesh, first_step)
        self._theta = fem.Constant(mesh, 1.0)
        residual = self._write_residual(problem)
        self._residual = fem.form(residual)
        self._jacobian = fem.form(ufl.derivative(residual, self.state))
        self._conditions = _pin(space)
        self._energy = fem.form(self._energies)
        self._local = la.vector(space.dofmap.index_map, space.dofmap.index_map_bs)
        self._matrix = fem_petsc.create_matrix(self._jacobian)
        self._x, self._right = self._matrix.createVecRight(), self._matrix.createVecLeft()
        self._snes = self._create_solver()

    def advance(self, target: float) -> None:
        """Take one step that ends at ``target`` at the latest."""
        control = self._control
        while True:
            left = target - self.time
            size = left if self._step >= left * (1 - 1e-10) else self._step
            iterations = self._attempt(size)
            if iterations is not None:
                break
            self.failures += 1
            self._step = size / 2
            if self._step < 1e-9:
                raise RuntimeError("the step vanishes")
        self.time += size
        self.steps += 1
        self._old.x.array[:] = self.state.x.array
        if size < self._step:
            return
        if iterations <= control.few:
            self._step *= control.growth
        elif iterations >= control.many:
            self._step /= 2

    def composition(self) -> fem.Function:
        """Present composition on a space of its own."""
        return self.state.sub(0).collapse()

    def energy(self) -> float:
        """Free energy of the present state, on one rank."""
        return float(fem.assemble_scalar(self._energy))

    def _write_residual(self, problem: ChemoMechanics) -> Form:
        mesh, psi = problem.domain.mesh, problem.energy_density
        c, mu, u = ufl.split(self.state)
        c_old, mu_old, _ = ufl.split(self._old)
        q, v, _ = ufl.TestFunctions(self.state.function_space)
        degree = problem.discretisation.chemical_quadrature
        dx = ufl.Measure("dx", domain=mesh, metadata={"quadrature_degree": degree})
        self._energies = _write_energy(psi, c, u, dx)
        middle = self._theta * mu + (1 - self._theta) * mu_old
        c_middle = self._theta * c + (1 - self._theta) * c_old
        mobility = problem.mobility.value(c_middle, None)
        diffusion = (c - c_old) / self._length * q * dx
        diffusion += mobility * ufl.dot(ufl.grad(middle), ufl.grad(q)) * dx
        # dF in the direction (v, 0, w) gives dF/dc[v] + dF/du[w]; the sign of the former turns.
        test = ufl.TestFunction(self.state.function_space)
        change = ufl.derivative(self._energies, self.state, test)
        zero = ufl.as_vector([0.0] * mesh.geometry.dim)
        dc = ufl.replace(change, {test: ufl.as_vector([v, 0.0, *zero])})
        parts = ufl.split(test)[2]
        du = ufl.replace(change, {test: ufl.as_vector([0.0, 0.0, *parts])})
        return diffusion + mu * v * dx - dc + du

    def _create_solver(self) -> PETSc.SNES:
        snes = PETSc.SNES().create(self._matrix.comm)
        snes.setOptionsPrefix("textbook_")
        PETSc.Options("textbook_")["snes_linesearch_type"] = "basic"
        snes.setFunction(self._evaluate, self._right)
        snes.setJacobian(self._linearise, self._matrix)
        snes.setTolerances(
            rtol=self._control.relative_tolerance,
            atol=1e-9,
            stol=0.0,
            max_it=self._control.max_iterations,
        )
        snes.ksp.setType("preonly")
        snes.ksp.pc.setType("lu")
        snes.ksp.pc.setFactorSolverType("mumps")
        snes.setFromOptions()
        return snes

    def _attempt(self, size: float) -> int | None:
        """Newton iterations of a step; None if it failed, with the old state restored."""
        self._length.value = size
        # The trapezoidal rule needs a potential to begin with, which the first step finds.
        self._theta.value = self._control.theta if self.steps else 1.0
        count = self._x.getLocalSize()
        self._x.array_w[:] = self._old.x.array[:count] if self.steps else self.state.x.array[:count]
        if not self.steps:
            self._old.x.array[:] = self.state.x.array
        self._snes.solve(None, self._x)
        self.newton += self._snes.getIterationNumber()
        if self._snes.getConvergedReason() > 0:
            self._copy(self._x)
            return int(self._snes.getIterationNumber())
        self.state.x.array[:] = self._old.x.array
        return None

    def _copy(self, x: PETSc.Vec) -> None:
        self.state.x.array[: x.getLocalSize()] = x.array_r
        self.state.x.scatter_forward()

    def _evaluate(self, snes: PETSc.SNES, x: PETSc.Vec, right: PETSc.Vec) -> None:
        self._copy(x)
        self._local.array[:] = 0
        fem.assemble_vector(self._local.array, self._residual)
        self._local.scatter_reverse(la.InsertMode.add)
        for condition in self._conditions:
            condition.set(self._local.array, self.state.x.array, -1.0)
        right.array_w[:] = self._local.array[: right.getLocalSize()]

    def _linearise(
        self, snes: PETSc.SNES, x: PETSc.Vec, matrix: PETSc.Mat, same: PETSc.Mat
    ) -> None:
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(matrix, self._jacobian, bcs=self._conditions)
        matrix.assemble()


def _write_energy(
    psi: FreeEnergyDensity, c: ufl.core.expr.Expr, u: ufl.core.expr.Expr, dx: ufl.Measure
) -> Form:
    energy = (psi.chemical(c) + psi.gradient(c)) * dx
    if psi.mechanics is not None:
        # As the package does on quadrilaterals of degree 1.
        elastic = psi.mechanics.energy(c, create_strain(u))
        energy += elastic * dx(metadata={"quadrature_degree": 2})
    return energy


def _pin(space: fem.FunctionSpace) -> list[fem.DirichletBC]:
    """Three displacements of a plane body: both at one vertex, one far from it."""
    points = space.mesh.geometry.x
    first = points[np.argmin(points[:, 0] + points[:, 1])]
    far = points[np.argmax(points[:, 0])]
    conditions = []
    for component, point in ((0, first), (1, first), (1, far)):
        displacement = space.sub(2).sub(component)
        own, _ = displacement.collapse()

        def is_there(
            x: NDArray[np.float64], point: NDArray[np.float64] = point
        ) -> NDArray[np.bool_]:
            return np.asarray(np.linalg.norm(x - point[:, None], axis=0) < 1e-9)

        dofs = fem.locate_dofs_geometrical((displacement, own), is_there)
        conditions.append(fem.dirichletbc(fem.Function(own), dofs, displacement))
    return conditions
