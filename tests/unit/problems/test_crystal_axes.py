"""Axes of grains as a field."""

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI
from two_grains import mark_grains

from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.orientation import create_euler_axes, create_turned_axes
from chemomech.problems.crystal_axes import CrystalAxes

COMM = MPI.COMM_WORLD
UPRIGHT, TURNED = np.eye(3), create_euler_axes([0.4, 0.0, 0.0])
TILTED = create_euler_axes([0.4, 0.3, 0.0])
#: The first axis out of the plane.
STANDING = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


@pytest.fixture(scope="module")
def domain():
    return mark_grains(create_domain(Box((40e-9, 20e-9)), 10e-9, COMM))


def measure(axes, domain):
    """Axes in the middle of each cell of this rank, and the midpoints."""
    cells = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    middle = np.array([[1 / 3, 1 / 3]])
    values = fem.Expression(axes.tensor, middle).eval(domain.mesh, cells).reshape(-1, 3, 3)
    corners = domain.mesh.geometry.x[get_cell_nodes(domain.mesh.geometry)[cells]]
    return values, corners.mean(axis=1)


def test_each_grain_has_its_axes(domain):
    angle = 0.4
    axes = CrystalAxes(
        domain, {None: TURNED, "right": lambda points: create_turned_axes(points[0] / 100)}
    )
    for _ in range(2):
        values, middles = measure(axes, domain)
        angles = np.where(middles[:, 0] < 20.0, angle, middles[:, 0] / 100)
        np.testing.assert_allclose(values, create_turned_axes(angles), atol=1e-14)
        axes.update()


@pytest.mark.parametrize("first", [UPRIGHT, STANDING])
def test_zeros_out_of_the_plane_are_known_and_stay(domain, first):
    grains = {"left": first, "right": first}
    axes = CrystalAxes(domain, grains)
    upright = int(np.flatnonzero(first[2])[0])
    for i, j in np.ndindex(3, 3):
        if (i == 2) != (j == upright):
            assert axes.tensor[i, j] == 0.0
    grains["right"] = TILTED
    with pytest.raises(InputError, match="make the model anew"):
        axes.update()
    grains["right"] = TURNED @ first
    axes.update()


def test_a_tilted_crystal_may_be_turned(domain):
    grains = {None: create_euler_axes([0.0, 0.3, 0.0])}
    axes = CrystalAxes(domain, grains)
    grains[None] = TILTED
    axes.update()
    values, _ = measure(axes, domain)
    np.testing.assert_allclose(values, np.broadcast_to(TILTED, values.shape), atol=1e-14)


@pytest.mark.parametrize(
    ("grains", "message"),
    [
        ({"left": UPRIGHT}, "cells have no orientation"),
        ({"left": UPRIGHT, "body": TURNED}, "'left' and 'body' share cells"),
        ({None: UPRIGHT, "rihgt": TURNED}, "did you mean 'right'"),
        ({None: UPRIGHT, "right": 1.01 * TURNED}, "not perpendicular and of length 1"),
        ({None: UPRIGHT, "right": np.nan * TURNED}, "not finite"),
    ],
)
def test_grains_that_cannot_be_are_refused(domain, grains, message):
    with pytest.raises(InputError, match=message):
        CrystalAxes(domain, grains)
