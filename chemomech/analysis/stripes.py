"""Periods of a pattern along a wire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import LinearNDInterpolator

from chemomech.analysis.wire_coordinates import WireCoordinates
from chemomech.arrays import FloatArray

# Lines along the wire, as fractions of its width (and of a solid wire's thickness) from the middle.
_LINES = (-0.4, -0.2, 0.0, 0.2, 0.4)
# Samples a mesh length: walls are at least a cell apart.
_FINER = 2.0


@dataclass(frozen=True)
class Periods:
    """Mean periods along the whole wire, in its bend, and in both legs, in nm.

    A period is twice the length of mid-line over the number of walls that a line along the wire
    crosses there, averaged over five lines between 0.4 widths inside and outside of the mid-line:
    each period has two walls. It is NaN where no wall is crossed, and where there is no bend.
    """

    whole: float
    bend: float
    legs: float


def measure_periods(wire: WireCoordinates, c: FloatArray, low: float, high: float) -> Periods:
    """Count walls along the wire: there a phase ends, which vertices with low < c <= high are of.

    Args:
        wire: Where the vertices lie in the wire.
        c: Composition at the vertices.
        low: Composition above which a vertex is of the phase.
        high: Greatest composition of the phase.
    """
    walls = np.concatenate(_find_walls(wire, c, low, high))
    bend = wire.bend[1] - wire.bend[0]
    inside = int(np.count_nonzero(wire.find_in_bend(walls)))
    return Periods(
        whole=_compute_period(wire.length, len(walls)),
        bend=_compute_period(bend, inside),
        legs=_compute_period(wire.length - bend, len(walls) - inside),
    )


def _compute_period(length: float, walls: int) -> float:
    return 2.0 * length * len(_LINES) / walls if walls else float("nan")


def _find_walls(wire: WireCoordinates, c: FloatArray, low: float, high: float) -> list[FloatArray]:
    """Find the places on the mid-line where each line crosses a wall."""
    solid = np.ptp(wire.height) > 0
    interpolate = LinearNDInterpolator(wire.triangulation, c)
    volume = wire.length * wire.width * (np.ptp(wire.height) if solid else 1.0)
    spacing = (volume / len(c)) ** (1.0 / wire.triangulation.ndim) / _FINER
    # Half a sample from the ends, whose vertices the bend's rounding may put outside.
    count = max(round(wire.length / spacing), 2)
    along = (np.arange(count) + 0.5) * wire.length / count
    middle = float(wire.height.min() + np.ptp(wire.height) / 2)
    walls = []
    for line in _LINES:
        place = [along, np.full(count, line * wire.width)] + (
            [np.full(count, middle)] if solid else []
        )
        values = interpolate(*place)
        inside = (values > low) & (values <= high)
        crossed = np.flatnonzero(inside[1:] != inside[:-1])
        walls.append((along[crossed] + along[crossed + 1]) / 2)
    return walls
