"""Gather meshes and nodal values on rank 0, for pictures and films."""

from __future__ import annotations

import numpy as np
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.mesh import CellType
from numpy.typing import NDArray

from chemomech.fenicsx import get_cell_nodes, get_geometry_degree
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.partition import gather_by_cell
from chemomech.output.snapshot_grid import SnapshotGrid


class Gatherer:
    """Bring a distributed mesh to rank 0 once, as `grid`, then nodal values as often as wanted.

    Construction and `gather` are collective; others get None. Cells are linear triangles,
    quadrilaterals, tetrahedra or hexahedra.
    """

    def __init__(self, mesh: dmesh.Mesh) -> None:
        cell = mesh.topology.cell_type
        geometry = mesh.geometry
        if cell.name not in VTK_ORDER or get_geometry_degree(geometry) != 1:
            raise ValueError(f"Only linear meshes can be gathered, not {cell.name} of this kind.")
        self._mesh = mesh
        self._comm = mesh.comm
        self._owned = geometry.index_map().size_local
        self._input_index = np.asarray(geometry.input_global_indices, dtype=np.int64)
        indices = self._comm.gather(self._input_index[: self._owned])
        coordinates = self._comm.gather(geometry.x[: self._owned])
        cells = self._gather_cells(cell)
        self._order: NDArray[np.int64] | None = None
        self.grid: SnapshotGrid | None = None
        if indices is not None and coordinates is not None and cells is not None:
            index = np.concatenate(indices)
            self._order = np.argsort(index)
            points = np.concatenate(coordinates)[self._order].astype(np.float64)
            corners = np.searchsorted(index[self._order], cells)
            self.grid = SnapshotGrid(points, corners, cell.name)

    def gather(self, function: fem.Function) -> NDArray[np.float64] | None:
        """Gather a continuous Lagrange function's values at the vertices on rank 0; collective.

        The function may be of any degree; its ghosts must be up to date. The shape is
        ``(vertices,)``, or ``(vertices, components)`` for vectors and tensors; other ranks get
        None.
        """
        space = function.function_space
        element = space.ufl_element()
        if element.discontinuous or element.degree < 1:
            raise ValueError(f"{function.name} is not continuous; project it before gathering.")
        dofs = self._find_vertex_dofs(space)
        values = function.x.array.reshape(-1, space.dofmap.bs)[dofs]
        parts = self._comm.gather(values)
        if self._order is None:
            return None
        whole = np.concatenate(parts)[self._order].astype(np.float64)
        return whole[:, 0] if space.dofmap.bs == 1 else whole

    def _gather_cells(self, cell: CellType) -> NDArray[np.int64] | None:
        """Gather cells as input indices of their vertices, in the order of the mesh's input."""
        count = self._mesh.topology.index_map(self._mesh.topology.dim).size_local
        local = get_cell_nodes(self._mesh.geometry)[:count][:, VTK_ORDER[cell.name]]
        return gather_by_cell(self._mesh, self._input_index[local])

    def _find_vertex_dofs(self, space: fem.FunctionSpace) -> NDArray[np.int32]:
        """Find the block dof at each owned vertex; their owners may be different ranks."""
        nodes = get_cell_nodes(self._mesh.geometry)
        layout = space.dofmap.dof_layout
        at_vertices = [layout.entity_dofs(0, i)[0] for i in range(nodes.shape[1])]
        dofs = np.empty(self._input_index.size, dtype=np.int32)
        dofs[nodes] = space.dofmap.list[:, at_vertices]
        return dofs[: self._owned]
