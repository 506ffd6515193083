r"""Steady diffusion between two faces at which composition or potential is held.

With a constant mobility M and g = A (c - 1/2)^2 / 2 the flux is uniform, so that mu is linear, and

    A (c - 1/2) - kappa c'' = a + b x,   c = 1/2 + (a + b x) / A + p e^(-x/l) + q e^((x-L)/l),

with l^2 = kappa / A. At each face c' = 0, and either c or mu = a + b x has the value held.
"""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.free_energy import Polynomial, RegularSolution
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.diffusion import Diffusion, Discretisation
from chemomech.problems.field_conditions import DirichletCondition
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
STIFFNESS, MOBILITY, LENGTH, WIDTH = 3.0, 0.7, 40.0, 5.0
QUADRATIC = Polynomial([STIFFNESS / 8, -STIFFNESS / 2, STIFFNESS / 2])
PRESETS = pytest.mark.parametrize("preset", list(Preset))


def create_strip(size=1.25):
    return create_domain(Box((LENGTH * 1e-9, WIDTH * 1e-9)), size * 1e-9, COMM)


def create_problem(kappa, left, right, **options):
    """A strip whose faces are held, by name of the field and value."""
    conditions = [
        DirichletCondition(name, group, value)
        for group, (name, value) in {"left": left, "right": right}.items()
    ]
    energy, mobility = FreeEnergyDensity(QUADRATIC, kappa), ConstantMobility(MOBILITY)
    degree = Discretisation(composition_degree=2)
    problem = ChemoMechanics(
        create_strip(), energy, mobility, None, degree, conditions=conditions, **options
    )
    problem.c.x.array[:] = 0.5
    return problem


def create_stepper(problem, preset, control=None):
    settings = NewtonSettings(relative_tolerance=1e-11, absolute_tolerance=1e-12)
    solver = NewtonSolver(BlockSystem(problem), preset, settings)
    return Bdf(problem, solver, control or StepControl(1e-4, newton_share=0.0))


def solve_exactly(kappa, left, right):
    """Functions of x for c and mu, and the flux."""
    layer = np.sqrt(kappa / STIFFNESS)
    rows, values = [], []
    for x, (name, value) in ((0.0, left), (LENGTH, right)):
        decays = np.exp(-x / layer), np.exp((x - LENGTH) / layer)
        rows.append([0.0, 1 / STIFFNESS, -decays[0] / layer, decays[1] / layer])
        values.append(0.0)
        held_composition = [1 / STIFFNESS, x / STIFFNESS, *decays]
        rows.append(held_composition if name == "c" else [1.0, x, 0.0, 0.0])
        values.append(value - 0.5 if name == "c" else value)
    a, b, p, q = np.linalg.solve(rows, values)

    def composition(x):
        waves = p * np.exp(-x / layer) + q * np.exp((x - LENGTH) / layer)
        return 0.5 + (a + b * x) / STIFFNESS + waves

    return composition, lambda x: a + b * x, -MOBILITY * b


CASES = {
    "compositions": (("c", 0.2), ("c", 0.7)),
    "potentials": (("mu", -0.6), ("mu", 0.9)),
    "one of each": (("mu", 0.5), ("c", 0.3)),
}


@PRESETS
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kappa", [0.5, 30.0])
def test_steady_flux_between_two_faces(kappa, case, preset, verify):
    problem = create_problem(kappa, *CASES[case])
    stepper = create_stepper(problem, preset)
    before = problem.mean_composition()
    while (step := stepper.advance(1e9)).rate > 1e-10:
        assert step.number < 200
        # What the faces let in is what the particle has gained.
        gained = (problem.mean_composition() - before) * problem.volume
        assert gained == pytest.approx(-step.released["c"], rel=1e-7, abs=1e-9)
    composition, potential, flux = solve_exactly(kappa, *CASES[case])
    size = problem.c.function_space.dofmap.index_map.size_local
    x = problem.c.function_space.tabulate_dof_coordinates()[:size, 0]
    np.testing.assert_allclose(problem.c.x.array[:size], composition(x), atol=1e-3)
    np.testing.assert_allclose(problem.mu.x.array[:size], potential(x), atol=5e-3)
    face = problem.compile_integral(-MOBILITY * problem.mu.dx(0))() / LENGTH / WIDTH
    verify(f"flux between two {case} held", face / flux, 1.0, rel=2e-3, against="exact")


