"""Cylinders that expand within others: step and smooth profiles of radial eigenstrain."""

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.problems.conditions import Loads
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress

MISFIT = 1e-3
MIRRORS = Loads(supports=(Roller("x_axis"), Roller("y_axis")))


@pytest.fixture
def radius():
    """Return a function for the distance from the axis as a UFL expression."""

    def create(mesh):
        x = ufl.SpatialCoordinate(mesh)
        return ufl.sqrt(ufl.dot(x, x))

    return create


def test_expanding_cylinder_in_an_infinite_matrix(
    solid, quarter_disc, mark, radius, solve, polar_tensor, relative_error, verify
):
    core = 20.0
    domain = quarter_disc(core, 40 * core, 1.0, 60.0)
    mesh, inside = domain.mesh, mark(domain.mesh, core)
    problem = solve(
        StaticStress(domain, solid.mechanics("plane_strain"), MISFIT * inside, MIRRORS, 2)
    )
    pressure = solid.young * MISFIT / (2 * (1 - solid.poisson))
    assert pressure == pytest.approx(30.714, abs=5e-4)
    decay = pressure * (core / radius(mesh)) ** 2
    outside = 1 - inside
    exact = polar_tensor(
        mesh,
        -pressure * inside - decay * outside,
        -pressure * inside + decay * outside,
        -2 * pressure * inside,
    )
    error = relative_error(problem.stress(), exact, mesh, inside)
    verify("stress in an inclusion, error in L2", error, 0.0, abs=0.005, against="Lamé")
    near = mark(mesh, 3 * core) - inside
    error = relative_error(problem.stress(), exact, mesh, near)
    verify("stress around an inclusion, error in L2", error, 0.0, abs=0.01, against="Lamé")
    energy = solid.young * MISFIT**2 / (1 - solid.poisson) * np.pi * core**2 / 4
    found = problem.energies()["elastic"]
    verify("energy of an inclusion, over theory", found / energy, 1.0, rel=0.005, against="Eshelby")


def test_expanding_core_of_a_free_cylinder(
    solid, quarter_disc, mark, radius, solve, polar_tensor, relative_error, verify
):
    core, rim = 20.0, 100.0
    domain = quarter_disc(core, rim, 1.0, 4.0)
    mesh, inside = domain.mesh, mark(domain.mesh, core)
    problem = solve(
        StaticStress(domain, solid.mechanics("plane_strain"), MISFIT * inside, MIRRORS, 2)
    )
    half = MISFIT / 2
    modulus = solid.young / (1 - solid.poisson)
    whole = half * (core / rim) ** 2
    within = half * inside + half * (core / radius(mesh)) ** 2 * (1 - inside)
    radial, hoop = modulus * (whole - within), modulus * (whole + within - MISFIT * inside)
    axial = modulus * (2 * solid.poisson * whole - MISFIT * inside)
    assert modulus * (whole - half) == pytest.approx(-29.486, abs=5e-4)
    exact = polar_tensor(mesh, radial, hoop, axial)
    error = relative_error(problem.stress(), exact, mesh)
    verify("stress of a core in a cylinder, error in L2", error, 0.0, abs=0.005, against="Lamé")


@pytest.mark.parametrize("assumption", ["plane_strain", "generalised_plane_strain", "plane_stress"])
def test_parabolic_eigenstrain_of_a_free_cylinder(
    assumption, solid, quarter_disc, radius, solve, polar_tensor, relative_error, integrate, verify
):
    rim = 100.0
    domain = quarter_disc(rim / 2, rim, 8.0, 8.0)
    mesh, r = domain.mesh, radius(domain.mesh)
    e = MISFIT * (r / rim) ** 2
    problem = solve(StaticStress(domain, solid.mechanics(assumption), e, MIRRORS, 2))
    whole, within = MISFIT / 4, MISFIT / 4 * (r / rim) ** 2
    nu = solid.poisson
    modulus = solid.young / (1 if assumption == "plane_stress" else 1 - nu)
    axial = {
        "plane_strain": modulus * (2 * nu * whole - e),
        "generalised_plane_strain": modulus * (2 * whole - e),
        "plane_stress": 0,
    }[assumption]
    exact = polar_tensor(mesh, modulus * (whole - within), modulus * (whole + within - e), axial)
    verify(
        "stress of a parabolic eigenstrain, error in L2",
        relative_error(problem.stress(), exact, mesh),
        0.0,
        abs=0.005,
        against="closed form",
    )
    if assumption == "generalised_plane_strain":
        strain = problem.out_of_plane_strain.x.array[0]
        verify("eps_zz of a free cylinder", strain, 2 * whole, rel=0.002, against="closed form")
        size = integrate(abs(problem.stress()[2, 2]), mesh)
        assert abs(integrate(problem.stress()[2, 2], mesh)) < 1e-8 * size


def test_displacement_of_degree_1_converges_at_second_order(
    solid, quarter_disc, radius, solve, integrate
):
    rim, nu, errors = 100.0, solid.poisson, []
    for size in (20.0, 10.0, 5.0):
        domain = quarter_disc(rim / 2, rim, size, size)
        mesh, r = domain.mesh, radius(domain.mesh)
        whole, within = MISFIT / 4, MISFIT / 4 * (r / rim) ** 2
        stretch = (1 + nu) / (1 - nu) * ((1 - 2 * nu) * whole + within)
        e = MISFIT * (r / rim) ** 2
        problem = solve(StaticStress(domain, solid.mechanics("plane_strain"), e, MIRRORS, 1))
        difference = problem.u - stretch * ufl.SpatialCoordinate(mesh)
        errors.append(np.sqrt(integrate(ufl.dot(difference, difference), mesh, 6)))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(rates, 2.0, atol=0.15)


def test_a_field_that_changes_is_followed(solid, quarter_disc, mark, solve):
    domain = quarter_disc(20.0, 100.0, 5.0, 20.0)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c.interpolate(lambda x: MISFIT * x[0] / 100.0)
    problem = solve(StaticStress(domain, solid.mechanics("plane_strain"), c, MIRRORS))
    once = problem.energies()["elastic"]
    c.x.array[:] *= 2.0
    solve(problem)
    assert problem.energies()["elastic"] == pytest.approx(4 * once, rel=1e-9)
