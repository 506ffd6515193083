"""Volumes, gradients and percentiles on a whole linear mesh in plain arrays."""

from __future__ import annotations

import math

import numpy as np

from chemomech.arrays import FloatArray, IntArray
from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.problems import stress_measures

# Corners in VTK's order; the six tetrahedra of a hexahedron share its diagonal 0-6.
_SIMPLICES = {
    "triangle": ((0, 1, 2),),
    "quadrilateral": ((0, 1, 2), (0, 2, 3)),
    "tetrahedron": ((0, 1, 2, 3),),
    "hexahedron": (
        *((0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6)),
        *((0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)),
    ),
}


def split_into_simplices(grid: SnapshotGrid) -> IntArray:
    """Split cells into triangles (2-D) or tetrahedra (3-D), shape (simplices, dimension + 1)."""
    corners = np.array(_SIMPLICES[grid.cell_name])
    return grid.cells[:, corners].reshape(-1, corners.shape[1])


def compute_simplex_volumes(grid: SnapshotGrid, simplices: IntArray) -> FloatArray:
    """Compute the area (nm2, 2-D) or volume (nm3, 3-D) of each simplex."""
    edges = _edges(grid, simplices)
    return np.abs(np.linalg.det(edges)) / math.factorial(grid.dimension)


def compute_vertex_volumes(grid: SnapshotGrid) -> FloatArray:
    """Compute each vertex's share of the particle: an equal part of every simplex around it.

    Areas in nm2 (2-D) or volumes in nm3 (3-D), shape (vertices,); their sum is the particle's.
    """
    simplices = split_into_simplices(grid)
    share = compute_simplex_volumes(grid, simplices) / simplices.shape[1]
    volumes: FloatArray = np.zeros(len(grid.points))
    np.add.at(volumes, simplices, share[:, None])
    return volumes


def compute_gradients(grid: SnapshotGrid, simplices: IntArray, values: FloatArray) -> FloatArray:
    """Compute the gradient (1/nm) in each simplex of a linear field, shape (simplices, dim)."""
    rise = values[simplices[:, 1:]] - values[simplices[:, :1]]
    solved = np.linalg.solve(_edges(grid, simplices), rise[..., None])
    return np.asarray(solved[..., 0], dtype=np.float64)


def compute_percentiles(
    grid: SnapshotGrid, values: FloatArray, levels: tuple[float, ...]
) -> FloatArray:
    """Compute percentiles over area or volume, not over vertices, whose density varies.

    Levels are in per cent of the particle; values, one a vertex, have the shape (vertices,).
    """
    return stress_measures.compute_percentiles(values, compute_vertex_volumes(grid), levels)


def _edges(grid: SnapshotGrid, simplices: IntArray) -> FloatArray:
    corners = grid.points[:, : grid.dimension][simplices]
    edges: FloatArray = corners[:, 1:] - corners[:, :1]
    return edges
