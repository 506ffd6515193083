"""Draw fields as a paper would print them, with colour bar, scale and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.image import imsave
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import (
    DPI,
    choose_scale,
    choose_ticks,
    create_figure,
    format_length,
    read_pixels,
)
from chemomech.drawing.scene import Scene
from chemomech.drawing.styles import FieldStyle, format_time
from chemomech.materials.phases import Phase
from chemomech.output.context import Context
from chemomech.output.snapshot_grid import SnapshotGrid

_LARGEST = (1280, 960)
_LEFT, _TOP = 60, 90
_BAR_GAP, _BAR_WIDTH, _BAR_HEIGHT, _BAR_LABELS = 50, 36, 640, 190
_FLAT_BOTTOM, _SOLID_BOTTOM = 110, 250
_LEAST_WIDTH = 760
_LEAST_HEIGHT = 420
# Width of a letter of a phase's name, and the room between name and bar.
_LETTER, _NAME_GAP = 14, 30


class _Box(NamedTuple):
    """A rectangle of a picture, in pixels from its lower left corner."""

    left: int
    bottom: int
    width: int
    height: int


@dataclass(frozen=True)
class _Layout:
    """Positions of a picture's parts."""

    size: tuple[int, int]
    field: _Box
    bar: _Box
    scale: _Box


def _lay_out(field: tuple[int, int], dimension: int, phases: Sequence[Phase]) -> _Layout:
    width, height = field
    names = max((_LETTER * len(phase.name) + _NAME_GAP for phase in phases), default=0)
    gap = _BAR_GAP + names
    bottom = _FLAT_BOTTOM if dimension == 2 else _SOLID_BOTTOM
    beside = gap + _BAR_WIDTH + _BAR_LABELS
    inner_width = max(width, _LEAST_WIDTH - beside)
    inner_height = max(height, _LEAST_HEIGHT)
    across, upward = _LEFT + inner_width + beside, _TOP + inner_height + bottom
    # Video needs even sizes.
    size = (across + across % 2, upward + upward % 2)
    bar_height = min(inner_height, _BAR_HEIGHT)
    return _Layout(
        size=size,
        field=_Box(
            _LEFT + (inner_width - width) // 2, bottom + (inner_height - height) // 2, width, height
        ),
        bar=_Box(
            _LEFT + inner_width + gap,
            bottom + (inner_height - bar_height) // 2,
            _BAR_WIDTH,
            bar_height,
        ),
        scale=_Box(0, 0, size[0], bottom),
    )


