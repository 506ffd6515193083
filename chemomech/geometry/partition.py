"""Divide a mesh among ranks, and name a mesh whatever its division.

A graph partitioner may divide the same mesh differently each time; the numbers of unknowns and the
order of ghosts follow from the division, and with them the last digits of every sum. A run that
goes on where another ended therefore makes its mesh with the other's owners.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from dolfinx.mesh import Mesh
from numpy.typing import NDArray

from chemomech.fenicsx import get_cell_nodes

Owners = NDArray[np.int32]
"""Rank of each cell, in the order of the mesh's input, shape (cells,)."""


def collect_owners(mesh: Mesh) -> Owners | None:
    """Collect the rank of each cell, by its place in the mesh's input, on rank 0; collective."""
    count = mesh.topology.index_map(mesh.topology.dim).size_local
    return gather_by_cell(mesh, np.full(count, mesh.comm.rank, dtype=np.int32))


def gather_by_cell(mesh: Mesh, rows: NDArray[Any]) -> NDArray[Any] | None:
    """Gather a row of each owned cell on rank 0, in the order of the mesh's input; collective."""
    parts = mesh.comm.gather((mesh.topology.original_cell_index[: len(rows)], rows))
    return None if parts is None else _join(parts)


def compute_fingerprint(mesh: Mesh, groups: Mapping[str, NDArray[np.int32]] | None = None) -> str:
    """Compute the SHA-256 of points and cells in the order of the mesh's input; collective.

    It does not depend on the number of ranks, and changes with the last bit of any coordinate. The
    groups, cells on this rank by name, are those that matter to what is solved.
    """
    geometry, topology = mesh.geometry, mesh.topology
    names = np.asarray(geometry.input_global_indices, dtype=np.int64)
    count = topology.index_map(topology.dim).size_local
    points = geometry.index_map().size_local
    parts = mesh.comm.gather(
        (
            (names[:points], geometry.x[:points]),
            (topology.original_cell_index[:count], names[get_cell_nodes(geometry)[:count]]),
            *_mark_cells(topology.original_cell_index[:count], groups or {}),
        )
    )
    digest = ""
    if parts is not None:
        tables = [_join(table) for table in zip(*parts, strict=True)]
        data = [np.array(topology.cell_name().encode()), *(np.array(t.shape) for t in tables)]
        data += [np.array(name.encode()) for name in groups or ()]
        digest = hashlib.sha256(b"".join(each.tobytes() for each in (*data, *tables))).hexdigest()
    return str(mesh.comm.bcast(digest))


def _mark_cells(
    places: NDArray[np.int64], groups: Mapping[str, NDArray[np.int32]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Tell of each cell of this rank, by its place in the mesh's input, if a group holds it."""
    for cells in groups.values():
        yield places, np.isin(np.arange(len(places)), cells).astype(np.int64)


def _join(parts: Sequence[tuple[NDArray[np.int64], NDArray[np.generic]]]) -> NDArray[np.generic]:
    """Rows of all ranks in the order of the mesh's input."""
    places = np.concatenate([place for place, _ in parts])
    rows = np.concatenate([row for _, row in parts])
    # Adding nothing makes the two zeros alike.
    joined: NDArray[np.generic] = rows[np.argsort(places)] + rows.dtype.type(0)
    return joined
