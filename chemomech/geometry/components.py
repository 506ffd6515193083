"""Connected components of graphs and of meshes that are spread over ranks."""

from __future__ import annotations

import numpy as np
from dolfinx import common, fem, la
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from chemomech.fenicsx import get_cell_nodes


def connect(edges: NDArray[np.integer], count: int) -> tuple[int, NDArray[np.int32]]:
    """Count the connected components of edges, shape (edges, 2), and number that of each node."""
    weights = np.ones(len(edges), dtype=np.int8)
    graph = coo_array((weights, (edges[:, 0], edges[:, 1])), shape=(count, count))
    number, components = connected_components(graph, directed=False)
    return int(number), components


def join_over_ranks(
    labels: NDArray[np.int64], index_map: common.IndexMap, comm: MPI.Comm
) -> tuple[int, NDArray[np.int64]]:
    """Number components of the whole from those that each rank has found by itself; collective.

    Components of several ranks become one where a point is known to both; only the numbers of
    components at such points travel.

    Args:
        labels: Of each point of this rank, ghosts included, the number of its component on this
            rank, from 0; -1 for points outside all of them.
        index_map: Distribution of the points.
        comm: The ranks.

    Returns:
        How many components there are, and the labels that all ranks share.
    """
    counts = comm.allgather(int(labels.max(initial=-1)) + 1)
    inside = labels >= 0
    labels = np.where(inside, labels + sum(counts[: comm.rank]), -1)
    owned = la.vector(index_map, 1, dtype=np.int64)
    owned.array[:] = labels
    owned.scatter_forward()
    ghost = slice(index_map.size_local, None)
    shared = np.unique(np.column_stack([labels[ghost], owned.array[ghost]]), axis=0)
    pairs = np.concatenate(comm.allgather(shared[shared[:, 0] >= 0]))
    number, components = connect(pairs, sum(counts))
    labels[inside] = components[labels[inside]]
    return number, labels


def find_bodies(space: fem.FunctionSpace) -> tuple[int, NDArray[np.int64]]:
    """Count the bodies of a mesh, and number that of each node, ghosts included; collective.

    Two cells belong to one body where they share a corner. The space is scalar or blocked.
    """
    geometry = space.mesh.geometry
    corners, index_map = get_cell_nodes(geometry), geometry.index_map()
    edges = np.column_stack([np.repeat(corners[:, 0], corners.shape[1]), corners.ravel()])
    _, mine = connect(edges, index_map.size_local + index_map.num_ghosts)
    count, labels = join_over_ranks(mine.astype(np.int64), index_map, space.mesh.comm)
    nodes, dofs = space.dofmap.list, space.dofmap.index_map
    bodies = np.zeros(dofs.size_local + dofs.num_ghosts, dtype=np.int64)
    bodies[nodes] = labels[corners[:, :1]]
    return count, bodies