class Renderer(Context):
    """Draw snapshots of one field on a mesh in nm, all with the same colours, size and scale.

    The limits are the ends of the colour bar, as shown; see `FieldStyle.compute_limits`.
    """

    def __init__(self, grid: SnapshotGrid, style: FieldStyle, limits: tuple[float, float]) -> None:
        self._style = style
        self._limits = limits
        self._scene = Scene(grid, style.colour_map, limits, _LARGEST)
        layout = _lay_out(self._scene.size, grid.dimension, style.phases)
        self._size = layout.size
        self._figure = create_figure(layout.size[0] / DPI, layout.size[1] / DPI)
        axes = self._add_axes(layout.field)
        axes.set_axis_off()
        width, height = self._scene.size
        blank = np.full((height, width, 3), 255, dtype=np.uint8)
        self._image = axes.imshow(blank, interpolation="none", aspect="auto")
        self._draw_bar(self._add_axes(layout.bar))
        self._time = self._figure.text(
            _LEFT / self._size[0], 1 - 45 / self._size[1], "", fontsize=10, va="center"
        )
        strip = self._add_axes(layout.scale)
        if grid.dimension == 2:
            _draw_scale_bar(strip, layout.field.left, self._scene.axes)
        else:
            _draw_triad(strip, self._scene.axes)

    def render(
        self, values: NDArray[np.floating], time_s: float | None = None
    ) -> NDArray[np.uint8]:
        """Draw stored nodal values of shape ``(vertices,)``, with a time in s above them or none.

        The RGB image of shape ``(height, width, 3)``, both even, has one size for all snapshots.
        """
        self._draw_field(values, time_s)
        return read_pixels(self._figure)

    def save_vector(
        self, path: str | Path, values: NDArray[np.floating], time_s: float | None = None
    ) -> None:
        """Write what `render` draws as ``.svg`` or ``.pdf``: only the field itself is an image."""
        self._draw_field(values, time_s)
        # Letters stay letters: they can be searched, and set in the font of the paper.
        with rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
            self._figure.savefig(path, format=Path(path).suffix.removeprefix("."))

    def close(self) -> None:
        """Release the scene's memory."""
        self._scene.close()

    def _draw_field(self, values: NDArray[np.floating], time_s: float | None) -> None:
        shown = np.asarray(values, dtype=np.float64) * self._style.factor
        self._image.set_data(self._scene.render(shown))
        self._time.set_text("" if time_s is None else f"$t$ = {format_time(time_s)}")

    def _add_axes(self, box: _Box) -> Axes:
        across, upward = self._size
        return self._figure.add_axes(
            (box.left / across, box.bottom / upward, box.width / across, box.height / upward)
        )

    def _draw_bar(self, axes: Axes) -> None:
        mappable = ScalarMappable(Normalize(*self._limits), self._style.colour_map)
        bar = self._figure.colorbar(mappable, cax=axes)
        bar.set_label(self._style.label, fontsize=9, labelpad=8)
        choose_ticks(bar)
        axes.tick_params(labelsize=8, width=0.6, length=3)
        bar.outline.set_linewidth(0.6)
        _name_phases(axes, self._style.phases)


def _name_phases(axes: Axes, phases: Sequence[Phase]) -> None:
    """Mark the window of each phase on the left of a colour bar, and name it there."""
    low, high = axes.get_ylim()
    beside = axes.get_yaxis_transform()
    for phase in phases:
        ends = np.clip((phase.lower, phase.upper), low, high)
        axes.plot(
            *([-0.3, -0.3], ends),
            transform=beside,
            color="black",
            linewidth=1.0,
            # A window of one composition is a dot.
            solid_capstyle="projecting",
            clip_on=False,
            scaley=False,
        )
        place = (-0.6, ends.mean(), phase.name)
        axes.text(*place, transform=beside, fontsize=8, ha="right", va="center")


def write_picture(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write an RGB image of shape ``(height, width, 3)`` as PNG, its resolution set for a page."""
    imsave(path, image, format="png", dpi=300)


def _prepare_strip(axes: Axes) -> None:
    """Give axes pixel coordinates and no frame."""
    box = axes.get_window_extent()
    axes.set(xlim=(0, box.width), ylim=(0, box.height))
    axes.set_axis_off()


def _draw_scale_bar(axes: Axes, left: float, projection: NDArray[np.float64]) -> None:
    _prepare_strip(axes)
    pixels = float(projection[0, 0])
    length = choose_scale(300 / pixels)
    end = left + length * pixels
    axes.plot([left, end], [66, 66], color="black", linewidth=2.5, solid_capstyle="butt")
    axes.text((left + end) / 2, 50, format_length(length), fontsize=9, ha="center", va="top")


def _draw_triad(axes: Axes, projection: NDArray[np.float64]) -> None:
    """Draw three edges of one round length: in this view each direction has the same scale."""
    _prepare_strip(axes)
    pixels = float(np.linalg.norm(projection, axis=1).max())
    length = choose_scale(120 / pixels)
    origin = np.array([_LEFT + 20.0, 100.0])
    for name, direction in zip("xyz", projection, strict=True):
        tip = origin + direction * length
        axes.plot(*zip(origin, tip, strict=True), color="black", linewidth=1.6)
        # A little beyond the tip.
        across, upward = tip + 18 * direction / pixels
        axes.text(across, upward, f"${name}$", fontsize=9, ha="center", va="center")
    axes.text(_LEFT + 180, 100, f"each {format_length(length)}", fontsize=9, va="center")
