"""Rollers on planes of any direction, with and without a displacement along their normal."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.conditions import Displacement, Loads, create_dirichlet_conditions
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steady import solve
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
YOUNG, POISSON = 900.0, 0.3
LENGTHS = (40.0, 20.0, 20.0)
TILT = np.radians(30.0)


def mechanics(dimension, expansion=0.01):
    assumption = Assumption.PLANE_STRAIN if dimension == 2 else Assumption.THREE_DIMENSIONAL
    stiffness = create_isotropic_stiffness(YOUNG, POISSON)
    return Mechanics(Elasticity(stiffness, assumption), Eigenstrain.isotropic(expansion, 0.5))


def create_axes(dimension, tilt):
    """Rotation about z, in 3-D about y as well."""
    cos, sin = np.cos(tilt), np.sin(tilt)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    if dimension == 3:
        turn = np.array([[cos, 0, sin], [0, 1.0, 0], [-sin, 0, cos]]) @ turn
    return turn


def create_box(dimension, tilt):
    domain = create_domain(Box(tuple(n * 1e-9 for n in LENGTHS[:dimension])), 5e-9, COMM)
    x = domain.mesh.geometry.x
    x[:] = x @ create_axes(dimension, tilt).T
    return domain


def measure_stress(problem, tilt, weights):
    """Integrals of (w : stress)^2, the stress in the box's axes, for tensors w."""
    mesh = problem.domain.mesh
    turn = fem.Constant(mesh, create_axes(mesh.geometry.dim, tilt))
    weight = fem.Constant(mesh, np.zeros((3, 3)))
    share = ufl.inner(weight, turn.T * problem.stress() * turn)
    form = fem.form(share**2 * problem.domain.dx(2))
    results = []
    for weight.value[:] in weights:
        results.append(COMM.allreduce(fem.assemble_scalar(form)))
    return np.array(results)


def find_stress(dimension, tilt, loads, preset):
    """Stress of a box with a wave of composition."""
    domain = create_box(dimension, tilt)
    axes = create_axes(dimension, tilt)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c.interpolate(lambda x: 0.5 + 0.4 * np.cos((axes.T @ x)[0] / 7) * np.cos((axes.T @ x)[1] / 9))
    problem = StaticStress(domain, mechanics(dimension), c, loads)
    solve(problem, preset)
    return measure_stress(problem, tilt, np.random.default_rng(1).standard_normal((6, 3, 3)))


SUPPORTS = {
    2: [[Roller("left", -0.2), Roller("bottom"), Roller("right", 0.3)], [Roller("left")]],
    3: [[Roller("left"), Roller("bottom", 0.1), Roller("back")]],
}


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize(
    ("dimension", "supports"),
    [(dimension, supports) for dimension in SUPPORTS for supports in SUPPORTS[dimension]],
    ids=["2-D", "2-D sliding", "3-D"],
)
def test_tilted_copy_has_the_same_stress(dimension, supports, preset):
    straight = find_stress(dimension, 0.0, Loads(supports), preset)
    tilted = find_stress(dimension, TILT, Loads(supports), preset)
    np.testing.assert_allclose(tilted, straight, rtol=1e-8)


@pytest.mark.parametrize("tilt", [0.0, TILT])
def test_value_stretches_a_bar(tilt):
    """Patch test: eps = 0.4 / 40 along the bar, E' = E / (1 - nu^2) in plane strain."""
    domain = create_box(2, tilt)
    loads = Loads([Roller("left"), Roller("bottom"), Roller("right", 0.4)])
    problem = StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), loads)
    solve(problem, Preset.DIRECT)
    found = measure_stress(problem, tilt, np.eye(9).reshape(9, 3, 3)) / 800.0
    expected = np.zeros((3, 3))
    expected[0, 0] = YOUNG / (1 - POISSON**2) * 0.01
    expected[2, 2] = POISSON * expected[0, 0]
    np.testing.assert_allclose(found, expected.ravel() ** 2, atol=1e-12 * expected.max() ** 2)


