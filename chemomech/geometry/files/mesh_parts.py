"""Refusal of meshes of several bodies, and of inner surfaces that double nodes make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.geometry.cells import list_local_facets
from chemomech.geometry.components import connect
from chemomech.geometry.distribution import MeshArrays
from chemomech.geometry.files.mesh_checks import find_meetings, name_point

Flags = npt.NDArray[np.bool_]

# Nodes closer than this part of the shortest edge beside them are meant to be one.
_DOUBLE = 1e-3
_NAMED_PARTS = 4
_REMEDY = (
    "merge them (gmsh: 'Coherence Mesh;' on the mesh, or BooleanFragments of the shapes before "
    "meshing)"
)


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Nodes on the boundary, once for each part they are of, and the shortest edge beside each."""

    nodes: IntArray
    parts: IntArray
    edges: FloatArray


def require_one_body(arrays: MeshArrays) -> None:
    """Refuse a mesh of several parts, or with nodes that are double; only for one rank.

    Parts are sets of cells joined by facets. Two that share no more than points or edges would come
    apart or turn about them; unjoined ones would drift. Double nodes, two at one place, make a line
    or a surface inside a body count as its boundary. The mesh is as `check_cells` gives it.

    Raises:
        InputError: There are several parts, double nodes, or nodes in which a part meets itself;
            names the parts and the places in the file's coordinates.
    """
    facets, pairs, is_outer = find_meetings(arrays)
    parts, pinches = _find_parts(arrays, pairs)
    boundary = _collect_boundary(arrays, facets, parts, is_outer)
    if parts.max() > 0:
        raise InputError(_describe_parts(arrays, parts, pinches, boundary))
    doubles = _find_doubles(arrays.points, boundary)
    if len(doubles):
        raise InputError(
            f"has double nodes {_name_places(arrays.points[doubles])} in the file's unit, which "
            "make a line or plane inside the body count as its surface; "
            f"{_REMEDY}, or give a crack a width"
        )
    if len(pinches):
        raise InputError(
            f"touches itself {_name_places(arrays.points[pinches])} (in the file's unit) in points "
            "alone; join the cells there by facets, or part them"
        )


def _find_parts(arrays: MeshArrays, pairs: IntArray) -> tuple[IntArray, IntArray]:
    """Part of each cell, and the nodes about which not all cells are joined by facets."""
    cells, local = arrays.cells, list_local_facets(arrays.cell)
    count = cells.shape[1]
    # Each corner of each cell by itself; those of two cells are joined where the cells meet.
    corners = (np.arange(len(cells))[:, None, None] * count + local).reshape(-1, local.shape[1])
    nodes = cells.reshape(-1)[corners]
    alike = np.take_along_axis(corners, np.argsort(nodes, axis=1), axis=1)
    # Rows of pairs of facets, and then of pairs of their corners.
    about = connect(np.swapaxes(alike[pairs], 1, 2).reshape(-1, 2), cells.size)[1]
    parts = connect(pairs // len(local), len(cells))[1]
    sets = np.unique(about, return_index=True)[1]
    node_of_set = cells.reshape(-1)[sets]
    pinches = np.flatnonzero(np.bincount(node_of_set) > 1)
    # The largest part is the first.
    rank = np.argsort(np.argsort(-np.bincount(parts), kind="stable"))
    return rank[parts], pinches


def _collect_boundary(
    arrays: MeshArrays, facets: IntArray, parts: IntArray, is_outer: Flags
) -> _Nodes:
    """Collect the nodes of exterior facets."""
    outer = facets[is_outer]
    part = np.repeat(parts, len(facets) // len(parts))[is_outer]
    corners = arrays.points[outer]
    gaps = np.linalg.norm(corners[:, :, None] - corners[:, None], axis=-1)
    shortest = np.where(gaps > 0.0, gaps, np.inf).min(axis=(1, 2))
    keys = np.column_stack([np.repeat(part, outer.shape[1]), outer.reshape(-1)])
    found, where = np.unique(keys, axis=0, return_inverse=True)
    edges = np.full(len(found), np.inf)
    np.minimum.at(edges, where.reshape(-1), np.repeat(shortest, outer.shape[1]))
    return _Nodes(found[:, 1], found[:, 0], edges)


def _find_doubles(points: FloatArray, boundary: _Nodes) -> IntArray:
    """Nodes of the boundary that lie where another one lies."""
    places = points[boundary.nodes]
    nearest = KDTree(places).query(places, k=2)[0][:, 1]
    return boundary.nodes[nearest < _DOUBLE * boundary.edges]


def _describe_parts(
    arrays: MeshArrays, parts: IntArray, pinches: IntArray, boundary: _Nodes
) -> str:
    """Name the parts, the largest first, and where each touches or nearly touches another."""
    total = int(parts.max()) + 1
    named = min(total, _NAMED_PARTS)
    bodies = [_describe_part(arrays, parts == part, part) for part in range(named)]
    if total > named:
        bodies.append(f"and {total - named} more")
    contacts = [
        _describe_contact(arrays.points, boundary, part, pinches) for part in range(1, named)
    ]
    return (
        f"holds {total} parts that no facets join, and a run takes one body: {'; '.join(bodies)}. "
        f"In the file's unit, {'; '.join(contacts)}. Where nodes are double, {_REMEDY}; else mesh "
        "the parts as one, or give each its own file"
    )


def _describe_part(arrays: MeshArrays, chosen: Flags, part: int) -> str:
    """Size and place of a part, and the groups it bears."""
    nodes = np.unique(arrays.cells[chosen])
    places = arrays.points[nodes]
    groups = [name for name, rows in arrays.cell_groups.items() if chosen[rows].any()]
    groups += [name for name, rows in arrays.facets.items() if np.isin(rows, nodes).all(1).any()]
    bearing = f", with {', '.join(map(repr, groups))}" if groups else ""
    return (
        f"part {part + 1} (number of cells: {np.count_nonzero(chosen)}; from "
        f"{name_point(places.min(axis=0))} to {name_point(places.max(axis=0))}{bearing})"
    )


def _describe_contact(points: FloatArray, boundary: _Nodes, part: int, pinches: IntArray) -> str:
    """Say where a part touches, or comes nearest to, any other."""
    mine = boundary.parts == part
    own, others = boundary.nodes[mine], boundary.nodes[~mine]
    gaps, nearest = KDTree(points[others]).query(points[own])
    place = int(np.argmin(gaps))
    pair = f"parts {boundary.parts[~mine][nearest[place]] + 1} and {part + 1}"
    shared = np.intersect1d(np.intersect1d(own, others), pinches)
    if len(shared):
        return f"{pair} share points {_name_places(points[shared])}, and no facet"
    double = gaps < _DOUBLE * boundary.edges[mine]
    if double.any():
        return f"{pair} touch in double nodes {_name_places(points[own[double]])}"
    return (
        f"{pair} are {gaps[place]:.3g} apart, between {name_point(points[own[place]])} and "
        f"{name_point(points[others[nearest[place]]])}"
    )


def _name_places(places: FloatArray) -> str:
    """Place of one or more points, or the box they lie in."""
    lowest, highest = places.min(axis=0), places.max(axis=0)
    if np.allclose(lowest, highest):
        return f"at {name_point(lowest)}"
    return f"from {name_point(lowest)} to {name_point(highest)}"
