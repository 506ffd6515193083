"""All pictures of a stress map, and the figure that shows the way to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from chemomech.drawing import stress_pictures as pictures
from chemomech.drawing.cross_section import cut_half_way
from chemomech.drawing.image_pictures import write_composition_picture
from chemomech.drawing.measurement_figure import PanelData, write_panels
from chemomech.drawing.stress_charts import PercentileBand, write_bands_chart
from chemomech.errors import run_on_root
from chemomech.imaging.measurement import Measurement
from chemomech.mapping.measurement_illustration import get_curves, get_spectra
from chemomech.mapping.stress_source import ImagedParticle
from chemomech.output.folder import RunFolder
from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.output.snapshots import Gatherer
from chemomech.problems.stress_statistics import StressBands

Values = dict[str, NDArray[np.float64]]

_SHOWN_BANDS = ("von_mises", "stress_along")


def draw_stress(
    folder: RunFolder,
    fields: Sequence[fem.Function],
    particle: ImagedParticle | None,
    measurement: Measurement | None,
    bands: StressBands | None,
) -> None:
    """Draw ``pictures/*.png`` and, after a measurement, ``figure.png``; collective.

    Particles with a thickness are shown cut half way.

    Args:
        folder: Folder of the run.
        fields: Stresses at the vertices; those of `STRESS_LABELS` are drawn.
        particle: The particle, if it comes from an image.
        measurement: What was measured; looked at on rank 0 alone.
        bands: Spread of the stress over samples, if there were any.

    Raises:
        OSError: A picture cannot be written; on every rank.
    """
    folder.create_subfolder("pictures")
    scalars = [field for field in fields if field.name in pictures.STRESS_LABELS]
    gatherer = Gatherer(fields[0].function_space.mesh)
    gathered = [gatherer.gather(field) for field in scalars]

    def draw() -> list[str]:
        assert gatherer.grid is not None
        values = {f.name: v for f, v in zip(scalars, gathered, strict=True) if v is not None}
        maps = _create_maps(gatherer.grid, values)
        written = _draw_maps(folder, maps)
        if particle is not None:
            written.append("pictures/composition.png")
            curves = get_curves([particle.outline])
            write_composition_picture(folder.partial(written[-1]), particle.composition, curves)
        if measurement is not None and particle is not None:
            written.append("figure.png")
            write_panels(folder.partial(written[-1]), _fill_panels(measurement, particle, maps))
        if bands is not None:
            written.append("pictures/percentiles.png")
            write_bands_chart(folder.partial(written[-1]), _list_bands(bands))
        return written

    for name in run_on_root(folder.comm, draw):
        folder.finish(name)


def _create_maps(grid: SnapshotGrid, values: Values) -> dict[str, pictures.StressMap]:
    maps = {}
    for name, each in values.items():
        if grid.dimension == 3:
            mesh, shown = cut_half_way(grid, each)
        else:
            mesh, shown = pictures.TriangleMesh.from_grid(grid), each
        maps[name] = pictures.StressMap(mesh, name, shown)
    return maps


def _draw_maps(folder: RunFolder, maps: dict[str, pictures.StressMap]) -> list[str]:
    written = ["pictures/mesh.png"]
    pictures.write_mesh_picture(folder.partial(written[0]), maps["von_mises"].mesh)
    for name, stress in maps.items():
        written.append(f"pictures/{name}.png")
        pictures.write_stress_picture(folder.partial(written[-1]), stress)
    return written


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
    """Percentiles of the whole particle, of the stresses shown."""
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
            label = pictures.STRESS_LABELS[stress]
            found.append(PercentileBand(label, levels, mean, low, high))
    return found
