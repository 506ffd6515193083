"""Periodic meshes: opposite sides share their vertices, while each cell keeps its place.

All that DOLFINx builds on the topology of such a mesh is periodic: function spaces, matrices, facet
groups. Its geometry is that of a plain mesh, with nodes of their own on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy  # which loads its parts when they are used
from dolfinx import la
from dolfinx.mesh import Mesh
from mpi4py import MPI

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes, get_geometry_degree, replace_topology

#: Distance, relative to a period, within which points are one.
_TOLERANCE = 1e-9


def pair_sides(points: FloatArray, lengths: Sequence[float], axes: Sequence[int]) -> IntArray:
    """Pair the points at the far sides of a box with those they are one with; for one rank.

    Args:
        points: Coordinates of all points of a box that begins at the origin, shape (points, dim).
        lengths: Of its edges.
        axes: Numbers of the periodic axes.

    Returns:
        Numbers of points and of those that stand for them, shape (pairs, 2), the former ascending.

    Raises:
        InputError: The meshes of opposite sides differ.
    """
    folded = points.copy()
    for axis in axes:
        folded[points[:, axis] > lengths[axis] * (1.0 - _TOLERANCE), axis] = 0.0
    far = np.flatnonzero((folded != points).any(axis=1))
    distances, twins = scipy.spatial.KDTree(points).query(folded[far])
    if distances.max(initial=0.0) > _TOLERANCE * max(lengths):
        raise InputError("opposite sides are meshed differently", key="geometry.periodic")
    return np.column_stack([far, twins]).astype(np.int64)


def stand_for(points: IntArray, pairs: IntArray) -> IntArray:
    """Replace the first by the second point of each pair, wherever it occurs."""
    if not len(pairs):
        return points
    row = np.minimum(np.searchsorted(pairs[:, 0], points), len(pairs) - 1)
    return np.where(pairs[row, 0] == points, pairs[row, 1], points)


def join_sides(mesh: Mesh, pairs: IntArray) -> Mesh:
    """Create a periodic mesh of the same cells on the same ranks; collective.

    Args:
        mesh: Mesh of straight cells, without ghosts.
        pairs: Numbers of points in its input as `pair_sides` gives them, the same on all ranks.
    """
    return replace_topology(mesh, stand_for(_name_corners(mesh), pairs))


def unfold(mesh: Mesh) -> Mesh:
    """Create the plain mesh of the same cells in the same order, such as files hold; collective.

    A mesh that is not periodic is returned as it is.
    """
    return replace_topology(mesh, _name_corners(mesh)) if is_periodic(mesh) else mesh


def is_periodic(mesh: Mesh) -> bool:
    """Tell if a mesh shares vertices between opposite sides, as only one of straight cells does."""
    if get_geometry_degree(mesh.geometry) > 1:
        return False
    vertices = mesh.topology.index_map(0).size_global
    return bool(vertices != mesh.geometry.index_map().size_global)


def find_periods(mesh: Mesh) -> FloatArray:
    """Find the period along each axis, in mesh units, zero for none; shape (3,); collective."""
    periods = np.zeros(3)
    if is_periodic(mesh):
        topology = mesh.topology
        x = mesh.geometry.x[get_cell_nodes(mesh.geometry)]
        vertices = topology.connectivity(topology.dim, 0).array.reshape(x.shape[:2])
        shared = la.vector(topology.index_map(0), 3)
        places = shared.array.reshape(-1, 3)
        places[vertices] = x
        # Where a vertex is in several places, some rank or cell has another one than its owner.
        shared.scatter_forward()
        gaps = np.abs(places[vertices] - x).reshape(-1, 3).max(axis=0, initial=0.0)
        mesh.comm.Allreduce(gaps, periods, op=MPI.MAX)
    periods[periods < _TOLERANCE * periods.max()] = 0.0
    return periods


def create_fold(mesh: Mesh) -> Callable[[FloatArray], FloatArray]:
    """Create a function that moves points of the far sides to the near ones; collective.

    It takes and returns coordinates in mesh units, shape (3, points). What is interpolated on a
    periodic mesh needs one value where sides meet, whatever cell and rank it is asked for.
    """
    if not is_periodic(mesh):
        return lambda x: x
    periods = find_periods(mesh)
    highest = np.empty(3)
    mesh.comm.Allreduce(mesh.geometry.x.max(axis=0, initial=-np.inf), highest, op=MPI.MAX)
    limit = np.where(periods > 0.0, highest - _TOLERANCE * periods, np.inf)
    return lambda x: x - np.where(x > limit[:, None], periods[:, None], 0.0)


def _name_corners(mesh: Mesh) -> IntArray:
    """Corners of each cell on this rank, as numbers of points in the mesh's input."""
    names = np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)
    return names[get_cell_nodes(mesh.geometry)]
