"""Measure how far cells are from degenerate: one number in [0, 1] a cell."""

from __future__ import annotations

import itertools

import basix
import numpy as np
import numpy.typing as npt
from dolfinx.mesh import Mesh, entities_to_geometry

from chemomech.arrays import FloatArray

# Edges that leave each corner of a tensor-product cell, in DOLFINx's vertex numbering (binary
# counting).
_QUADRILATERAL_NEIGHBOURS = np.array([[1, 2], [0, 3], [3, 0], [2, 1]])
_HEXAHEDRON_NEIGHBOURS = np.array([[v ^ 1, v ^ 2, v ^ 4] for v in range(8)])


def compute_shape_measure(mesh: Mesh) -> FloatArray:
    """Shape measure of the cells this rank owns: 1 for the ideal cell, 0 for a degenerate one.

    Simplices have the mean ratio ``d n**(1/d) V**(2/d) / sum(l**2)``, scaled to 1 for the
    equilateral simplex; quadrilaterals and hexahedra the smallest scaled Jacobian of their corners,
    |det| of the unit edge vectors, and 0 if a corner is turned inside out. Edges are straight.
    """
    dim = mesh.topology.dim
    owned = np.arange(mesh.topology.index_map(dim).size_local, dtype=np.int32)
    if len(owned) == 0:
        # DOLFINx 0.9 divides by the number of cells asked for.
        return np.empty(0)
    corners = mesh.geometry.x[entities_to_geometry(mesh, dim, owned), : mesh.geometry.dim]
    cell = mesh.basix_cell()
    if cell == basix.CellType.quadrilateral:
        return _scaled_jacobian(corners, _QUADRILATERAL_NEIGHBOURS)
    if cell == basix.CellType.hexahedron:
        return _scaled_jacobian(corners, _HEXAHEDRON_NEIGHBOURS)
    return compute_mean_ratio(corners)


def compute_mean_ratio(corners: FloatArray) -> FloatArray:
    """Mean ratio of simplices of corners (cells, d + 1, d), see `compute_shape_measure`."""
    dim = corners.shape[2]
    determinant = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    pairs = np.array(list(itertools.combinations(range(dim + 1), 2)))
    squares = ((corners[:, pairs[:, 0]] - corners[:, pairs[:, 1]]) ** 2).sum(axis=(1, 2))
    # The determinant of an equilateral simplex of unit edge is sqrt(d + 1) / 2**(d/2).
    ideal = np.sqrt(dim + 1) / 2.0 ** (dim / 2.0)
    ratio: FloatArray = len(pairs) * (determinant / ideal) ** (2.0 / dim) / squares
    return ratio


def _scaled_jacobian(corners: FloatArray, neighbours: npt.NDArray[np.int64]) -> FloatArray:
    """Smallest scaled Jacobian of cells with corners of shape (cells, 2**d, d)."""
    edges = corners[:, neighbours] - corners[:, :, None, :]
    edges /= np.linalg.norm(edges, axis=-1, keepdims=True)
    jacobians = np.linalg.det(edges)
    # Corners differ in handedness by their position, and a mesh may number its cells either way
    # round.
    handed = jacobians * np.sign(np.linalg.det(_reference_edges(neighbours)))
    one_way, other_way = handed.min(axis=1), (-handed).min(axis=1)
    return np.clip(np.maximum(one_way, other_way), 0.0, 1.0)


def _reference_edges(neighbours: npt.NDArray[np.int64]) -> FloatArray:
    """Edge vectors at the corners of the unit cell, shape (2**d, d, d)."""
    dim = neighbours.shape[1]
    points = ((np.arange(2**dim)[:, None] >> np.arange(dim)) & 1).astype(np.float64)
    return points[neighbours] - points[:, None, :]
