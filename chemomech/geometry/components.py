"""Connected components of graphs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def connect(edges: NDArray[np.integer], count: int) -> tuple[int, NDArray[np.int32]]:
    """Count the connected components of a graph, and number that of each node.

    Args:
        edges: Pairs of nodes, shape (edges, 2).
        count: Number of nodes.
    """
    weights = np.ones(len(edges), dtype=np.int8)
    graph = coo_array((weights, (edges[:, 0], edges[:, 1])), shape=(count, count))
    number, components = connected_components(graph, directed=False)
    return int(number), components
