"""Distribute a mesh from plain arrays on one rank, with named groups of facets and cells.

Every source of meshes (gmsh models, gmsh files, meshio files) ends here, so that groups behave
alike and a failure on the reading rank reaches all ranks instead of leaving them waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import basix
import basix.ufl
import numpy as np
import ufl
from dolfinx.graph import adjacencylist
from dolfinx.io.utils import distribute_entity_data
from dolfinx.mesh import Mesh, MeshTags, create_mesh, meshtags_from_entities
from mpi4py import MPI

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError, run_on_root
from chemomech.fenicsx import create_owner_partitioner
from chemomech.geometry.cells import list_facets, number_rows
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.partition import Owners
from chemomech.geometry.periodicity import join_sides, stand_for

SURFACE = "surface"
"""Name of the group of all facets that the electrolyte wets."""


@dataclass(frozen=True)
class MeshArrays:
    """An undistributed mesh of straight-edged cells of one type, named like ``quadrilateral``.

    Points are in nm, shape (points, gdim), cells their corners in DOLFINx's order, facets the
    corners of those of each named group, in any order. Without a group ``surface``, all exterior
    facets become one. Groups of cells are rows of ``cells``. Pairs are points that are one in a
    periodic mesh, as `pair_sides` gives them.
    """

    points: FloatArray
    cells: IntArray
    cell: str
    facets: Mapping[str, IntArray]
    cell_groups: Mapping[str, IntArray] = field(default_factory=dict)
    pairs: IntArray = field(default_factory=lambda: np.empty((0, 2), dtype=np.int64))


@dataclass(frozen=True)
class _Labels:
    """Tags of the facets or cells that belong to named groups, on one rank.

    Corners are of shape (n, corners), none where the mesh is not read; tags of shape (n,).
    """

    corners: IntArray
    tags: IntArray
    groups: dict[str, tuple[int, ...]]

    def without_members(self) -> _Labels:
        """The same groups without their facets or cells."""
        return _Labels(self.corners[:0], self.tags[:0], self.groups)

    def spread(self, mesh: Mesh, dim: int, name: str) -> MeshTags:
        """Hand each tag to the ranks that own the facet or cell of dimension ``dim``."""
        mesh.topology.create_connectivity(dim, 0)
        mesh.topology.create_connectivity(dim, mesh.topology.dim)
        tags = self.tags.astype(np.int32)
        entities, values = distribute_entity_data(mesh, dim, self.corners, tags)
        mesh_tags = meshtags_from_entities(mesh, dim, adjacencylist(entities), values)
        mesh_tags.name = name
        return mesh_tags


def distribute(
    comm: MPI.Comm, build: Callable[[], MeshArrays], owners: Owners | None = None
) -> Domain:
    """Build a mesh on rank 0 and spread it over all ranks; collective.

    With the same owners, rank 0's, as `collect_owners` gives them, every number in the distributed
    mesh comes out the same. None lets a graph partitioner choose.

    Raises:
        InputError: ``build`` failed, a named facet is no facet of the mesh, or the owners do not
            suit it; on all ranks.
    """
    arrays: MeshArrays | None = None
    parts: list[_Labels] = []

    def prepare() -> tuple[str, int, list[_Labels], bool, IntArray]:
        nonlocal arrays, parts
        arrays = build()
        if owners is not None:
            _require_owners(owners, len(arrays.cells), comm.size)
        parts = [_label_facets(arrays), _label_cells(arrays)]
        heads = [part.without_members() for part in parts]
        return arrays.cell, arrays.points.shape[1], heads, owners is not None, arrays.pairs

    cell, gdim, heads, is_divided, pairs = run_on_root(comm, prepare)
    if arrays is None:
        corners = len(basix.topology(basix.CellType[cell])[0])
        arrays = MeshArrays(np.empty((0, gdim)), np.empty((0, corners), dtype=np.int64), cell, {})
        parts = heads
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
    if len(pairs):
        mesh = join_sides(mesh, pairs)
    facets, cells = parts
    return Domain(
        mesh,
        facets.spread(mesh, mesh.topology.dim - 1, "facet_tags"),
        facets.groups,
        MESH_LENGTH_UNIT,
        cell_tags=cells.spread(mesh, mesh.topology.dim, "cell_tags") if cells.groups else None,
        cell_groups=cells.groups,
    )


def _label_facets(arrays: MeshArrays) -> _Labels:
    """Tag the facets of named groups."""
    facets = list_facets(arrays.cells, arrays.cell)
    given = {name: rows for name, rows in arrays.facets.items() if len(rows)}
    for name, rows in given.items():
        _require_facets(rows.shape[1] == facets.shape[1], name)
    corners = stand_for(np.concatenate([facets, *given.values()]), arrays.pairs)
    first, number = number_rows(np.sort(corners, axis=1))
    of_cells, *of_groups = np.split(
        number, np.cumsum([len(facets), *map(len, given.values())])[:-1]
    )
    cells = np.bincount(of_cells, minlength=len(first))
    members: dict[str, IntArray] = {name: np.empty(0, dtype=np.int64) for name in arrays.facets}
    for name, rows in zip(given, of_groups, strict=True):
        _require_facets(bool(np.all(cells[rows] > 0)), name)
        members[name] = rows
    if (exterior := np.flatnonzero(cells == 1).astype(np.int64)).size:
        members.setdefault(SURFACE, exterior)
    tags, groups = _label(len(first), members)
    marked = tags > 0
    return _Labels(facets[first[marked]], tags[marked], groups)


def _label_cells(arrays: MeshArrays) -> _Labels:
    """Tag the cells of named groups."""
    tags, groups = _label(len(arrays.cells), arrays.cell_groups)
    marked = tags > 0
    return _Labels(arrays.cells[marked], tags[marked], groups)


def _label(
    count: int, members: Mapping[str, IntArray]
) -> tuple[IntArray, dict[str, tuple[int, ...]]]:
    """Give each of ``count`` things one tag for each combination of groups; 0 for none.

    Returns:
        The tags, shape (count,), and the tags of each group.
    """
    labels = np.zeros(count, dtype=np.int64)
    combinations: list[tuple[str, ...]] = [()]
    for name, rows in members.items():
        former, which = np.unique(labels[rows], return_inverse=True)
        labels[rows] = len(combinations) + which.reshape(-1)
        combinations += [(*combinations[label], name) for label in former]
    # Those that are left, in an order that the groups alone decide.
    used = np.unique(np.append(labels, 0)).tolist()
    used.sort(key=lambda label: [name in combinations[label] for name in members])
    tag_of = np.zeros(len(combinations), dtype=np.int64)
    tag_of[used] = np.arange(len(used))
    groups = {
        name: tuple(tag for tag, label in enumerate(used) if name in combinations[label])
        for name in members
    }
    return tag_of[labels], groups


def _require_facets(are_facets: bool, name: str) -> None:
    if not are_facets:
        raise InputError(f"facet group {name!r} holds entities that are no facets of the cells")


def _require_owners(owners: Owners, cells: int, ranks: int) -> None:
    """Refuse owners that do not suit a mesh; only for one rank."""
    if owners.ndim != 1 or not np.issubdtype(owners.dtype, np.integer):
        raise InputError(f"owners must be a list of whole numbers, not of {owners.dtype}")
    if len(owners) != cells:
        raise InputError(
            f"the division of {len(owners)} cells among ranks is that of another mesh; this one "
            f"has {cells} cells"
        )
    if cells and not (owners.min() >= 0 and owners.max() < ranks):
        raise InputError(
            f"owners must be ranks from 0 to {ranks - 1}; got {owners.min()} to {owners.max()}"
        )
