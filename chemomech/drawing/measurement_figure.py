"""Draw a measurement on one page, in the manner of the source paper's Figs 3 and 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from chemomech.arrays import FloatArray
from chemomech.drawing.cluster_pictures import draw_clusters, draw_component
from chemomech.drawing.figure_parts import create_figure, draw_scale_bar, save_figure
from chemomech.drawing.image_pictures import DENSITY, draw_composition, draw_map
from chemomech.drawing.spectra_charts import NamedSpectra, draw_scree, draw_spectra
from chemomech.drawing.stress_pictures import StressMap, draw_stress
from chemomech.imaging.composition_map import CompositionMap

_WIDTH, _HEIGHT = 10.0, 8.6
_EIGEN_IMAGES = 3


@dataclass(frozen=True, eq=False)
class PanelData:
    """Data of the panels.

    All maps, of shape (rows, columns), lie on the grid of the composition map; outlines are closed
    curves in m, shape (n, 2); stresses lie on a mesh in its frame, in nm. Variances are those of
    all components, the largest first, scores of the first ones, shape (k, rows, columns), NaN
    outside the mask; as many of them as ``used`` made the clusters. Labels are -1 outside. The
    second stress is a signed one: along the wire, or hydrostatic where there is no wire.
    """

    density: npt.NDArray[np.floating]
    outlines: Sequence[FloatArray]
    variances: FloatArray
    scores: FloatArray
    used: int
    labels: npt.NDArray[np.integer]
    clusters: NamedSpectra
    composition: CompositionMap
    von_mises: StressMap
    stress: StressMap


def write_panels(path: str | Path, data: PanelData) -> None:
    """Write the whole measurement as one PNG figure of seven panels.

    (A) optical density and outline, (B) scree plot above the first eigen-images, (C) map and (D)
    spectra of the clusters with the edges named, (E) composition, (F) von Mises stress with the
    mesh where its edges can be told apart, (G) stress along the wire.
    """
    figure = create_figure(_WIDTH, _HEIGHT)
    grid = figure.add_gridspec(
        3, 12, left=0.04, right=1.0, bottom=0.04, top=0.96, hspace=0.36, wspace=0.3
    )
    places = (
        *(grid[0, :4], grid[0, 4:8], grid[0, 8:], grid[1, :7], grid[1, 7:]),
        *(grid[2, :6], grid[2, 6:]),
    )
    for place, letter in zip(places, "ABCDEFG", strict=True):
        _write_letter(figure, place, letter)
    a, _, c, d, e, f, g = places
    pixels = data.composition.grid
    draw_map(_add_picture(figure, a), data.density, pixels, DENSITY, data.outlines)
    _draw_components(figure, grid[0, 5:8], data)
    draw_clusters(_add_picture(figure, c), data.labels, pixels, data.clusters.names)
    draw_spectra(_add_picture(figure, d), data.clusters)
    draw_composition(_add_picture(figure, e), data.composition, data.outlines)
    draw_stress(_add_picture(figure, f), data.von_mises, edges=True)
    draw_stress(_add_picture(figure, g), data.stress)
    save_figure(figure, path)


def _add_picture(figure: Figure, place: SubplotSpec) -> Axes:
    """Add axes with room for a colour bar or a legend on their right."""
    parts = place.subgridspec(1, 2, width_ratios=(1.0, 0.25), wspace=0.0)
    axes = figure.add_subplot(parts[0])
    axes.set_anchor("W")
    return axes


def _draw_components(figure: Figure, place: SubplotSpec, data: PanelData) -> None:
    """Draw the scree plot above the first eigen-images."""
    shown = data.scores[:_EIGEN_IMAGES]
    inner = place.subgridspec(2, len(shown), height_ratios=(1.1, 1.0), hspace=0.8, wspace=0.1)
    scree = figure.add_subplot(inner[0, :])
    draw_scree(scree, data.variances, data.used)
    for column, image in enumerate(shown):
        panel = figure.add_subplot(inner[1, column])
        draw_component(panel, image, data.composition.grid, column + 1)
        if column == 0:
            draw_scale_bar(panel)


def _write_letter(figure: Figure, place: SubplotSpec, letter: str) -> None:
    corner = place.get_position(figure)
    figure.text(
        corner.x0 - 0.03, corner.y1 + 0.026, letter, fontsize=12, fontweight="bold", gid="letter"
    )
