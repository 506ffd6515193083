"""Draw a flat mesh and the stress on it, from plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PolyCollection
from matplotlib.tri import Triangulation

from chemomech.arrays import FloatArray
from chemomech.drawing.figure_parts import (
    MISSING,
    Extent,
    compute_limits,
    draw_colour_bar,
    draw_scale_bar,
    get_colours,
    get_page,
    open_plane,
    prepare_plane,
)
from chemomech.drawing.styles import STRESS_LABELS
from chemomech.errors import InputError
from chemomech.output.snapshot_grid import SnapshotGrid

_UNSIGNED = ("von_mises",)
_MARGIN = 0.02
_GIGA = 1e9
_MEGA = 1e6
# Points: closer lines would hide the colours.
_LEAST_EDGE = 2.0
# Pa.
_LEAST_STRESS = 1e3


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A flat mesh: vertices in nm, y upwards, (n, 2), and those of each triangle, (m, 3)."""

    points: FloatArray
    triangles: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        for name, width in (("points", 2), ("triangles", 3)):
            shape = getattr(self, name).shape
            if len(shape) != 2 or shape[1] != width or shape[0] == 0:
                raise InputError(f"{name} need shape (n, {width}) with n > 0, got {shape}")
        if self.triangles.min() < 0 or self.triangles.max() >= len(self.points):
            raise InputError(f"a triangle names a vertex that is none of {len(self.points)}")

    @classmethod
    def from_grid(cls, grid: SnapshotGrid) -> TriangleMesh:
        """Create the flat mesh that `Gatherer` brought to rank 0; quadrilaterals are halved."""
        if grid.dimension != 2:
            raise InputError(f"a mesh of {grid.cell_name} cells is not flat; cut it by a plane")
        cells = grid.cells
        halves = [cells] if cells.shape[1] == 3 else [cells[:, [0, 1, 2]], cells[:, [0, 2, 3]]]
        return cls(grid.points[:, :2], np.concatenate(halves))

    @property
    def extent(self) -> Extent:
        """Left, right, bottom and top end with a narrow margin, in nm."""
        (left, bottom), (right, top) = self.points.min(axis=0), self.points.max(axis=0)
        margin = _MARGIN * max(right - left, top - bottom)
        return left - margin, right + margin, bottom - margin, top + margin

    @property
    def boundary(self) -> npt.NDArray[np.int64]:
        """Edges that belong to one triangle only, shape (k, 2)."""
        edges, counts = self._count_edges()
        return edges[counts == 1]

    @property
    def edge_length(self) -> float:
        """Mean length of an edge, in nm."""
        ends = self.points[self._count_edges()[0]]
        return float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).mean())

    def _count_edges(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        pairs = np.sort(self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, counts = np.unique(pairs, axis=0, return_counts=True)
        return edges, counts


def cut_half_way(grid: SnapshotGrid, values: FloatArray) -> tuple[TriangleMesh, FloatArray]:
    """Cut a solid mesh (nm) half way between its lowest and highest z; interpolate vertex values.

    The cut is a flat mesh with a value at each of its vertices.
    """
    # Imported here, for VTK may be absent or lack a system library on a cluster's nodes.
    from chemomech.drawing.scene import create_pyvista_grid

    if grid.dimension != 3:
        raise InputError(f"a mesh of {grid.cell_name} cells is flat and needs no cut")
    z = grid.points[:, 2]
    height = float(z.min() + z.max()) / 2
    solid = create_pyvista_grid(grid, {"values": np.asarray(values, dtype=np.float64)})
    cut = solid.slice(normal="z", origin=(0.0, 0.0, height)).triangulate()
    triangles = np.asarray(cut.faces).reshape(-1, 4)[:, 1:].astype(np.int64)
    mesh = TriangleMesh(np.asarray(cut.points, dtype=np.float64)[:, :2], triangles)
    return mesh, np.asarray(cut.point_data["values"], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class StressMap:
    """One stress, by a name of `STRESS_LABELS`, on a flat mesh.

    Values at the vertices, shape (n,), are in Pa, tension positive, NaN where they are not
    meaningful, e.g. near the tips (light grey).
    """

    mesh: TriangleMesh
    name: str
    values: FloatArray

    def __post_init__(self) -> None:
        if self.name not in STRESS_LABELS:
            known = ", ".join(STRESS_LABELS)
            raise InputError(f"there is no stress called {self.name!r}; there are {known}")
        count = len(self.mesh.points)
        if self.values.shape != (count,):
            raise InputError(f"{self.name} of shape {self.values.shape} for {count} points")


def write_mesh_picture(path: str | Path, mesh: TriangleMesh) -> None:
    """Write the edges of a mesh as a picture, with a scale bar."""
    with open_plane(path, mesh.extent) as axes:
        prepare_plane(axes, mesh.extent)
        points = mesh.points
        axes.triplot(points[:, 0], points[:, 1], mesh.triangles, color="#0072B2", linewidth=0.35)
        _draw_boundary(axes, mesh)
        draw_scale_bar(axes)


def draw_stress(axes: Axes, stress: StressMap, *, edges: bool = False) -> None:
    """Draw a stress in MPa (GPa from 1 GPa on) with scale bar and colour bar.

    Signed stresses are red in tension and blue in compression, on limits symmetric about zero; von
    Mises stress starts from zero. The colour bar leaves out the outer half per cent of the values
    and says so by arrows. Edges of the mesh, if wanted, are drawn where they are two points long or
    more.
    """
    signed = stress.name not in _UNSIGNED
    low, high = compute_limits(stress.values, symmetric=signed)
    # What rounding leaves of no stress is not a pattern.
    low, high = min(low, -_LEAST_STRESS) if signed else 0.0, max(high, _LEAST_STRESS)
    unit, name = (_GIGA, "GPa") if max(abs(low), abs(high)) >= _GIGA else (_MEGA, "MPa")
    mesh = stress.mesh
    prepare_plane(axes, mesh.extent)
    mappable = _colour_triangles(axes, stress, unit)
    mappable.set(cmap=get_colours("RdBu_r" if signed else "magma"))
    mappable.set_clim(low / unit, high / unit)
    if edges and mesh.edge_length >= _LEAST_EDGE * _measure_point(axes):
        points = mesh.points
        axes.triplot(points[:, 0], points[:, 1], mesh.triangles, color="0.5", linewidth=0.2)
    _draw_boundary(axes, mesh)
    draw_scale_bar(axes)
    draw_colour_bar(axes, mappable, f"{STRESS_LABELS[stress.name]} ({name})")


def write_stress_picture(path: str | Path, stress: StressMap) -> None:
    """Write a stress as a picture; see `draw_stress` for the arguments and errors."""
    with open_plane(path, stress.mesh.extent) as axes:
        draw_stress(axes, stress)


def _colour_triangles(axes: Axes, stress: StressMap, unit: float) -> Collection:
    """Draw triangles with a value in colour, the others light grey."""
    mesh, shown = stress.mesh, stress.values / unit
    known = np.isfinite(shown[mesh.triangles].sum(axis=1))
    if not known.any():
        raise InputError("there is nothing to draw: no triangle has a stress at all its corners")
    axes.add_collection(
        PolyCollection(mesh.points[mesh.triangles[~known]], facecolors=MISSING, edgecolors="face"),
        autolim=False,
    )
    drawn = Triangulation(mesh.points[:, 0], mesh.points[:, 1], mesh.triangles[known])
    # Corners of no triangle drawn may be NaN, which the colour bar must not see.
    return axes.tripcolor(drawn, np.ma.masked_invalid(shown), shading="gouraud")


def _draw_boundary(axes: Axes, mesh: TriangleMesh) -> None:
    lines = LineCollection(
        list(mesh.points[mesh.boundary]), colors="0.15", linewidths=0.7, gid="outline"
    )
    axes.add_collection(lines, autolim=False)


def _measure_point(axes: Axes) -> float:
    """Measure a point of the paper, in nm."""
    figure = get_page(axes)
    figure.canvas.draw()
    left, right = axes.get_xlim()
    return (right - left) / (axes.get_window_extent().width * 72.0 / figure.dpi)
