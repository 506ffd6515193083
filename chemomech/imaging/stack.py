"""A stack: images of one region at many photon energies, and checks of its counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from chemomech.arrays import CountArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.selection import suggest_leaving_out


@dataclass(frozen=True, eq=False)
class Stack:
    """Transmitted intensity I(E, row, column).

    Pixels without a measured value are NaN; nothing ever patches them.

    Args:
        counts: Counts, shape (energies, rows, columns), rows downwards.
        energies: Photon energies, in eV, increasing, shape (energies,).
        grid: Where the pixels are.
        incident: Counts I0 without a sample, one for each energy, if they came with the stack.
        source: Where the stack came from, for the record.

    Raises:
        InputError: The shapes do not fit, the energies do not increase, a frame is empty or holds
            nothing but zeros, or a count is negative or infinite.
    """

    counts: CountArray
    energies: FloatArray
    grid: PixelGrid
    incident: FloatArray | None = None
    source: str = ""

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts, dtype=np.float32)
        energies = np.asarray(self.energies, dtype=np.float64)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "energies", energies)
        if energies.ndim != 1 or counts.shape != (len(energies), *self.grid.shape):
            raise InputError(
                f"counts of shape {counts.shape} do not fit {energies.size} energies and "
                f"{self.grid.rows} x {self.grid.columns} pixels (rows x columns)"
            )
        check_energies(energies)
        _check_frames(counts, energies)
        if self.incident is not None:
            incident = check_incident(self.incident, len(energies))
            object.__setattr__(self, "incident", incident)

    def crop(self, rows: slice, columns: slice) -> Stack:
        """Keep a rectangle of pixels, slices of step 1; the grid's origin moves with it."""
        top, bottom, _ = rows.indices(self.grid.rows)
        left, right, _ = columns.indices(self.grid.columns)
        x, y = self.grid.origin
        x += left * self.grid.column_spacing
        y += (self.grid.rows - bottom) * self.grid.row_spacing
        grid = replace(self.grid, rows=bottom - top, columns=right - left, origin=(x, y))
        return replace(self, counts=self.counts[:, top:bottom, left:right], grid=grid)


def mask_invalid_counts(
    stack: Stack, *, dark: float = 0.0, saturation: float | None = None
) -> Stack:
    """Replace counts that no optical density can be computed from by NaN.

    It is done before frames are moved, which mixes neighbouring pixels: after that, a pixel without
    light (counts up to ``dark``) or at the ceiling of the detector can no longer be told from a
    sound one. A stack without such counts is given back.
    """
    ceiling = check_limits(dark, saturation)
    wrong = [(frame <= dark) | (frame >= ceiling) for frame in stack.counts]
    if not any(frame.any() for frame in wrong):
        return stack
    counts = stack.counts.copy()
    for energy, frame, unsound in zip(stack.energies, counts, wrong, strict=True):
        frame[unsound] = np.nan
        if np.isnan(frame).all():
            raise InputError(
                f"every pixel at {energy:g} eV is without light (up to {dark:g} counts) or "
                f"saturated; {suggest_leaving_out(float(energy))}"
            )
    return replace(stack, counts=counts)


def check_energies(energies: FloatArray) -> None:
    """Refuse photon energies (eV) that are not finite, positive and increasing."""
    if energies.ndim != 1:
        raise InputError(f"needs a list of energies, got shape {energies.shape}")
    if energies.size == 0:
        raise InputError("there are no photon energies")
    if not np.isfinite(energies).all() or energies[0] <= 0.0:
        raise InputError("photon energies (eV) must be finite and greater than zero")
    falling = np.flatnonzero(np.diff(energies) <= 0.0)
    if falling.size:
        first = int(falling[0])
        raise InputError(
            f"photon energies must increase, but {energies[first]:g} eV (number {first + 1}) is "
            f"followed by {energies[first + 1]:g} eV"
        )


def check_incident(incident: FloatArray, energies: int) -> FloatArray:
    """Return I0 in floating-point numbers, shape (energies,)."""
    values = np.asarray(incident, dtype=np.float64)
    if values.shape != (energies,):
        raise InputError(f"I0 has shape {values.shape}; one number for each of {energies} energies")
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0.0)))
    if wrong.size:
        first = int(wrong[0])
        raise InputError(
            f"I0 must be greater than zero, got {values[first]:g} at number {first + 1}"
        )
    return values


def check_dark(dark: float) -> None:
    """Refuse dark counts that are negative or not finite."""
    if not (np.isfinite(dark) and dark >= 0.0):
        raise InputError(f"must be a number of counts, zero or more, got {dark:g}", key="dark")


def check_limits(dark: float, saturation: float | None) -> float:
    """Return the saturation, infinite where it is not known."""
    check_dark(dark)
    if saturation is None:
        return np.inf
    if not saturation > dark:
        raise InputError(
            f"must exceed the dark counts ({dark:g}), got {saturation:g}", key="saturation"
        )
    return saturation


def _check_frames(counts: CountArray, energies: FloatArray) -> None:
    if np.isinf(counts).any():
        raise InputError("counts must be finite (or NaN where nothing was measured)")
    # A frame at a time: nothing the size of the stack is made.
    for number, (frame, energy) in enumerate(zip(counts, energies, strict=True), start=1):
        where = f"frame {number} ({energy:g} eV)"
        if np.isnan(frame).all():
            raise InputError(f"{where} holds nothing but NaN")
        lowest, highest = np.nanmin(frame), np.nanmax(frame)
        if lowest < 0.0:
            raise InputError(f"{where} has a negative count, {lowest:g}")
        if highest == 0.0:
            raise InputError(f"{where} holds nothing but zeros")
