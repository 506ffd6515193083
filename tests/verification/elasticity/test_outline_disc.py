"""Discs as outlines, whose meshes know nothing of the core or of any symmetry."""

import numpy as np
import pytest
import ufl

from chemomech.materials.phases import Phase
from chemomech.problems.static_stress import StaticStress
from chemomech.problems.stress_regions import Regions
from chemomech.problems.stress_statistics import StressStatistics

MISFIT = 1e-3
CORE, RIM = 20.0, 100.0


@pytest.fixture
def radius():
    """Return a function for the distance from the centre as a UFL expression."""

    def create(mesh):
        x = ufl.SpatialCoordinate(mesh)
        return ufl.sqrt(ufl.dot(x, x))

    return create


def between(r, low, high):
    """1 where low < r < high, else 0."""
    return ufl.conditional(ufl.And(ufl.gt(r, low), ufl.lt(r, high)), 1.0, 0.0)


@pytest.fixture
def core_in_disc(comm, solid, mesh_outline, circle, radius, solve):
    """Return a function for a disc whose core expands, as sharply as quadrature sees it."""

    def create(assumption, core, rim, size):
        domain = mesh_outline(circle(rim, size), size, comm)
        e = MISFIT * between(radius(domain.mesh), -1.0, core)
        law = solid.mechanics(assumption)
        return solve(StaticStress(domain, law, e, displacement_degree=2))

    return create


def test_expanding_core_of_a_free_cylinder(
    core_in_disc, solid, radius, polar_tensor, relative_error, verify
):
    """3.5 and 3.6: the infinite matrix's -30.714 and -61.429 MPa, corrected by 1 - a^2/b^2."""
    problem = core_in_disc("plane_strain", CORE, RIM, 2.0)
    mesh = problem.domain.mesh
    r, nu = radius(mesh), solid.poisson
    pressure = solid.young * MISFIT / (2 * (1 - nu))
    share = (CORE / RIM) ** 2
    assert (-pressure, -2 * pressure) == pytest.approx((-30.714, -61.429), abs=5e-4)
    inner = -pressure * (1 - share)
    axial = -2 * pressure * (1 - nu * share)
    assert (inner, axial) == pytest.approx((-29.486, -60.691), abs=5e-4)
    exact = polar_tensor(mesh, inner, inner, axial)
    inside = between(r, -1.0, 0.75 * CORE)
    error = relative_error(problem.stress(), exact, mesh, inside)
    verify("core in an imaged disc, error in L2", error, 0.0, abs=0.005, against="Lamé")
    outer = [pressure * (share + sign * (CORE / r) ** 2) for sign in (-1, 1)]
    exact = polar_tensor(mesh, *outer, 2 * nu * pressure * share)
    outside = between(r, 1.5 * CORE, RIM)
    error = relative_error(problem.stress(), exact, mesh, outside)
    verify("shell in an imaged disc, error in L2", error, 0.0, abs=0.005, against="Lamé")


def test_core_and_shell_in_plane_stress(core_in_disc, solid, radius, integrate):
    """The core's stress is -E e / 2 (1 - a^2 / b^2)."""
    core, rim = 50.0, 100.0
    problem = core_in_disc("plane_stress", core, rim, 3.0)
    mesh = problem.domain.mesh
    inside = between(radius(mesh), -1.0, 0.75 * core)
    stress, area = problem.stress(), integrate(inside, mesh)
    mean = [integrate(stress[i, j] * inside, mesh) / area for i, j in ((0, 0), (1, 1), (0, 1))]
    exact = -solid.young * MISFIT / 2 * (1 - (core / rim) ** 2)
    np.testing.assert_allclose(mean, [exact, exact, 0], atol=0.005 * abs(exact))


def test_distribution_of_stress_over_core_and_shell(
    comm, solid, mesh_outline, circle, sample, solve
):
    """The hoop stress E e / 2 (a^2/b^2 + a^2/r^2) of the shell, percentile by percentile.

    The composition is a map at nodes. Its wall is one cell wide and the cells at it are in neither
    phase: the wall's place is known to half a cell, a^2 to h / a, and the highest stresses of the
    shell, right at the wall, are not compared.
    """
    core, rim, size = 50.0, 100.0, 2.0
    domain = mesh_outline(circle(rim, size), size, comm)
    c = sample(domain.mesh, lambda x: np.where(np.hypot(x[0], x[1]) < core, 1.0, 0.0))
    law = solid.mechanics("plane_stress", MISFIT)
    problem = solve(StaticStress(domain, law, c, displacement_degree=2))
    phases = (Phase("shell", -0.01, 0.01), Phase("core", 0.99, 1.01))
    levels = (5, 25, 50, 75)
    statistics = StressStatistics(
        problem.stress(), c, domain, 1e6, regions=Regions(phases, 0.0), levels=levels
    )
    table = statistics.compute()
    tolerance = size / core
    half, share = solid.young * 1e6 * MISFIT / 2, (core / rim) ** 2
    inside = -half * (1 - share)
    row = table.find("hydrostatic", "core")
    assert row.mean == pytest.approx(2 * inside / 3, rel=tolerance)
    assert row.percentiles[2] == pytest.approx(2 * inside / 3, rel=tolerance)
    # The stress falls with r: p per cent of the shell is less stressed, and lies further out.
    place = rim**2 - np.array(levels) / 100 * (rim**2 - core**2)
    expected = half * (share + core**2 / place)
    found = table.find("principal_1", "shell").percentiles
    np.testing.assert_allclose(found, expected, rtol=tolerance)
    walls = table.find("von_mises", "boundaries")
    ring = 2 * np.pi * core * 1e-9
    assert walls.volume / ring == pytest.approx(size * 1e-9, rel=0.5)
    areas = [table.find("von_mises", name).volume for name in ("core", "shell", "boundaries")]
    assert sum(areas) == pytest.approx(table.find("von_mises", "all").volume, rel=1e-9)


@pytest.mark.parametrize("assumption", ["plane_stress", "generalised_plane_strain"])
def test_parabolic_eigenstrain_converges_at_second_order(
    assumption, comm, solid, mesh_outline, circle, sample, solve, polar_tensor, relative_error
):
    """3.6 with e = e0 r^2 / b^2, the composition given at the nodes."""
    sizes, errors = (16.0, 4.0), []
    modulus = solid.young / (1 if assumption == "plane_stress" else 1 - solid.poisson)
    for size in sizes:
        domain = mesh_outline(circle(RIM, size), size, comm)
        mesh = domain.mesh
        c = sample(mesh, lambda x: MISFIT * (x[0] ** 2 + x[1] ** 2) / RIM**2)
        law = solid.mechanics(assumption)
        problem = solve(StaticStress(domain, law, c, displacement_degree=2))
        x = ufl.SpatialCoordinate(mesh)
        e = MISFIT * ufl.dot(x, x) / RIM**2
        whole, within = MISFIT / 4, e / 4
        axial = 0 if assumption == "plane_stress" else modulus * (2 * whole - e)
        radial, hoop = modulus * (whole - within), modulus * (whole + within - e)
        exact = polar_tensor(mesh, radial, hoop, axial)
        errors.append(relative_error(problem.stress(), exact, mesh))
    assert errors[-1] < 0.005
    assert np.log2(errors[0] / errors[1]) / 2 >= 1.9
