"""What must hold in every run: lithium is kept, energy falls, uniform bodies bear no stress."""

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline
from chemomech.materials.free_energy import create_double_well
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility
from chemomech.materials.reactions import ConstantFlux
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.initial_composition import Noise
from chemomech.problems.stress_fields import StressFields
from chemomech.problems.surface import SurfaceReaction
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl

WIRE = Nanowire(width=40e-9, bend_radius=80e-9, bend_angle=np.pi / 2, legs=(20e-9, 20e-9))


@pytest.fixture
def create_noisy(comm):
    """Return a function for a problem with a noisy composition."""

    def create(shape, size_m, energy, mobility, reactions=(), mean=0.5):
        domain = create_domain(shape, size_m, comm)
        problem = ChemoMechanics(domain, energy, mobility, reactions=reactions)
        Noise(mean, 0.02, 4e-9, seed=5).apply(problem.c, domain.length_unit, problem.bounds)
        return problem

    return create


@pytest.fixture
def create_wire(create_noisy, material):
    def create(reactions=(), **options):
        energy = material.energy("plane_strain")
        return create_noisy(WIRE, 2.5e-9, energy, DegenerateMobility(1.0), reactions, **options)

    return create


@pytest.fixture
def create_outline(create_noisy, material):
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    shape = Outline(circle * [50e-9, 30e-9], (circle[::4] * 10e-9,))

    def create():
        energy = material.energy("plane_stress")
        return create_noisy(shape, 3e-9, energy, DegenerateMobility(1.0))

    return create


@pytest.fixture
def create_polynomial(create_noisy):
    energy = FreeEnergyDensity(create_double_well(5.0, (0.3, 0.7)), 2.0)
    return lambda: create_noisy(Box((40e-9, 30e-9)), 1e-9, energy, ConstantMobility(5.0))


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("body", ["wire", "outline", "polynomial"])
def test_lithium_is_kept_and_energy_falls(request, create_stepper, body, verify):
    problem = request.getfixturevalue(f"create_{body}")()
    initial = problem.mean_composition()
    stepper = create_stepper(problem)
    means = []
    energies = [stepper.energies]
    for _ in range(50):
        energies.append(stepper.advance(1e9).energies)
        means.append(problem.mean_composition())
    drift = np.abs(np.array(means) - initial).max()
    verify("lithium gained or lost in 50 steps", drift, 0.0, abs=1e-10, against="conservation")
    totals = np.array([sum(parts.values()) for parts in energies])
    round_off = 1e-12 * max(sum(map(abs, parts.values())) for parts in energies)
    assert np.diff(totals).max() <= round_off
    # The noise of 0.02 has decomposed: the test has seen the interesting part.
    comm = problem.domain.mesh.comm
    spread = comm.allreduce(problem.c.x.array.max(), MPI.MAX)
    spread -= comm.allreduce(problem.c.x.array.min(), MPI.MIN)
    assert spread > 0.3


