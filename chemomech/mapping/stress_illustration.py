"""Draw all pictures of a stress map, and the figure that shows the way to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from chemomech.drawing import stress_pictures as pictures
from chemomech.drawing.image_pictures import write_composition_picture
from chemomech.drawing.measurement_figure import PanelData, write_panels
from chemomech.drawing.stress_charts import PercentileBand, write_bands_chart
from chemomech.drawing.stress_pictures import cut_half_way
from chemomech.drawing.styles import STRESS_LABELS
from chemomech.imaging.measurement import Measurement
from chemomech.mapping.measurement_illustration import get_curves, get_spectra
from chemomech.mapping.stress_source import ImagedParticle
from chemomech.output.folder import RunFolder, Writer
from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.output.snapshots import Gatherer
from chemomech.problems.stress_statistics import StressBands

_Values = dict[str, NDArray[np.float64]]

_SHOWN_BANDS = ("von_mises", "stress_along")


def draw_stress(
    folder: RunFolder,
    fields: Sequence[fem.Function],
    particle: ImagedParticle | None,
    measurement: Measurement | None,
    bands: StressBands | None,
) -> None:
    """Draw ``pictures/*.png`` and, after a measurement, ``figure.png``; collective.

    Of the fields at the vertices those of `STRESS_LABELS` are drawn, of particles with a thickness
    half way. The particle is None without an image; the measurement is looked at on rank 0 alone;
    the bands are the spread of the stress over samples.
    """
    scalars = [field for field in fields if field.name in STRESS_LABELS]
    gatherer = Gatherer(fields[0].function_space.mesh)
    gathered = [gatherer.gather(field) for field in scalars]

    def list_pictures() -> dict[str, Writer]:
        assert gatherer.grid is not None
        values = {f.name: v for f, v in zip(scalars, gathered, strict=True) if v is not None}
        maps = _create_maps(gatherer.grid, values)
        writers: dict[str, Writer] = {
            f"pictures/{name}.png": partial(pictures.write_stress_picture, stress=stress)
            for name, stress in maps.items()
        }
        mesh = maps["von_mises"].mesh
        writers["pictures/mesh.png"] = partial(pictures.write_mesh_picture, mesh=mesh)
        if particle is not None:
            writers["pictures/composition.png"] = partial(
                write_composition_picture,
                composition=particle.composition,
                outlines=get_curves([particle.outline]),
            )
        if measurement is not None and particle is not None:
            panels = _fill_panels(measurement, particle, maps)
            writers["figure.png"] = partial(write_panels, data=panels)
        if bands is not None:
            shown = _list_bands(bands)
            writers["pictures/percentiles.png"] = partial(write_bands_chart, bands=shown)
        return writers

    folder.write_files(list_pictures)


def _create_maps(grid: SnapshotGrid, values: _Values) -> dict[str, pictures.StressMap]:
    maps = {}
    for name, each in values.items():
        if grid.dimension == 3:
            mesh, shown = cut_half_way(grid, each)
        else:
            mesh, shown = pictures.TriangleMesh.from_grid(grid), each
        maps[name] = pictures.StressMap(mesh, name, shown)
    return maps


def _fill_panels(
    found: Measurement, particle: ImagedParticle, maps: dict[str, pictures.StressMap]
) -> PanelData:
    return PanelData(
        density=found.density,
        outlines=get_curves([particle.outline]),
        variances=found.decomposition.scree,
        scores=found.decomposition.scores,
        used=found.decomposition.components,
        labels=found.clusters.labels,
        clusters=get_spectra(found),
        composition=particle.composition,
        von_mises=maps["von_mises"],
        stress=maps["stress_along"],
    )


def _list_bands(bands: StressBands) -> list[PercentileBand]:
    """List the whole particle's percentiles of the stresses shown."""
    found = []
    for stress in _SHOWN_BANDS:
        rows = [
            row
            for row in bands.rows
            if (row.stress, row.region) == (stress, "all") and row.statistic[0] == "p"
        ]
        if rows:
            levels, mean, low, high = np.array(
                [(float(r.statistic[1:]), r.mean, r.low, r.high) for r in rows]
            ).T
            label = STRESS_LABELS[stress]
            found.append(PercentileBand(label, levels, mean, low, high))
    return found