@pytest.mark.parametrize("preset", list(Preset))
def test_coupled_step_between_tilted_rollers(preset):
    """One step of diffusion in a stressed box is that of the box upright."""
    energies = []
    for tilt in (0.0, TILT):
        domain = create_box(2, tilt)
        solid = mechanics(2, 0.05)
        loads = Loads([Roller("left"), Roller("bottom", 0.2), Roller("right")])
        density = FreeEnergyDensity(RegularSolution(2.5), 20.0, solid)
        problem = ChemoMechanics(domain, density, DegenerateMobility(1.0), loads)
        axes = create_axes(2, tilt)
        problem.c.interpolate(lambda x, axes=axes: 0.5 + 0.2 * np.cos((axes.T @ x)[0] / 7))
        settings = NewtonSettings(absolute_tolerance=1e-12)
        newton = NewtonSolver(BlockSystem(problem), preset, settings)
        Bdf(problem, newton, StepControl(first_step=1.0, newton_share=0.0)).advance(1.0)
        energies.append(list(problem.energies().values()))
    np.testing.assert_allclose(energies[1], energies[0], rtol=1e-8)


def test_clamped_nodes_stay_clamped():
    domain = create_box(2, TILT)
    loads = Loads([Displacement("left"), Roller("bottom"), Roller("right", 0.4)])
    problem = StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), loads)
    solve(problem, Preset.DIRECT)
    normal = create_axes(2, TILT)[:2, 0]
    x = problem.u.function_space.tabulate_dof_coordinates()[:, :2] @ normal
    u = problem.u.x.array.reshape(-1, 2)
    np.testing.assert_allclose(u[np.isclose(x, 0.0)], 0.0, atol=1e-12)
    np.testing.assert_allclose(u[np.isclose(x, 40.0)] @ normal, 0.4, rtol=1e-10)


@pytest.mark.parametrize(
    ("supports", "free"), [([Roller("left")], 1), ([Roller("left"), Roller("bottom")], 0)]
)
def test_tilted_rollers_leave_the_right_motions_free(supports, free):
    domain = create_box(2, TILT)
    problem = StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), Loads(supports))
    assert len(problem.solid.operator.find_free_motions()) == free


def test_curved_group_is_refused_with_its_spread():
    """The outer side of a quarter bend: its chords lie between 0 and 90 degrees."""
    domain = create_domain(Nanowire(20e-9, 60e-9, np.pi / 2, (0.0, 0.0)), 5e-9, COMM)
    with pytest.raises(InputError, match=r"tilted by up to 4[0-5][.\d]* degrees") as caught:
        StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), Loads([Roller("outer")]))
    assert caught.value.key == "mechanics.boundary"


def test_ends_of_a_bend_are_planes():
    domain = create_domain(Nanowire(20e-9, 60e-9, np.pi / 3, (0.0, 0.0)), 5e-9, COMM)
    loads = Loads([Roller("start"), Roller("end")])
    problem = StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), loads)
    assert not problem.solid.operator.find_free_motions()


@pytest.mark.parametrize(
    ("rollers", "message"),
    [
        ([Roller("left", 0.1), Roller("left", 0.2, "boundary")], "contradict"),
        ([Roller("ends", 0.1, "boundary")], "faces both ways"),
    ],
)
def test_values_without_a_meaning_are_refused(rollers, message):
    domain = create_box(2, TILT)
    ends = domain.tags("left") + domain.tags("right")
    domain = replace(domain, groups={**domain.groups, "ends": ends})
    StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), Loads([Roller("ends")]))
    with pytest.raises(InputError, match=message) as caught:
        StaticStress(domain, mechanics(2), ufl.as_ufl(0.5), Loads(rollers))
    assert caught.value.key == "boundary"


@pytest.mark.parametrize("tilt", [0.1, 0.2, 0.3, 0.4])
def test_rounding_contradicts_no_roller_at_rest(tilt):
    """Where one side is drawn out of a skew corner, the other is held twice."""
    domain = create_box(2, tilt)
    x = domain.mesh.geometry.x
    x[:, 0] += 0.3 * x[:, 1]
    space = fem.functionspace(domain.mesh, ("Lagrange", 1, (2,)))
    supports = [Roller("left", 0.3), Roller("bottom"), Roller("bottom")]
    _, axes = create_dirichlet_conditions(space, domain, supports)
    assert axes is not None
