"""The one place that knows how DOLFINx releases differ (0.9 to 0.11)."""

from __future__ import annotations

import dolfinx
import numpy as np
from dolfinx import cpp, fem, graph, mesh
from numpy.typing import NDArray
from petsc4py import PETSc

_RELEASE = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])


def create_real_space(domain: mesh.Mesh) -> fem.FunctionSpace:
    """Create the space of functions constant over the whole mesh: one global unknown.

    Its single degree of freedom is owned by rank 0 and a ghost everywhere else, so forms,
    residuals and matrices treat it like any other block.

    Args:
        domain: Mesh on whose cells the constant lives.
    """
    cells = domain.topology.index_map(domain.topology.dim)
    piecewise = fem.functionspace(domain, ("DG", 0))
    if domain.comm.rank == 0:
        ghosts, owners = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    else:
        ghosts, owners = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int32)
    tag = () if _RELEASE < (0, 11) else (0,)
    index_map = cpp.common.IndexMap(domain.comm, int(domain.comm.rank == 0), ghosts, owners, *tag)
    everywhere = np.zeros((cells.size_local + cells.num_ghosts, 1), dtype=np.int32)
    lists = graph.adjacencylist(everywhere)
    layout = piecewise.dofmap._cpp_object.dof_layout
    dofmap = cpp.fem.DofMap(layout, index_map, 1, getattr(lists, "_cpp_object", lists), 1)
    element = piecewise.element
    arguments = (domain._cpp_object, getattr(element, "_cpp_object", element), dofmap)
    if _RELEASE < (0, 10):
        space = cpp.fem.FunctionSpace_float64(*arguments, [])
    else:
        space = cpp.fem.FunctionSpace_float64(*arguments)
    return fem.FunctionSpace(domain, piecewise.ufl_element(), space)


def get_cell_nodes(geometry: mesh.Geometry) -> NDArray[np.int32]:
    """Geometry nodes of each cell on this rank, shape (cells, nodes a cell)."""
    return geometry.dofmap if _RELEASE < (0, 11) else geometry.dofmaps[0]


def get_geometry_degree(geometry: mesh.Geometry) -> int:
    """Polynomial degree of the map from reference to physical cells: 1 for straight cells."""
    return int((geometry.cmap if _RELEASE < (0, 11) else geometry.cmaps[0]).degree)


def is_option_unused(prefix: str, name: str) -> bool:
    """Tell whether PETSc has never been asked for an option; False where it cannot tell.

    Args:
        prefix: Prefix of the options.
        name: The option, without prefix and dash.
    """
    database = PETSc.Options(prefix)
    # petsc4py 3.22 cannot tell.
    return hasattr(database, "used") and not database.used(name)
