"""Final state as a surface that can be turned in a browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from chemomech.analysis.results import FieldResults
from chemomech.drawing.styles import FieldStyle, choose_style, format_time
from chemomech.reporting.contents import View, ViewField
from chemomech.reporting.surface import Surface, create_surface

MOST_POINTS = 40_000
"""A surface with more points than this is thinned out."""

_COLOURS = 24
#: Length of the longest side in Plotly's unit: as large as leaves room for the axes.
_FILLING = 1.7
#: Shown first, as far as they are there.
_FIRST = ("composition", "von_mises", "hydrostatic", "stress_along", "chemical_potential")


def create_view(
    results: FieldResults,
    name: str = "",
    most_points: int = MOST_POINTS,
    wanted: Sequence[str] | None = None,
) -> View:
    """Create the view of the last snapshot, with a choice of its scalar fields.

    The name tells it from other views of the same page. A surface with more than ``most_points`` is
    thinned out. Fields are those wanted, as far as they are there; all where None.
    """
    surface = create_surface(results.grid, most_points)
    shown = [each for each in results.field_names if wanted is None or each in wanted]
    values = {each: results.read(each) for each in _order(shown)}
    fields = [
        _create_field(choose_style(each), surface.sample(field))
        for each, field in values.items()
        if field.ndim == 1
    ]
    seen = int((surface.owners >= 0).sum())
    at = f" at {format_time(float(results.times[-1]))}" if len(results.times) > 1 else ""
    thinned = (
        f" Thinned out from {seen} to {len(surface.points)} points: means over about "
        f"{seen / len(surface.points):.0f} vertices each."
        if seen > len(surface.points)
        else ""
    )
    caption = f"The end state{at}. Drag to turn, scroll to zoom, choose a field.{thinned}"
    return View(caption, _create_figure(surface, results.grid.dimension), fields, name)


def _order(names: Sequence[str]) -> list[str]:
    first = [name for name in _FIRST if name in names]
    return first + [name for name in names if name not in first]


def _create_field(style: FieldStyle, values: NDArray[np.float64]) -> ViewField:
    low, high = style.compute_limits(values)
    shown = np.asarray(values * style.factor, dtype="<f4")
    places = np.linspace(0.0, 1.0, _COLOURS)
    colours = [to_hex(colour) for colour in colormaps[style.colour_map](places)]
    return ViewField(
        # Plotly knows no mathematics between dollar signs.
        re.sub(r"\s*\$[^$]*\$", "", style.label),
        base64.b64encode(shown.tobytes()).decode("ascii"),
        [(float(place), colour) for place, colour in zip(places, colours, strict=True)],
        low,
        high,
    )


def _create_figure(surface: Surface, dimension: int) -> str:
    x, y, z = np.asarray(surface.points.T, dtype=np.float32)
    i, j, k = np.asarray(surface.triangles.T, dtype=np.int32)
    mesh = go.Mesh3d(
        x=x, y=y, z=z, i=i, j=j, k=k,
        # The colours that the bar explains, without shades.
        lighting={"ambient": 1.0, "diffuse": 0.0, "specular": 0.0, "fresnel": 0.0},
        colorbar={"len": 0.8, "title": {"side": "right"}},
        hovertemplate="x %{x:.1f} nm<br>y %{y:.1f} nm<br>z %{z:.1f} nm<br>%{intensity:.4g}"
        "<extra></extra>",
    )  # fmt: skip
    flat = dimension == 2
    # Plotly's own choice of shape magnifies what has no height beyond all bounds.
    middle = (surface.points.max(axis=0) + surface.points.min(axis=0)) / 2
    extent = np.maximum(np.ptp(surface.points, axis=0), 0.02 * np.ptp(surface.points))
    ranges = [[float(m - e / 2), float(m + e / 2)] for m, e in zip(middle, extent, strict=True)]
    shape = dict(zip("xyz", (_FILLING * extent / extent.max()).tolist(), strict=True))
    axis = {"showbackground": False, "zeroline": False, "gridcolor": "#e5e5e5"}
    figure = go.Figure(mesh)
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        height=560,
        scene={
            "aspectmode": "manual",
            "aspectratio": shape,
            "xaxis": {**axis, "title": "x (nm)", "range": ranges[0]},
            "yaxis": {**axis, "title": "y (nm)", "range": ranges[1]},
            "zaxis": {**axis, "title": "z (nm)", "range": ranges[2], "visible": not flat},
            "camera": {
                "projection": {"type": "orthographic"},
                "eye": {"x": 0, "y": 0, "z": 2} if flat else {"x": 1.2, "y": -1.2, "z": 1.2},
                "up": {"x": 0, "y": 1, "z": 0} if flat else {"x": 0, "y": 0, "z": 1},
            },
        },
    )
    return str(figure.to_json())
