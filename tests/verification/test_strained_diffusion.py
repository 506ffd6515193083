r"""Diffusion through two bars in series, one stretched by e, the other compressed as much.

With M = D exp(b : e), no factor c (1 - c) and no chemical strain, both carry one flux, so that

    grad mu (+e) / grad mu (-e) = exp(-2 b e).

The bars are kept from moving sideways, where they are strained beforehand, and are pulled at their
ends, which multiplies both mobilities by exp(b' e'); with nu = 0 nothing else is strained.
"""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import Polynomial
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility, StrainedMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.conditions import Displacement, Loads, Roller
from chemomech.problems.field_conditions import DirichletCondition
from chemomech.problems.thermal_noise import NoiseLaw
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
LENGTH, WIDTH, CELL = 16.0, 4.0, 2.0
DIFFUSIVITY, DROP = 0.7, 0.3
#: b along the bars and across them, the strain that both have along them, and -e or +e across.
ALONG, ACROSS, STRETCH, STRAIN = 12.0, -np.log(2) / 0.02, 0.01, 0.02
QUADRATIC = Polynomial([0.25, -1.0, 1.0])


@pytest.fixture(scope="module")
def domain():
    return create_domain(Box((LENGTH * 1e-9, WIDTH * 1e-9)), CELL * 1e-9, COMM)


def create_bars(domain, mobility, expansion=0.0, noise=None):
    side = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    side.interpolate(lambda x: np.where(x[0] < LENGTH / 2, 1.0, -1.0))
    prestrain = side * ufl.as_matrix([[0, 0, 0], [0, STRAIN, 0], [0, 0, 0]])
    # With eps_zz as one more unknown, which M depends on and which stays zero.
    assumption = Assumption.GENERALISED_PLANE_STRAIN
    elasticity = Elasticity(create_isotropic_stiffness(50.0, 0.0), assumption)
    mechanics = Mechanics(elasticity, Eigenstrain.isotropic(expansion, 0.5), prestrain=prestrain)
    supports = [Roller("left"), Roller("bottom"), Roller("top")]
    supports.append(Displacement("right", (STRETCH * LENGTH, 0.0)))
    problem = ChemoMechanics(
        domain,
        FreeEnergyDensity(QUADRATIC, 4.0, mechanics),
        mobility,
        Loads(supports),
        conditions=[DirichletCondition("mu", "left", 0.0), DirichletCondition("mu", "right", DROP)],
        noise=noise,
    )
    problem.c.x.array[:] = 0.5
    return problem


@pytest.mark.parametrize(
    ("preset", "measure"), [(Preset.DIRECT, "elastic"), (Preset.ITERATIVE, "total")]
)
def test_flux_through_two_bars(domain, preset, measure, verify):
    sensitivity = ufl.as_matrix([[ALONG, 0, 0], [0, ACROSS, 0], [0, 0, ACROSS]])
    mobility = StrainedMobility(ConstantMobility(DIFFUSIVITY), sensitivity, measure)
    problem = create_bars(domain, mobility)
    settings = NewtonSettings(relative_tolerance=1e-14, absolute_tolerance=1e-10)
    solver = NewtonSolver(BlockSystem(problem), preset, settings)
    # All is linear: a few long steps are enough.
    stepper = Bdf(problem, solver, StepControl(first_step=1e5, adaptive=False, newton_share=0.0))
    for _ in range(8):
        stepper.advance(1e6)
    x = ufl.SpatialCoordinate(domain.mesh)
    slope = problem.mu.dx(0)
    is_first = ufl.conditional(ufl.lt(x[0], LENGTH / 2), 1.0, 0.0)
    stretched, compressed = (
        problem.compile_integral(slope * share)() for share in (is_first, 1 - is_first)
    )
    verify(
        "slopes of mu in two bars in series under opposite strains",
        stretched / compressed,
        np.exp(-2 * ACROSS * STRAIN),
        rel=1e-8,
        against="exact",
    )
    factor = DIFFUSIVITY * np.exp(ALONG * STRETCH + ACROSS * STRAIN)
    flux = factor * stretched / (LENGTH / 2 * WIDTH)
    expected = DROP / (LENGTH / 2) * factor / (1 + np.exp(2 * ACROSS * STRAIN))
    assert flux == pytest.approx(expected, rel=1e-8)


def test_a_scalar_counts_the_change_of_volume(domain):
    problem = create_bars(domain, StrainedMobility(ConstantMobility(DIFFUSIVITY), ACROSS))
    # u is not solved for: the strain is that beforehand.
    mobility = problem.mobility.value(problem.c, problem.strains())
    mean = problem.compile_integral(mobility)() / problem.volume
    assert mean == pytest.approx(DIFFUSIVITY * (0.5 + 2.0) / 2, rel=1e-10)


def test_without_mechanics_there_is_no_strain(domain):
    energy = FreeEnergyDensity(QUADRATIC, 4.0)
    with pytest.raises(InputError, match="needs mechanics"):
        ChemoMechanics(domain, energy, StrainedMobility(ConstantMobility(1.0), 1.0))


def test_a_run_with_noise_begins_before_its_first_interval(domain):
    """The strength of noise depends on c and u, but Newton's method takes no derivative of it."""
    mobility = StrainedMobility(DegenerateMobility(DIFFUSIVITY), ACROSS)
    problem = create_bars(domain, mobility, expansion=0.01, noise=NoiseLaw(1e3))
    stepper = Bdf(problem, NewtonSolver(BlockSystem(problem)), StepControl())
    problem.noise.draw(1, 0, 1e-2)
    assert stepper.advance(1e-2).newton_iterations > 0
