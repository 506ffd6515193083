"""Draw the stress of two wires under each reading of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from chemomech.arrays import FloatArray
from chemomech.drawing.figure_parts import CATEGORY_COLOURS, LETTERS, open_chart, prepare_chart

_MEGA = 1e6
_BAR = 0.36
_WIRES = ("α/ε wire", "ε/δ wire")
# A logarithmic scale from this ratio of the largest to the smallest bar on.
_DECADE = 10.0


@dataclass(frozen=True)
class ReadingRow:
    """Stress of two wires under one reading of the paper.

    Args:
        reading: The choices made, e.g. ``normalised, free, constant Ω``.
        first: 95th percentile of the von Mises stress in the first wire, in Pa.
        second: The same in the second wire, in Pa.
    """

    reading: str
    first: float
    second: float


def write_readings_chart(path: str | Path, rows: Sequence[ReadingRow]) -> None:
    """Plot the 95th percentile of the von Mises stress in two wires under each reading.

    The ratio of the second wire to the first stands at the right end of each pair of bars. The
    scale is logarithmic where the stresses span a decade or more.

    Args:
        path: PNG file to write.
        rows: The readings, from top to bottom.
    """
    stress = np.array([(row.first, row.second) for row in rows]).reshape(-1, 2) / _MEGA
    with open_chart(path, 5.4, 0.9 + 0.42 * len(rows)) as axes:
        _draw_readings(axes, [row.reading for row in rows], stress)


def _draw_readings(axes: Axes, readings: Sequence[str], stress: FloatArray) -> None:
    places = np.arange(len(readings), dtype=np.float64)
    for column, (wire, colour) in enumerate(zip(_WIRES, CATEGORY_COLOURS, strict=False)):
        shift = (column - 0.5) * _BAR
        axes.barh(places + shift, stress[:, column], _BAR, color=colour, label=wire)
    _write_ratios(axes, places, stress)
    if stress.min() > 0.0 and stress.max() >= _DECADE * stress.min():
        axes.set_xscale("log")
        axes.set_xlim(left=stress.min() / 2)
    axes.set_yticks(places, readings)
    axes.invert_yaxis()
    axes.set_xlabel("95th percentile of von Mises stress (MPa)", fontsize=LETTERS)
    prepare_chart(axes)
    axes.tick_params(axis="y", length=0, labelsize=LETTERS)
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=LETTERS
    )


def _write_ratios(axes: Axes, places: FloatArray, stress: FloatArray) -> None:
    for place, (first, second) in zip(places, stress, strict=True):
        text = f"× {second / first:#.2g}".rstrip(".") if first > 0.0 else "no stress in one wire"
        axes.annotate(
            text,
            xy=(max(first, second), place),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=LETTERS,
            va="center",
            gid="ratio",
        )
