"""Final state as a surface that can be turned in a browser, thinned out where it is too large."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from matplotlib import colormaps
from matplotlib.colors import to_hex

from chemomech.analysis.measures import compute_vertex_volumes, split_into_simplices
from chemomech.analysis.results import FieldResults
from chemomech.arrays import FloatArray, IntArray
from chemomech.drawing.styles import FieldStyle, choose_style, format_time
from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.reporting.contents import View, ViewField

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
    surface = _create_surface(results.grid, most_points)
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


def _create_field(style: FieldStyle, values: FloatArray) -> ViewField:
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


def _create_figure(surface: _Surface, dimension: int) -> str:
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


@dataclass(frozen=True, eq=False)
class _Surface:
    """Triangles in space, shape (triangles, 3), between points in nm, shape (points, 3).

    Of each vertex of the whole mesh, owners name the point that it is part of, -1 for none, and
    weights its share in that.
    """

    points: FloatArray
    triangles: IntArray
    owners: IntArray
    weights: FloatArray

    def sample(self, values: FloatArray) -> FloatArray:
        """Average values at the vertices of the whole mesh over those each point stands for."""
        seen = self.owners >= 0
        owners, weights = self.owners[seen], self.weights[seen]
        count = len(self.points)
        total = np.bincount(owners, weights, minlength=count)
        means = np.bincount(owners, weights * values[seen], minlength=count) / total
        return np.asarray(means, dtype=np.float64)


def _create_surface(grid: SnapshotGrid, most: int) -> _Surface:
    """Find the part of a mesh (nm) that can be seen.

    Where there are more than ``most`` vertices, those that fall into one cell of a square lattice
    become one point; the lattice is chosen so that about as many are left.
    """
    triangles = _find_triangles(grid)
    seen = np.unique(triangles)
    groups = np.full(len(grid.points), -1, dtype=np.int64)
    whole = len(seen) <= most
    groups[seen] = np.arange(len(seen)) if whole else _group(grid.points, triangles, seen, most)
    weights = compute_vertex_volumes(grid) if grid.dimension == 2 else np.ones(len(grid.points))
    surface = _Surface(np.zeros((groups.max() + 1, 3)), groups[triangles], groups, weights)
    points = np.stack([surface.sample(axis) for axis in grid.points.T], axis=1)
    a, b, c = surface.triangles.T
    distinct = (a != b) & (b != c) & (c != a)
    return _Surface(points, surface.triangles[distinct], groups, weights)


def _find_triangles(grid: SnapshotGrid) -> IntArray:
    if grid.dimension == 2:
        return split_into_simplices(grid)
    # Here: what is flat need not wait for VTK.
    from chemomech.drawing.scene import create_pyvista_grid

    solid = create_pyvista_grid(grid)
    surface = solid.extract_surface(algorithm="dataset_surface", pass_pointid=True).triangulate()
    return np.asarray(surface["vtkOriginalPointIds"][surface.regular_faces], dtype=np.int64)


def _group(vertices: FloatArray, triangles: IntArray, seen: IntArray, most: int) -> IntArray:
    first, second = (vertices[triangles[:, k]] - vertices[triangles[:, 0]] for k in (1, 2))
    area = np.linalg.norm(np.cross(first, second), axis=1).sum() / 2
    # As if the surface were as evenly filled as its vertices are.
    size = float(np.sqrt(area / most))
    points = vertices[seen]
    places = np.floor((points - points.min(axis=0)) / size).astype(np.int64)
    _, groups = np.unique(places, axis=0, return_inverse=True)
    return np.asarray(groups.reshape(-1), dtype=np.int64)
