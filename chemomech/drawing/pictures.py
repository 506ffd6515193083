"""Pictures of fields as a paper would print them: colour bar, scale and time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

from chemomech.drawing import figure_parts
from chemomech.drawing.figure_parts import choose_scale, choose_ticks, format_length
from chemomech.drawing.scene import Scene
from chemomech.output.snapshot_grid import SnapshotGrid

_DPI = 200
_LARGEST = (1280, 960)
_LEFT, _TOP = 60, 90
_BAR_GAP, _BAR_WIDTH, _BAR_HEIGHT, _BAR_LABELS = 50, 36, 640, 190
_FLAT_BOTTOM, _SOLID_BOTTOM = 110, 250
_LEAST_WIDTH = 760
_LEAST_HEIGHT = 420


@dataclass(frozen=True)
class FieldStyle:
    """Style of a field.

    Args:
        label: What the colour bar says, in matplotlib's text (mathematics between dollar signs).
        colour_map: Name of a matplotlib colour map.
        factor: Shown value over stored value, e.g. 1e-9 for Pa shown in GPa.
        limits: Ends of the colour bar, as shown; from the values where None.
        symmetric: Centre the limits on zero, for signed fields on a diverging map.
        least: Difference of values, as shown, that counts as round-off: a kPa, a millionth of RT.
    """

    label: str
    colour_map: str
    factor: float = 1.0
    limits: tuple[float, float] | None = None
    symmetric: bool = False
    least: float = 0.0


STYLES = MappingProxyType(
    {
        "composition": FieldStyle(r"Li composition $c$", "viridis", limits=(0.0, 1.0)),
        "von_mises": FieldStyle("von Mises stress (GPa)", "magma", 1e-9, least=1e-6),
        "hydrostatic": FieldStyle(
            "Hydrostatic stress (GPa)", "RdBu_r", 1e-9, symmetric=True, least=1e-6
        ),
        "stress_along": FieldStyle(
            r"Stress along the wire $\sigma_{tt}$ (GPa)", "RdBu_r", 1e-9, symmetric=True, least=1e-6
        ),
        "chemical_potential": FieldStyle(
            "Chemical potential (kJ/mol)", "cividis", 1e-3, least=1e-5
        ),
    }
)
"""How the fields of a run are shown, by name; stresses come in Pa, potentials in J/mol."""


def compute_limits(style: FieldStyle, *values: NDArray[np.floating]) -> tuple[float, float]:
    """Choose the ends of a colour bar for one or more snapshots.

    The outer half per cent at either end is left out, so that the corner of a clamp does not take
    the contrast from the rest.

    Args:
        style: How the field is shown; its own limits come first.
        values: Stored nodal values of the snapshots.

    Returns:
        Lower and upper end, as shown.
    """
    if style.limits is not None:
        return style.limits
    shown = np.concatenate([np.ravel(array) for array in values]) * style.factor
    return figure_parts.compute_limits(shown, style.symmetric, style.least)


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


def _lay_out(field: tuple[int, int], dimension: int) -> _Layout:
    width, height = field
    bottom = _FLAT_BOTTOM if dimension == 2 else _SOLID_BOTTOM
    beside = _BAR_GAP + _BAR_WIDTH + _BAR_LABELS
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
            _LEFT + inner_width + _BAR_GAP,
            bottom + (inner_height - bar_height) // 2,
            _BAR_WIDTH,
            bar_height,
        ),
        scale=_Box(0, 0, size[0], bottom),
    )


class Renderer:
    """Draw snapshots of one field, all with the same colours, size and scale.

    Args:
        grid: The whole mesh, in nanometres.
        style: How the field is shown.
        limits: Ends of the colour bar, as shown; see `compute_limits`.

    Raises:
        RenderingError: This machine cannot draw.
    """

    def __init__(self, grid: SnapshotGrid, style: FieldStyle, limits: tuple[float, float]) -> None:
        self._style = style
        self._limits = limits
        self._scene = Scene(grid, style.colour_map, limits, _LARGEST)
        layout = _lay_out(self._scene.size, grid.dimension)
        self._size = layout.size
        self._figure = Figure(
            figsize=(layout.size[0] / _DPI, layout.size[1] / _DPI), dpi=_DPI, facecolor="white"
        )
        self._canvas = FigureCanvasAgg(self._figure)
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
        """Draw one snapshot.

        Args:
            values: Stored nodal values, shape ``(vertices,)``.
            time_s: Time written above the field, in seconds; none where None.

        Returns:
            RGB image of even width and height, shape ``(height, width, 3)``; the same for all
            snapshots of one renderer.
        """
        self._draw_field(values, time_s)
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[:, :, :3].copy()

    def save_vector(
        self, path: str | Path, values: NDArray[np.floating], time_s: float | None = None
    ) -> None:
        """Write one snapshot as ``.svg`` or ``.pdf``: letters and bars as lines, the field inside.

        Args:
            path: File to write; its suffix names the format.
            values: Stored nodal values, shape ``(vertices,)``.
            time_s: Time written above the field, in seconds; none where None.
        """
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


def write_picture(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write an image as PNG, its resolution set for a page.

    Args:
        path: File to write.
        image: RGB image, shape ``(height, width, 3)``.
    """
    imsave(path, image, format="png", dpi=300)


def format_time(time_s: float) -> str:
    """Write a time with the unit a reader expects, to three digits.

    Args:
        time_s: Time in seconds.
    """
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if time_s >= size:
            return f"{time_s / size:#.3g} {unit}".replace(". ", " ")
    return "0 s" if time_s == 0 else f"{time_s / 1e-6:#.3g} µs".replace(". ", " ")


def _prepare_strip(axes: Axes) -> tuple[float, float]:
    """Give axes pixel coordinates and no frame; return their width and height."""
    box = axes.get_window_extent()
    axes.set(xlim=(0, box.width), ylim=(0, box.height))
    axes.set_axis_off()
    return box.width, box.height


def _draw_scale_bar(axes: Axes, left: float, projection: NDArray[np.float64]) -> None:
    _prepare_strip(axes)
    pixels = float(projection[0, 0])
    length = choose_scale(300 / pixels)
    end = left + length * pixels
    axes.plot([left, end], [66, 66], color="black", linewidth=2.5, solid_capstyle="butt")
    axes.text((left + end) / 2, 50, format_length(length), fontsize=9, ha="center", va="top")


def _draw_triad(axes: Axes, projection: NDArray[np.float64]) -> None:
    """Three edges of one round length: in this view each direction has the same scale."""
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
