"""Pictures of pixel maps: optical density, composition, thickness and residual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from chemomech.arrays import FloatArray
from chemomech.drawing.figure_parts import (
    Extent,
    compute_limits,
    create_plane_figure,
    draw_colour_bar,
    draw_scale_bar,
    get_colours,
    prepare_plane,
    save_figure,
)
from chemomech.errors import InputError
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid

_NANOMETRE = 1e-9


@dataclass(frozen=True)
class MapStyle:
    """Style of a map of pixels.

    Args:
        label: What the colour bar says: quantity and unit.
        colour_map: Name of a matplotlib colour map.
        line: Colour of the particle's outline.
        factor: Shown value over stored value, e.g. 1e9 for m shown in nm.
        limits: Ends of the colour bar, as shown; from the values where None.
        symmetric: Centre the limits on zero, for signed maps on a diverging colour map.
    """

    label: str
    colour_map: str
    line: str = "black"
    factor: float = 1.0
    limits: tuple[float, float] | None = None
    symmetric: bool = False


DENSITY = MapStyle("Optical density", "gray", line="#E69F00")
RESIDUAL = MapStyle("RMS residual (optical density)", "magma", line="#56B4E9")
UNCERTAINTY = MapStyle("Standard deviation of $x$", "cividis")
THICKNESS = MapStyle("Thickness (nm)", "cividis", factor=1e9)


def get_extent(grid: PixelGrid) -> Extent:
    """Return left, right, bottom and top edge in nm: half a pixel beyond the centres."""
    across, upward = grid.column_spacing / _NANOMETRE, grid.row_spacing / _NANOMETRE
    return (
        *(-across / 2, (grid.columns - 0.5) * across),
        *(-upward / 2, (grid.rows - 0.5) * upward),
    )


def draw_map(
    axes: Axes,
    values: npt.NDArray[np.floating],
    grid: PixelGrid,
    style: MapStyle,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Draw a map of pixels with its outline, scale bar and colour bar.

    Args:
        axes: Where to draw.
        values: Stored values, NaN where there is none (light grey), shape (rows, columns).
        grid: Where the pixels are.
        style: How the map is shown.
        outlines: Closed curves in m in the grid's frame, each of shape (n, 2).

    Raises:
        InputError: The map does not fit the grid or holds no finite value.
    """
    check_shape(values, grid)
    shown = np.ma.masked_invalid(np.asarray(values, dtype=np.float64) * style.factor)
    low, high = style.limits or compute_limits(shown.filled(np.nan), style.symmetric)
    extent = get_extent(grid)
    image = axes.imshow(
        shown,
        cmap=get_colours(style.colour_map),
        vmin=low,
        vmax=high,
        extent=extent,
        origin="upper",
        interpolation="none",
    )
    prepare_plane(axes, extent)
    for corners in outlines:
        closed = np.vstack([corners, corners[:1]]) / _NANOMETRE
        axes.plot(closed[:, 0], closed[:, 1], color=style.line, linewidth=1.0, gid="outline")
    draw_scale_bar(axes)
    draw_colour_bar(axes, image, style.label)


def write_map_picture(
    path: str | Path,
    values: npt.NDArray[np.floating],
    grid: PixelGrid,
    style: MapStyle,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Write a map of pixels as a picture; see `draw_map` for the arguments and errors.

    Args:
        path: PNG file to write.
        values: Stored values, shape (rows, columns).
        grid: Where the pixels are.
        style: How the map is shown, e.g. `RESIDUAL`, `UNCERTAINTY` or `THICKNESS`.
        outlines: Closed curves in m, each of shape (n, 2).
    """
    figure, axes = create_plane_figure(get_extent(grid))
    draw_map(axes, values, grid, style, outlines)
    save_figure(figure, path)


def write_density_picture(
    path: str | Path,
    image: npt.NDArray[np.floating],
    grid: PixelGrid,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Write an image of optical density in grey with the outline in orange."""
    write_map_picture(path, image, grid, DENSITY, outlines)


def write_residual_picture(
    path: str | Path,
    residual: npt.NDArray[np.floating],
    grid: PixelGrid,
    outlines: Sequence[FloatArray] = (),
) -> None:
    """Write what the thickness maps leave of the optical density, RMS over the energies."""
    write_map_picture(path, residual, grid, RESIDUAL, outlines)


def draw_composition(
    axes: Axes,
    composition: CompositionMap,
    outlines: Sequence[FloatArray] = (),
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw the lithium content x of the trusted pixels.

    Args:
        axes: Where to draw.
        composition: The map; pixels that are not trusted are light grey.
        outlines: Closed curves in m, each of shape (n, 2).
        limits: Ends of the colour bar in x, e.g. the same for two wires; from the map where None.
    """
    reading = "as printed" if composition.reading == "as_printed" else "per formula unit"
    style = MapStyle(f"Li content $x$ ({reading})", "viridis", limits=limits)
    values = np.where(composition.trusted, composition.values, np.nan)
    draw_map(axes, values, composition.grid, style, outlines)


def write_composition_picture(
    path: str | Path,
    composition: CompositionMap,
    outlines: Sequence[FloatArray] = (),
    limits: tuple[float, float] | None = None,
) -> None:
    """Write a composition map as a picture; see `draw_composition` for the arguments."""
    figure, axes = create_plane_figure(get_extent(composition.grid))
    draw_composition(axes, composition, outlines, limits)
    save_figure(figure, path)


def check_shape(values: npt.NDArray[np.generic], grid: PixelGrid) -> None:
    """Refuse a map that does not fit its grid."""
    if values.shape != grid.shape:
        raise InputError(f"a map of shape {values.shape} on a grid of shape {grid.shape}")
