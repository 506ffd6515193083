"""Analyse a microscope stack: the configured steps to a composition map."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from scipy import ndimage

from chemomech import config as cfg
from chemomech.arrays import BoolArray, FloatArray
from chemomech.config import measurement as mcfg
from chemomech.errors import InputError
from chemomech.geometry.files.images import trace_outlines
from chemomech.geometry.outline import Outline
from chemomech.imaging import optical_density as od
from chemomech.imaging.alignment import align
from chemomech.imaging.clustering import Clusters, cluster
from chemomech.imaging.composition import create_composition
from chemomech.imaging.decomposition import Decomposition, decompose
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.measurement import Measurement
from chemomech.imaging.particle_mask import mean_density
from chemomech.imaging.spectra import EndMembers
from chemomech.imaging.stack import Stack, mask_invalid_counts
from chemomech.imaging.unmixing import unmix
from chemomech.imaging.view import View
from chemomech.mapping.inputs import find_incident, load_stack, read_spectrum_at
from chemomech.mapping.measurement_checks import (
    describe_full_outline,
    describe_impossible_x,
    describe_incomplete_frames,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Analysis:
    """Results of a stack: of each step, outlines in m, the largest first, and optical densities.

    The view is the part of the images that every frame shows; alignment took so many rounds. Words
    tell where I0 came from, what was read (entry, channel, what the file left open), and, by the
    table of the configuration to look at, what is hardly what was meant: doubts.
    """

    measurement: Measurement
    outlines: tuple[Outline, ...]
    density: od.OpticalDensity
    view: View
    rounds: int
    incident_source: str
    source: str
    doubts: Mapping[str, str]


def analyse(config: cfg.MeasurementConfig) -> Analysis:
    """Carry out all steps of the chain; call it on one rank only.

    Raises:
        InputError: If a step cannot be done; the key names its table. Doubts about earlier steps,
            which may be the reason, are part of the message.
    """
    doubts: dict[str, str] = {}
    try:
        analysis = _run_steps(config, doubts)
    except InputError as error:
        message = ". Before that: ".join([error.message, *doubts.values()])
        raise InputError(message, key=error.key, path=error.path) from error
    for table, doubt in doubts.items():
        _log.warning("%s: %s", table, doubt)
    return analysis


def _run_steps(config: cfg.MeasurementConfig, doubts: dict[str, str]) -> Analysis:
    """Carry out the steps; what is doubtful about them is added to ``doubts``."""
    with _naming_table("stack", config.stack.file):
        stack = load_stack(config.stack)
    source = stack.source
    light = config.optical_density
    with _naming_table("optical_density"):
        # Before frames are moved, which mixes neighbouring pixels.
        stack = mask_invalid_counts(stack, dark=light.dark, saturation=light.saturation)
    _note(doubts, "stack", describe_incomplete_frames(stack))
    with _naming_table("alignment"):
        stack, shifts, rounds = _align(stack, config.alignment)
        view = View.find(stack)
        stack = stack if view.is_whole else stack.crop(view.rows, view.columns)
    with _naming_table("optical_density"):
        incident = find_incident(stack, light, view)
        density = od.convert(
            stack,
            incident.counts,
            dark=light.dark,
            saturation=light.saturation,
            incident_pixels=incident.pixels,
        )
    del stack  # two copies of a large stack are enough
    with _naming_table("outline"):
        image = mean_density(density, _window(config.outline.energies))
        outlines = _trace(image, density, config.outline, view)
        particle = _find_covered_pixels(outlines, density.grid) & density.valid
        _note(doubts, "outline", describe_full_outline(outlines, density.grid, incident.source))
    with _naming_table("pca"):
        settings = config.pca
        components = decompose(
            density,
            particle,
            components=settings.components,
            centred=settings.centred,
            normalised=settings.normalised,
        )
    with _naming_table("clusters"):
        clusters = _cluster(density, particle, components, config.clusters)
    with _naming_table("end_member"):
        end_members = _collect_end_members(config, density.energies, clusters)
    with _naming_table("unmixing"):
        maps = unmix(
            density,
            particle,
            end_members.spectra,
            method=config.unmixing.method,
            constant=config.unmixing.constant,
            linear=config.unmixing.linear,
        )
    with _naming_table("composition"):
        composition = create_composition(
            maps,
            end_members.lithium,
            reading=config.composition.reading,
            minimum_thickness=config.composition.min_amount,
            source=config.stack.file.name,
        )
        _note(doubts, "composition", describe_impossible_x(composition, end_members))
    measurement = Measurement(
        energies=density.energies,
        shifts=shifts,
        incident=density.incident,
        density=image,
        particle=particle,
        decomposition=components,
        clusters=clusters,
        end_members=end_members,
        maps=maps,
        composition=composition,
        thickness=None
        if end_members.thickness is None
        else maps.thickness.sum(axis=0) * end_members.thickness,
    )
    return Analysis(
        measurement, tuple(outlines), density, view, rounds, incident.source, source, doubts
    )


def _note(doubts: dict[str, str], table: str, doubt: str | None) -> None:
    if doubt is not None:
        doubts[table] = doubt


@contextmanager
def _naming_table(table: str, path: Path | None = None) -> Iterator[None]:
    """Name the table of the configuration at whose step something failed."""
    try:
        yield
    except InputError as error:
        # Steps name their arguments, and tracing an outline those of another configuration.
        key = (error.key or "").removeprefix("geometry.")
        if error.path is None and not key.startswith(table):
            error.key = f"{table}.{key}" if key else table
        raise


def _align(stack: Stack, settings: mcfg.AlignmentConfig) -> tuple[Stack, FloatArray, int]:
    """Return the aligned frames, their shifts and the number of rounds it took."""
    if not settings.enabled:
        return stack, np.zeros((len(stack.energies), 2)), 0
    aligned = align(
        stack,
        max_iterations=settings.max_iterations,
        tolerance=settings.tolerance,
        max_shift=settings.max_shift,
    )
    if not aligned.converged:
        _log.warning(
            "The alignment has not come to rest: shifts still change by %.3g pixels",
            aligned.rms_change,
        )
    return aligned.stack, aligned.shifts, aligned.iterations


def _window(window: mcfg.EnergyWindow | None) -> tuple[float, float] | None:
    return None if window is None else (window.lowest, window.highest)


def _trace(
    image: FloatArray,
    density: od.OpticalDensity,
    settings: mcfg.OutlineTraceConfig,
    view: View,
) -> list[Outline]:
    """Outline the particles; an invalid pixel is drawn as its nearest neighbour is."""
    if not density.valid.any():
        raise InputError("no pixel has a valid optical density at all energies")
    nearest = ndimage.distance_transform_edt(
        ~density.valid, return_distances=False, return_indices=True
    )
    if not np.nanmax(image) > 0.0:
        raise InputError("no pixel absorbs: all counts are above I0, which must be too small")
    outlines = trace_outlines(
        image[tuple(nearest)],
        density.grid.pixel_size,
        settings.level,
        view.move(settings.region),
        settings.simplify,
    )
    if not outlines:
        raise InputError("no particle of nine pixels or more stands out", key="level")
    return outlines


def _find_covered_pixels(outlines: list[Outline], grid: PixelGrid) -> BoolArray:
    """Find the pixels whose centres lie in one of the outlines."""
    union = shapely.union_all([shapely.Polygon(o.exterior, o.holes) for o in outlines])
    shapely.prepare(union)
    centres = grid.centres()
    return np.asarray(shapely.contains_xy(union, centres[..., 0], centres[..., 1]))


def _cluster(
    density: od.OpticalDensity,
    particle: BoolArray,
    components: Decomposition,
    settings: mcfg.ClustersConfig,
) -> Clusters:
    return cluster(
        density,
        particle,
        components,
        clusters=settings.number,
        seed=settings.seed,
        restarts=settings.restarts,
        skip_first=settings.skip_first,
        erosion=settings.erosion,
        pre_edge=_window(settings.pre_edge),
        area_normalise=settings.area_normalise,
    )


def _collect_end_members(
    config: cfg.MeasurementConfig, energies: FloatArray, clusters: Clusters
) -> EndMembers:
    """Collect the end members' spectra, all for the thickness of the first one."""
    # Of one area, spectra of clusters stand for one thickness.
    averages = (
        clusters.spectra_of_equal_area() if config.clusters.area_normalise else clusters.spectra
    )
    members = config.end_member
    first = members[0].thickness
    spectra, sources = [], []
    for member in members:
        if member.cluster is not None:
            spectrum, source = averages[member.cluster - 1], f"cluster {member.cluster}"
        else:
            assert member.file is not None
            standard = read_spectrum_at(member.file, member.column, energies)
            spectrum, source = standard.values, f"{member.file.name}: {standard.name}"
        if first is not None and member.thickness is not None:
            spectrum = spectrum * (first / member.thickness)
        spectra.append(spectrum)
        sources.append(source)
    return EndMembers(
        tuple(member.name for member in members),
        np.array([member.lithium for member in members]),
        np.array(spectra),
        first,
        tuple(sources),
    )
