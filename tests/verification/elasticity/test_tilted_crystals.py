"""Crystals whose axes leave the plane of a 2-D model: right in plane stress, refused elsewhere.

A thin plate under tension is in plane stress sigma, so that its strain is S : sigma whatever its
symmetry; S is turned here as a tensor of fourth order, without condensing anything.
"""

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.errors import InputError
from chemomech.forms.energy import Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.problems.conditions import Loads, Traction
from chemomech.problems.static_stress import StaticStress

PULL = 50.0
YOUNG, POISSON, SHEAR = (40e3, 60e3, 25e3), (0.25, 0.3, 0.2), (9e3, 11e3, 15e3)
ORTHOTROPIC = el.create_orthotropic_stiffness(YOUNG, POISSON, SHEAR)
PLANES = ["plane_strain", "generalised_plane_strain"]


def turn(axis, angle):
    """Rotation about a coordinate axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[first, second], [first, second]] = np.cos(angle)
    matrix[second, first], matrix[first, second] = np.sin(angle), -np.sin(angle)
    return matrix


#: Columns are the crystal's axes; the third is 50 degrees from the plate's normal.
TILTED = turn(2, 0.4) @ turn(1, 0.7) @ turn(0, -0.5)


def turned_compliance(rotation):
    """The compliance in global axes, shape (3, 3, 3, 3)."""
    s = np.zeros((3, 3, 3, 3))
    ratios = {(0, 1): POISSON[0], (0, 2): POISSON[1], (1, 2): POISSON[2]}
    for i in range(3):
        s[i, i, i, i] = 1 / YOUNG[i]
    for (i, j), nu in ratios.items():
        s[i, i, j, j] = s[j, j, i, i] = -nu / YOUNG[i]
        for a, b, c, d in ((i, j, i, j), (i, j, j, i), (j, i, i, j), (j, i, j, i)):
            s[a, b, c, d] = 1 / (4 * SHEAR[3 - i - j])
    return np.einsum("ai,bj,ck,dl,ijkl->abcd", *[rotation] * 4, s)


def to_mandel(compliance):
    """A tensor of fourth order as a 6 x 6 matrix."""
    pairs = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    weights = [1.0] * 3 + [np.sqrt(2.0)] * 3
    return np.array(
        [[w * v * compliance[p + q] for q, v in zip(pairs, weights, strict=True)]
         for p, w in zip(pairs, weights, strict=True)]
    )  # fmt: skip


NOTHING = Eigenstrain.isotropic(0.0, 0.0)


def create_law(assumption, rotation, given_in, eigenstrain=NOTHING):
    """Mechanics of the turned crystal: turned by the law, or a stiffness turned beforehand."""
    stiffness, axes = ORTHOTROPIC, ufl.as_matrix(rotation.tolist())
    if given_in == "global":
        stiffness, axes = np.linalg.inv(to_mandel(turned_compliance(rotation))), None
    return Mechanics(el.Elasticity(stiffness, el.Assumption(assumption), axes), eigenstrain)


@pytest.fixture(scope="module")
def plate(comm):
    return create_domain(Box((40e-9, 20e-9)), 10e-9, comm)


@pytest.fixture
def measure(plate):
    """Return a function for a tensor in the middle of each cell, shape (cells, 3, 3)."""

    def evaluate(tensor):
        cells = plate.mesh.topology.index_map(2).size_local
        middle = fem.Expression(tensor, np.array([[0.5, 0.5]]))
        return middle.eval(plate.mesh, np.arange(cells, dtype=np.int32)).reshape(cells, 3, 3)

    return evaluate


@pytest.mark.parametrize("given_in", ["crystal", "global"])
def test_a_tilted_crystal_in_plane_stress_strains_as_a_thin_plate_does(
    given_in, plate, solve, measure
):
    loads = Loads((), [Traction("right", (PULL, 0.0)), Traction("left", (-PULL, 0.0))])
    law = create_law("plane_stress", TILTED, given_in)
    problem = solve(StaticStress(plate, law, ufl.as_ufl(0.0), loads))
    sigma = np.zeros((3, 3))
    sigma[0, 0] = PULL
    expected = np.einsum("ijkl,kl->ij", turned_compliance(TILTED), sigma)
    stress, strain = measure(problem.stress()), measure(problem.strain())
    np.testing.assert_allclose(stress, np.broadcast_to(sigma, stress.shape), atol=1e-7 * PULL)
    within = strain[:, :2, :2]
    np.testing.assert_allclose(within, np.broadcast_to(expected[:2, :2], within.shape), rtol=1e-7)


def test_a_strain_tilted_out_of_a_free_plate_causes_no_stress(plate, solve, measure):
    tilted = Eigenstrain(((0.02, 0.0, 0.01), (0.0, -0.01, 0.02), (0.01, 0.02, 0.03)), 0.0)
    law = create_law("plane_stress", TILTED, "crystal", tilted)
    problem = solve(StaticStress(plate, law, ufl.as_ufl(0.5)))
    np.testing.assert_allclose(measure(problem.stress()), 0.0, atol=1e-7 * YOUNG[0] * 0.02)


@pytest.mark.parametrize("assumption", PLANES)
@pytest.mark.parametrize("given_in", ["crystal", "global"])
def test_a_tilted_crystal_in_plane_strain_is_refused(plate, assumption, given_in):
    """It would shear out of the plane, for which the model has no displacement."""
    law = create_law(assumption, TILTED, given_in)
    with pytest.raises(InputError, match=r"assumption.*'plane_stress' or a 3-D mesh"):
        StaticStress(plate, law, ufl.as_ufl(0.0))


@pytest.mark.parametrize("assumption", PLANES)
def test_a_strain_tilted_out_of_the_plane_is_refused(plate, assumption):
    shear = Eigenstrain(((0.0, 0.0, 0.01), (0.0, 0.0, 0.0), (0.01, 0.0, 0.0)), 0.0)
    law = create_law(assumption, np.eye(3), "global", shear)
    with pytest.raises(InputError, match="tilted out of it"):
        StaticStress(plate, law, ufl.as_ufl(0.5))


@pytest.mark.parametrize("assumption", PLANES)
@pytest.mark.parametrize("given_in", ["crystal", "global"])
def test_a_crystal_turned_within_the_plane_is_not(plate, measure, assumption, given_in):
    """Stretched, it has the stress that its compliance, inverted, gives."""
    rotation, stretch = turn(2, 0.4), 1e-3
    problem = StaticStress(plate, create_law(assumption, rotation, given_in), ufl.as_ufl(0.0))
    problem.u.interpolate(lambda x: np.stack([stretch * x[0], np.zeros_like(x[0])]))
    xx, yy, zz, yz, xz, xy = stretch * np.linalg.inv(to_mandel(turned_compliance(rotation)))[0]
    yz, xz, xy = np.array([yz, xz, xy]) / np.sqrt(2.0)
    expected = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    stress = measure(problem.stress())
    np.testing.assert_allclose(stress, np.broadcast_to(expected, stress.shape), atol=1e-9 * xx)
