"""From plain arrays on one rank to a distributed mesh with named facet groups.

Every source of meshes (gmsh models, gmsh files, meshio files) ends here, so that groups behave
alike and a failure on the reading rank reaches all ranks instead of leaving them waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx.graph import adjacencylist
from dolfinx.io.utils import distribute_entity_data
from dolfinx.mesh import Mesh, create_mesh, meshtags_from_entities
from mpi4py import MPI

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError, run_on_root
from chemomech.fenicsx import create_owner_partitioner
from chemomech.geometry.cell_facets import list_facets, number_rows
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.partition import Owners, require_owners

SURFACE = "surface"
"""Name of the group of all facets that the electrolyte wets."""


@dataclass(frozen=True)
class MeshArrays:
    """An undistributed mesh of straight-edged cells of one type.

    Args:
        points: Coordinates in nm, shape (points, gdim).
        cells: Corners of each cell in DOLFINx's order, shape (cells, corners).
        cell: Name of the cell type, e.g. ``quadrilateral``.
        facets: Corners of the facets of each named group, shape (facets, corners), in any order.
            Without a group ``surface``, all exterior facets become one.
    """

    points: FloatArray
    cells: IntArray
    cell: str
    facets: Mapping[str, IntArray]


def distribute(
    comm: MPI.Comm, build: Callable[[], MeshArrays], owners: Owners | None = None
) -> Domain:
    """Build a mesh on rank 0 and spread it over all ranks.

    Args:
        comm: Communicator of the mesh; the call is collective.
        build: Makes the mesh; called on rank 0 alone.
        owners: Rank of each cell as `collect_owners` gives it, looked at on rank 0 alone; with the
            same owners every number in the distributed mesh comes out the same. None lets a graph
            partitioner choose.

    Returns:
        The distributed mesh with its groups.

    Raises:
        InputError: ``build`` failed, a named facet is no facet of the mesh, or the owners do not
            suit it; on all ranks.
    """
    arrays: MeshArrays | None = None
    facets: IntArray = np.empty((0, 0), dtype=np.int64)
    tags: IntArray = np.empty(0, dtype=np.int64)

    def prepare() -> tuple[str, int, int, dict[str, tuple[int, ...]], bool]:
        nonlocal arrays, facets, tags
        arrays = build()
        if owners is not None:
            require_owners(owners, len(arrays.cells), comm.size)
        facets, tags, groups = _label_facets(arrays)
        return arrays.cell, arrays.points.shape[1], facets.shape[1], groups, owners is not None

    cell, gdim, facet_corners, groups, is_divided = run_on_root(comm, prepare)
    if arrays is None:
        corners = len(basix.topology(basix.CellType[cell])[0])
        arrays = MeshArrays(np.empty((0, gdim)), np.empty((0, corners), dtype=np.int64), cell, {})
        facets = np.empty((0, facet_corners), dtype=np.int64)
    coordinates = basix.ufl.element("Lagrange", cell, 1, shape=(gdim,))
    # Those of the cells that this rank brings: rank 0 brings all of them.
    brought = owners if owners is not None and comm.rank == 0 else np.empty(0, dtype=np.int32)
    partitioner = create_owner_partitioner(brought) if is_divided else None
    mesh = create_mesh(
        comm,
        cells=arrays.cells,
        x=arrays.points,
        e=ufl.Mesh(coordinates),
        partitioner=partitioner,
    )
    return _tag(mesh, facets, tags, groups)


def _tag(
    mesh: Mesh, facets: IntArray, tags: IntArray, groups: Mapping[str, tuple[int, ...]]
) -> Domain:
    """Hand each facet's tag to the ranks that own the facet."""
    facet_dim = mesh.topology.dim - 1
    mesh.topology.create_connectivity(facet_dim, 0)
    mesh.topology.create_connectivity(facet_dim, mesh.topology.dim)
    entities, values = distribute_entity_data(mesh, facet_dim, facets, tags.astype(np.int32))
    facet_tags = meshtags_from_entities(mesh, facet_dim, adjacencylist(entities), values)
    facet_tags.name = "facet_tags"
    return Domain(mesh, facet_tags, groups, MESH_LENGTH_UNIT)


def _label_facets(arrays: MeshArrays) -> tuple[IntArray, IntArray, dict[str, tuple[int, ...]]]:
    """Give each facet one tag, a different one for each combination of groups it belongs to.

    Returns:
        Corners of the marked facets, their tags, and the tags of each group.
    """
    facets = list_facets(arrays.cells, arrays.cell)
    given = {name: rows for name, rows in arrays.facets.items() if len(rows)}
    for name, rows in given.items():
        _require_facets(rows.shape[1] == facets.shape[1], name)
    first, number = number_rows(np.sort(np.concatenate([facets, *given.values()]), axis=1))
    of_cells, *of_groups = np.split(
        number, np.cumsum([len(facets), *map(len, given.values())])[:-1]
    )
    cells = np.bincount(of_cells, minlength=len(first))
    membership = {name: np.zeros(len(first), dtype=np.bool_) for name in arrays.facets}
    for name, members in zip(given, of_groups, strict=True):
        _require_facets(bool(np.all(cells[members] > 0)), name)
        membership[name][members] = True
    membership.setdefault(SURFACE, cells == 1)
    table = np.column_stack(list(membership.values()))
    marked = table.any(axis=1)
    combinations, inverse = np.unique(table[marked], axis=0, return_inverse=True)
    groups = {
        name: tuple(int(tag) + 1 for tag in np.flatnonzero(combinations[:, column]))
        for column, name in enumerate(membership)
    }
    return facets[first[marked]], inverse.reshape(-1).astype(np.int64) + 1, groups


def _require_facets(are_facets: bool, name: str) -> None:
    if not are_facets:
        raise InputError(f"facet group {name!r} holds entities that are no facets of the cells")
