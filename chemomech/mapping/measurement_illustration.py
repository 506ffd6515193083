"""Draw all pictures of a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.drawing import image_pictures as images
from chemomech.drawing import spectra_charts as charts
from chemomech.drawing.cluster_pictures import write_cluster_map, write_component_images
from chemomech.geometry.outline import Outline
from chemomech.imaging.measurement import Measurement
from chemomech.output.folder import RunFolder, Writer


def draw_measurement(
    measurement: Measurement | None, outlines: Sequence[Outline], folder: RunFolder
) -> None:
    """Draw ``pictures/*.png`` of a measurement and its outlines (m); collective.

    Both are looked at on rank 0 alone.
    """

    def list_pictures() -> dict[str, Writer]:
        assert measurement is not None
        return _list_pictures(measurement, get_curves(outlines))

    folder.write_files(list_pictures)


def get_curves(outlines: Sequence[Outline]) -> list[FloatArray]:
    """Return all closed curves of outlines, holes among them, in m."""
    return [curve for outline in outlines for curve in (outline.exterior, *outline.holes)]


def get_spectra(found: Measurement) -> charts.NamedSpectra:
    """Return the spectra of the clusters, named as configurations number them."""
    clusters = found.clusters
    names = [f"cluster {number + 1}" for number in range(len(clusters.spectra))]
    return charts.NamedSpectra(found.energies, names, clusters.spectra, clusters.spread)


def _list_pictures(found: Measurement, curves: list[FloatArray]) -> dict[str, Writer]:
    composition, components, spectra = found.composition, found.decomposition, get_spectra(found)
    grid = composition.grid
    eigen_spectra = charts.NamedSpectra(
        found.energies,
        [f"component {number + 1}" for number in range(components.components)],
        components.spectra,
        label="Eigen-spectrum",
    )
    end_members = charts.NamedSpectra(
        found.energies, found.end_members.names, found.end_members.spectra
    )
    maps = [
        ("optical_density", found.density, images.DENSITY),
        ("residual", found.maps.residual, images.RESIDUAL),
        (
            "uncertainty",
            np.where(composition.trusted, composition.uncertainty, np.nan),
            images.UNCERTAINTY,
        ),
    ]
    if found.thickness is not None:
        maps.append(("thickness", found.thickness, images.THICKNESS))
    pictures: dict[str, Writer] = {
        name: partial(
            images.write_map_picture, values=values, grid=grid, style=style, outlines=curves
        )
        for name, values, style in maps
    }
    pictures |= {
        "scree": lambda path: charts.write_scree(path, components.scree, components.components),
        "components": lambda path: write_component_images(path, components.scores, grid),
        "component_spectra": lambda path: charts.write_spectra(path, eigen_spectra),
        "clusters": lambda path: write_cluster_map(
            path, found.clusters.labels, grid, spectra.names
        ),
        "cluster_spectra": lambda path: charts.write_spectra(path, spectra),
        "end_members": lambda path: charts.write_spectra(path, end_members),
        "composition": lambda path: images.write_composition_picture(path, composition, curves),
    }
    return {f"pictures/{name}.png": write for name, write in pictures.items()}
