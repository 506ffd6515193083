"""Mark the counts of a detector that can be used."""

from __future__ import annotations

import numpy as np

from chemomech.errors import InputError
from chemomech.imaging.selection import suggest_leaving_out
from chemomech.imaging.stack import Stack


def mask_invalid_counts(
    stack: Stack, *, dark: float = 0.0, saturation: float | None = None
) -> Stack:
    """Replace counts that no optical density can be computed from by NaN.

    It is done before frames are moved, which mixes neighbouring pixels: after that, a pixel without
    light or at the ceiling of the detector can no longer be told from a sound one.

    Args:
        stack: Counts as the microscope wrote them; given back where there are no such counts.
        dark: Counts up to this number hold no light.
        saturation: Counts from which on the detector saturates.

    Raises:
        InputError: An argument is out of range, or nothing is left of a frame.
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
    return Stack(counts, stack.energies, stack.grid, stack.incident, stack.source)


def check_dark(dark: float) -> None:
    """Refuse dark counts that are negative or not finite."""
    if not (np.isfinite(dark) and dark >= 0.0):
        raise InputError(f"must be a number of counts, zero or more, got {dark:g}", key="dark")


def check_limits(dark: float, saturation: float | None) -> float:
    """Return the saturation, infinite where it is not known.

    Raises:
        InputError: The dark counts are no number of counts, or the saturation does not exceed them.
    """
    check_dark(dark)
    if saturation is None:
        return np.inf
    if not saturation > dark:
        raise InputError(
            f"must exceed the dark counts ({dark:g}), got {saturation:g}", key="saturation"
        )
    return saturation
