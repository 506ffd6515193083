r"""Thermal noise: what it keeps, what it does not depend on, and how much of it there is.

A one-phase solution in equilibrium has the probability exp(-N F), F per RT C and N sites in a unit
of the mesh. For small deviations N F is a sum over the cosines of the box,

    c - c0 = sum a_m cos(k_m x) ...,   N F = sum (N A / 4) (g'' + kappa k_m^2) a_m^2

(A: area; A / 2 the integral of one cosine's square), so that each amplitude has the variance

    <a_m^2> = 2 / (N A (g'' + kappa k_m^2)).

A mode relaxes at the rate M k^2 (g'' + kappa k^2). Stepped by BDF3 with one step of length h for
each interval of noise, it is with z = rate h the series

    (11/6 + z) a_{n+1} = 3 a_n - 3/2 a_{n-1} + 1/3 a_{n-2} + e_n,

whose variance, by the equations of Yule and Walker, is that of the exact one times

    (1 + 31 z/30 + z^2/5) / ((1 + 3 z/20) (1 + 13 z/9 + 2 z^2/3)).
"""

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.outline import Outline
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility
from chemomech.materials.reactions import ButlerVolmer
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.surface import Galvanostatic, SurfaceReaction
from chemomech.problems.thermal_noise import NoiseLaw
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl

LENGTH, WIDTH, CELL = 24.0, 3.0, 1.5
SITES, KAPPA = 1e5, 4.0
MODES = np.arange(1, 7)
#: Series are cut in as many parts, whose scatter tells the error of their mean.
PARTS = 10


@pytest.fixture(scope="module")
def strip(comm):
    return create_domain(Box((LENGTH * 1e-9, WIDTH * 1e-9)), CELL * 1e-9, comm, "triangle")


@pytest.fixture
def create_noisy(strip):
    """Return a function for a closed one-phase solution with noise."""

    def create(chi, mobility=None, sites=SITES):
        energy = FreeEnergyDensity(RegularSolution(chi), KAPPA)
        problem = ChemoMechanics(
            strip, energy, mobility or DegenerateMobility(1.0), noise=NoiseLaw(sites)
        )
        problem.c.x.array[:] = 0.5
        return problem

    return create


@pytest.fixture
def step_evenly(create_stepper):
    """Return a function for a stepper with steps of one length."""
    return lambda problem, step: create_stepper(
        problem, StepControl(first_step=step, adaptive=False)
    )


def stir(problem, stepper, count, seed=1, share=1):
    """Step through intervals of noise, each of ``share`` steps; yield after each."""
    length = share * stepper.memory.proposal
    for interval in range(count):
        problem.noise.draw(seed, interval, length)
        for _ in range(share):
            stepper.advance(1e9)
        yield interval


@pytest.mark.parametrize("preset", list(Preset))
def test_noise_keeps_lithium(create_noisy, step_evenly):
    problem = create_noisy(1.0, sites=1e3)
    stepper = step_evenly(problem, 0.2)
    for _ in stir(problem, stepper, 20):
        assert problem.mean_composition() == pytest.approx(0.5, abs=1e-12)
    assert problem.fields[0].evolution.mean_square(problem.c.x.array - 0.5) > 1e-5


def test_noise_passes_no_surface(strip, step_evenly):
    """What is not in balance with the current is no more than without noise."""
    energy = FreeEnergyDensity(RegularSolution(1.0), KAPPA)
    reactions = [SurfaceReaction("surface", ButlerVolmer(1e-2))]
    problem = ChemoMechanics(
        strip, energy, DegenerateMobility(1.0), reactions=reactions, noise=NoiseLaw(1e3)
    )
    problem.c.x.array[:] = 0.3
    problem.surface.hold(Galvanostatic(-0.05))
    stepper = step_evenly(problem, 0.2)
    for interval in stir(problem, stepper, 20):
        passed = 0.05 * 0.2 * (interval + 1) / problem.volume
        assert problem.mean_composition() == pytest.approx(0.3 + passed, abs=1e-10)


