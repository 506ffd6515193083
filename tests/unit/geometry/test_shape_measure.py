"""Shape measures of single cells against hand-computed ones."""

import basix.ufl
import numpy as np
import pytest
import ufl
from dolfinx.mesh import create_mesh
from mpi4py import MPI

from chemomech.geometry.shape_measure import compute_shape_measure


def _measure(cell, points):
    points = np.array(points, dtype=np.float64)
    element = ufl.Mesh(basix.ufl.element("Lagrange", cell, 1, shape=(points.shape[1],)))
    cells = np.arange(len(points), dtype=np.int64)[None]
    mesh = create_mesh(MPI.COMM_SELF, cells=cells, x=points, e=element)
    return compute_shape_measure(mesh)[0]


def test_equilateral_simplices_are_ideal():
    assert _measure("triangle", [[0, 0], [1, 0], [0.5, np.sqrt(0.75)]]) == pytest.approx(1.0)
    corners = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    assert _measure("tetrahedron", corners) == pytest.approx(1.0)


def test_right_triangle():
    # 4 sqrt(3) area / sum of squared edges = 4 sqrt(3) / 2 / 4
    assert _measure("triangle", [[0, 0], [1, 0], [0, 1]]) == pytest.approx(np.sqrt(3) / 2)


@pytest.mark.parametrize("mirror", [1, -1])
def test_rectangles_are_ideal_whichever_way_they_are_numbered(mirror):
    corners = [[0, 0], [3 * mirror, 0], [0, 1], [3 * mirror, 1]]
    assert _measure("quadrilateral", corners) == pytest.approx(1.0)
    hexahedron = [[3 * mirror * (v & 1), (v >> 1) & 1, v >> 2] for v in range(8)]
    assert _measure("hexahedron", hexahedron) == pytest.approx(1.0)


def test_parallelogram_is_the_sine_of_its_angle():
    corners = [[0, 0], [1, 0], [0.5, np.sqrt(0.75)], [1.5, np.sqrt(0.75)]]
    assert _measure("quadrilateral", corners) == pytest.approx(np.sqrt(0.75))


def test_quadrilateral_with_reentrant_corner_is_worthless():
    assert _measure("quadrilateral", [[0, 0], [1, 0], [0, 1], [0.2, 0.2]]) == 0.0