@pytest.mark.parametrize("preset", list(Preset))
def test_lithium_balance_closes_under_a_flux(create_wire, create_stepper):
    fluxes = {"outer": -4e-3, "inner": 1e-3}
    reactions = [SurfaceReaction(group, ConstantFlux(value)) for group, value in fluxes.items()]
    problem = create_wire(reactions, mean=0.3)
    # Outer and inner arcs of radius 100 and 60 nm and the two legs; the mesh has chords for arcs.
    inflow = 4e-3 * (50 * np.pi + 40) - 1e-3 * (30 * np.pi + 40)
    assert -problem.outflow() == pytest.approx(inflow, rel=1e-3)
    initial = problem.mean_composition()
    stepper = create_stepper(problem)
    while stepper.time < 300:
        step = stepper.advance(300)
        # The integral of a constant outflow is exact.
        assert step.released["c"] == pytest.approx(problem.outflow() * step.time, rel=1e-12)
        expected = initial - step.released["c"] / problem.volume
        assert problem.mean_composition() == pytest.approx(expected, abs=1e-10)
    assert problem.mean_composition() - initial > 0.02


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize(
    ("shape", "cell", "assumption"),
    [
        (WIRE, "quadrilateral", "plane_stress"),
        (WIRE, "triangle", "plane_stress"),
        (WIRE, "quadrilateral", "plane_strain"),
        (WIRE, "triangle", "generalised_plane_strain"),
        (Box((8e-9, 6e-9, 4e-9)), "hexahedron", "three_dimensional"),
        (Box((8e-9, 6e-9, 4e-9)), "tetrahedron", "three_dimensional"),
    ],
)
def test_uniform_free_body(
    comm, material, create_stepper, integrate, shape, cell, assumption, verify
):
    """Stress-free, but for sigma_zz = -E eta (c - c_ref) where eps_zz is held at zero."""
    domain = create_domain(shape, 4e-9, comm, cell)
    energy = material.energy(assumption, reference=0.2)
    problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0))
    problem.c.x.array[:] = 0.7
    create_stepper(problem)
    scale = material.young * material.expansion * 0.5
    expected = np.zeros((3, 3))
    if assumption == "plane_strain":
        expected[2, 2] = -scale
    off = problem.stress() - ufl.as_matrix(expected.tolist())
    mean_square = integrate(domain.mesh, ufl.inner(off, off), degree=2) / problem.volume
    verify(
        "stress of a uniform free body, over E eta dc",
        np.sqrt(mean_square) / scale,
        0.0,
        abs=1e-7,
        against="compatibility",
    )


def rotate(domain, angle):
    """Turn a mesh about the origin."""
    c, s = np.cos(angle), np.sin(angle)
    x = domain.mesh.geometry.x
    x[:, :2] = x[:, :2] @ np.array([[c, s], [-s, c]])


def test_rotation_changes_no_scalar(comm, material, create_stepper, verify):
    def run(angle):
        domain = create_domain(WIRE, 2.5e-9, comm)
        energy = material.energy("plane_strain")
        upright = ChemoMechanics(domain, energy, DegenerateMobility(1.0))
        Noise(0.5, 0.02, 4e-9, seed=5).apply(upright.c, domain.length_unit, upright.bounds)
        rotate(domain, angle)
        problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0))
        problem.c.x.array[:] = upright.c.x.array
        stepper = create_stepper(problem)
        for _ in range(15):
            step = stepper.advance(1e9)
        stresses = StressFields(problem.stress(), problem.c.function_space, 1.0)
        stresses.update()
        extremes = problem.c.x.array.max(), problem.mu.x.array.max()
        highest = [comm.allreduce(value, MPI.MAX) for value in extremes]
        return [step.time, *step.energies.values(), stresses.max_von_mises(), *highest]

    change = np.abs(np.divide(run(0.7), run(0.0)) - 1).max()
    verify("change when the mesh is turned", change, 0.0, abs=1e-6, against="objectivity")


def test_free_body_does_not_drift(comm, material, create_stepper):
    """Rigid motions, which nothing determines, stay out of the displacement for good.

    Left to round-off they grow from step to step and drown the strains in the end.
    """
    domain = create_domain(Box((40e-9, 2e-9)), 1e-9, comm)
    problem = ChemoMechanics(domain, material.energy("plane_strain"), DegenerateMobility(1.0))
    problem.c.interpolate(lambda x: 0.5 + 0.3 * np.tanh((x[0] - 20) / 5))
    stepper = create_stepper(problem, StepControl(1e-4))
    steps = [stepper.advance(3000.0) for _ in range(40)]
    size = problem.u.function_space.dofmap.index_map.size_local
    u = problem.u.x.array[: 2 * size]
    for mode in problem.solid.operator.find_motions():
        assert abs(comm.allreduce(mode @ u)) < 1e-8 * np.sqrt(comm.allreduce(u @ u))
    assert max(step.newton_iterations for step in steps) < 8
