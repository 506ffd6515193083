"""Read the particle of a stress map and its composition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI

from chemomech import config as cfg
from chemomech.arrays import FloatArray
from chemomech.config.stress import ParticleOutlineConfig
from chemomech.errors import InputError, naming, run_on_root
from chemomech.geometry.files import geojson as geojson_files
from chemomech.geometry.files.geojson import read_outline_geojson
from chemomech.geometry.files.images import read_outline_image
from chemomech.geometry.outline import Outline
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.image_files import read_map, read_mask
from chemomech.imaging.measurement import Measurement, read_measurement

OUTLINES = "outlines.geojson"
"""Name of the file beside a measurement that holds the outlines of its particles."""
_NANOMETRE = 1e-9


@dataclass(frozen=True, eq=False)
class ImagedParticle:
    """One particle of an image: its outline, in m, and composition, not yet smoothed or extended.

    The thickness in m has the shape (rows, columns), NaN outside; None if unknown.
    """

    outline: Outline
    composition: CompositionMap
    thickness: FloatArray | None = None


def load_particle(
    config: cfg.StressConfig, comm: MPI.Comm
) -> tuple[ImagedParticle, Measurement | None]:
    """Read the particle of a map or of a measurement; collective.

    On rank 0 the measurement it comes from is returned too, if there is one.
    """
    found: Measurement | None = None

    def load() -> ImagedParticle:
        nonlocal found
        source = config.composition
        if isinstance(source, cfg.MeasuredCompositionConfig):
            found = read_measurement(source.file)
            outlines = source.file.with_name(OUTLINES)
            outline = read_outline_geojson(outlines, _NANOMETRE, config.outline.particle)
            return ImagedParticle(outline, found.composition, found.thickness)
        assert isinstance(source, cfg.MapCompositionConfig)
        return ImagedParticle(_read_outline(config.outline, source), _read_map(source))

    with _naming_outline():
        return run_on_root(comm, load), found


def pick_particle(
    measurement: Measurement, outlines: Sequence[Outline], number: int
) -> ImagedParticle:
    """Put together what is known of one particle, counted from 1, of a measurement.

    Outlines are in m, the largest first.
    """
    with _naming_outline():
        index = geojson_files.pick_particle([outline.area for outline in outlines], number)
    return ImagedParticle(outlines[index], measurement.composition, measurement.thickness)


def _read_outline(settings: ParticleOutlineConfig, source: cfg.MapCompositionConfig) -> Outline:
    assert settings.file is not None
    if settings.is_drawn:
        return read_outline_geojson(settings.file, _NANOMETRE, settings.particle)
    return read_outline_image(
        settings.file, source.pixel_size, settings.level, settings.region, settings.particle
    )


@contextmanager
def _naming_outline() -> Iterator[None]:
    """Name the keys of [outline], which a simulation's file calls [geometry]."""
    try:
        yield
    except InputError as error:
        if error.key and error.key.startswith("geometry."):
            error.key = "outline." + error.key.removeprefix("geometry.")
        raise


def _read_map(source: cfg.MapCompositionConfig) -> CompositionMap:
    values = read_map(source.file)
    rows, columns = values.shape
    trusted = np.isfinite(values)
    if source.mask is not None:
        trusted &= read_mask(source.mask, (rows, columns))
    if isinstance(source.uncertainty, Path):
        uncertainty = read_map(source.uncertainty)
        if uncertainty.shape != values.shape:
            raise InputError(
                f"has {uncertainty.shape} pixels (rows, columns), the map {values.shape}",
                key="composition.uncertainty",
                path=str(source.uncertainty),
            )
        trusted &= np.isfinite(uncertainty)
    else:
        uncertainty = np.full(values.shape, source.uncertainty)
    grid = PixelGrid(rows, columns, source.pixel_size, source.pixel_size)
    with naming(key="composition.file", path=source.file):
        return CompositionMap(
            grid, values, uncertainty, trusted, reading="given", source=source.file.name
        )
