"""Write a stack as NXstxm, the layout of NeXus HDF5 files the microscopes write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chemomech.errors import InputError
from chemomech.imaging.stack import Stack

if TYPE_CHECKING:
    import h5py


def write_nexus(path: Path, stack: Stack, attributes: Mapping[str, str | float | int]) -> None:
    """Write a stack; `read_nexus` reads the same one back.

    Rows are written upwards, as a microscope scans them; positions are in micrometres.

    Args:
        path: HDF5 file to write; one that exists is left as it is.
        stack: What to write.
        attributes: What to note on the entry: where the stack came from and what was done to it.

    Raises:
        InputError: The file exists, or cannot be written.
    """
    import h5py

    if path.exists():
        raise InputError("exists already and is left as it is; name another", path=str(path))
    # Under another name until it is whole: a file cut short never looks like a result.
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with h5py.File(unfinished, "w") as file:
            _write_entry(file.create_group("entry1"), stack, attributes)
            file.attrs["default"] = "entry1"
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise InputError(f"cannot be written: {error}", path=str(path)) from error


def _write_entry(
    entry: h5py.Group, stack: Stack, attributes: Mapping[str, str | float | int]
) -> None:
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["default"] = "counter0"
    entry["definition"] = "NXstxm"
    entry["title"] = stack.source
    notes = entry.create_group("provenance")
    notes.attrs["NX_class"] = "NXcollection"
    for name, value in attributes.items():
        notes.attrs[name] = value
    group = entry.create_group("counter0")
    group.attrs["NX_class"] = "NXdata"
    group.attrs["signal"] = "data"
    _write_axes(group, stack)
    data = group.create_dataset(
        "data",
        shape=stack.counts.shape,
        dtype=np.float32,
        chunks=(1, *stack.grid.shape),
        compression="gzip",
        shuffle=True,
    )
    data.attrs["units"] = "counts"
    for number, frame in enumerate(stack.counts):
        data[number] = frame[::-1]
    if stack.incident is not None:
        control = entry.create_group("control")
        control.attrs["NX_class"] = "NXmonitor"
        control.attrs["signal"] = "data"
        control.attrs["axes"] = ["energy"]
        control["data"] = stack.incident
        control["data"].attrs["units"] = "counts"
        control["energy"] = group["energy"]


def _write_axes(group: h5py.Group, stack: Stack) -> None:
    """Write energies, and positions in micrometres with the exact grid, in m, beside them."""
    grid = stack.grid
    group["energy"] = stack.energies
    group["energy"].attrs["units"] = "eV"
    places = (
        ("sample_y", grid.rows, grid.row_spacing, grid.origin[1]),
        ("sample_x", grid.columns, grid.column_spacing, grid.origin[0]),
    )
    for name, count, spacing, lowest in places:
        group[name] = (lowest + spacing * np.arange(count)) * 1e6
        group[name].attrs["units"] = "um"
        group[name].attrs["step"] = spacing
        group[name].attrs["lowest"] = lowest
    names = ("energy", "sample_y", "sample_x")
    group.attrs["axes"] = names
    for axis, name in enumerate(names):
        group.attrs[f"{name}_indices"] = axis
