"""Plot percentiles of stress with their uncertainty, and stress under each reading of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from chemomech.arrays import FloatArray
from chemomech.drawing.figure_parts import (
    CATEGORY_COLOURS,
    LETTERS,
    open_chart,
    prepare_chart,
)
from chemomech.errors import InputError

_MEGA = 1e6
_BAR = 0.36
_WIRES = ("α/ε wire", "ε/δ wire")
# A logarithmic scale from this ratio of the largest to the smallest bar on.
_DECADE = 10.0


@dataclass(frozen=True, eq=False)
class PercentileBand:
    """Percentiles of one stress over a particle, and their spread over samples of the map.

    Args:
        label: What the curve is called, e.g. ``von Mises, delta``.
        percentiles: Percentiles in per cent, rising, shape (p,).
        mean: Mean of each percentile over the samples, in Pa, shape (p,).
        low: Its 5th percentile over the samples, in Pa, shape (p,).
        high: Its 95th percentile over the samples, in Pa, shape (p,).

    Raises:
        InputError: The arrays differ in length, hold nothing, or a value is not finite.
    """

    label: str
    percentiles: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray

    def __post_init__(self) -> None:
        arrays = (self.percentiles, self.mean, self.low, self.high)
        if len({array.shape for array in arrays}) > 1 or self.percentiles.size == 0:
            shapes = ", ".join(str(array.shape) for array in arrays)
            raise InputError(f"{self.label}: percentiles and stresses have shapes {shapes}")
        if not all(np.isfinite(array).all() for array in arrays):
            raise InputError(f"{self.label}: a percentile or a stress is not a finite number")


@dataclass(frozen=True)
class ReadingRow:
    """One reading of the paper and what it makes of two wires.

    Args:
        reading: The choices made, e.g. ``normalised, free, constant Ω``.
        first: 95th percentile of the von Mises stress in the first wire, in Pa.
        second: The same in the second wire, in Pa.
    """

    reading: str
    first: float
    second: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.first, self.second]).all() and min(self.first, self.second) >= 0):
            raise InputError(
                f"{self.reading}: von Mises stresses must be finite and not below zero, got "
                f"{self.first:g} and {self.second:g} Pa"
            )


def write_bands_chart(path: str | Path, bands: Sequence[PercentileBand]) -> None:
    """Plot percentile against stress, with a band from 5 % to 95 % of the samples.

    Args:
        path: PNG file to write.
        bands: A curve each, at most eight.

    Raises:
        InputError: There is no curve, or more than colours to tell them apart.
    """
    if not 1 <= len(bands) <= len(CATEGORY_COLOURS):
        raise InputError(
            f"a chart takes between 1 and {len(CATEGORY_COLOURS)} curves, got {len(bands)}"
        )
    with open_chart(path, 4.2, 3.0) as axes:
        _draw_bands(axes, bands)


def _draw_bands(axes: Axes, bands: Sequence[PercentileBand]) -> None:
    for band, colour in zip(bands, CATEGORY_COLOURS, strict=False):
        low, high = band.low / _MEGA, band.high / _MEGA
        axes.fill_betweenx(band.percentiles, low, high, color=colour, alpha=0.22, linewidth=0)
        axes.plot(
            band.mean / _MEGA,
            band.percentiles,
            color=colour,
            linewidth=1.3,
            marker="o",
            markersize=2.5,
            label=band.label,
        )
    if axes.get_xlim()[0] < 0.0:
        axes.axvline(0.0, color="0.6", linewidth=0.6, zorder=0)
    axes.set_ylim(0, 100)
    axes.set_xlabel("Stress (MPa)", fontsize=LETTERS)
    axes.set_ylabel("Percentile of volume (%)", fontsize=LETTERS)
    prepare_chart(axes)
    axes.legend(
        title="mean and 5\N{EN DASH}95 % of samples",
        title_fontsize=LETTERS - 1,
        fontsize=LETTERS,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )


def write_readings_chart(path: str | Path, rows: Sequence[ReadingRow]) -> None:
    """Plot the 95th percentile of the von Mises stress in two wires under each reading.

    The ratio of the second wire to the first stands at the right end of each pair of bars. The
    scale is logarithmic where the stresses span a decade or more.

    Args:
        path: PNG file to write.
        rows: The readings, from top to bottom.

    Raises:
        InputError: There is no reading, or no stress at all.
    """
    stress = np.array([(row.first, row.second) for row in rows]).reshape(-1, 2) / _MEGA
    if stress.size == 0 or stress.max() == 0.0:
        raise InputError("there is nothing to draw: no reading gives any stress")
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
