"""Render meshes and nodal values with PyVista, without a display."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chemomech.errors import ChemoMechError, describe_foreign_error
from chemomech.output.context import Context
from chemomech.output.snapshot_grid import SnapshotGrid

# VTK looks for an X server first, and complains where there is none, unless told to draw in memory.
if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import pyvista
from vtkmodules.vtkCommonCore import vtkVersion

pyvista.OFF_SCREEN = True

_MARGIN = 0.012
_ISOMETRIC = np.array([1.0, -1.0, 1.0]) / np.sqrt(3.0)
_FROM_ABOVE = np.array([0.0, 0.0, 1.0])


class RenderingError(ChemoMechError):
    """Pictures cannot be drawn on this machine."""


class Scene(Context):
    """A mesh seen in parallel projection, filling its picture.

    Flat meshes are seen from above, solid ones isometrically with z upwards. The limits are the
    values at the ends of the matplotlib colour map; no picture is larger, in pixels, than
    ``largest``.

    Attributes:
        size: Width and height of the picture, in pixels.
        axes: Projection of one mesh unit along x, y and z, in pixels right and up, shape ``(3,
            2)``.
    """

    def __init__(
        self,
        grid: SnapshotGrid,
        colour_map: str,
        limits: tuple[float, float],
        largest: tuple[int, int],
    ) -> None:
        _require_display()
        flat = grid.dimension == 2
        towards = _FROM_ABOVE if flat else _ISOMETRIC
        right = np.array([1.0, 0.0, 0.0]) if flat else np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)
        up = np.cross(towards, right)
        frame = np.column_stack([right, up])
        seen = grid.points @ frame
        low, high = seen.min(axis=0), seen.max(axis=0)
        extent = (high - low) + 2 * _MARGIN * (high - low).max()
        pixels = float(np.min(np.array(largest) / extent))
        self.size = (max(round(extent[0] * pixels), 2), max(round(extent[1] * pixels), 2))
        self.axes = frame * pixels
        self._plotter = pyvista.Plotter(off_screen=True, window_size=list(self.size), lighting=None)
        self._plotter.set_background("white")
        self._surface, self._origin = _create_surface(grid)
        self._add_surface(colour_map, limits)
        middle = frame @ ((low + high) / 2) + towards * (grid.points @ towards).mean()
        distance = 2 * float(np.ptp(grid.points, axis=0).max())
        camera = self._plotter.camera
        camera.position = tuple(middle + towards * distance)
        camera.focal_point = tuple(middle)
        camera.up = tuple(up)
        camera.parallel_projection = True
        camera.parallel_scale = self.size[1] / (2 * pixels)
        self._plotter.reset_camera_clipping_range()
        self._plotter.enable_anti_aliasing("ssaa")

    def render(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Draw one value a vertex of the grid as an RGB image, shape ``(height, width, 3)``."""
        self._surface.point_data["values"] = np.asarray(values, dtype=np.float64)[self._origin]
        self._plotter.render()
        try:
            image = self._plotter.screenshot(return_img=True)
        except RuntimeError as error:
            raise RenderingError(f"VTK could not draw: {describe_foreign_error(error)}") from error
        return np.asarray(image, dtype=np.uint8)[:, :, :3]

    def close(self) -> None:
        """Release VTK's memory."""
        self._plotter.close()

    def _add_surface(self, colour_map: str, limits: tuple[float, float]) -> None:
        self._surface.point_data["values"] = np.zeros(self._surface.n_points)
        self._plotter.add_mesh(
            self._surface,
            scalars="values",
            cmap=colour_map,
            clim=list(limits),
            show_scalar_bar=False,
            # Shading would change the colours that the colour bar explains; edges show the shape.
            lighting=False,
        )
        edges = self._surface.extract_feature_edges(
            feature_angle=40, boundary_edges=True, manifold_edges=False, non_manifold_edges=False
        )
        if edges.n_points:
            self._plotter.add_mesh(edges, color="#303030", line_width=1.5, lighting=False)


def create_pyvista_grid(
    grid: SnapshotGrid, fields: Mapping[str, NDArray[Any] | None] = MappingProxyType({})
) -> pyvista.UnstructuredGrid:
    """Create PyVista's form of a mesh, with values at its vertices by name."""
    cells = np.column_stack([np.full(len(grid.cells), grid.cells.shape[1]), grid.cells])
    types = np.full(len(grid.cells), grid.vtk_type, dtype=np.uint8)
    created = pyvista.UnstructuredGrid(cells.ravel(), types, grid.points)
    created.point_data.update(fields)
    return created


def _create_surface(grid: SnapshotGrid) -> tuple[pyvista.PolyData, NDArray[np.int64]]:
    """Create the visible surface of a mesh, and the grid's vertex behind each of its points."""
    solid = create_pyvista_grid(grid, {"origin": np.arange(len(grid.points))})
    surface = solid.extract_surface(algorithm="dataset_surface")
    return surface, np.asarray(surface.point_data["origin"], dtype=np.int64)


def _require_display() -> None:
    version = (vtkVersion.GetVTKMajorVersion(), vtkVersion.GetVTKMinorVersion())
    if version < (9, 4) and sys.platform == "linux" and not os.environ.get("DISPLAY"):
        raise RenderingError(
            f"VTK {version[0]}.{version[1]} needs a display to draw; "
            "install VTK 9.5 or later, or start a virtual display (xvfb-run)"
        )
