"""A wire that was straight and is held bent, against beam theory and the theory of its fibres."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.problems.bent_wire import create_bending_strain
from chemomech.problems.conditions import Displacement, Loads
from chemomech.problems.static_stress import StaticStress

RADIUS, WIDTH = 2000.0, 100.0
PLATE = 1 / (1 - 0.3**2)
CLAMPED = Loads(supports=(Displacement("start"), Displacement("end")))


@pytest.fixture(scope="module")
def create_arc(comm):
    """Return a function for an arc of 60 degrees, an L with legs, or a solid arc, and its shape."""

    def create(legs=0.0, thickness=None, size=12.5, cell="auto"):
        wire = Nanowire(
            width=WIDTH * 1e-9,
            bend_radius=RADIUS * 1e-9,
            bend_angle=np.pi / 3,
            legs=(legs * 1e-9, legs * 1e-9),
            thickness=thickness,
        )
        return create_domain(wire, size * 1e-9, comm, cell), wire

    return create


@pytest.fixture
def create_bent(solid, solve):
    """Return a function for a solved bent wire without lithium's strain."""

    def create(domain, wire, assumption, loads=None, fraction=1.0):
        prestrain = create_bending_strain(domain, wire, fraction)
        mechanics = replace(solid.mechanics(assumption), prestrain=prestrain)
        nothing = fem.Constant(domain.mesh, 0.0)
        return solve(StaticStress(domain, mechanics, nothing, loads, 2))

    return create


def polar(mesh):
    """Distance from the centre of the bend, and the unit vector along the wire."""
    x = ufl.SpatialCoordinate(mesh)
    right, up = x[0], x[1] - RADIUS
    r = ufl.sqrt(right**2 + up**2)
    return r, ufl.as_vector([-up / r, right / r, 0])


def mark_middle(mesh):
    """1 in the middle half of the arc, 0 near the ends."""
    x = ufl.SpatialCoordinate(mesh)
    angle = ufl.atan(x[0] / (RADIUS - x[1]))
    return ufl.conditional(abs(angle - np.pi / 6) < np.pi / 12, 1.0, 0.0)


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
@pytest.mark.parametrize("assumption", ["plane_stress", "plane_strain", "generalised_plane_strain"])
def test_free_wire_springs_back(assumption, cell, create_arc, create_bent, largest, verify):
    """Bending is compatible: let go, a wire is free of stress, bend and legs alike."""
    domain, wire = create_arc(legs=200.0, cell=cell)
    problem = create_bent(domain, wire, assumption)
    held = WIDTH / 2 / RADIUS * 43e3
    verify(
        "stress of a bent wire let go, over E w / 2 R",
        largest(problem.stress(), domain.mesh) / held,
        0.0,
        abs=2e-3,
        against="compatibility",
    )


@pytest.mark.parametrize(
    ("assumption", "stiffer"),
    # One eps_zz for all cannot follow a bending strain, which is zero in the mean.
    [("plane_stress", 1.0), ("plane_strain", PLATE), ("generalised_plane_strain", PLATE)],
)
def test_clamped_arc_is_a_bent_beam(
    assumption, stiffer, create_arc, create_bent, solid, integrate, verify
):
    """sigma_tt = E' y / R, moment E' w^3 / (12 R), energy E' w^3 / (24 R^2) for each length.

    Corrections are of the order of (w / R)^2 = 0.25 %, and of the ends, about a width long.
    """
    domain, wire = create_arc()
    problem = create_bent(domain, wire, assumption, CLAMPED)
    r, along = polar(domain.mesh)
    middle, y = mark_middle(domain.mesh), r - RADIUS
    hoop = ufl.dot(along, problem.stress() * along)
    slope = integrate(middle * hoop * y, domain.mesh) / integrate(middle * y * y, domain.mesh)
    modulus = stiffer * solid.young
    beam = {"rel": 0.01, "against": "Euler-Bernoulli"}
    verify("stress of a clamped arc, over theory", slope * RADIUS / modulus, 1.0, **beam)
    moment = integrate(middle * hoop * y / r, domain.mesh) / (np.pi / 6)
    stiffness = modulus * WIDTH**3 / 12
    verify("moment of a clamped arc, over theory", moment * RADIUS / stiffness, 1.0, **beam)
    elastic = problem.strain() + create_bending_strain(domain, wire)
    energy = integrate(middle * ufl.inner(problem.stress(), elastic) / 2, domain.mesh)
    length = RADIUS * np.pi / 6
    bent = stiffness / 2 / RADIUS**2 * length
    verify("energy of a clamped arc, over theory", energy / bent, 1.0, **beam)


def test_half_elastic_bending_has_half_the_stress(create_arc, create_bent, largest):
    domain, wire = create_arc(size=25.0)
    whole, half = (
        largest(create_bent(domain, wire, "plane_stress", CLAMPED, f).stress(), domain.mesh)
        for f in (1.0, 0.5)
    )
    assert half == pytest.approx(whole / 2, rel=1e-8)


def test_clamped_solid_arc(create_arc, create_bent, solid, integrate, verify):
    """In 3-D the sides are free in both directions: E' = E."""
    domain, wire = create_arc(thickness=50e-9, size=25.0)
    problem = create_bent(domain, wire, "three_dimensional", CLAMPED)
    r, along = polar(domain.mesh)
    middle, y = mark_middle(domain.mesh), r - RADIUS
    hoop = ufl.dot(along, problem.stress() * along)
    slope = integrate(middle * hoop * y, domain.mesh) / integrate(middle * y * y, domain.mesh)
    ratio = slope * RADIUS / solid.young
    verify("stress of a solid clamped arc, over theory", ratio, 1.0, rel=0.01, against="beam")
