"""Checks of a mesh made elsewhere before DOLFINx, which may crash or hang on bad cells, sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.geometry.cells import list_facets, number_rows
from chemomech.geometry.distribution import MeshArrays

Flags = npt.NDArray[np.bool_]

# Volumes below this part of the cube of a cell's extent are round-off of coordinates.
_FLAT = 1e-8


def check_cells(arrays: MeshArrays) -> MeshArrays:
    """Return the mesh, in the file's coordinates, with each cell once; only for one rank.

    A cell that a file writes once for each of its groups is the same cell, and in all of them.

    Raises:
        InputError: A cell has corners that do not exist or coincide, is flat or folded, lies over
            its neighbour, or more than two cells share a facet; with the place in the file's
            coordinates.
    """
    require_corners(arrays.points, arrays.cells)
    ordered = np.sort(arrays.cells, axis=1)
    _refuse((ordered[:, 1:] == ordered[:, :-1]).any(axis=1), arrays, "name a corner twice")
    first, number = number_rows(ordered)
    kept = np.sort(first)
    place = np.searchsorted(kept, first)[number]
    groups = {name: np.unique(place[rows]) for name, rows in arrays.cell_groups.items()}
    sound = replace(arrays, cells=arrays.cells[kept], cell_groups=groups)
    lowest, highest = _compute_extreme_volumes(sound)
    _refuse(np.maximum(-lowest, highest) <= _FLAT, sound, "are flat: they enclose nothing")
    _refuse((lowest < -_FLAT) & (highest > _FLAT), sound, "are folded over or not convex")
    _require_neighbours(sound)
    return sound


def require_corners(points: FloatArray, cells: IntArray) -> None:
    """Refuse cells with corners that do not exist, and points that are nowhere.

    Points have the shape (points, any), cells (cells, corners).
    """
    if len(cells) == 0:
        raise InputError("the mesh has no cells")
    if cells.min() < 0 or cells.max() >= len(points):
        raise InputError(
            f"the mesh has cells with corners that do not exist: they run from {cells.min()} to "
            f"{cells.max()}, and there are {len(points)} points"
        )
    if not np.isfinite(points[cells.reshape(-1)]).all():
        raise InputError("the mesh has coordinates that are not finite")


def find_meetings(arrays: MeshArrays) -> tuple[IntArray, IntArray, Flags]:
    """Find the facets in which cells meet.

    Returned are the corners of the facets of each cell as `list_facets` gives them; pairs of rows
    of it that are one facet, shape (pairs, 2); and whether a row has no other, shape (rows,).
    """
    facets = list_facets(arrays.cells, arrays.cell)
    number = number_rows(np.sort(facets, axis=1))[1]
    order = np.argsort(number, kind="stable")
    same = number[order[1:]] == number[order[:-1]]
    pairs = np.column_stack([order[:-1][same], order[1:][same]])
    return facets, pairs, np.bincount(number)[number] == 1


def name_point(point: FloatArray) -> str:
    """Return a point as text, e.g. ``(12.5, 30)``."""
    return f"({', '.join(f'{x:.6g}' for x in point)})"


def _compute_extreme_volumes(arrays: MeshArrays) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest Jacobian at the corners of each cell, over its extent to the power dim."""
    corners = arrays.points[arrays.cells]
    dim = arrays.points.shape[1]
    extent = np.ptp(corners, axis=1).max(axis=1)
    # Where all corners of a cell are one place its volume is zero, not undefined.
    extent[extent == 0.0] = 1.0
    if arrays.cell in ("triangle", "tetrahedron"):
        frames = [corners[:, 1:] - corners[:, :1]]
    else:
        # Corners in rows: bit d of a corner's number is its place along axis d.
        frames = [
            np.stack([corners[:, k | 1 << d] - corners[:, k & ~(1 << d)] for d in range(dim)], 1)
            for k in range(1 << dim)
        ]
    volumes = np.stack([np.linalg.det(frame) for frame in frames]) / extent**dim
    return volumes.min(axis=0), volumes.max(axis=0)


def _require_neighbours(arrays: MeshArrays) -> None:
    """Refuse facets of more than two cells, and of two cells on the same side."""
    facets, pairs, _ = find_meetings(arrays)
    cells = pairs // (len(facets) // len(arrays.cells))
    crowded = np.zeros(len(arrays.cells), dtype=np.bool_)
    crowded[cells[1:][pairs[1:, 0] == pairs[:-1, 1]]] = True
    _refuse(crowded, arrays, "share a facet with two others")
    corners = arrays.points[facets[pairs[:, 0]]]
    # Of four corners, which stand in rows, the last lies opposite the first.
    normal = (
        (corners[:, 1] - corners[:, 0])[:, ::-1] * [1.0, -1.0]
        if corners.shape[1] == 2
        else np.cross(corners[:, -1] - corners[:, 0], corners[:, 2] - corners[:, 1])
    )
    away = arrays.points[arrays.cells].mean(axis=1)[cells] - corners.mean(axis=1)[:, None]
    sides = np.einsum("pki,pi->pk", away, normal)
    overlapping = np.zeros(len(arrays.cells), dtype=np.bool_)
    overlapping[cells[sides.prod(axis=1) > 0.0, 0]] = True
    _refuse(overlapping, arrays, "lie over a neighbour, on the same side of their common facet")


def _refuse(bad: Flags, arrays: MeshArrays, reason: str) -> None:
    """Refuse a mesh with bad cells, and say how many there are and where the first one lies."""
    count = np.count_nonzero(bad)
    if count:
        place = arrays.points[arrays.cells[np.argmax(bad)]].mean(axis=0)
        raise InputError(
            f"{count} of {len(bad)} cells {reason}; the first lies about {name_point(place)} in "
            f"the file's coordinates"
        )
