"""Draw maps of pixels: optical density, composition, thickness and residual."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.image import AxesImage

from chemomech.arrays import FloatArray
from chemomech.drawing.figure_parts import (
    Extent,
    draw_colour_bar,
    draw_scale_bar,
    get_colours,
    open_plane,
    prepare_plane,
)
from chemomech.drawing.styles import FieldStyle
from chemomech.errors import InputError
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid

_NANOMETRE = 1e-9


DENSITY = FieldStyle("Optical density", "gray", line="#E69F00")
RESIDUAL = FieldStyle("RMS residual (optical density)", "magma", line="#56B4E9")
UNCERTAINTY = FieldStyle("Standard deviation of $x$", "cividis")
THICKNESS = FieldStyle("Thickness (nm)", "cividis", factor=1e9)


def get_extent(grid: PixelGrid) -> Extent:
    """Return left, right, bottom and top edge in nm: half a pixel beyond the centres."""
    across, upward = grid.column_spacing / _NANOMETRE, grid.row_spacing / _NANOMETRE
    return (
        *(-across / 2, (grid.columns - 0.5) * across),
        *(-upward / 2, (grid.rows - 0.5) * upward),
    )


def draw_pixels(
    axes: Axes,
    values: npt.NDArray[np.generic],
    grid: PixelGrid,
    colours: Colormap,
    limits: tuple[float, float],
) -> AxesImage:
    """Draw a map of pixels alone, in nm.

    Values, masked or NaN where there is none, have the shape (rows, columns); limits are the ends
    of the colours.
    """
    if values.shape != grid.shape:
        raise InputError(f"a map of shape {values.shape} on a grid of shape {grid.shape}")
    extent = get_extent(grid)
    image = axes.imshow(
        np.ma.masked_invalid(values),
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        extent=extent,
        origin="upper",
        interpolation="none",
    )
    prepare_plane(axes, extent)
    return image


def draw_map(
    axes: Axes,
    values: npt.NDArray[np.floating],
    grid: PixelGrid,
    style: FieldStyle,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Draw a map of pixels with its outline, scale bar and colour bar.

    Stored values, NaN where there is none (light grey), have the shape (rows, columns). Outlines
    are closed curves in m in the grid's frame, each of shape (n, 2).
    """
    limits = style.compute_limits(values)
    shown = np.asarray(values, dtype=np.float64) * style.factor
    image = draw_pixels(axes, shown, grid, get_colours(style.colour_map), limits)
    for corners in outlines:
        closed = np.vstack([corners, corners[:1]]) / _NANOMETRE
        axes.plot(closed[:, 0], closed[:, 1], color=style.line, linewidth=1.0, gid="outline")
    draw_scale_bar(axes)
    draw_colour_bar(axes, image, style.label)


def write_map_picture(
    path: str | Path,
    values: npt.NDArray[np.floating],
    grid: PixelGrid,
    style: FieldStyle,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Write a map of pixels as a PNG picture; see `draw_map` for the arguments and errors."""
    with open_plane(path, get_extent(grid)) as axes:
        draw_map(axes, values, grid, style, outlines)


def draw_composition(
    axes: Axes, composition: CompositionMap, outlines: Sequence[FloatArray] = ()
) -> None:
    """Draw the lithium content x of the trusted pixels, others light grey, with outlines in m."""
    reading = "as printed" if composition.reading == "as_printed" else "per formula unit"
    style = FieldStyle(f"Li content $x$ ({reading})", "viridis")
    values = np.where(composition.trusted, composition.values, np.nan)
    draw_map(axes, values, composition.grid, style, outlines)


def write_composition_picture(
    path: str | Path, composition: CompositionMap, outlines: Sequence[FloatArray] = ()
) -> None:
    """Write a composition map as a PNG picture; see `draw_composition`."""
    with open_plane(path, get_extent(composition.grid)) as axes:
        draw_composition(axes, composition, outlines)
