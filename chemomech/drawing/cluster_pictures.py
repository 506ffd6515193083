"""Draw the components' eigen-images and maps of the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.patches import Patch

from chemomech.arrays import FloatArray
from chemomech.drawing.figure_parts import (
    CATEGORY_COLOURS,
    LETTERS,
    MISSING,
    compute_limits,
    create_figure,
    draw_scale_bar,
    get_colours,
    open_plane,
    save_figure,
)
from chemomech.drawing.image_pictures import draw_pixels, get_extent
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid

IntArray = npt.NDArray[np.integer]

_MOST_IN_A_ROW = 4
# Inches.
_IMAGE_WIDTH = 1.8
_GAP = 0.42


def draw_component(axes: Axes, scores: FloatArray, grid: PixelGrid, number: int) -> None:
    """Draw the eigen-image of a component, counted from 1: red above zero and blue below.

    The scores, NaN outside the mask, have the shape (rows, columns).
    """
    limits = compute_limits(scores, symmetric=True)
    draw_pixels(axes, scores, grid, get_colours("RdBu_r"), limits)
    axes.set_title(f"PC {number}", fontsize=LETTERS, pad=3)


def write_component_images(path: str | Path, scores: FloatArray, grid: PixelGrid) -> None:
    """Write the eigen-images side by side as PNG, each with colours of its own, centred on zero.

    The scores, NaN outside the mask, have the shape (components, rows, columns).
    """
    columns = min(len(scores), _MOST_IN_A_ROW)
    rows = -(-len(scores) // columns)
    shape = grid.columns * grid.column_spacing / (grid.rows * grid.row_spacing)
    height = min(_IMAGE_WIDTH / shape, 2.0 * _IMAGE_WIDTH)
    figure = create_figure(_IMAGE_WIDTH * columns, (height + _GAP) * rows)
    panels = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            **{"left": 0.0, "right": 1.0, "bottom": 0.0, "top": 1.0},
            **{"wspace": 0.06, "hspace": _GAP / height},
        },
    ).ravel()
    for number, (panel, image) in enumerate(zip(panels, scores, strict=False), start=1):
        draw_component(panel, image, grid, number)
    for panel in panels[len(scores) :]:
        panel.set_axis_off()
    draw_scale_bar(panels[0])
    save_figure(figure, path)


def choose_colours(count: int) -> list[str]:
    """Choose colours of clusters: Okabe and Ito's, or steps of viridis for more than eight."""
    if count <= len(CATEGORY_COLOURS):
        return list(CATEGORY_COLOURS[:count])
    return [to_hex(get_colours("viridis")(step)) for step in np.linspace(0.0, 1.0, count)]


def draw_clusters(axes: Axes, labels: IntArray, grid: PixelGrid, names: Sequence[str]) -> None:
    """Draw the pixels of each cluster in its colour.

    Labels, -1 outside all clusters, have the shape (rows, columns); names are e.g. those of phases.
    """
    if labels.max() < 0:
        raise InputError("there is nothing to draw: no pixel belongs to a cluster")
    if labels.max() >= len(names):
        raise InputError(f"cluster {labels.max()} has no name; there are {len(names)} names")
    colours = choose_colours(len(names))
    shown = ListedColormap(colours).with_extremes(bad=MISSING)
    draw_pixels(axes, np.ma.masked_less(labels, 0), grid, shown, (-0.5, len(names) - 0.5))
    draw_scale_bar(axes)
    axes.legend(
        handles=[Patch(color=c, label=name) for c, name in zip(colours, names, strict=True)],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=LETTERS,
        handlelength=1.0,
        borderaxespad=0.3,
    )


def write_cluster_map(
    path: str | Path, labels: IntArray, grid: PixelGrid, names: Sequence[str]
) -> None:
    """Write a map of clusters as a picture; see `draw_clusters` for the arguments and errors."""
    with open_plane(path, get_extent(grid)) as axes:
        draw_clusters(axes, labels, grid, names)
