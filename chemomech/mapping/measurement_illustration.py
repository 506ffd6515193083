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


def get_spectra(found: Measurement) -> charts.NamedSpectra:
    """Return the spectra of the clusters, which are named as configurations number them."""
    clusters = found.clusters
    names = [f"cluster {number + 1}" for number in range(len(clusters.spectra))]
    return charts.NamedSpectra(found.energies, names, clusters.spectra, clusters.spread)


def _list_pictures(
    found: Measurement, curves: list[FloatArray]
) -> dict[str, Callable[[Path], None]]:
    grid, labels = found.composition.grid, found.clusters.labels
    components, spectra = found.decomposition, get_spectra(found)
    pictures: dict[str, Callable[[Path], None]] = {
        "optical_density": lambda path: images.write_map_picture(
            path, found.density, grid, images.DENSITY, curves
        ),
        "scree": lambda path: charts.write_scree(path, components.scree, components.components),
        "components": lambda path: write_component_images(path, components.scores, grid),
        "component_spectra": lambda path: charts.write_spectra(
            path,
            charts.NamedSpectra(
                found.energies,
                [f"component {number + 1}" for number in range(components.components)],
                components.spectra,
                label="Eigen-spectrum",
            ),
        ),
        "clusters": lambda path: write_cluster_map(path, labels, grid, spectra.names),
        "cluster_spectra": lambda path: charts.write_spectra(path, spectra),
        "end_members": lambda path: charts.write_spectra(
            path,
            charts.NamedSpectra(found.energies, found.end_members.names, found.end_members.spectra),
        ),
        "composition": lambda path: images.write_composition_picture(
            path, found.composition, curves
        ),
        "residual": lambda path: images.write_map_picture(
            path, found.maps.residual, grid, images.RESIDUAL, curves
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
