"""The default material and the means to step and measure it, shared by the tests against theory.

Everything is dimensionless as in the solver: lengths in nm, times in (1 nm)^2 / D, energies per
R T C, potentials per R T.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.problems.rollers import Roller
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf


@pytest.fixture(scope="session")
def comm():
    return MPI.COMM_WORLD


@pytest.fixture(scope="session")
def material():
    """Li_xV2O5 with the package's defaults, D = 1e-15 m^2/s, and a function for its energy."""
    thermal = 2478.957  # R T, J/mol
    density = thermal * 18500.0  # R T C, J/m^3
    young, poisson, expansion = 43e9 / density, 0.3, 2.415e-6 * 18500.0 / 3

    def mechanics(assumption, reference=0.5):
        stiffness = create_isotropic_stiffness(young, poisson)
        return Mechanics(
            Elasticity(stiffness, Assumption(assumption)),
            Eigenstrain.isotropic(expansion, reference),
        )

    def energy(assumption=None, *, chi=2.75, gradient=None, reference=0.5):
        return FreeEnergyDensity(
            RegularSolution(chi),
            default_gradient if gradient is None else gradient,
            None if assumption is None else mechanics(assumption, reference),
        )

    default_gradient = 5.559e-14 / thermal * 1e18
    return SimpleNamespace(
        chi=2.75,
        gradient=default_gradient,
        young=young,
        poisson=poisson,
        expansion=expansion,
        thermal=thermal,
        time=1e-3,  # L0^2 / D, s
        surface_energy=density * 1e-9,  # R T C L0, J/m^2
        energy=energy,
    )


@pytest.fixture(scope="session")
def box_rollers():
    """Rollers on all sides of a rectangle, which with no flux make it a mirror-periodic cell."""
    return [Roller(group) for group in ("left", "right", "bottom", "top")]


@pytest.fixture
def create_newton(preset):
    """Return a function for Newton's method on a problem, with the linear solver of the test."""

    def create(problem, settings=None):
        return NewtonSolver(BlockSystem(problem), preset, settings)

    return create


@pytest.fixture
def create_stepper(create_newton):
    """Return a function that makes a time stepper from a problem in its initial state."""

    def create(problem, control=None, settings=None):
        return Bdf(problem, create_newton(problem, settings), control or StepControl())

    return create


@pytest.fixture
def relax(create_stepper):
    """Return a function that steps a problem until nothing moves any more."""

    def run(problem, tolerance=1e-4, rate=1e-9, steps=400):
        # What is stationary shows in the potential, which Newton's method must not leave rough.
        stepper = create_stepper(problem, StepControl(tolerance, newton_share=0.0))
        for _ in range(steps):
            step = stepper.advance(1e9)
            if step.rate < rate:
                return step
        raise AssertionError(f"not stationary after {steps} steps: rate {step.rate:g}")

    return run


@pytest.fixture(scope="session")
def integrate(comm):
    """Return a function for the integral of a UFL expression over a mesh."""

    def compute(mesh, expression, degree=4):
        dx = ufl.Measure("dx", domain=mesh, metadata={"quadrature_degree": degree})
        return mesh.comm.allreduce(fem.assemble_scalar(fem.form(expression * dx)), op=MPI.SUM)

    return compute


@pytest.fixture(scope="session")
def bottom_profile():
    """Return a function for c at the nodes of the edge y = 0, as sorted x and values."""

    def gather(problem):
        c = problem.c
        size = c.function_space.dofmap.index_map.size_local
        x = c.function_space.tabulate_dof_coordinates()[:size]
        edge = np.abs(x[:, 1]) < 1e-9
        parts = problem.domain.mesh.comm.allgather((x[edge, 0], c.x.array[:size][edge]))
        places, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(places)
        return places[order], values[order]

    return gather
