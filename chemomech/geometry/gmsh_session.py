"""Run gmsh quietly, end it cleanly, make its errors readable, and try files first."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import gmsh
import numpy as np
import numpy.typing as npt

from chemomech.errors import InputError
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.distribution import MeshArrays

_LINEAR_CELLS = {2: "triangle", 3: "quadrilateral", 4: "tetrahedron", 5: "hexahedron"}

_TRIAL = """
import gmsh, sys
gmsh.initialize(readConfigFiles=False, interruptible=False)
gmsh.option.setNumber("General.Terminal", 0)
try:
    gmsh.merge(sys.argv[1])
except Exception:
    pass
"""
# Seconds, and bytes a second that gmsh reads at the very least.
_PATIENCE, _SLOWEST = 60.0, 2e5


class GmshSession:
    """Context with an empty, current gmsh model; a gmsh the caller had open is left as it was.

    gmsh reports every failure as a plain ``Exception``: exactly that class, and none of its
    children, becomes an ``InputError`` here; and so does a report that quotes bytes of a broken
    file which are no text. The model's name is unique while a surrounding program uses gmsh too.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._owner = False
        self._previous = ""
        self._terminal = 1.0

    def __enter__(self) -> GmshSession:
        self._owner = not gmsh.isInitialized()
        if self._owner:
            gmsh.initialize(readConfigFiles=False, interruptible=False)
        else:
            self._previous = gmsh.model.getCurrent()
        self._terminal = gmsh.option.getNumber("General.Terminal")
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.add(self._name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, *rest: object
    ) -> None:
        if self._owner:
            gmsh.finalize()
        else:
            gmsh.model.remove()
            gmsh.model.setCurrent(self._previous)
            gmsh.option.setNumber("General.Terminal", self._terminal)
        if kind is Exception or kind is UnicodeDecodeError:
            raise InputError(f"gmsh cannot make a mesh of it: {error}") from error


def extract_arrays(
    dim: int,
    groups: Mapping[str, Sequence[int]],
    bodies: Mapping[str, Sequence[int]] | None = None,
) -> MeshArrays:
    """Read the mesh of the current gmsh model, without unused points, in the model's length unit.

    Groups name gmsh entities of dimension ``dim - 1``, facets; bodies those of dimension ``dim``,
    cells.
    """
    cell, cells = _elements(dim)
    facets = {
        name: np.concatenate([_elements(dim - 1, entity)[1] for entity in entities])
        for name, entities in groups.items()
        if entities
    }
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    used, numbers = np.unique(cells, return_inverse=True)
    order = np.argsort(tags)
    positions = order[np.searchsorted(tags, used, sorter=order)]
    points = coordinates.reshape(-1, 3)[positions, :dim]
    cells = numbers.reshape(cells.shape).astype(np.int64)[:, VTK_ORDER[cell]]
    # A facet on a point that belongs to no cell gets an impossible number and is refused later on.
    renumbered = {
        name: np.where(np.isin(rows, used), np.searchsorted(used, rows), -1)
        for name, rows in facets.items()
    }
    return MeshArrays(points.copy(), cells.copy(), cell, renumbered, _find_rows(dim, bodies or {}))


def _find_rows(dim: int, bodies: Mapping[str, Sequence[int]]) -> dict[str, npt.NDArray[np.int64]]:
    """Rows of each body's cells among all cells."""
    tags = _list_tags(dim)
    order = np.argsort(tags)
    rows = {}
    for name, entities in bodies.items():
        own = np.concatenate([_list_tags(dim, entity) for entity in entities])
        rows[name] = order[np.searchsorted(tags, own, sorter=order)]
    return rows


def _list_tags(dim: int, entity: int = -1) -> npt.NDArray[np.int64]:
    """Tags that gmsh gives to the cells of one entity or of all of them."""
    lists = gmsh.model.mesh.getElements(dim, entity)[1]
    return np.concatenate([np.empty(0, dtype=np.int64), *(each.astype(np.int64) for each in lists)])


def _elements(dim: int, entity: int = -1) -> tuple[str, npt.NDArray[np.int64]]:
    """Return cell type and corner tags, shape (cells, corners), of one entity or of all."""
    kinds, _, nodes = gmsh.model.mesh.getElements(dim, entity)
    if len(kinds) != 1:
        names = ", ".join(gmsh.model.mesh.getElementProperties(kind)[0] for kind in kinds)
        raise InputError(f"needs cells of one type, found {names or 'none'}")
    _, _, _, corners, _, _ = gmsh.model.mesh.getElementProperties(kinds[0])
    return _LINEAR_CELLS.get(kinds[0], ""), nodes[0].reshape(-1, corners).astype(np.int64)


def require_readable(path: Path) -> None:
    """Refuse a file at which gmsh crashes or does not come to an end; only for one rank.

    gmsh does not look whether the nodes of an element exist, and believes the numbers in the head
    of a file: it may end the program by a signal. What it refuses by itself passes here, for it
    says better why.

    Raises:
        InputError: gmsh was ended by a signal, or took longer than a minute and 5 s a megabyte.
    """
    limit = _PATIENCE + path.stat().st_size / _SLOWEST
    try:
        # -P: a user's own gmsh.py in the present folder is not meant.
        trial = subprocess.run(
            [sys.executable, "-P", "-c", _TRIAL, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"gmsh does not finish reading it in {limit:.0f} s") from error
    if trial.returncode < 0:
        raise InputError(
            f"gmsh crashes on it (signal {-trial.returncode}): it is broken, or has elements with "
            "nodes that it does not list"
        )
