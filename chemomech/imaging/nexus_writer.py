"""Write a stack as NXstxm, the layout of NeXus HDF5 files the microscopes write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np

from chemomech.errors import InputError
from chemomech.imaging.stack import Stack

_AXES = ("energy", "sample_y", "sample_x")


def write_nexus(path: Path, stack: Stack, attributes: Mapping[str, str | float | int]) -> None:
    """Write a stack as a new HDF5 file; `read_nexus` reads the same one back.

    Rows are written upwards, as a microscope scans them; positions are in micrometres. All that the
    definition NXstxm asks for is there. A stack does not know when it was scanned, for how long and
    where: start and end are the time of writing, dwell times 1, the angle NaN, and the source is
    "unknown". The attributes are noted on the entry: where the stack came from and what was done.
    """
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
    """Write all that the definition NXstxm asks for, in the forms other readers look for."""
    entry.attrs.update({"NX_class": "NXentry", "default": "counter0"})
    now = datetime.now(UTC).isoformat(timespec="seconds")
    texts = {"definition": "NXstxm", "title": stack.source, "start_time": now, "end_time": now}
    for name, text in texts.items():
        # Lists of one string: readers take their first.
        entry[name] = [text]
    _create_group(entry, "provenance", "NXcollection").attrs.update(attributes)
    data = _write_data(entry, stack)
    instrument = _create_group(entry, "instrument", "NXinstrument")
    source = _create_group(instrument, "source", "NXsource")
    source["type"], source["name"] = ["Synchrotron X-ray Source"], ["unknown"]
    source["probe"] = ["x-ray"]
    _create_group(instrument, "monochromator", "NXmonochromator")["energy"] = data["energy"]
    _create_group(instrument, "detector", "NXdetector")["data"] = data["data"]
    sample = _create_group(entry, "sample", "NXsample")
    sample["rotation_angle"] = np.nan
    sample["rotation_angle"].attrs["units"] = "deg"
    if stack.incident is not None:
        # In the shape of the frames, as the definition asks.
        control = _create_group(entry, "control", "NXmonitor")
        monitor = _create_frames(control, stack.counts.shape, np.float64)
        monitor.attrs["long_name"] = "I0"
        for number, value in enumerate(stack.incident):
            monitor[number] = value


def _write_data(entry: h5py.Group, stack: Stack) -> h5py.Group:
    """Write counts, energies, and positions in micrometres with the exact grid, in m."""
    group = _create_group(entry, "counter0", "NXdata")
    group["stxm_scan_type"] = ["sample image stack"]
    grid = stack.grid
    group["energy"] = stack.energies
    group["energy"].attrs["units"] = "eV"
    for name, count, spacing, lowest in (
        ("sample_y", grid.rows, grid.row_spacing, grid.origin[1]),
        ("sample_x", grid.columns, grid.column_spacing, grid.origin[0]),
    ):
        group[name] = (lowest + spacing * np.arange(count)) * 1e6
        group[name].attrs.update({"units": "um", "step": spacing, "lowest": lowest})
    group.attrs["signal"] = "data"
    # MANTiS decodes these names, which h5py gives it as bytes only where their length is fixed.
    group.attrs["axes"] = np.array(_AXES, dtype=np.bytes_)
    group.attrs.update({f"{name}_indices": axis for axis, name in enumerate(_AXES)})
    # Not known. MANTiS needs it, and scales I0 with its ratios: one a frame, without a unit.
    group["count_time"] = np.ones(len(stack.energies))
    data = _create_frames(group, stack.counts.shape)
    for number, frame in enumerate(stack.counts):
        data[number] = frame[::-1]
    return group


def _create_group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group


def _create_frames(
    group: h5py.Group, shape: tuple[int, ...], number_type: type[np.floating] = np.float32
) -> h5py.Dataset:
    """Make a compressed data set of counts, a frame in one piece."""
    data = group.create_dataset(
        "data",
        shape=shape,
        dtype=number_type,
        chunks=(1, *shape[1:]),
        compression="gzip",
        shuffle=True,
    )
    data.attrs["units"] = "counts"
    return data