@PRESETS
def test_iterations_do_not_explode(preset):
    """Faces held cost a few Krylov iterations, not many times as many."""
    counts = []
    for conditions in (CASES["compositions"], CASES["potentials"], None):
        energy = FreeEnergyDensity(RegularSolution(2.75), 22.4)
        held = [
            DirichletCondition(name, group, value)
            for group, (name, value) in zip(("left", "right"), conditions or (), strict=False)
        ]
        problem = ChemoMechanics(create_strip(), energy, DegenerateMobility(1.0), conditions=held)
        problem.c.interpolate(lambda x: 0.5 + 0.1 * np.sin(x[0] / 2) * np.cos(x[1]))
        solver = NewtonSolver(BlockSystem(problem), preset)
        stepper = Bdf(problem, solver, StepControl(1e-3))
        steps = [stepper.advance(1e9) for _ in range(40)]
        newton = sum(step.newton_iterations for step in steps)
        counts.append(sum(step.linear_iterations for step in steps) / newton)
    assert max(counts) < 2.5 * counts[-1] + 3


@PRESETS
def test_initial_state_takes_the_values_held(preset):
    """An expression of the position, and a constant that is changed between steps."""
    level = fem.Constant(create_strip().mesh, 0.3)
    problem = create_problem(2.0, ("c", 0.2), ("c", 0.7))
    y = ufl.SpatialCoordinate(problem.domain.mesh)[1]
    level = fem.Constant(problem.domain.mesh, 0.3)
    conditions = [
        DirichletCondition("c", "left", level),
        DirichletCondition("c", "right", level + 0.01 * y),
    ]
    energy, mobility = FreeEnergyDensity(QUADRATIC, 2.0), ConstantMobility(MOBILITY)
    problem = ChemoMechanics(problem.domain, energy, mobility, conditions=conditions)
    problem.c.x.array[:] = 0.5
    assert not problem.is_closed
    stepper = create_stepper(problem, preset)
    x = problem.c.function_space.tabulate_dof_coordinates()
    left, right = np.isclose(x[:, 0], 0.0), np.isclose(x[:, 0], LENGTH)

    def require(value):
        np.testing.assert_allclose(problem.c.x.array[left], value, atol=1e-12)
        np.testing.assert_allclose(problem.c.x.array[right], value + 0.01 * x[right, 1], atol=1e-12)

    require(0.3)
    for _ in range(5):
        stepper.advance(1e9)
    require(0.3)
    level.value = 0.35
    stepper.reset_history()
    require(0.35)
    stepper.advance(1e9)
    require(0.35)


class Dopant:
    """A second species that diffuses without lithium."""

    def __init__(self, problem):
        energy = FreeEnergyDensity(QUADRATIC, 2.0)
        self._diffusion = Diffusion(
            problem.domain,
            energy,
            ConstantMobility(MOBILITY),
            problem.mass_coefficient,
            names=("d", "mu_d"),
        )
        self._diffusion.c.x.array[:] = 0.4
        self.energies = {"dopant": sum(self._diffusion.energies.values())}
        self.varying = self._diffusion.varying

    def create_fields(self, energy):
        return self._diffusion.create_fields(energy)


@PRESETS
def test_fields_of_processes_are_held_by_name(preset):
    """A dopant comes in from the left; lithium, of which nothing is held, is kept."""
    conditions = [DirichletCondition("mu_d", "left", 0.6)]
    energy, mobility = FreeEnergyDensity(QUADRATIC, 2.0), ConstantMobility(MOBILITY)
    problem = ChemoMechanics(
        create_strip(), energy, mobility, processes=[Dopant], conditions=conditions
    )
    problem.c.x.array[:] = 0.5
    stepper = create_stepper(problem, preset)
    d = problem.fields[2].function
    gained = problem.compile_integral(d)
    before = gained()
    while (step := stepper.advance(1e9)).rate > 1e-10:
        assert step.number < 200
    np.testing.assert_allclose(d.x.array, 0.5 + 0.6 / STIFFNESS, atol=1e-6)
    assert problem.mean_composition() == pytest.approx(0.5, abs=1e-12)
    assert step.released["d"] == pytest.approx(before - gained(), rel=1e-7)
    assert step.released["c"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (DirichletCondition("d", "left", 0.2), "no field 'd' to hold.*c, mu"),
        (DirichletCondition("c", "lft", 0.2), "did you mean 'left'"),
        (DirichletCondition("c", "left", 1.2), "'c' on group 'left' must lie between 0 and 1"),
        (DirichletCondition("c", "left", ufl.as_vector([0.2, 0.3])), "needs the shape"),
    ],
)
def test_conditions_that_cannot_be_held_are_refused(condition, message):
    energy = FreeEnergyDensity(RegularSolution(2.75), 2.0)
    with pytest.raises(InputError, match=message):
        ChemoMechanics(create_strip(), energy, ConstantMobility(1.0), conditions=[condition])
