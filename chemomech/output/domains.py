"""Number and count Li-rich regions, of whole meshes and of those spread over ranks."""

from __future__ import annotations

import basix
import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.geometry.components import connect, join_over_ranks


class DomainCounter:
    """Count connected regions of a field above a threshold, each rank its own part.

    Two vertices belong to one region where a path of the mesh's edges joins them without leaving
    it. Regions of several ranks become one where a vertex is known to both; only the numbers of
    regions at such vertices travel. Construction and `count` are collective. The field is
    continuous Lagrange of any degree, its ghosts up to date; the values at vertices are looked at.
    """

    def __init__(self, field: fem.Function) -> None:
        space = field.function_space
        self._field = field
        self._map = space.dofmap.index_map
        self._comm: MPI.Comm = space.mesh.comm
        cell, layout = space.mesh.basix_cell(), space.dofmap.dof_layout
        corners = [layout.entity_dofs(0, i)[0] for i in range(len(basix.topology(cell)[0]))]
        vertices = space.dofmap.list[:, corners]
        self._is_vertex = np.zeros(self._map.size_local + self._map.num_ghosts, dtype=np.bool_)
        self._is_vertex[vertices] = True
        pairs = vertices[:, np.array(basix.topology(cell)[1])].reshape(-1, 2)
        self._edges = np.unique(np.sort(pairs, axis=1), axis=0)

    def count(self, threshold: float = 0.5) -> int:
        """Count the regions above a threshold, the same on all ranks; collective."""
        values = np.where(self._is_vertex, self._field.x.array, -np.inf)
        labels = label_domains(self._edges, values, threshold)
        if self._comm.size == 1:
            return int(labels.max(initial=-1)) + 1
        return join_over_ranks(labels, self._map, self._comm)[0]


def count_domains(
    edges: NDArray[np.integer], values: NDArray[np.floating], threshold: float = 0.5
) -> int:
    """Count the regions that `label_domains` numbers."""
    return int(label_domains(edges, values, threshold).max(initial=-1)) + 1


def label_domains(
    edges: NDArray[np.integer], values: NDArray[np.floating], threshold: float = 0.5
) -> NDArray[np.int64]:
    """Number the connected regions of ``c > threshold`` on the graph of a mesh.

    Values are those at the vertices; edges are pairs of vertices, shape ``(edges, 2)``. Each vertex
    gets the number of its region, from 0 in the order of their first vertices; -1 outside all of
    them.
    """
    rich = values > threshold
    _, components = connect(edges[rich[edges].all(axis=1)], len(values))
    labels = np.full(len(values), -1, dtype=np.int64)
    _, labels[rich] = np.unique(components[rich], return_inverse=True)
    return labels
