"""A field on the vertices of a mesh: plain arrays, and the mesh and function made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes
from chemomech.geometry.cells import PLANE
from chemomech.geometry.distribution import MeshArrays, distribute
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.files.mesh_checks import check_cells, require_corners

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
    """One field at one time, on the vertices of an undistributed mesh.

    Args:
        points: Coordinates in the file's unit, shape (points, gdim).
        cells: Corners of each cell in DOLFINx's order, shape (cells, corners).
        cell: Name of the cell type, e.g. ``quadrilateral``.
        values: Value at each point, shape (points,), or (points, components) of vectors and
            tensors.
        time: Time they belong to, in s; None where the file knows no times.

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


@dataclass(frozen=True, eq=False)
class Field:
    """A field at a time in s, if known, as a function.

    Its mesh is in nm with the one facet group ``surface``, the whole boundary; the function is
    continuous and linear (on quadrilaterals and hexahedra multilinear).
    """

    domain: Domain
    function: fem.Function
    time: float | None


def create_field(comm: MPI.Comm, read: Callable[[], FieldData], name: str, unit_m: float) -> Field:
    """Spread a field, read on rank 0 alone, and its mesh over all ranks; collective.

    ``unit_m`` is the length, in m, of one unit of the field's coordinates.
    """
    field: FieldData | None = None

    def build() -> MeshArrays:
        nonlocal field
        field = read()
        arrays = check_cells(MeshArrays(field.points, field.cells, field.cell, {}))
        return replace(arrays, points=arrays.points * (unit_m / MESH_LENGTH_UNIT))

    domain = distribute(comm, build)
    shape, time = comm.bcast(None if field is None else (field.values.shape[1:], field.time))
    # Each rank asks rank 0 for the values at its own nodes, by their number in the file.
    wanted = comm.gather(domain.mesh.geometry.input_global_indices)
    answers = None if field is None else [field.values[numbers] for numbers in wanted or []]
    values = comm.scatter(answers)
    element = ("Lagrange", 1, shape) if shape else ("Lagrange", 1)
    function = fem.Function(fem.functionspace(domain.mesh, element), name=name)
    size = domain.mesh.topology.index_map(domain.mesh.topology.dim)
    cells = size.size_local + size.num_ghosts
    # Linear functions and straight cells have the same corners in the same order.
    dofs = function.function_space.dofmap.list[:cells]
    nodes = get_cell_nodes(domain.mesh.geometry)[:cells]
    function.x.array.reshape(-1, *shape)[dofs.reshape(-1)] = values[nodes.reshape(-1)]
    function.x.scatter_forward()
    return Field(domain, function, time)


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
