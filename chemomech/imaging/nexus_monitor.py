"""Monitors of a NeXus file: which of them counted the incident beam."""

from __future__ import annotations

import re

import h5py
import numpy as np
import numpy.typing as npt
from scipy import signal

from chemomech.arrays import FloatArray, IndexArray
from chemomech.imaging.nexus_layout import Layout, find_monitors, get_name, get_text

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


def find_stored_incident(
    entry: h5py.Group, layout: Layout, kept: IndexArray
) -> tuple[FloatArray | None, str]:
    """Find I0 among the monitors of an entry.

    A monitor is I0 if it has one positive number for each energy, or for each pixel (then the mean
    of the frame), and says so by its name or unit (counts), or varies with energy as a beam does.
    The current of the storage ring is none, whether it says what it is or not.

    Args:
        entry: The entry.
        layout: Where its counts are.
        kept: Indices of the frames that are used; the monitor may be zero in others.

    Returns:
        I0 in the order of the file, shape (energies,), or None; and a remark for the record.
    """
    remark = ""
    for monitor in find_monitors(entry):
        name = get_name(monitor.parent)
        means = _average(monitor, layout)
        if means is None:
            continue
        used = means[kept[kept < len(means)]]
        if not (np.isfinite(used).all() and (used > 0.0).all()):
            continue
        if _is_incident(monitor, used):
            return means, f", I0 of {name}"
        remark += f", {name} is not taken for I0"
    return None, remark


def _average(monitor: h5py.Dataset, layout: Layout) -> FloatArray | None:
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
