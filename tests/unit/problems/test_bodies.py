"""Two particles in one mesh, each free to move by itself."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from two_boxes import FIRST, SECOND, create_boxes

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.components import find_bodies
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.conditions import Displacement, Loads, Traction
from chemomech.problems.field_conditions import DirichletCondition
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
ASSUMPTIONS = ["plane_strain", "generalised_plane_strain", "plane_stress", "three_dimensional"]
PRESETS = pytest.mark.parametrize("preset", list(Preset))


def create_domain(assumption, boxes=(FIRST, SECOND)):
    return create_boxes(3 if assumption == "three_dimensional" else 2, boxes)


def create_mechanics(assumption):
    stiffness = create_isotropic_stiffness(937.6, 0.3)
    return Mechanics(
        Elasticity(stiffness, Assumption(assumption)), Eigenstrain.isotropic(0.0149, 0.5)
    )


def measure(problem, expression):
    """Integral over the mesh."""
    return COMM.allreduce(fem.assemble_scalar(fem.form(expression * ufl.dx(problem.domain.mesh))))


def measure_stress(problem):
    """Root of the integral of the squared stress."""
    stress = problem.stress()
    return np.sqrt(measure(problem, ufl.inner(stress, stress)))


def measure_drift(problem):
    """Largest mean displacement or rotation of either body, in the mesh's unit of length."""
    x = ufl.SpatialCoordinate(problem.domain.mesh)
    u = problem.u
    drifts = []
    for is_first in (ufl.lt(x[0], 45.0), ufl.gt(x[0], 45.0)):
        inside = ufl.conditional(is_first, 1.0, 0.0)
        volume = measure(problem, inside)
        drifts += [measure(problem, u[i] * inside) / volume for i in range(len(u))]
        turn = ufl.grad(u)[1, 0] - ufl.grad(u)[0, 1]
        drifts.append(10.0 * measure(problem, turn * inside) / volume)
    return np.abs(drifts).max()


@pytest.mark.parametrize("dimension", [2, 3])
def test_bodies_are_told_apart(dimension):
    domain = create_boxes(dimension)
    space = fem.functionspace(domain.mesh, ("Lagrange", 2, (dimension,)))
    count, bodies = find_bodies(space)
    assert count == 2
    is_second = space.tabulate_dof_coordinates()[:, 0] > 45.0
    numbers = COMM.allgather((set(bodies[is_second]), set(bodies[~is_second])))
    second, first = (set().union(*column) for column in zip(*numbers, strict=True))
    assert len(first) == len(second) == 1
    assert first != second


def test_one_body_is_one_over_all_ranks():
    space = fem.functionspace(create_boxes(2, [FIRST]).mesh, ("Lagrange", 1))
    count, bodies = find_bodies(space)
    assert count == 1
    assert not bodies.any()


@pytest.mark.parametrize(
    ("assumption", "supports", "free"),
    [
        ("plane_strain", [], 6),
        ("three_dimensional", [], 12),
        ("plane_strain", [Displacement("left")], 3),
        ("three_dimensional", [Roller("left")], 9),
    ],
)
def test_each_body_moves_by_itself(assumption, supports, free):
    domain = create_domain(assumption)
    problem = StaticStress(
        domain, create_mechanics(assumption), ufl.as_ufl(0.5), Loads(tuple(supports))
    )
    motions = np.array(problem.solid.operator.find_free_motions())
    assert len(motions) == free
    np.testing.assert_allclose(COMM.allreduce(motions @ motions.T), np.eye(free), atol=1e-12)
    strain = problem.strain()
    for motion in motions:
        problem.u.x.array[: len(motion)] = motion
        problem.u.x.scatter_forward()
        assert measure(problem, ufl.inner(strain, strain)) < 1e-20


def test_a_support_of_one_body_does_not_hold_the_other():
    """A pull on the whole surface has no sum, but one on the held body's far side has."""
    domain = create_boxes(2)
    law = create_mechanics("plane_strain")
    held = (Displacement("left"),)
    StaticStress(domain, law, ufl.as_ufl(0.5), Loads(held, [Traction("left", (1.0, 0.0))]))
    with pytest.raises(InputError, match="nothing holds"):
        StaticStress(domain, law, ufl.as_ufl(0.5), Loads((), [Traction("left", (1.0, 0.0))]))


