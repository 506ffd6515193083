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
import numpy.typing as npt
import ufl
from dolfinx.graph import adjacencylist
from dolfinx.io.utils import distribute_entity_data
from dolfinx.mesh import Mesh, create_mesh, meshtags_from_entities
from mpi4py import MPI

from chemomech.errors import InputError, run_on_root
from chemomech.fenicsx import create_owner_partitioner
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.partition import Owners, require_owners

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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
    every, exterior = _facets_of(arrays)
    keys = np.sort(every, axis=1)
    named = dict(arrays.facets)
    named.setdefault(SURFACE, every[exterior])
    membership = np.column_stack(
        [_find_rows(keys, np.sort(rows, axis=1), name) for name, rows in named.items()]
    )
    marked = membership.any(axis=1)
    combinations, inverse = np.unique(membership[marked], axis=0, return_inverse=True)
    groups = {
        name: tuple(int(tag) + 1 for tag in np.flatnonzero(combinations[:, column]))
        for column, name in enumerate(named)
    }
    return every[marked], inverse.reshape(-1).astype(np.int64) + 1, groups


def _facets_of(arrays: MeshArrays) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Corners of all different facets in DOLFINx's order, and which of them bound the mesh."""
    topology = basix.topology(basix.CellType[arrays.cell])
    local = np.array(topology[-2])
    facets = arrays.cells[:, local].reshape(-1, local.shape[1])
    _, first, counts = np.unique(
        np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True
    )
    return facets[first], counts == 1


def _find_rows(table: IntArray, rows: IntArray, name: str) -> npt.NDArray[np.bool_]:
    """Which rows of ``table`` occur in ``rows``; all of ``rows`` must occur."""
    if len(rows) == 0:
        return np.zeros(len(table), dtype=np.bool_)
    if rows.shape[1] != table.shape[1]:
        raise InputError(f"facet group {name!r} holds entities that are no facets of the cells")
    rows = np.unique(rows, axis=0)
    _, inverse, counts = np.unique(
        np.concatenate([table, rows]), axis=0, return_inverse=True, return_counts=True
    )
    found = counts[inverse.reshape(-1)[: len(table)]] > 1
    if np.count_nonzero(found) != len(rows):
        raise InputError(f"facet group {name!r} holds entities that are no facets of the cells")
    return found
