"""Surfaces of meshes, whole and thinned out."""

import numpy as np
import pytest

from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.reporting.view import _create_surface


def create_square(count):
    """A unit square of count by count quadrilaterals, in VTK's order."""
    side = np.linspace(0.0, 1.0, count + 1)
    x, y = np.meshgrid(side, side, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    number = np.arange(x.size).reshape(x.shape)
    corners = (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])
    return SnapshotGrid(points, np.stack([c.ravel() for c in corners], 1), "quadrilateral")


def create_cube(count):
    side = np.linspace(0.0, 1.0, count + 1)
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1)
    number = np.arange((count + 1) ** 3).reshape(count + 1, count + 1, count + 1)
    steps = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    corners = [number[i : count + i, j : count + j, k : count + k].ravel() for i, j, k in steps]
    return SnapshotGrid(grid.reshape(-1, 3), np.stack(corners, 1), "hexahedron")


def measure_area(surface):
    a, b, c = (surface.points[surface.triangles[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_flat_mesh_is_its_own_surface():
    grid = create_square(4)
    surface = _create_surface(grid, 1000)
    np.testing.assert_allclose(surface.points, grid.points)
    assert measure_area(surface) == pytest.approx(1.0)
    np.testing.assert_allclose(surface.sample(grid.points[:, 0]), grid.points[:, 0])


def test_surface_of_a_cube_has_six_sides_and_no_inside():
    grid = create_cube(3)
    surface = _create_surface(grid, 1000)
    assert measure_area(surface) == pytest.approx(6.0)
    # Of 64 vertices 8 lie inside.
    assert len(surface.points) == 56
    middle = np.abs(surface.points - 0.5).max(axis=1)
    np.testing.assert_allclose(middle, 0.5)


def test_tetrahedra_have_a_surface_too():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=float)
    cells = np.array([[0, 1, 2, 3], [4, 1, 2, 3]])
    surface = _create_surface(SnapshotGrid(points, cells, "tetrahedron"), 1000)
    assert len(surface.triangles) == 6


@pytest.mark.parametrize(("grid", "area"), [(create_square(100), 1.0), (create_cube(24), 6.0)])
def test_thinned_out_surface_keeps_shape_and_fields(grid, area):
    """A linear field is kept to within the size of the lattice; nothing is lost but an edge."""
    surface = _create_surface(grid, 800)
    assert 400 < len(surface.points) < 1600
    size = np.sqrt(area / 800)
    assert measure_area(surface) == pytest.approx(area, abs=4 * size * np.sqrt(area))
    x = surface.sample(grid.points[:, 0])
    np.testing.assert_allclose(x, surface.points[:, 0], atol=1e-12)
    assert x.min() < size
    assert x.max() > 1 - size