@PRESETS
@pytest.mark.parametrize("assumption", ASSUMPTIONS)
def test_uniform_swelling_is_free_of_stress(assumption, preset):
    law = create_mechanics(assumption)
    problem = StaticStress(create_domain(assumption), law, ufl.as_ufl(0.9))
    solver = NewtonSolver(BlockSystem(problem), preset)
    assert solver.solve().converged
    if assumption != "plane_strain":  # there sigma_zz remains
        assert measure_stress(problem) < 1e-6 * 937.6 * 0.4 * 0.0149 * 40
    assert measure_drift(problem) < 1e-8
    strain = problem.strain()
    swollen = measure(problem, strain[0, 0]) / measure(problem, ufl.as_ufl(1.0))
    factor = 1.3 if assumption == "plane_strain" else 1.0
    assert swollen == pytest.approx(factor * 0.4 * 0.0149, rel=1e-7)


@PRESETS
@pytest.mark.parametrize("assumption", ASSUMPTIONS[:1] + ASSUMPTIONS[2:])
def test_energy_is_that_of_the_bodies_alone(assumption, preset):
    """In generalised plane strain alone they share something: eps_zz."""
    energies = []
    for boxes in ((FIRST, SECOND), (FIRST,), (SECOND,)):
        domain = create_domain(assumption, boxes)
        x = ufl.SpatialCoordinate(domain.mesh)
        c = 0.5 + 0.3 * ufl.sin(x[0] / 7) * ufl.cos(x[1] / 5)
        problem = StaticStress(domain, create_mechanics(assumption), c)
        assert NewtonSolver(BlockSystem(problem), preset).solve().converged
        energies.append(problem.energies()["elastic"])
    assert energies[0] == pytest.approx(energies[1] + energies[2], rel=1e-8)


@PRESETS
@pytest.mark.parametrize("assumption", ["plane_stress", "three_dimensional"])
def test_two_particles_neither_drift_nor_exchange(assumption, preset):
    """One rich, one poor: each keeps its lithium, and being uniform is free of stress."""
    psi = FreeEnergyDensity(RegularSolution(1.0), 22.4, create_mechanics(assumption))
    problem = ChemoMechanics(create_domain(assumption), psi, DegenerateMobility(1.0))
    problem.c.interpolate(lambda x: np.where(x[0] < 45.0, 0.3, 0.8) + 1e-3 * np.sin(x[1] / 3))
    stepper = Bdf(problem, NewtonSolver(BlockSystem(problem), preset), StepControl(1e-4))
    x = ufl.SpatialCoordinate(problem.domain.mesh)
    first = ufl.conditional(ufl.lt(x[0], 45.0), 1.0, 0.0)
    before = measure(problem, problem.c * first)
    for _ in range(15):
        stepper.advance(1e4)
    assert measure(problem, problem.c * first) == pytest.approx(before, rel=1e-9)
    assert measure_drift(problem) < 1e-3
    assert measure_stress(problem) < 1e-3 * 937.6 * 0.4 * 0.0149 * 40


@PRESETS
def test_what_one_body_takes_up_is_not_the_other_one_s(preset):
    """The first is filled from its left face; the other keeps what it has."""
    psi = FreeEnergyDensity(RegularSolution(1.0), 22.4)
    held = [DirichletCondition("c", "left", 0.6)]
    problem = ChemoMechanics(create_boxes(2), psi, DegenerateMobility(1.0), conditions=held)
    problem.c.interpolate(lambda x: 0.4 + 1e-3 * np.sin(x[1] / 3))
    stepper = Bdf(problem, NewtonSolver(BlockSystem(problem), preset), StepControl(1e-4))
    x = ufl.SpatialCoordinate(problem.domain.mesh)
    second = ufl.conditional(ufl.gt(x[0], 45.0), 1.0, 0.0)
    before = measure(problem, problem.c * second)
    while stepper.advance(1e6).rate > 1e-6:
        pass
    assert measure(problem, problem.c * second) == pytest.approx(before, rel=1e-9)
    first = measure(problem, problem.c * (1 - second)) / measure(problem, 1 - second)
    assert first == pytest.approx(0.6, abs=1e-3)
