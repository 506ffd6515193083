"""All pictures of a measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.drawing import image_pictures as images
from chemomech.drawing import spectra_charts as charts
from chemomech.drawing.cluster_pictures import write_cluster_map, write_component_images
from chemomech.errors import run_on_root
from chemomech.geometry.outline import Outline
from chemomech.imaging.clustering import Clusters
from chemomech.imaging.measurement import Measurement
from chemomech.output.folder import RunFolder


def draw_measurement(
    measurement: Measurement | None, outlines: Sequence[Outline], folder: RunFolder
) -> None:
    """Draw ``pictures/*.png`` of a measurement; collective.

    Args:
        measurement: What was measured; looked at on rank 0 alone.
        outlines: Outlines of the particles, in m; looked at on rank 0 alone.
        folder: Folder of the run.

    Raises:
        OSError: A picture cannot be written; on every rank.
    """
    folder.create_subfolder("pictures")

    def draw() -> list[str]:
        assert measurement is not None
        names = []
        for name, write in _list_pictures(measurement, get_curves(outlines)).items():
            names.append(f"pictures/{name}.png")
            write(folder.partial(names[-1]))
        return names

    for name in run_on_root(folder.comm, draw):
        folder.finish(name)


def get_curves(outlines: Sequence[Outline]) -> list[FloatArray]:
    """Return all closed curves of outlines, holes among them, in m."""
    return [curve for outline in outlines for curve in (outline.exterior, *outline.holes)]


def name_clusters(clusters: Clusters) -> list[str]:
    """Return the names of clusters as configurations number them."""
    return [f"cluster {number + 1}" for number in range(len(clusters.spectra))]


def _list_pictures(
    found: Measurement, curves: list[FloatArray]
) -> dict[str, Callable[[Path], None]]:
    grid, clusters = found.composition.grid, found.clusters
    components = found.decomposition
    names = name_clusters(clusters)
    pictures: dict[str, Callable[[Path], None]] = {
        "optical_density": lambda path: images.write_density_picture(
            path, found.density, grid, curves
        ),
        "scree": lambda path: charts.write_scree(path, components.scree, components.components),
        "components": lambda path: write_component_images(path, components.scores, grid),
        "component_spectra": lambda path: charts.write_cluster_spectra(
            path,
            found.energies,
            components.spectra,
            np.zeros_like(components.spectra),
            [f"component {number + 1}" for number in range(components.components)],
            label="Eigen-spectrum",
        ),
        "clusters": lambda path: write_cluster_map(path, clusters.labels, grid, names),
        "cluster_spectra": lambda path: charts.write_cluster_spectra(
            path, found.energies, clusters.spectra, clusters.spread, names
        ),
        "end_members": lambda path: charts.write_cluster_spectra(
            path,
            found.energies,
            found.end_members.spectra,
            np.zeros_like(found.end_members.spectra),
            list(found.end_members.names),
        ),
        "composition": lambda path: images.write_composition_picture(
            path, found.composition, curves
        ),
        "residual": lambda path: images.write_residual_picture(
            path, found.maps.residual, grid, curves
        ),
        "uncertainty": lambda path: images.write_map_picture(
            path,
            np.where(found.composition.trusted, found.composition.uncertainty, np.nan),
            grid,
            images.UNCERTAINTY,
            curves,
        ),
    }
    if found.thickness is not None:
        thickness = found.thickness
        pictures["thickness"] = lambda path: images.write_map_picture(
            path, thickness, grid, images.THICKNESS, curves
        )
    return pictures
