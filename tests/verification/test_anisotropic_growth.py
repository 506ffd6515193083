r"""Tensors of mobility and gradient energy: waves grow at (k . M k) (B - k . kappa k).

The box is turned with the tensors' axes, so that its sides are mirrors and no tensor is diagonal.
"""

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import (
    AnisotropicMobility,
    ConstantMobility,
    DegenerateMobility,
)
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.growth import WaveGrowth
from chemomech.problems.thermal_noise import NoiseLaw, _take_root
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
CHI, MEAN, AMPLITUDE = 2.75, 0.5, 1e-4
DRIVE = 2 * CHI - 1 / (MEAN * (1 - MEAN))
WAVENUMBER, CELLS = 0.15, 24
GRADIENTS, MOBILITIES = np.array([22.4, 8.0]), np.array([1.0, 0.4])


def create_mobility(tensor):
    """M(c) = c (1 - c) T."""
    return AnisotropicMobility(DegenerateMobility(1.0), tensor)


def turn(values, angle):
    """Tensor of given eigenvalues, whose axes are turned."""
    axes = create_axes(angle, len(values))
    return ufl.as_matrix((axes * values @ axes.T).tolist())


def create_axes(angle, size=2):
    axes = np.eye(size)
    axes[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return axes


def create_box(angle):
    length = np.pi / WAVENUMBER * 1e-9
    domain = create_domain(Box((length, length)), length / CELLS, COMM)
    x = domain.mesh.geometry.x
    x[:, :2] = x[:, :2] @ create_axes(angle).T
    return domain


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("modes", [(1, 0), (0, 1), (1, 1)], ids=str)
@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_rate_depends_on_the_direction(angle, modes, preset, verify):
    domain = create_box(angle)
    energy = FreeEnergyDensity(RegularSolution(CHI), turn(GRADIENTS, angle))
    mobility = create_mobility(turn(MOBILITIES, angle) / (MEAN * (1 - MEAN)))
    problem = ChemoMechanics(domain, energy, mobility)
    axes = create_axes(angle)

    def wave(x, cos):
        along = [axes[0, i] * x[0] + axes[1, i] * x[1] for i in range(2)]
        return cos(modes[0] * WAVENUMBER * along[0]) * cos(modes[1] * WAVENUMBER * along[1])

    problem.c.interpolate(lambda x: MEAN + AMPLITUDE * wave(x, np.cos))
    share = wave(ufl.SpatialCoordinate(domain.mesh), ufl.cos)
    measure = problem.compile_integral((problem.c - MEAN) * share)
    settings = NewtonSettings(absolute_tolerance=1e-14)
    solver = NewtonSolver(BlockSystem(problem), preset, settings)
    stepper = Bdf(problem, solver, StepControl(1e-5 * AMPLITUDE))
    squares = (np.array(modes) * WAVENUMBER) ** 2
    rate = MOBILITIES @ squares * (DRIVE - GRADIENTS @ squares)
    before, linear, newton = measure(), 0, 0
    while stepper.time < 1 / rate:
        step = stepper.advance(1 / rate)
        linear, newton = linear + step.linear_iterations, newton + step.newton_iterations
    measured = np.log(measure() / before) / stepper.time
    verify(
        "rate of waves in a solid with axes, over theory",
        measured / rate,
        1.0,
        rel=0.01,
        against="dispersion",
    )
    assert linear < 20 * newton


def test_dissipation_is_that_of_the_tensor():
    problem = ChemoMechanics(
        create_box(0.0),
        FreeEnergyDensity(RegularSolution(CHI), 4.0),
        create_mobility(4.0 * turn(MOBILITIES, 0.5)),
    )
    problem.c.x.array[:] = 0.5
    problem.mu.interpolate(lambda x: 0.3 * x[0] - 0.2 * x[1])
    mean = problem.compile_integral(problem.dissipation())() / problem.volume
    axes, gradient = create_axes(0.5), np.array([0.3, -0.2])
    assert mean == pytest.approx((axes.T @ gradient) ** 2 @ MOBILITIES, rel=1e-10)


@pytest.mark.parametrize("size", [2, 3])
def test_noise_has_the_covariance_of_the_mobility(size):
    """B B^T = M, to round-off."""
    rng = np.random.default_rng(size)
    factor = rng.standard_normal((size, size))
    mobility = factor @ factor.T
    root = _take_root(ufl.as_matrix(mobility.tolist()))
    found = np.array([[float(root[i, j]((0.0,))) for j in range(size)] for i in range(size)])
    np.testing.assert_allclose(found @ found.T, mobility, rtol=1e-12)


def test_noise_of_a_tensor_keeps_lithium():
    problem = ChemoMechanics(
        create_box(0.0),
        FreeEnergyDensity(RegularSolution(1.0), 4.0),
        create_mobility(turn(MOBILITIES, 0.5)),
        noise=NoiseLaw(1e3),
    )
    problem.c.x.array[:] = 0.5
    # As in a run, the stepper is made before the first interval of noise begins.
    stepper = Bdf(problem, NewtonSolver(BlockSystem(problem)), StepControl())
    problem.noise.draw(1, 0, 1e-2)
    stepper.advance(1e-2)
    assert problem.mean_composition() == pytest.approx(0.5, abs=1e-13)
    assert COMM.allreduce(np.ptp(problem.c.x.array), op=MPI.MAX) > 1e-4


def test_growth_is_bounded_by_its_fastest_direction():
    """By the larger of M / kappa, 0.05 here; a mixed norm may overrate it."""
    energy = FreeEnergyDensity(RegularSolution(CHI), turn(GRADIENTS, 0.5))
    mobility = create_mobility(turn(MOBILITIES, 0.5) / (MEAN * (1 - MEAN)))
    problem = ChemoMechanics(create_box(0.0), energy, mobility)
    problem.c.x.array[:] = MEAN
    fastest = (MOBILITIES / GRADIENTS).max() * DRIVE**2 / 4
    assert fastest <= WaveGrowth(problem).compute_highest() <= np.sqrt(2) * fastest


@pytest.mark.parametrize(
    ("kappa", "mobility", "message"),
    [
        (turn(np.ones(3), 0.0), ConstantMobility(1.0), "gradient coefficient must be.*2 x 2"),
        (4.0, create_mobility(turn(np.ones(3), 0.0)), "mobility must be.*2 x 2"),
    ],
)
def test_tensors_of_another_dimension_are_refused(kappa, mobility, message):
    with pytest.raises(InputError, match=message):
        ChemoMechanics(create_box(0.0), FreeEnergyDensity(RegularSolution(CHI), kappa), mobility)
