"""Planar interface: width and energy of the wall between two phases (eqn 4 corrected)."""

import numpy as np
import pytest
import ufl

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.materials.phase_diagram import find_phases
from chemomech.problems.chemo_mechanics import ChemoMechanics, Loads

#: Width s (nm) and kappa (J m^2/mol) at chi = 2.75, six steps of four.
SWEEP = {2.5: 3.474e-15, 5: 1.390e-14, 10: 5.559e-14, 20: 2.224e-13, 40: 8.895e-13, 80: 3.558e-12}


@pytest.fixture
def create_wall(comm, material, box_rollers, relax):
    """Return a function for a strip with one relaxed wall across its middle.

    An odd number of cells puts the steepest tangent in the middle of one.
    """

    def create(width, size, assumption=None, gradient=None, half_length=3.0):
        cells = 2 * int(half_length * width / size) + 1
        length = cells * size
        domain = create_domain(Box((length * 1e-9, size * 1e-9)), 1.001 * size * 1e-9, comm)
        loads = Loads(() if assumption is None else box_rollers)
        energy = material.energy(assumption, gradient=gradient)
        problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0), loads)
        problem.c.interpolate(lambda x: 0.5 + 0.35 * np.tanh(2 * (x[0] - length / 2) / width))
        # Rates go with D kappa / width^4, that is with 1 / width^2.
        relax(problem, rate=1e-6 / width**2)
        return problem, length

    return create


def measure_width(x, c):
    """Distance between the end values along the steepest tangent."""
    return (c[-1] - c[0]) / np.max(np.diff(c) / np.diff(x))


def measure_distance(x, c, fraction):
    low, high = c[0] + fraction * (c[-1] - c[0]), c[-1] - fraction * (c[-1] - c[0])
    return np.interp(high, c, x) - np.interp(low, c, x)


def find_lowest_energy(chi):
    phases = find_phases(RegularSolution(chi))
    return float(phases.curve.energy(phases.narrowest.poor))


def test_width_and_energy(create_wall, bottom_profile, material, verify):
    problem, length = create_wall(10.0, 0.625)
    x, c = bottom_profile(problem)
    verify("composition beside a wall", c[0], 0.099508, abs=1e-4, against="binodal")
    verify("width of a wall", measure_width(x, c), 10.0, "nm", rel=0.01, against="eqn 4 corrected")
    for share, distance in ((0.10, 10.457), (0.05, 13.675)):
        verify(
            f"width of a wall, {share:.0%} to {1 - share:.0%}",
            measure_distance(x, c, share),
            distance,
            "nm",
            rel=0.01,
            against="quadrature of the profile",
        )
    thickness = problem.volume / length
    bulk = length * find_lowest_energy(2.75)
    excess = sum(problem.energies().values()) / thickness - bulk
    energy = excess * material.surface_energy
    verify("energy of a wall", energy, 45.69e-3, "J/m2", rel=0.01, against="quadrature")


def test_coherent_wall_in_plane_strain(create_wall, bottom_profile, material, verify):
    # Strain lowers chi by 0.29707; what it adds besides is 0.29707 / 4 everywhere.
    drop = 0.29707
    problem, length = create_wall(13.27, 0.8, "plane_strain")
    x, c = bottom_profile(problem)
    theory = "binodal and eqn 4 at chi - 0.29707"
    verify("composition beside a coherent wall", c[0], 0.15625, abs=5e-4, against=theory)
    verify("width of a coherent wall", measure_width(x, c), 13.27, "nm", rel=0.01, against=theory)
    thickness = problem.volume / length
    bulk = length * (find_lowest_energy(2.75 - drop) + drop / 4)
    excess = sum(problem.energies().values()) / thickness - bulk
    energy = excess * material.surface_energy
    verify("energy of a coherent wall", energy, 25.03e-3, "J/m2", rel=0.01, against="quadrature")


@pytest.mark.slow
def test_width_follows_the_root_of_kappa(create_wall, bottom_profile, material, verify):
    """One mesh size for all, an eighth of the thinnest wall, so that nothing scales along."""
    kappas = np.array(list(SWEEP.values()))
    widths = []
    for width, kappa in SWEEP.items():
        gradient = kappa / material.thermal * 1e18
        problem, _ = create_wall(width, 2.5 / 8, gradient=gradient, half_length=2.0)
        widths.append(measure_width(*bottom_profile(problem)))
    slope, _ = np.polyfit(np.log(kappas), np.log(widths), 1)
    verify("slope of ln width over ln kappa", slope, 0.5, abs=0.01, against="eqn 4")
    for found, width in zip(widths, SWEEP, strict=True):
        verify("width of a wall at six kappas", found, width, "nm", rel=0.01, against="eqn 4")


def test_density_is_that_of_theory(comm, integrate):
    domain = create_domain(Box((1e-9, 1e-9)), 1e-9, comm)
    # 0.3 enters as a field: the form must not be evaluated symbolically.
    c = 0.3 + 0 * ufl.SpatialCoordinate(domain.mesh)[0]
    value = integrate(domain.mesh, RegularSolution(2.75).density(c))
    expected = 0.3 * np.log(0.3) + 0.7 * np.log(0.7) + 2.75 * 0.21
    assert value == pytest.approx(expected, rel=1e-12)
