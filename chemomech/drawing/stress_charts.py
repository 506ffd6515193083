"""Plot percentiles of stress with their uncertainty."""

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


@dataclass(frozen=True, eq=False)
class PercentileBand:
    """Percentiles (per cent, rising) of one stress, and their spread over samples of the map.

    Mean, low and high, the 5th and 95th percentile over the samples, are in Pa, all of shape (p,).
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


def write_bands_chart(path: str | Path, bands: Sequence[PercentileBand]) -> None:
    """Plot percentile against stress as PNG, each curve with a band from 5 to 95 % of the samples.

    Raises:
        InputError: There is no curve, or more than the eight colours that tell them apart.
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
