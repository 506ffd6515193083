"""Stacks in NeXus HDF5 files, the layout NXstxm: one entry a region, one data group a detector."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from chemomech.arrays import CountArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.frames import select_frames
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.nexus_layout import (
    Layout,
    find_channels,
    find_entries,
    find_layout,
    get_name,
    get_text,
)
from chemomech.imaging.nexus_monitor import find_stored_incident
from chemomech.imaging.scan_axes import (
    arrange_stack,
    create_grid,
    find_length_unit,
    to_electronvolts,
)
from chemomech.imaging.selection import Selection
from chemomech.imaging.stack import Stack
from chemomech.text_files import require_file

_SMALLEST_PIXEL = 1e-9
_ROUNDING = 1e-3


def read_nexus(path: Path, selection: Selection) -> Stack:
    """Read a stack, or a single image, from an NXstxm file; regions are its entries.

    The order of the axes is the one the file declares; where it declares none, the one that fits
    the lengths, energy, y, x first. Positions without a unit are in micrometres, as the
    microscopes' own programs write them, or in the first of mm and m in which neighbouring pixels
    are at least 1 nm apart.

    Energies without a unit are in eV, or in keV if all are below 20. I0 is taken from a monitor (a
    group of the class NXmonitor) that can be one, see `find_stored_incident`. Where the position of
    each count is stored and not a grid (pystxmcontrol, version 2), counts are averaged over the
    pixels that were asked for.

    Raises:
        InputError: The file is no HDF5, cut short or holds no such images.
    """
    require_file(path)
    try:
        with h5py.File(path, "r") as file:
            return _read_file(file, path.name, selection)
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise InputError(f"cannot be read as HDF5: {error}", path=str(path)) from error


def _read_file(file: h5py.File, name: str, selection: Selection) -> Stack:
    entries = find_entries(file)
    entry = entries[selection.pick_region(len(entries))]
    channels = find_channels(entry)
    group = channels[selection.pick_channel([get_name(group) for group in channels])]
    layout = find_layout(entry, group)
    energies = to_electronvolts(
        _read_axis(layout.energy), get_text(layout.energy, "units"), str(layout.energy.name)
    )
    x, x_unit = _read_positions(layout.x)
    y, y_unit = _read_positions(layout.y)
    counts = _read_counts(layout)
    if counts.shape[1:] != (len(y), len(x)) or len(counts) > len(energies):
        raise InputError(
            f"{layout.data.name} of shape {layout.data.shape} does not fit {len(energies)} "
            f"energies, {len(y)} rows and {len(x)} columns"
        )
    kept = select_frames(energies, selection.leave_out)
    incident, monitor = find_stored_incident(entry, layout, kept)
    return arrange_stack(
        counts,
        energies,
        _create_grid(layout, x, y, selection.pixel_size),
        x=x,
        y=y,
        leave_out=selection.leave_out,
        incident=incident,
        source=f"{name}, {get_name(entry)}, {get_name(group)}{monitor}{x_unit or y_unit}",
    )


def _read_axis(axis: h5py.Dataset) -> FloatArray:
    """Read the numbers along an axis, shape (n,)."""
    if axis.size == 0:
        raise InputError(f"{axis.name} is empty")
    return np.atleast_1d(np.asarray(axis[()], dtype=np.float64))


def _read_positions(axis: h5py.Dataset) -> tuple[FloatArray, str]:
    """Read positions in m, and remark on the unit where it had to be guessed."""
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
    """Read the counts in the order energy, y, x, each frame in one piece."""
    if layout.data.dtype.kind not in "iuf":
        raise InputError(f"{layout.data.name} does not hold numbers")
    # HDF5 converts piece by piece: doubles never stand in memory as a whole.
    counts = layout.data.astype(np.float32)[...].reshape(layout.shape)
    if layout.points is not None:
        return _bin_points(counts, layout.points[...], _read_axis(layout.x))
    return np.ascontiguousarray(np.transpose(counts, layout.order))


def _bin_points(counts: CountArray, points: FloatArray, x: FloatArray) -> CountArray:
    """Average the counts within half a pixel of each column; NaN where there are none.

    Args:
        counts: Shape (energies, rows, points).
        points: Where they were counted, in the unit of ``x``, shape as ``counts``.
        x: Middles of the columns, evenly spaced, shape (columns,).
    """
    frames, rows, _ = counts.shape
    step = (x[-1] - x[0]) / max(len(x) - 1, 1)
    column = np.rint((points - x[0]) / (step or 1.0)).astype(np.int64)
    pixel = np.arange(frames * rows).reshape(frames, rows, 1) * len(x) + column
    near = (column >= 0) & (column < len(x))
    size = frames * rows * len(x)
    number = np.bincount(pixel[near], minlength=size)
    total = np.bincount(pixel[near], counts[near], minlength=size)
    with np.errstate(invalid="ignore"):
        return (total / number).reshape(frames, rows, len(x)).astype(np.float32)


def _create_grid(
    layout: Layout, x: FloatArray, y: FloatArray, pixel_size: float | None
) -> PixelGrid:
    """Create the grid of the positions; the very one `write_nexus` wrote, where they agree with it.

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
