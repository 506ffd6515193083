"""Draw many particles on one page: the same field of each, under a title of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import (
    LETTERS,
    choose_scale,
    create_figure,
    finish_colour_bar,
    format_length,
    save_figure,
)
from chemomech.drawing.scene import Scene
from chemomech.drawing.styles import FieldStyle
from chemomech.output.snapshot_grid import SnapshotGrid

_PIXELS = 640
_INCHES = 2.2
_TITLE = 0.42
# Of the size of letters: the width one takes, with some room between titles.
_LETTER = 0.75
_BAR = 0.8


@dataclass(frozen=True, eq=False)
class Panel:
    """One particle under a title, which may have several lines of matplotlib's text.

    The mesh is in nm, the field's values at its vertices are of shape (vertices,).
    """

    title: str
    grid: SnapshotGrid
    values: NDArray[np.floating]


def write_panels(
    path: Path | str,
    panels: Sequence[Panel],
    style: FieldStyle,
    columns: int | None = None,
) -> None:
    """Draw particles side by side, row by row, with the same colours and one colour bar; PNG.

    Without a number of columns the page is about as wide as high.
    """
    if not panels:
        raise ValueError("there are no panels to draw")
    across = columns or math.ceil(math.sqrt(len(panels)))
    limits = style.compute_limits(*(panel.values for panel in panels))
    down = math.ceil(len(panels) / across)
    # Pictures of equal width; the tallest of all gives the rows their height.
    shapes = [np.ptp(panel.grid.points, axis=0) for panel in panels]
    ratio = max(_find_ratio(shape) for shape in shapes)
    lines = 1 + max(panel.title.count("\n") for panel in panels)
    height = _INCHES * ratio + _TITLE + 0.13 * lines
    figure = create_figure(across * _INCHES * 1.06 + _BAR, down * height)
    axes = figure.subplots(
        down, across, squeeze=False, gridspec_kw={"hspace": 0.25, "wspace": 0.06}
    )
    for place in axes.ravel():
        place.set_axis_off()
    for place, panel in zip(axes.ravel(), panels, strict=False):
        _draw_panel(place, panel, style, limits)
    bar = figure.colorbar(
        ScalarMappable(Normalize(*limits), style.colour_map),
        ax=axes,
        shrink=min(0.8, 3.0 / (down * height)),
        pad=0.02,
        aspect=18,
    )
    finish_colour_bar(bar, style.label)
    save_figure(figure, path)


def _find_ratio(extent: NDArray[np.float64]) -> float:
    """Find height over width of a particle in its picture, within what a page bears."""
    return float(np.clip(extent[1] / max(extent[0], 1e-9), 0.15, 1.6)) if extent[2] == 0 else 1.0


def _draw_panel(axes: Axes, panel: Panel, style: FieldStyle, limits: tuple[float, float]) -> None:
    with Scene(panel.grid, style.colour_map, limits, (_PIXELS, round(1.6 * _PIXELS))) as scene:
        image = scene.render(np.asarray(panel.values, dtype=np.float64) * style.factor)
        pixels = float(np.linalg.norm(scene.axes, axis=1).max())
    height, width = image.shape[:2]
    axes.imshow(image, interpolation="antialiased")
    longest = max(map(len, panel.title.split("\n")))
    axes.set_title(panel.title, fontsize=min(LETTERS, _INCHES * 72 / (_LETTER * longest)), pad=4)
    length = choose_scale(0.35 * width / pixels)
    bottom = height + 0.035 * _PIXELS
    axes.plot([0, length * pixels], [bottom, bottom], color="black", linewidth=1.5, clip_on=False)
    axes.text(
        length * pixels + 0.02 * _PIXELS, bottom, format_length(length),
        fontsize=LETTERS - 2, va="center",
    )  # fmt: skip
    axes.set(xlim=(0, width), ylim=(bottom + 0.03 * _PIXELS, 0))