def gather(noise):
    """Noise by the input's numbers of cells, the same on all ranks, shape (cells, dimension)."""
    domain = noise.start.function_space.mesh
    size = domain.topology.index_map(domain.topology.dim).size_local
    dimension = domain.geometry.dim
    vectors = fem.functionspace(domain, ("DG", 0, (dimension,)))
    q = ufl.TestFunction(noise.start.function_space)
    form = noise.add_to("c", q)
    # The coefficient that is not the composition holds the normals.
    (field,) = (f for f in form.coefficients() if f.function_space != noise.start.function_space)
    dofs = vectors.dofmap.list[:size, 0]
    return sort_by_input(domain, field.x.array.reshape(-1, dimension)[dofs])


def sort_by_input(domain, own):
    """Values of all cells in the order of the mesh's input, from those of each rank's own."""
    numbers = domain.topology.original_cell_index[: len(own)]
    parts = domain.comm.allgather((numbers, own))
    numbers, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    assert sorted(numbers) == list(range(len(numbers)))
    return values[np.argsort(numbers)]


def outline():
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    return Outline(1e-8 * np.column_stack([np.cos(angle), 0.7 * np.sin(angle)]))


@pytest.mark.parametrize(
    ("shape", "cell"),
    [
        (Box((24e-9, 6e-9)), "triangle"),
        (Box((24e-9, 6e-9)), "quadrilateral"),
        (Box((9e-9, 6e-9, 6e-9)), "tetrahedron"),
        (outline(), "triangle"),
    ],
)
def test_noise_is_the_same_on_any_number_of_ranks(comm, shape, cell):
    """Cell i of the input gets the i-th numbers, scaled to its own volume, wherever it lies."""
    fields, places = [], []
    for ranks in (comm, MPI.COMM_SELF):
        domain = create_domain(shape, 3e-9, ranks, cell)
        energy = FreeEnergyDensity(RegularSolution(1.0), KAPPA)
        problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0), noise=NoiseLaw(SITES))
        problem.noise.draw(7, 3, 0.25)
        fields.append(gather(problem.noise))
        places.append(sort_by_input(domain.mesh, find_middles(domain.mesh)))
    np.testing.assert_allclose(places[0], places[1], atol=1e-12)
    np.testing.assert_allclose(fields[0], fields[1], rtol=1e-12)
    normals = np.random.default_rng([7, 3]).standard_normal(fields[0].shape)
    volumes = sort_by_input(domain.mesh, compute_volumes(domain.mesh))
    expected = normals * np.sqrt(2 / (SITES * 0.25 * volumes))[:, None]
    np.testing.assert_allclose(fields[0], expected, rtol=1e-12)
    assert volumes.sum() == pytest.approx(problem.volume, rel=1e-12)


def own_cells(domain):
    size = domain.topology.index_map(domain.topology.dim).size_local
    return np.arange(size, dtype=np.int32)


def find_middles(domain):
    return mesh.compute_midpoints(domain, domain.topology.dim, own_cells(domain))


def compute_volumes(domain):
    """Volumes of this rank's own cells, from the map from the reference cell."""
    space = fem.functionspace(domain, ("DG", 0))
    points = space.element.interpolation_points
    points = points() if callable(points) else points
    jacobian = fem.Expression(abs(ufl.JacobianDeterminant(domain)), points)
    reference = {"triangle": 0.5, "tetrahedron": 1 / 6}.get(domain.topology.cell_name(), 1.0)
    return jacobian.eval(domain, own_cells(domain)).ravel() * reference


def test_noisy_run_is_the_same_on_any_number_of_ranks(comm, step_evenly):
    results = []
    for ranks in (comm, MPI.COMM_SELF):
        domain = create_domain(outline(), 3e-9, ranks)
        energy = FreeEnergyDensity(RegularSolution(2.75), 20.0)
        problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0), noise=NoiseLaw(1e3))
        problem.c.x.array[:] = 0.4
        for _ in stir(problem, step_evenly(problem, 0.5), 10):
            pass
        deviation = problem.fields[0].evolution.mean_square(problem.c.x.array - 0.4)
        results.append([deviation, *problem.energies().values()])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-7)


def test_noise_differs_from_interval_to_interval_and_comes_again(create_noisy):
    noise = create_noisy(1.0).noise
    fields = []
    for seed, interval in ((1, 0), (1, 1), (2, 0), (1, 0)):
        noise.resume(seed, interval, 1.0)
        fields.append(gather(noise))
    np.testing.assert_array_equal(fields[3], fields[0])
    for other in fields[1:3]:
        assert abs(np.corrcoef(fields[0].ravel(), other.ravel())[0, 1]) < 0.3


