"""A field on the vertices of a mesh in plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.geometry.cells import PLANE
from chemomech.geometry.files.mesh_checks import require_corners

# Linear cells, and those of any degree.
VTK_CELLS = {
    5: "triangle",
    69: "triangle",
    9: "quadrilateral",
    70: "quadrilateral",
    10: "tetrahedron",
    71: "tetrahedron",
    12: "hexahedron",
    72: "hexahedron",
}
"""Names of cells by VTK's numbers of their types."""


@dataclass(frozen=True, eq=False)
class FieldData:
    """One field at one time in s, if known, on the vertices of an undistributed mesh.

    Points, shape (points, gdim), are in the file's unit, cells their corners in DOLFINx's order.
    Values have the shape (points,), or (points, components) of vectors and tensors.

    Raises:
        InputError: There are no cells, a cell has a corner that is no point, a plane mesh is not in
            the x-y plane, or the values are not finite or not one for each point.
    """

    points: FloatArray
    cells: IntArray
    cell: str
    values: FloatArray
    time: float | None = None

    def __post_init__(self) -> None:
        require_corners(self.points, self.cells)
        if len(self.values) != len(self.points):
            raise InputError(
                f"the field has {len(self.values)} values at {len(self.points)} points"
            )
        if not (np.isfinite(self.values).all() and np.isfinite(self.points).all()):
            raise InputError("the field or its mesh has numbers that are not finite")
        object.__setattr__(self, "points", _drop_flat_axis(self.points, self.cell))


def keep_corners(
    points: NDArray[np.generic],
    cells: IntArray,
    cell: str,
    values: NDArray[np.generic],
    time: float | None = None,
) -> FieldData:
    """Create a field without the points that are the corner of no cell, e.g. on edges.

    Points have the shape (points, 3), cells, in DOLFINx's order, (cells, corners), values
    (points, ...): an axis of length one goes, tensors become rows of nine. The time is in s.
    """
    used, numbers = np.unique(cells, return_inverse=True)
    if len(used) and (used[0] < 0 or used[-1] >= min(len(points), len(values))):
        raise InputError("the mesh of the field has cells with corners that do not exist")
    rows: FloatArray = values[used].astype(np.float64).reshape(len(used), -1)
    rows = rows[:, 0] if rows.shape[1] == 1 else rows
    corners = numbers.reshape(cells.shape).astype(np.int64)
    return FieldData(points[used].astype(np.float64), corners, cell, rows, time)


def _drop_flat_axis(points: FloatArray, cell: str) -> FloatArray:
    """Points of a plane mesh without z."""
    if cell not in PLANE:
        return points
    extent = np.ptp(points, axis=0)
    if points.shape[1] == 3 and extent[2] > 1e-9 * max(extent[:2]):
        raise InputError("a field on triangles or quadrilaterals must lie in the x-y plane")
    return np.ascontiguousarray(points[:, :2])
