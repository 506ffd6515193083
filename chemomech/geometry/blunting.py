"""Tips of an outline that are too sharp for cells of a sound shape."""

from __future__ import annotations

import numpy as np

from chemomech.arrays import FloatArray, IntArray

# A triangle that fills a tip of this angle has the shape measure 0.43; one of ten degrees, 0.3.
_SHARP = np.deg2rad(15.0)


def blunt(corners: FloatArray, marks: IntArray, size: float) -> tuple[FloatArray, IntArray]:
    """Cut off tips of less than 15 degrees where they are half a cell wide.

    Args:
        corners: Closed curve with the particle on its left, shape (n, 2), the first corner not
            repeated.
        marks: Mark of the edge that leaves each corner, shape (n,). The end of a tip gets the lower
            mark of its two sides.
        size: Edge length of the cells.

    Returns:
        The new corners and the marks of their edges; none where the curve is nowhere that wide.
    """
    while len(corners) >= 3:
        angles = _find_angles(corners)
        tip = int(np.argmin(angles))
        if angles[tip] >= _SHARP:
            break
        corners, marks = _cut_tip(np.roll(corners, -tip, axis=0), np.roll(marks, -tip), size)
    return corners, marks


def _find_angles(corners: FloatArray) -> FloatArray:
    """Angle of the particle at each corner, in (0, 2 pi)."""
    edges = (np.roll(corners, -1, axis=0) - corners) @ [1.0, 1j]
    return np.asarray(np.pi - np.angle(edges / np.roll(edges, 1)), dtype=np.float64)


def _cut_tip(corners: FloatArray, marks: IntArray, size: float) -> tuple[FloatArray, IntArray]:
    """Cut off the tip at the first corner, with as much of one side as of the other."""
    closed = np.vstack([corners, corners[:1]])
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    lengths = np.arange(1.0, 4.0 * arc[-1] / size) * size / 8.0
    ahead, behind = (
        np.column_stack([np.interp(position, arc, closed[:, axis]) for axis in (0, 1)])
        for position in (lengths, arc[-1] - lengths)
    )
    wide = np.linalg.norm(ahead - behind, axis=1) >= size / 2.0
    if not wide.any():
        return corners[:0], marks[:0]
    cut = int(np.argmax(wide))
    stays = (arc[:-1] > lengths[cut]) & (arc[:-1] < arc[-1] - lengths[cut])
    first = marks[np.searchsorted(arc, lengths[cut], side="right") - 1]
    return (
        np.vstack([ahead[cut], corners[stays], behind[cut]]),
        np.concatenate([[first], marks[stays], [min(marks[0], marks[-1])]]),
    )