def test_mobility_is_that_of_the_beginning(create_noisy):
    """M in the noise is taken when an interval begins, and kept (Ito)."""
    problem = create_noisy(1.0)
    problem.noise.draw(1, 0, 1.0)
    problem.c.x.array[:] = 0.1
    assert np.all(problem.noise.start.x.array == 0.5)
    problem.noise.resume(1, 0, 1.0)
    assert np.all(problem.noise.start.x.array == 0.5)
    problem.noise.draw(1, 1, 1.0)
    assert np.all(problem.noise.start.x.array == 0.1)


@pytest.fixture
def measure(step_evenly):
    """Return a function for the amplitudes of the cosines, shape (intervals, modes)."""

    def run(problem, step, count, share=1):
        x = ufl.SpatialCoordinate(problem.domain.mesh)
        waves = [2 / problem.volume * ufl.cos(m * np.pi / LENGTH * x[0]) for m in MODES.tolist()]
        project = [problem.compile_integral(problem.c * wave) for wave in waves]
        stepper = step_evenly(problem, step)
        series = [[p() for p in project] for _ in stir(problem, stepper, count, share=share)]
        return np.array(series)[count // 10 :]

    return run


def reduce_variance(z):
    """What BDF3 makes of the variance of a mode that relaxes by z a step."""
    return (1 + 31 * z / 30 + z**2 / 5) / ((1 + 3 * z / 20) * (1 + 13 * z / 9 + 2 * z**2 / 3))


def test_reduction_of_the_variance_is_that_of_the_spectrum():
    """The series' variance is also the integral of its spectrum, noise by noise 2 z."""
    angle = np.linspace(0.0, 2 * np.pi, 20_000, endpoint=False)
    shift = np.exp(-1j * angle)
    difference = 11 / 6 - 3 * shift + 3 / 2 * shift**2 - 1 / 3 * shift**3
    for z in (0.05, 0.7, 20.0):
        assert np.mean(2 * z / np.abs(difference + z) ** 2) == pytest.approx(reduce_variance(z))


def theory(curvature, mobility, interval, sites=SITES):
    """Variance of each amplitude, and what BDF3 makes of it."""
    squared = (MODES * np.pi / LENGTH) ** 2
    stiffness = curvature + KAPPA * squared
    z = mobility * squared * stiffness * interval
    return 2 / (sites * LENGTH * WIDTH * stiffness), reduce_variance(z)


def compare(series, expected):
    """Mean over modes and time of <a^2> / expected, and its error from the scatter of parts."""
    ratios = (series**2 / expected).mean(axis=1)
    means = [part.mean() for part in np.array_split(ratios, PARTS)]
    return np.mean(means), np.std(means, ddof=1) / np.sqrt(PARTS)


# The noise itself is the same on any number of ranks, as above.
@pytest.mark.one_rank
@pytest.mark.parametrize(("chi", "mobility"), [(0.0, None), (1.0, ConstantMobility(0.5))])
def test_variance_is_that_of_equilibrium(create_noisy, measure, chi, mobility, verify):
    problem = create_noisy(chi, mobility)
    value = 0.25 if mobility is None else 0.5
    step = 6.0 / value * 0.25
    series = measure(problem, step, 1200)
    exact, share = theory(4 - 2 * chi, value, step)
    found, error = compare(series, exact * share)
    assert error < 0.1
    verify(
        "variance of thermal noise over theory (3 standard errors)",
        found,
        1.0,
        abs=3 * error,
        against="fluctuation-dissipation",
    )
    # Each mode has its own variance, not all the same: the first has the most.
    slope = np.polyfit(np.log(exact * share), np.log((series**2).mean(axis=0)), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.25)


@pytest.mark.slow
@pytest.mark.parametrize(("step", "share"), [(1.0, 1), (1.0, 4), (4.0, 1)])
def test_variance_does_not_depend_on_the_interval(create_noisy, measure, step, share):
    """Intervals of four steps or of one, and longer steps, come to the same."""
    problem = create_noisy(1.0)
    series = measure(problem, step, 4000 // share, share)
    exact, scheme = theory(2.0, 0.25, step)
    slow = MODES <= 3
    if share == 1:
        exact = exact * scheme
    found, error = compare(series[:, slow], exact[slow])
    assert error < 0.1
    assert abs(found - 1) < 3 * error + (0.0 if share == 1 else 1 - scheme[slow].min())
