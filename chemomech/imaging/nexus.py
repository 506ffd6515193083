"""Stacks in NeXus HDF5 files, the layout NXstxm: one entry a region, one data group a detector."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
from scipy import signal

from chemomech.arrays import CountArray, FloatArray, IndexArray
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.nexus_layout import (
    Layout,
    find_channels,
    find_entries,
    find_layout,
    find_monitors,
    get_name,
    get_text,
)
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
_RING_CURRENT = re.compile(r"(?<![a-z])ring(?![a-z])|storage|beam.?current", re.IGNORECASE)
_RING_UNITS = ("mA", "A")
_INCIDENT = re.compile(r"(?<![a-z0-9])i_?0(?![a-z0-9])|incident|flux", re.IGNORECASE)
_COUNTS = re.compile(r"count|photon|ph\b|cps|hz", re.IGNORECASE)
# Root mean square deviation from a straight line, relative to the mean. Topped up, a ring keeps its
# current to 0.3 %; decaying by a tenth in a scan, it departs from a line by 0.04 %. The beam behind
# a monochromator has more structure than either, 0.6 % even where it varies little.
_STRUCTURE = 5e-3
# No ring loses half its current within a scan.
_LARGEST_DECAY = 0.5


def read_nexus(path: Path, selection: Selection) -> Stack:
    """Read a stack, or a single image, from an NXstxm file; regions are its entries.

    The order of the axes is the one the file declares; where it declares none, the one that fits
    the lengths, energy, y, x first. Positions without a unit are in micrometres, as the
    microscopes' own programs write them, or in the first of mm and m in which neighbouring pixels
    are at least 1 nm apart.

    Energies without a unit are in eV, or in keV if all are below 20. I0 is taken from a monitor (a
    group of the class NXmonitor) that can be one. Where the position of each count is stored and
    not a grid (pystxmcontrol, version 2), counts are averaged over the pixels that were asked for.
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
    kept = selection.select_frames(energies)
    incident, monitor = _find_stored_incident(entry, layout, kept)
    return arrange_stack(
        counts,
        energies,
        _create_grid(layout, x, y, selection.pixel_size),
        selection,
        x=x,
        y=y,
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

    Counts and, in the unit of ``x``, their points have the shape (energies, rows, points); ``x``
    are the middles of the columns, evenly spaced.
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


def _find_stored_incident(
    entry: h5py.Group, layout: Layout, kept: IndexArray
) -> tuple[FloatArray | None, str]:
    """Find I0, shape (energies,), among the monitors of an entry, and a remark for the record.

    A monitor is I0 if it has one positive number for each energy, or for each pixel (then the mean
    of the frame), and says so by its name or unit (counts), or varies with energy as a beam does.
    The current of the storage ring is none, whether it says what it is or not. In frames that are
    not kept, the monitor may be zero.
    """
    remark = ""
    for monitor in find_monitors(entry):
        name = get_name(monitor.parent)
        means = _average_monitor(monitor, layout)
        if means is None:
            continue
        used = means[kept[kept < len(means)]]
        if not (np.isfinite(used).all() and (used > 0.0).all()):
            continue
        if _is_incident(monitor, used):
            return means, f", I0 of {name}"
        remark += f", {name} is not taken for I0"
    return None, remark


def _average_monitor(monitor: h5py.Dataset, layout: Layout) -> FloatArray | None:
    """Mean of a monitor at each energy, if it has numbers for each."""
    frames, rows, columns = (layout.shape[axis] for axis in layout.order)
    if monitor.dtype.kind not in "iuf" or monitor.size not in (frames, frames * rows * columns):
        return None
    values = monitor[()]
    if values.shape == layout.data.shape:
        values = np.transpose(values.reshape(layout.shape), layout.order)
    # A frame at a time: monitors may be as large as the stack.
    return np.array([_mean(frame) for frame in values.reshape(frames, -1)])


def _mean(numbers: npt.NDArray[np.generic]) -> float:
    """Mean about the first number, so that equal numbers have just that mean."""
    doubles = np.asarray(numbers, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return float(doubles[0] + (doubles - doubles[0]).mean())


def _is_incident(monitor: h5py.Dataset, means: FloatArray) -> bool:
    unit = get_text(monitor, "units")
    words = [get_name(monitor.parent)]
    for item in (monitor, monitor.parent):
        words += [get_text(item, name) for name in ("long_name", "description", "local_name")]
    said = " ".join(words)
    if unit in _RING_UNITS or _RING_CURRENT.search(said):
        return False
    return bool(_INCIDENT.search(said) or _COUNTS.search(unit)) or _varies_like_a_beam(means)


def _varies_like_a_beam(means: FloatArray) -> bool:
    if means.min() <= (1.0 - _LARGEST_DECAY) * means.max():
        return True
    away = signal.detrend(means)
    return bool(np.sqrt(np.mean(away**2)) > _STRUCTURE * means.mean())
