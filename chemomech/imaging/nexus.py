"""Stacks in NeXus HDF5 files, the layout NXstxm: one entry a region, one data group a detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.nexus_layout import (
    Layout,
    find_channels,
    find_entries,
    find_layout,
    find_monitors,
    get_text,
)
from chemomech.imaging.scan_axes import (
    arrange_stack,
    create_grid,
    find_energy_unit,
    find_length_unit,
)
from chemomech.imaging.selection import pick_channel, pick_region
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import require_file

if TYPE_CHECKING:
    import h5py

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.float32]

_SMALLEST_PIXEL = 1e-9
_ROUNDING = 1e-3
_RING_CURRENT = ("mA", "A")


def read_nexus(
    path: Path,
    *,
    region: int = 1,
    channel: str | int | None = None,
    pixel_size: float | None = None,
) -> Stack:
    """Read a stack, or a single image, from an NXstxm file.

    The order of the axes is the one the file declares; where it declares none, the one that fits
    the lengths, energy, y, x first. Positions without a unit are in micrometres, as the
    microscopes' own programs write them, or in the first of mm and m in which neighbouring pixels
    are at least 1 nm apart.

    I0 is taken from a monitor (a group of the class NXmonitor) that has one positive number for
    each energy, or for each pixel (then the mean of the frame), unless it is an electric current,
    that of the storage ring.

    Args:
        path: HDF5 file.
        region: Number of the entry, counted from 1.
        channel: Name or number (from 1) of the detector's group; the first where not given.
        pixel_size: Edge of a pixel, in m, in place of what the positions say.

    Returns:
        The stack, rows downwards.

    Raises:
        InputError: The file is no HDF5, cut short or holds no such images.
    """
    import h5py

    require_file(path)
    try:
        with h5py.File(path, "r") as file:
            return _read_file(file, path.name, region, channel, pixel_size)
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise InputError(f"cannot be read as HDF5: {error}", path=str(path)) from error


def _read_file(
    file: h5py.File,
    name: str,
    region: int,
    channel: str | int | None,
    pixel_size: float | None,
) -> Stack:
    entries = find_entries(file)
    pick_region(region, len(entries))
    entry = entries[region - 1]
    channels = find_channels(entry)
    group = channels[pick_channel(channel, [_last_name(group) for group in channels])]
    layout = find_layout(group)
    energies = _read_axis(layout.energy) * _find_energy_scale(layout.energy)
    x, x_unit = _read_positions(layout.x)
    y, y_unit = _read_positions(layout.y)
    counts = _read_counts(layout)
    if counts.shape != (len(energies), len(y), len(x)):
        raise InputError(
            f"{layout.data.name} of shape {layout.data.shape} does not fit {len(energies)} "
            f"energies, {len(y)} rows and {len(x)} columns"
        )
    grid = _create_grid(layout, x, y, pixel_size)
    incident, monitor = _read_incident(entry, layout)
    source = f"{name}, {_last_name(entry)}, {_last_name(group)}{monitor}{x_unit or y_unit}"
    return arrange_stack(counts, energies, x, y, grid, incident=incident, source=source)


def _last_name(group: h5py.Group) -> str:
    return str(group.name).rsplit("/", maxsplit=1)[-1]


def _read_axis(axis: h5py.Dataset) -> FloatArray:
    """Numbers along an axis, shape (n,)."""
    if axis.size == 0:
        raise InputError(f"{axis.name} is empty")
    return np.atleast_1d(np.asarray(axis[()], dtype=np.float64))


def _find_energy_scale(axis: h5py.Dataset) -> float:
    return find_energy_unit(get_text(axis, "units") or "eV", str(axis.name))


def _read_positions(axis: h5py.Dataset) -> tuple[FloatArray, str]:
    """Positions in m, and a remark on the unit where it had to be guessed."""
    positions = _read_axis(axis)
    unit = get_text(axis, "units")
    if unit:
        return positions * find_length_unit(unit, str(axis.name)), ""
    step = float(np.median(np.abs(np.diff(positions)))) if len(positions) > 1 else 1.0
    if not step * 1e-6 < _SMALLEST_PIXEL:
        return positions * 1e-6, ""
    unit = "mm" if step * 1e-3 >= _SMALLEST_PIXEL else "m"
    return positions * find_length_unit(unit, str(axis.name)), f", positions taken for {unit}"


def _read_counts(layout: Layout) -> CountArray:
    """Counts in the order energy, y, x, each frame in one piece."""
    if layout.data.dtype.kind not in "iuf":
        raise InputError(f"{layout.data.name} does not hold numbers")
    # HDF5 converts piece by piece: doubles never stand in memory as a whole.
    counts = layout.data.astype(np.float32)[...]
    if counts.ndim == 2:
        counts = counts[np.newaxis]
    return np.ascontiguousarray(np.transpose(counts, layout.order))


def _read_incident(entry: h5py.Group, layout: Layout) -> tuple[FloatArray | None, str]:
    """I0 of each frame from the first monitor that can be one, and its name for the record."""
    frames, rows, columns = (layout.shape[axis] for axis in layout.order)
    for monitor in find_monitors(entry):
        if monitor.dtype.kind not in "iuf" or get_text(monitor, "units") in _RING_CURRENT:
            continue
        values = np.asarray(monitor[()], dtype=np.float64)
        if values.shape == layout.data.shape:
            values = np.transpose(values.reshape(layout.shape), layout.order)
        if values.size in (frames, frames * rows * columns):
            # About the first one, so that equal numbers have just that mean.
            values = values.reshape(frames, -1)
            means = values[:, 0] + (values - values[:, :1]).mean(axis=1)
            if np.isfinite(means).all() and means.min() > 0.0:
                return means, f", I0 of {_last_name(monitor.parent)}"
    return None, ""


def _create_grid(
    layout: Layout, x: FloatArray, y: FloatArray, pixel_size: float | None
) -> PixelGrid:
    """The grid of the positions; the very one `write_nexus` wrote, where they agree with it.

    Positions in micrometres give that one back but for rounding.
    """
    stored = [axis.attrs.get(name) for axis in (layout.y, layout.x) for name in ("step", "lowest")]
    if pixel_size is None and all(isinstance(value, float) for value in stored):
        row_spacing, lowest_y, column_spacing, lowest_x = (float(value) for value in stored)
        expected_y = lowest_y + row_spacing * np.arange(len(y))
        expected_x = lowest_x + column_spacing * np.arange(len(x))
        apart = max(np.abs(y - expected_y).max(), np.abs(x - expected_x).max())
        if apart < _ROUNDING * min(row_spacing, column_spacing):
            return PixelGrid(len(y), len(x), row_spacing, column_spacing, (lowest_x, lowest_y))
    return create_grid(x, y, pixel_size)
