"""Cubic and orthotropic crystals, in global axes and in the wire's own, against closed forms."""

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.forms.energy import Mechanics
from chemomech.geometry.frame import create_wire_tangent
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain, TurnedEigenstrain
from chemomech.problems.conditions import Loads, Traction
from chemomech.problems.static_stress import StaticStress

ANGLE = np.pi / 6
PULL = 50.0
YOUNG, POISSON, SHEAR = (40e3, 60e3, 25e3), (0.25, 0.3, 0.2), (9e3, 11e3, 15e3)
ORTHOTROPIC = el.create_orthotropic_stiffness(YOUNG, POISSON, SHEAR)
CUBIC = el.create_cubic_stiffness(80e3, 30e3, 40e3)
FREE_EXPANSION = ((-0.02, 0.0, 0.0), (0.0, 0.03, 0.0), (0.0, 0.0, 0.01))
NOTHING = Eigenstrain.isotropic(0.0, 0.0)


def rotation(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


@pytest.fixture
def turned_wire(comm):
    """Return a function for a straight wire that points 30 degrees up."""

    def create(dimension):
        thickness = 20e-9 if dimension == 3 else None
        wire = Nanowire(20e-9, None, 0.0, (40e-9, 0.0), thickness)
        domain = create_domain(wire, 10e-9, comm)
        x = domain.mesh.geometry.x
        x[:] = x @ rotation(ANGLE).T
        return domain

    return create


@pytest.fixture
def strain_along(integrate):
    """Return a function for the mean strain of a wire along its axis and across it."""

    def measure(problem):
        mesh = problem.domain.mesh
        along, across, _ = rotation(ANGLE).T
        volume = integrate(fem.Constant(mesh, 1.0), mesh)
        return [
            integrate(ufl.dot(e, problem.strain() * e), mesh) / volume
            for e in (ufl.as_vector(along.tolist()), ufl.as_vector(across.tolist()))
        ]

    return measure


def pull(domain):
    """Tension along the wire, on both its ends."""
    along = PULL * rotation(ANGLE)[: domain.mesh.geometry.dim, 0]
    return Loads(tractions=(Traction("end", tuple(along)), Traction("start", tuple(-along))))


def mechanics(stiffness, assumption, eigenstrain=NOTHING, axes=None):
    return Mechanics(el.Elasticity(stiffness, el.Assumption(assumption), axes), eigenstrain)


def along_wire(domain):
    return el.create_wire_rotation(create_wire_tangent(domain))


@pytest.mark.parametrize(
    ("dimension", "assumption"),
    [(2, "plane_stress"), (2, "generalised_plane_strain"), (3, "three_dimensional")],
)
def test_crystal_aligned_with_the_wire(dimension, assumption, turned_wire, solve, strain_along):
    domain = turned_wire(dimension)
    law = mechanics(ORTHOTROPIC, assumption, axes=along_wire(domain))
    problem = solve(StaticStress(domain, law, ufl.as_ufl(0.0), pull(domain)))
    expected = [PULL / YOUNG[0], -POISSON[0] * PULL / YOUNG[0]]
    np.testing.assert_allclose(strain_along(problem), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("dimension", "assumption"),
    [(2, "plane_stress"), (2, "generalised_plane_strain"), (3, "three_dimensional")],
)
@pytest.mark.parametrize("stiffness", [ORTHOTROPIC, CUBIC], ids=["orthotropic", "cubic"])
def test_crystal_turned_against_the_wire(
    dimension, assumption, stiffness, turned_wire, solve, strain_along
):
    """1/E' = cos^4 / E1 + sin^4 / E2 + (1/G12 - 2 nu12 / E1) sin^2 cos^2 at 30 degrees."""
    domain = turned_wire(dimension)
    law = mechanics(stiffness, assumption)
    problem = solve(StaticStress(domain, law, ufl.as_ufl(0.0), pull(domain)))
    cos2, sin2 = np.cos(ANGLE) ** 2, np.sin(ANGLE) ** 2
    if stiffness is CUBIC:
        first = second = (80e3 + 30e3) / ((80e3 - 30e3) * (80e3 + 2 * 30e3))
        mixed = -30e3 / ((80e3 - 30e3) * (80e3 + 2 * 30e3))
        shear = 1 / 40e3
    else:
        first, second, mixed = 1 / YOUNG[0], 1 / YOUNG[1], -POISSON[0] / YOUNG[0]
        shear = 1 / SHEAR[2]
    along = cos2**2 * first + sin2**2 * second + (shear + 2 * mixed) * sin2 * cos2
    across = mixed + (first + second - 2 * mixed - shear) * sin2 * cos2
    np.testing.assert_allclose(strain_along(problem), [PULL * along, PULL * across], rtol=1e-7)


@pytest.mark.parametrize("in_wire_frame", [False, True], ids=["global", "wire"])
@pytest.mark.parametrize(
    ("dimension", "assumption"),
    [(2, "plane_stress"), (2, "generalised_plane_strain"), (3, "three_dimensional")],
)
def test_tensor_eigenstrain_expands_a_free_wire_without_stress(
    dimension, assumption, in_wire_frame, turned_wire, solve, strain_along, largest
):
    domain, change = turned_wire(dimension), 0.1
    axes, eigenstrain = along_wire(domain), Eigenstrain(FREE_EXPANSION, 0.5)
    if in_wire_frame:
        eigenstrain = TurnedEigenstrain(eigenstrain, axes)
    law = mechanics(ORTHOTROPIC, assumption, eigenstrain, axes)
    problem = solve(StaticStress(domain, law, ufl.as_ufl(0.5 + change)))
    assert largest(problem.stress(), domain.mesh) < 1e-7 * YOUNG[0] * change * 0.03
    tensor = np.array(FREE_EXPANSION)
    if not in_wire_frame:
        tensor = rotation(ANGLE).T @ tensor @ rotation(ANGLE)
    expected = [change * tensor[0, 0], change * tensor[1, 1]]
    np.testing.assert_allclose(strain_along(problem), expected, rtol=1e-7)


def test_laws_in_the_wires_axes_turn_with_the_wire(comm, turned_wire, solve):
    """The energy of a blocked anisotropic misfit does not know which way the wire points."""
    straight = create_domain(Nanowire(20e-9, None, 0.0, (40e-9, 0.0)), 10e-9, comm)
    energies = []
    for domain in (straight, turned_wire(2)):
        # Composition by position along the wire, wherever that points.
        start = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
        along = rotation(ANGLE if domain is not straight else 0.0)[:, 0]
        start.interpolate(lambda x, along=along: np.sin((along @ x) / 8))
        axes = along_wire(domain)
        misfit = Eigenstrain(((0.02, 0.01, 0), (0.01, -0.01, 0), (0, 0, 0)), 0.0)
        law = mechanics(ORTHOTROPIC, "plane_strain", TurnedEigenstrain(misfit, axes), axes)
        energies.append(solve(StaticStress(domain, law, start)).energies()["elastic"])
    assert energies[0] > 0
    assert energies[1] == pytest.approx(energies[0], rel=1e-8)
