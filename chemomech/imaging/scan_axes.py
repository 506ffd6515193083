"""Sort scanned frames so that rows run downwards and energies upwards."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from chemomech.arrays import CountArray, FloatArray, IndexArray
from chemomech.errors import InputError, naming
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.selection import Selection, refuse_frames
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import Table

_METRES = (
    dict.fromkeys(("m", "meter", "metre"), 1.0)
    | dict.fromkeys(("mm", "millimeter", "millimetre"), 1e-3)
    | dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns"), 1e-6)
    | dict.fromkeys(("micrometer", "micrometre"), 1e-6)
    | dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-9)
)
_UNIT = re.compile(r"\bk?eV\b", re.IGNORECASE)
_ELECTRONVOLTS = {"ev": 1.0, "kev": 1e3}
# Photons of fewer eV pass through no sample of a transmission microscope.
_LOWEST_ENERGY = 20.0


def find_length_unit(unit: str, axis: str) -> float:
    """Return the number of metres in a unit such as ``um``, found on an axis (for the message)."""
    try:
        return _METRES[unit.strip().lower()]
    except KeyError:
        raise InputError(f"{axis} has the unit {unit!r}; m, mm, um or nm is needed") from None


def to_electronvolts(energies: FloatArray, unit: str, axis: str) -> FloatArray:
    """Convert photon energies on an axis (named in messages) to eV.

    The unit is ``eV`` or ``keV``; where it is empty, numbers that are all below 20 are taken for
    keV, others for eV.

    Raises:
        InputError: The unit is neither, or energies said to be in eV are too low for X-rays.
    """
    low = energies.size > 0 and bool(np.all(np.abs(energies) < _LOWEST_ENERGY))
    name = unit.strip().lower() or ("kev" if low else "ev")
    if name not in _ELECTRONVOLTS:
        raise InputError(f"{axis} has the unit {unit!r}; eV or keV is needed")
    if low and name == "ev":
        raise InputError(
            f"{axis} has photon energies of {energies.min():g} to {energies.max():g} eV, which is "
            "too low for X-rays; is its unit keV?"
        )
    return energies * _ELECTRONVOLTS[name]


def read_energies(table: Table, path: Path) -> FloatArray:
    """Read photon energies in eV from the first column of a table, shape (rows,).

    Its heading may state the unit, eV or keV; without one see `to_electronvolts`.
    """
    stated = _UNIT.search(table.names[0]) if table.names else None
    with naming(path=path):
        return to_electronvolts(
            table.numbers[:, 0], stated[0] if stated else "", "the first column"
        )


def create_grid(x: FloatArray, y: FloatArray, pixel_size: float | None = None) -> PixelGrid:
    """Find rows and columns from the positions of a scan; the origin is the lowest x and y.

    Positions are in m, x (columns,) to the right, y (rows,) upwards, each rising or falling. The
    spacing is the median of the steps, which a jitter of the encoder leaves alone, or else the
    pixel size (m).

    Raises:
        InputError: Positions are not finite, do not step evenly or are too few to step at all.
    """
    row_spacing = _find_spacing(y, "y") if pixel_size is None else pixel_size
    column_spacing = _find_spacing(x, "x") if pixel_size is None else pixel_size
    origin = (float(min(x[0], x[-1])), float(min(y[0], y[-1])))
    return PixelGrid(len(y), len(x), row_spacing, column_spacing, origin)


def arrange_stack(
    counts: CountArray,
    energies: FloatArray,
    grid: PixelGrid,
    selection: Selection,
    *,
    x: FloatArray | None = None,
    y: FloatArray | None = None,
    incident: FloatArray | None = None,
    source: str = "",
) -> Stack:
    """Turn frames so that rows run downwards and energies rise, and leave frames out.

    Args:
        counts: Frames as they were scanned, shape (energies, rows, columns).
        energies: Photon energies, in eV, rising or falling, shape (energies,).
        grid: Where the pixels are.
        selection: Frames that are used.
        x: Positions of the columns, in any unit, shape (columns,); None where they rise.
        y: Positions of the rows, upwards, in any unit, shape (rows,); None where they fall.
        incident: Counts I0 of each frame, if known.
        source: Where the frames came from.
    """
    if y is not None and y[-1] > y[0]:
        counts = counts[:, ::-1]
    if x is not None and x[-1] < x[0]:
        counts = counts[:, :, ::-1]
    if len(counts) <= len(energies):
        kept = selection.select_frames(energies)
        refuse_frames(
            kept[kept >= len(counts)],
            kept,
            energies,
            f"is missing: counts of shape {counts.shape} do not fit {len(energies)} energies (was "
            "the scan stopped early?)",
        )
        if len(kept) < len(counts):
            counts = counts[kept]
        if incident is not None and incident.shape == energies.shape:
            incident = incident[kept]
        _refuse_unusable(counts, energies, kept)
        energies = energies[kept]
    if energies.size > 1 and energies[-1] < energies[0]:
        counts, energies = counts[::-1], energies[::-1]
        incident = None if incident is None else incident[::-1]
    return Stack(counts, energies, grid, incident, source)


def _refuse_unusable(counts: CountArray, energies: FloatArray, kept: IndexArray) -> None:
    """Refuse frames out of the order of photon energies, and those without a count.

    Counts, shape (kept, rows, columns), are of the frames kept; energies (eV) are those of all.
    """
    sign = 1.0 if np.sign(np.diff(energies[kept])).sum() >= 0.0 else -1.0
    ahead = np.maximum.accumulate(sign * energies[kept])[:-1]
    behind = np.flatnonzero(sign * energies[kept][1:] <= ahead)
    if behind.size:
        refuse_frames(
            kept[1:][behind],
            kept,
            energies,
            f"does not go beyond {sign * ahead[behind[0]]:g} eV, where the scan has been already; "
            "photon energies must increase, or decrease, from frame to frame",
        )
    unmeasured = np.array([bool(np.isnan(frame).all()) for frame in counts])
    refuse_frames(kept[unmeasured], kept, energies, "holds nothing but NaN")
    dark = np.array([not np.nan_to_num(frame).any() for frame in counts])
    refuse_frames(
        kept[dark], kept, energies, "holds nothing but zeros (was the scan stopped early?)"
    )


def _find_spacing(positions: FloatArray, axis: str) -> float:
    """Find the median step of the positions along an axis, in m."""
    if not np.isfinite(positions).all():
        raise InputError(f"the positions along {axis} are not all finite")
    if len(positions) < 2:
        raise InputError(
            f"one position along {axis} says nothing about the size of a pixel; give pixel_size"
        )
    spacing = float(np.median(np.diff(positions)))
    if spacing == 0.0:
        raise InputError(f"the positions along {axis} do not move")
    number = np.arange(len(positions))
    line = np.polynomial.Polynomial.fit(number, positions, 1)
    away = np.abs(positions - line(number)) / abs(spacing)
    if away.max() > 1.0:
        raise InputError(
            f"the positions along {axis} do not step evenly: number {int(away.argmax()) + 1} is "
            f"{away.max():.3g} pixels away from where it should be"
        )
    return abs(spacing)
