"""Surface of a mesh as triangles, thinned out where it is too large for a browser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chemomech.analysis.measures import compute_vertex_volumes, split_into_simplices
from chemomech.arrays import FloatArray, IntArray
from chemomech.output.snapshot_grid import SnapshotGrid


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in space.

    Args:
        points: Corners in nm, shape (points, 3).
        triangles: Corners of each triangle, shape (triangles, 3).
        owners: Point that each vertex of the whole mesh is part of, -1 for none, shape (vertices,).
        weights: Share of each vertex of the whole mesh in its point, shape (vertices,).
    """

    points: FloatArray
    triangles: IntArray
    owners: IntArray
    weights: FloatArray

    def sample(self, values: FloatArray) -> FloatArray:
        """Average values at the vertices of the whole mesh over those each point stands for."""
        seen = self.owners >= 0
        owners, weights = self.owners[seen], self.weights[seen]
        count = len(self.points)
        total = np.bincount(owners, weights, minlength=count)
        means = np.bincount(owners, weights * values[seen], minlength=count) / total
        return np.asarray(means, dtype=np.float64)


def create_surface(grid: SnapshotGrid, most: int) -> Surface:
    """Find the part of a mesh (nm) that can be seen.

    Where there are more than ``most`` vertices, those that fall into one cell of a square lattice
    become one point; the lattice is chosen so that about as many are left.
    """
    triangles = _find_triangles(grid)
    seen = np.unique(triangles)
    groups = np.full(len(grid.points), -1, dtype=np.int64)
    whole = len(seen) <= most
    groups[seen] = np.arange(len(seen)) if whole else _group(grid.points, triangles, seen, most)
    weights = compute_vertex_volumes(grid) if grid.dimension == 2 else np.ones(len(grid.points))
    surface = Surface(np.zeros((groups.max() + 1, 3)), groups[triangles], groups, weights)
    points = np.stack([surface.sample(axis) for axis in grid.points.T], axis=1)
    a, b, c = surface.triangles.T
    distinct = (a != b) & (b != c) & (c != a)
    return Surface(points, surface.triangles[distinct], groups, weights)


def _find_triangles(grid: SnapshotGrid) -> IntArray:
    if grid.dimension == 2:
        return split_into_simplices(grid)
    # Here: what is flat need not wait for VTK.
    from chemomech.drawing.scene import create_pyvista_grid

    solid = create_pyvista_grid(grid)
    surface = solid.extract_surface(algorithm="dataset_surface", pass_pointid=True).triangulate()
    return np.asarray(surface["vtkOriginalPointIds"][surface.regular_faces], dtype=np.int64)


def _group(vertices: FloatArray, triangles: IntArray, seen: IntArray, most: int) -> IntArray:
    first, second = (vertices[triangles[:, k]] - vertices[triangles[:, 0]] for k in (1, 2))
    area = np.linalg.norm(np.cross(first, second), axis=1).sum() / 2
    # As if the surface were as evenly filled as its vertices are.
    size = float(np.sqrt(area / most))
    points = vertices[seen]
    places = np.floor((points - points.min(axis=0)) / size).astype(np.int64)
    _, groups = np.unique(places, axis=0, return_inverse=True)
    return np.asarray(groups.reshape(-1), dtype=np.int64)
