"""Create and write pages; draw scale bars and colour bars; choose colours and limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from chemomech.errors import InputError

Extent = tuple[float, float, float, float]
"""Left, right, bottom and top end of a plane, in nm."""

CATEGORY_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00"),
    *("#CC79A7", "#56B4E9", "#F0E442", "#000000"),
)
"""Okabe and Ito's colours, told apart by colour-blind readers too."""

DPI = 200
"""Pixels an inch."""

LETTERS = 8.0
"""Size of the letters, in points."""

MISSING = "0.87"
"""Grey of what has no value."""

_LONGEST_BAR = 0.3
_WIDE = 2.0
_LONGEST_SIDE = 4.6
_OUTLIERS = 0.5
_ROUND_OFF = 1e-6
_LEVELS = 256


def create_figure(width: float, height: float) -> Figure:
    """Create a white page of a size in inches."""
    figure = Figure((width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


@contextmanager
def open_chart(path: str | Path, width: float, height: float) -> Iterator[Axes]:
    """Open a page of a size in inches with one chart on it, written as PNG at the end."""
    figure = create_figure(width, height)
    yield figure.add_subplot()
    save_figure(figure, path)


@contextmanager
def open_plane(path: str | Path, extent: Extent) -> Iterator[Axes]:
    """Open a page of the shape of what is drawn on it, written as PNG at the end."""
    axes = _create_plane(extent)
    yield axes
    save_figure(get_page(axes), path)


def _create_plane(extent: Extent) -> Axes:
    """Create axes that fill a page of the shape of what is drawn on it."""
    across, upward = extent[1] - extent[0], extent[3] - extent[2]
    inches = _LONGEST_SIDE / max(across, upward)
    figure = create_figure(max(across * inches, 1.4), max(upward * inches, 1.4))
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def get_page(axes: Axes) -> Figure:
    """Return the figure that axes lie on."""
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, trimmed to what is drawn."""
    hide_offsets(figure)
    figure.savefig(path, format="png", bbox_inches="tight", pad_inches=0.06)


def read_pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    """Return a page as an RGB image, shape ``(height, width, 3)``."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def hide_offsets(figure: Figure) -> None:
    """Show plain values at the ticks of charts, without a constant to be added beside them."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, ScalarFormatter):
                formatter.set_useOffset(False)


def choose_scale(longest: float) -> float:
    """Choose the longest of 1, 2, 5 times a power of ten that does not exceed a positive length."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest))


def format_length(length_nm: float) -> str:
    """Write a length in nm with the unit people would use."""
    return f"{length_nm / 1000:g} µm" if length_nm >= 1000 else f"{length_nm:g} nm"


def prepare_plane(axes: Axes, extent: Extent) -> None:
    """Give axes equal scales in nm, the limits of a plane, and no frame."""
    axes.set_aspect("equal")
    axes.set(xlim=extent[:2], ylim=extent[2:])
    axes.set_axis_off()


def prepare_chart(axes: Axes) -> None:
    """Give a chart small ticks and a frame on the left and below only."""
    axes.tick_params(labelsize=LETTERS - 1, width=0.6, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)


def draw_scale_bar(axes: Axes) -> float:
    """Draw a scale bar of a round length below the left end of a plane in nm, its limits final.

    It lies on the paper, not on the picture, and is read on any background. Its length, which is
    returned in nm, is at most three tenths of the picture's longer side, and its width.
    """
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    length = choose_scale(min(_LONGEST_BAR * max(right - left, top - bottom), right - left))
    below = blended_transform_factory(axes.transData, axes.transAxes)
    for_bar, for_text = (
        below + ScaledTranslation(0.0, -points / 72.0, get_page(axes).dpi_scale_trans)
        for points in (6.0, 9.0)
    )
    ends = [left, left + length]
    axes.plot(
        *(ends, [0.0, 0.0]),
        transform=for_bar,
        color="black",
        linewidth=2.0,
        solid_capstyle="butt",
        clip_on=False,
        scalex=False,
        scaley=False,
        gid="scale bar",
    )
    text = format_length(length)
    axes.text(
        *(left, 0.0, text), transform=for_text, fontsize=LETTERS, va="top", gid="scale bar length"
    )
    return length


def draw_colour_bar(axes: Axes, mappable: ScalarMappable, label: str) -> None:
    """Draw a colour bar as long as the picture: on its right, or on top of a wide picture.

    The limits of the axes and of the mappable, which is what was drawn, are final. Arrows at the
    ends of the bar say that some values lie beyond.
    """
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    shape = (right - left) / (top - bottom)
    wide = shape > _WIDE
    if wide:
        place = axes.inset_axes((0.2, 1.08, 0.6, 0.05 * min(shape, 3.0)))
    else:
        place = axes.inset_axes((1.0 + 0.04 / min(shape, 1.0), 0.0, 0.05 / min(shape, 1.0), 1.0))
    bar = get_page(axes).colorbar(
        mappable,
        cax=place,
        orientation="horizontal" if wide else "vertical",
        ticklocation="top" if wide else "right",
        extend=_name_ends_exceeded(mappable),
    )
    finish_colour_bar(bar, label)


def finish_colour_bar(bar: Colorbar, label: str) -> None:
    """Label a colour bar, and give it small ticks and a thin frame."""
    bar.set_label(label, fontsize=LETTERS)
    choose_ticks(bar)
    bar.ax.tick_params(labelsize=LETTERS - 1, width=0.5, length=2.5)
    bar.outline.set_linewidth(0.5)


def choose_ticks(bar: Colorbar) -> None:
    """Give a colour bar a few round ticks that show their values, without offset or factor."""
    bar.locator = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    # Two digits more than what counts as round-off: no two ticks look the same.
    bar.formatter = StrMethodFormatter("{x:.8g}")
    bar.update_ticks()


def _name_ends_exceeded(mappable: ScalarMappable) -> str:
    shown = np.ma.masked_invalid(mappable.get_array()).compressed()
    low, high = mappable.get_clim()
    # One float apart is not beyond.
    slack = 1e-6 * (high - low)
    below, above = shown.min() < low - slack, shown.max() > high + slack
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def get_colours(name: str) -> Colormap:
    """Return a colour map by name; pixels without a value are light grey."""
    return colormaps[name].with_extremes(bad=MISSING)


def compute_limits(
    values: npt.NDArray[np.floating], symmetric: bool = False, least: float = 0.0
) -> tuple[float, float]:
    """Choose the ends of a colour bar for values, NaN where there is nothing.

    The outer half per cent at either end is left out, so that one hot pixel or the corner of a
    clamp does not take the contrast from the rest. Values that differ by no more than round-off,
    ``least``, get a bar so long that all of them have one colour. ``symmetric`` limits, for signed
    quantities on a diverging map, are centred on zero.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise InputError("there is nothing to draw: no value of the map is a finite number")
    low, high = (float(end) for end in np.percentile(finite, [_OUTLIERS, 100.0 - _OUTLIERS]))
    if symmetric:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    least = max(least, 1e-9, _ROUND_OFF * max(abs(low), abs(high)))
    if high - low > least:
        return low, high
    middle, half = (low + high) / 2, _LEVELS * least / 2
    # What cannot be negative, such as von Mises stress, has no bar that is.
    below = middle - half if symmetric or low < 0.0 else max(middle - half, 0.0)
    return below, middle + half
