"""Bending: a bilayer, a curved beam, and the field that bends nothing."""

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.problems.conditions import Loads
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress


@pytest.mark.parametrize(("assumption", "factor"), [("plane_stress", 1.0), ("plane_strain", 1.3)])
def test_bilayer_bends_to_timoshenkos_curvature(
    assumption, factor, comm, solid, solve, integrate, verify
):
    """K = 3 e / (2 h), with (1 + nu) e for e in plane strain; a free wire of two equal layers."""
    misfit, width, length = 2.9785e-3, 100.0, 600.0
    wire = Nanowire(width=100e-9, bend_radius=None, bend_angle=0.0, legs=(600e-9, 0.0))
    domain = create_domain(wire, 12.5e-9, comm)
    c = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    c.interpolate(lambda x: np.where(x[1] > 0, misfit, 0.0))
    problem = solve(StaticStress(domain, solid.mechanics(assumption), c, displacement_degree=2))
    # The curvature is the slope of the axial strain across the wire, fitted far from the tips.
    x, y = ufl.SpatialCoordinate(domain.mesh)
    middle = ufl.conditional(abs(x - length / 2) < 100.0, 1.0, 0.0)
    slope = integrate(middle * problem.strain()[0, 0] * y, domain.mesh)
    slope /= integrate(middle * y * y, domain.mesh)
    expected = 1.5 * factor * misfit / (width * 1e-9)
    assert expected == pytest.approx(factor * 4.46775e4, rel=1e-6)
    verify(
        f"curvature of a bilayer, {assumption.replace('_', ' ')}",
        slope * 1e9,
        expected,
        "1/m",
        rel=0.005,
        against="Timoshenko",
    )


@pytest.fixture(scope="module")
def curved(comm):
    """A quarter of a ring, 100 nm wide."""
    wire = Nanowire(width=100e-9, bend_radius=1e-6, bend_angle=np.pi / 2, legs=(0.0, 0.0))
    return create_domain(wire, 100e-9 / 12, comm)


def logarithm(mesh, factor):
    """factor ln(r / R) about the ring's centre."""
    x = ufl.SpatialCoordinate(mesh) - ufl.as_vector([0.0, 1000.0])
    return factor * ufl.ln(ufl.dot(x, x) / 1000.0**2) / 2


@pytest.mark.parametrize("assumption", ["plane_stress", "plane_strain"])
def test_closed_ring_is_stressed_as_a_curved_beam_in_pure_bending(
    assumption, curved, solid, solve, polar_tensor, relative_error, verify
):
    """Eigenstrain A ln r makes a free sector open or close; a whole ring must bend it back.

    The moment that does so is M = N E' A / (8 (b^2 - a^2)) with N of Golovin's solution.
    """
    a, b, moment = 950.0, 1050.0, 1e6
    n = (b**2 - a**2) ** 2 - 4 * a**2 * b**2 * np.log(b / a) ** 2
    modulus = solid.young / (1 - solid.poisson if assumption == "plane_strain" else 1.0)
    factor = 8 * moment * (b**2 - a**2) / (n * modulus)
    rollers = Loads(supports=(Roller("start"), Roller("end")))
    e = logarithm(curved.mesh, factor)
    problem = solve(StaticStress(curved, solid.mechanics(assumption), e, rollers, 2))

    def golovin(r, ln):
        shape = a**2 * b**2 / r**2 * np.log(b / a)
        rest = b**2 * (ln(r) - np.log(b)) + a**2 * (np.log(a) - ln(r))
        return -4 * moment / n * (shape + rest), -4 * moment / n * (rest - shape + b**2 - a**2)

    np.testing.assert_allclose(
        [golovin(a, np.log)[1], golovin(b, np.log)[1]], [620.728, -580.674], atol=1e-3
    )
    x = ufl.SpatialCoordinate(curved.mesh) - ufl.as_vector([0.0, 1000.0])
    radial, hoop = golovin(ufl.sqrt(ufl.dot(x, x)), ufl.ln)
    axial = 0
    if assumption == "plane_strain":
        axial = solid.poisson * (radial + hoop) - solid.young * e
    exact = polar_tensor(curved.mesh, radial, hoop, axial, (0.0, 1000.0))
    error = relative_error(problem.stress(), exact, curved.mesh)
    verify("stress of a curved beam, error in L2", error, 0.0, abs=0.005, against="Golovin")


def test_free_curved_wire_takes_a_harmonic_eigenstrain_without_stress(
    curved, solid, solve, largest, verify
):
    """ln r is harmonic: in a simply connected free body in plane stress nothing resists it."""
    e = logarithm(curved.mesh, 0.01)
    problem = solve(StaticStress(curved, solid.mechanics("plane_stress"), e, displacement_degree=2))
    scale = solid.young * 0.01 * 0.1
    verify(
        "stress of a harmonic eigenstrain, over E de",
        largest(problem.stress(), curved.mesh) / scale,
        0.0,
        abs=0.01,
        against="compatibility",
    )
