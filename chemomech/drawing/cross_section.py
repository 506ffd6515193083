"""Cut the stress of a solid by a plane, to draw it like that of a flat particle."""

from __future__ import annotations

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.drawing.stress_pictures import TriangleMesh
from chemomech.errors import InputError
from chemomech.output.snapshot_grid import SnapshotGrid


def cut_half_way(grid: SnapshotGrid, values: FloatArray) -> tuple[TriangleMesh, FloatArray]:
    """Cut a solid mesh half way between its lowest and highest z, and interpolate vertex values.

    Args:
        grid: A mesh of tetrahedra or hexahedra that `Gatherer` brought to rank 0, in nm.
        values: A value for each vertex, shape (n,).

    Returns:
        The cut as a flat mesh, and the value at each of its vertices.

    Raises:
        InputError: The mesh is flat.
    """
    # Imported here, for VTK may be absent or lack a system library on a cluster's nodes.
    from chemomech.drawing.scene import create_pyvista_grid

    if grid.dimension != 3:
        raise InputError(f"a mesh of {grid.cell_name} cells is flat and needs no cut")
    z = grid.points[:, 2]
    height = float(z.min() + z.max()) / 2
    solid = create_pyvista_grid(grid)
    solid.point_data["values"] = np.asarray(values, dtype=np.float64)
    cut = solid.slice(normal="z", origin=(0.0, 0.0, height)).triangulate()
    triangles = np.asarray(cut.faces).reshape(-1, 4)[:, 1:].astype(np.int64)
    mesh = TriangleMesh(np.asarray(cut.points, dtype=np.float64)[:, :2], triangles)
    return mesh, np.asarray(cut.point_data["values"], dtype=np.float64)
