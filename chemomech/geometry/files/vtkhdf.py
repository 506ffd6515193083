"""Fields from VTKHDF files (``.vtkhdf``): the package's own, and those of VTK and ParaView."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.files.field_data import VTK_CELLS, FieldData, keep_corners


def list_vtkhdf(path: Path) -> tuple[list[str], FloatArray]:
    """List the fields of a ``.vtkhdf`` file, and its times in s; only for one rank.

    A file without steps in time has one time, 0.
    """
    with _open(path) as group:
        return list(group["PointData"]), _read_times(group)


def read_vtkhdf(path: Path, name: str, step: int) -> FieldData:
    """Read a field at one of the times of a ``.vtkhdf`` file, by its index; only for one rank.

    Of fields of higher degree only the values at the vertices are read.
    """
    with _open(path) as group:
        time = float(_read_times(group)[step])
        part = _find_part(group, step)
        number = {key: int(group[f"NumberOf{key}"][part]) for key in ("Points", "Cells")}
        size = int(group["NumberOfConnectivityIds"][part])
        points = _read_rows(group, "Points", "PointOffsets", step, number["Points"])
        values = _read_rows(
            group, f"PointData/{name}", f"PointDataOffsets/{name}", step, number["Points"]
        )
        types = np.unique(_read_rows(group, "Types", "CellOffsets", step, number["Cells"]))
        if len(types) != 1 or types[0] not in VTK_CELLS:
            raise InputError(f"cells of VTK's types {types.tolist()} are not supported")
        cell = VTK_CELLS[types[0]]
        nodes = _read_rows(group, "Connectivity", "ConnectivityIdOffsets", step, size)
        cells = nodes.reshape(number["Cells"], -1).astype(np.int64)[:, VTK_ORDER[cell]]
    return keep_corners(points, cells, cell, values, time)


@contextmanager
def _open(path: Path) -> Iterator[h5py.Group]:
    """Open a file; what HDF5 says of a broken one is passed on."""
    try:
        # Without a lock, which would stop a run that still writes.
        with h5py.File(path, "r", locking=False) as file:
            group = file["VTKHDF"]
            kind = group.attrs["Type"]
            if kind not in (b"UnstructuredGrid", "UnstructuredGrid"):
                raise InputError(f"holds a VTKHDF {kind!r}; an UnstructuredGrid is needed")
            yield group
    except (LookupError, RuntimeError, TypeError, ValueError, OSError) as error:
        raise InputError(f"is no complete VTKHDF file: {error}") from error


def _read_times(group: h5py.Group) -> FloatArray:
    """Times in a file, in s; those of steps that were begun but not finished do not count."""
    if "Steps" not in group:
        return np.zeros(1)
    steps = group["Steps"]
    times: FloatArray = steps["Values"][: steps.attrs["NSteps"]].astype(np.float64)
    return times


def _find_part(group: h5py.Group, step: int) -> int:
    """Index of the one part that a step has."""
    parts = len(group["NumberOfPoints"])
    first = 0
    if "Steps/NumberOfParts" in group:
        parts, first = (int(group[f"Steps/{n}"][step]) for n in ("NumberOfParts", "PartOffsets"))
    if parts != 1:
        raise InputError(f"is in {parts} parts; write it as one grid of shared points")
    return first


def _read_rows(
    group: h5py.Group, name: str, offsets: str, step: int, count: int
) -> npt.NDArray[np.generic]:
    """Rows that a step has of a dataset."""
    first = int(np.ravel(group[f"Steps/{offsets}"][step])[0]) if "Steps" in group else 0
    rows: npt.NDArray[np.generic] = group[name][first : first + count]
    if len(rows) != count:
        raise InputError(f"has {len(rows)} rows of {name} where there should be {count}")
    return rows
