"""Counting Li-rich regions, and those that cross the wire from its inner to its outer side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class DomainCount:
    """Number of connected Li-rich regions.

    Args:
        total: All of them.
        spanning: Those that touch both the inner and the outer side; 0 where no sides were given.
    """

    total: int
    spanning: int


def count_domains(
    edges: NDArray[np.integer],
    values: NDArray[np.floating],
    threshold: float = 0.5,
    *,
    inner: NDArray[np.bool_] | None = None,
    outer: NDArray[np.bool_] | None = None,
) -> DomainCount:
    """Count connected regions of ``c > threshold`` on the graph of a mesh.

    Two vertices belong to one region where a path of edges joins them without leaving it.

    Args:
        edges: Vertex pairs, shape ``(edges, 2)``.
        values: Composition at the vertices, shape ``(vertices,)``.
        threshold: Composition above which a vertex is Li-rich.
        inner: True at vertices on the inner side, shape ``(vertices,)``.
        outer: True at vertices on the outer side, shape ``(vertices,)``.
    """
    labels = label_domains(edges, values, threshold)
    total = int(labels.max(initial=-1)) + 1
    if inner is None or outer is None:
        return DomainCount(total, 0)
    both = np.intersect1d(labels[inner], labels[outer])
    return DomainCount(total, int(np.count_nonzero(both >= 0)))


def label_domains(
    edges: NDArray[np.integer], values: NDArray[np.floating], threshold: float = 0.5
) -> NDArray[np.int64]:
    """Number the connected regions of ``c > threshold`` on the graph of a mesh.

    Args:
        edges: Vertex pairs, shape ``(edges, 2)``.
        values: Composition at the vertices, shape ``(vertices,)``.
        threshold: Composition above which a vertex is Li-rich.

    Returns:
        For each vertex the number of its region, from 0 in the order of their first vertices; -1
        outside all of them. Shape ``(vertices,)``.
    """
    rich = values > threshold
    inside = edges[rich[edges].all(axis=1)]
    graph = coo_array(
        (np.ones(len(inside), dtype=np.int8), (inside[:, 0], inside[:, 1])),
        shape=(len(values), len(values)),
    )
    _, components = connected_components(graph, directed=False)
    labels = np.full(len(values), -1, dtype=np.int64)
    _, labels[rich] = np.unique(components[rich], return_inverse=True)
    return labels
