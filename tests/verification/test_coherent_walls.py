r"""Coherent waves and walls in a crystal: chi_eff(n) = chi - B(n) / (2 R T C).

Boxes repeat, so that waves and walls have any direction. It is plane strain, with the crystal's b
out of the plane.
"""

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.coherency import compute_coherency_energy
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import ConstantMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.solvers.newton import NewtonSettings
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl

AMPLITUDE, MEAN = 1e-4, 0.5
# Along a, c and b; 43 GPa over R T and the sites of 22904 and 18500 mol/m^3.
LIFEPO4, V2O5 = (0.050, -0.019, 0.036), (-0.0089 / 0.4, 0.0325 / 0.4, -0.0011 / 0.4)
STIFFNESSES = {
    strains: create_isotropic_stiffness(43e9 / (2478.957 * sites), 0.3)
    for strains, sites in ((LIFEPO4, 22904.0), (V2O5, 18500.0))
}
KAPPA, WAVENUMBER, CELLS = 4.0, 0.2, 20


def turn(strains, angle):
    """Strains along the crystal's axes, turned in the plane of the first two."""
    axes = np.eye(3)
    axes[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return axes * strains @ axes.T


def create_problem(comm, lengths, size, chi, strains, angle=0.0):
    """Crystal in a box (nm) that repeats, its axes turned; and its strain per unit of c."""
    box = Box((lengths[0] * 1e-9, lengths[1] * 1e-9), ("x", "y"))
    strain = turn(strains, angle)
    elasticity = Elasticity(STIFFNESSES[strains], Assumption.PLANE_STRAIN)
    solid = Mechanics(elasticity, Eigenstrain(strain.tolist(), MEAN))
    energy = FreeEnergyDensity(RegularSolution(chi), KAPPA, solid)
    domain = create_domain(box, size * 1e-9, comm)
    return ChemoMechanics(domain, energy, ConstantMobility(1.0)), strain


@pytest.mark.parametrize(
    ("modes", "preset"),
    [
        ((1, 0), Preset.DIRECT),
        ((1, 1), Preset.DIRECT),
        ((1, -1), Preset.DIRECT),
        ((1, -1), Preset.ITERATIVE),
    ],
)
def test_rate_depends_on_the_direction_of_the_wave(comm, modes, preset, create_stepper, verify):
    """Of a crystal whose axes lie at 25 degrees to the box."""
    chi, length = 4.5111, 2 * np.pi / WAVENUMBER
    problem, strain = create_problem(
        comm, (length, length), length / CELLS, chi, LIFEPO4, np.radians(25.0)
    )
    k = WAVENUMBER * np.array(modes)
    problem.c.interpolate(lambda x: MEAN + AMPLITUDE * np.cos(k @ x[:2]))
    x = ufl.SpatialCoordinate(problem.domain.mesh)
    wave = ufl.cos(float(k[0]) * x[0] + float(k[1]) * x[1])
    measure = problem.compile_integral((problem.c - MEAN) * wave)
    settings = NewtonSettings(absolute_tolerance=1e-14)
    stepper = create_stepper(problem, StepControl(1e-5 * AMPLITUDE), settings)
    coherency = compute_coherency_energy(STIFFNESSES[LIFEPO4], strain, [*k, 0.0])
    square = k @ k
    drive = 2 * chi - 1 / (MEAN * (1 - MEAN)) - coherency
    rate = square * (drive - KAPPA * square)
    before = measure()
    while stepper.time < 1 / rate:
        stepper.advance(1 / rate)
    measured = np.log(measure() / before) / stepper.time
    verify(
        "rate of coherent waves in a crystal, over theory",
        measured / rate,
        1.0,
        rel=0.01,
        against="dispersion",
    )


@pytest.mark.slow
def test_walls_lie_where_coherency_costs_least(comm, create_stepper, verify):
    """61.8 degrees from a, towards c: walls grown there have the least free energy.

    A box that repeats lets walls stand in few directions; so each of five has a box of its own, of
    one period of lamellae 24 nm apart. A polynomial through the energies says which is best.
    """
    tilts, energies = np.array([52.0, 57.0, 62.0, 67.0, 72.0]), []
    for tilt in np.radians(tilts):
        normal = np.array([np.cos(tilt), np.sin(tilt)])
        problem, strain = create_problem(comm, 24.0 / normal, 2.0, 2.75, V2O5)
        k = 2 * np.pi / 24.0 * normal
        problem.c.interpolate(lambda x, k=k: MEAN + 0.1 * np.cos(k @ x[:2]))
        stepper = create_stepper(problem, StepControl(1e-2))
        while stepper.time < 60.0:
            stepper.advance(60.0)
        assert comm.allreduce(np.ptp(problem.c.x.array), op=MPI.MAX) > 0.4
        energies.append(sum(problem.energies().values()) / problem.volume)
    fine = np.arange(tilts[0], tilts[-1], 0.01)
    fit = np.polynomial.Polynomial.fit(tilts, energies, len(tilts) - 1)
    normals = [np.cos(np.radians(fine)), np.sin(np.radians(fine)), 0.0 * fine]
    theory = compute_coherency_energy(STIFFNESSES[V2O5], strain, np.transpose(normals))
    verify(
        "tilt of walls in Li_xV2O5 from a",
        fine[fit(fine).argmin()],
        fine[theory.argmin()],
        "degrees",
        abs=2.0,
        against="elasticity of layers",
    )
