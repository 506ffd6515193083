"""Trace the outlines of particles in images."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity
from skimage import color, filters, measure

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming
from chemomech.geometry.checks import require_not_negative, require_positive
from chemomech.geometry.files.geojson import pick_particle
from chemomech.geometry.outline import Outline, find_edges_on
from chemomech.imaging.image_files import read_picture
from chemomech.imaging.numpy_files import read_npy

_log = logging.getLogger(__name__)

Level = float | Literal["otsu", "half_transmission"]

_SPECK_PIXELS = 9.0
_NECK_PIXELS = 0.2
_SAME_PIXELS = 1e-6
_PLATEAU_PERCENTILE = 95.0
_BITS = (1, 8, 10, 12, 14, 16, 32, 64)
# Largest distance of a level from a pixel's brightness: half a step of eight bits. Closer than the
# other, they are the same.
_STEP, _TIE = 0.5 / 255.0, 1e-9


def read_outline_image(
    path: Path | str,
    pixel_size: float,
    level: Level = "otsu",
    region: Sequence[tuple[float, float]] | None = None,
    particle: int = 1,
) -> Outline:
    """Trace the outline of a bright particle in an image, by `trace_outlines`.

    The image is PNG, TIFF or the like, or a NumPy ``.npy`` array; colours become grey, what is
    transparent dark. The particle goes by area: 1 is the largest.
    """
    with naming(path=path):
        outlines = trace_outlines(_read_grey(Path(path)), pixel_size, level, region)
        outline = outlines[pick_particle([outline.area for outline in outlines], particle)]
    if _is_cut_all_round(outline, pixel_size):
        _log.warning(
            "%s: the outline is cut on all four sides; if the particle is dark on a bright ground, "
            "invert the image first",
            path,
        )
    return outline


def trace_outlines(
    image: npt.NDArray[np.generic],
    pixel_size: float,
    level: Level = "otsu",
    region: Sequence[tuple[float, float]] | None = None,
    simplify: float = 0.1,
) -> list[Outline]:
    """Trace the outlines of all bright particles in a grey image, the largest first.

    The contour is drawn on the grey image, never on a thresholded one, through the centres of
    pixels, of which the lowest left one is the origin. Particles that leave the image or ``region``
    are cut there (see `Outline.cut`); those joined by less than a fifth of a pixel are taken apart;
    particles and holes smaller than nine pixels are dropped.

    Brightness is normalised first: images of integers by the largest number of the bits they use
    (1, 8, 10, 12, 14, 16 or more, so that a 12-bit camera's numbers are divided by 4095), images of
    floating-point numbers, taken for optical densities, by the plateau OD0 inside the particle
    (the 95th percentile above Otsu's threshold). Pixels without a value are refused, for a contour
    would go round them: only the caller knows which lie outside the particle and are to be zero.

    Args:
        image: Grey image, bright where the particle is, shape (rows, columns), rows downwards.
        pixel_size: Edge of a pixel, in m.
        level: A normalised brightness in (0, 1); ``otsu``, halfway between the mean brightness of
            Otsu's two classes; or, for optical densities alone, ``half_transmission``, the unbiased
            level -ln((1 + exp(-OD0)) / 2) / OD0.
        region: Polygon to look in, (column, row) in pixels as image viewers show them, rows
            downwards.
        simplify: Largest deviation of the simplified curve, in pixels.

    Returns:
        Outlines in m, y upwards.

    Raises:
        InputError: The image has no contrast or pixels without a value, or an argument is out of
            range.
    """
    require_positive(pixel_size, "geometry.pixel_size")
    require_not_negative(simplify, "geometry.simplify", "pixels")
    grey, threshold = _normalise(image, level)
    window = _window(grey.shape, region)
    # One pixel of darkness all around closes the contours of particles that leave the image.
    contours = measure.find_contours(np.pad(grey, 1), threshold)
    rings = [shapely.LinearRing(contour[:, ::-1] - 1.0) for contour in contours if len(contour) > 3]
    area = shapely.build_area(shapely.GeometryCollection(rings))
    whole = shapely.get_parts(area.simplify(simplify).intersection(window))
    parts = [piece for part in whole for piece in _cut_necks(part)]
    polygons = [_fill_small_holes(part) for part in parts if part.area >= _SPECK_PIXELS]
    polygons.sort(key=lambda polygon: -polygon.area)
    upwards = [1.0, 0.0, 0.0, -1.0, 0.0, grey.shape[0] - 1.0]
    frame = affinity.affine_transform(window, upwards).exterior
    return [
        _to_outline(affinity.affine_transform(polygon, upwards), pixel_size, frame)
        for polygon in polygons
    ]


def _normalise(image: npt.NDArray[np.generic], level: Level) -> tuple[FloatArray, float]:
    """Return the brightness, scaled as `trace_outlines` says, and the threshold on that scale."""
    grey: FloatArray = np.array(image, dtype=np.float64)
    if grey.ndim != 2 or min(grey.shape) < 2:
        raise InputError(f"needs a grey image, got an array of shape {grey.shape}")
    missing = np.count_nonzero(~np.isfinite(grey))
    if missing:
        raise InputError(
            f"{missing} of the image's {grey.size} pixels are not finite; fill them first, with "
            "zeros outside the particle"
        )
    if np.ptp(grey) == 0.0:
        raise InputError("the image has the same brightness everywhere; there is no contour")
    densities = np.issubdtype(image.dtype, np.floating)
    bright = grey > filters.threshold_otsu(grey)
    scale = (
        float(np.percentile(grey[bright], _PLATEAU_PERCENTILE))
        if densities
        else _find_full_scale(image)
    )
    grey /= scale
    if level == "otsu":
        # Otsu's classes are the same for any number in the gap between them.
        return grey, float(grey[bright].mean() + grey[~bright].mean()) / 2.0
    if level == "half_transmission":
        if not densities:
            raise InputError(
                "half_transmission needs an image of optical densities (floating-point numbers); "
                "use otsu or a brightness",
                key="geometry.level",
            )
        return grey, float(-np.log((1.0 + np.exp(-scale)) / 2.0) / scale)
    if isinstance(level, str) or not 0.0 < level < 1.0:
        raise InputError(
            f"must be otsu, half_transmission or a brightness between 0 and 1, got {level!r}",
            key="geometry.level",
        )
    return grey, _avoid_pixel_values(float(level), grey)


def _find_full_scale(image: npt.NDArray[np.generic]) -> float:
    """Find the largest number of the bits that an image of integers uses."""
    bits = next(bits for bits in _BITS if image.max() < 2**bits)
    return 2.0**bits - 1.0


def _avoid_pixel_values(level: float, grey: FloatArray) -> float:
    """Find a level near by that is no pixel's brightness: contours meet in such pixels."""
    if not grey.min() < level < grey.max():
        raise InputError(
            f"no contour: the image's brightness runs from {grey.min():.3g} to {grey.max():.3g}, "
            f"got {level:g}",
            key="geometry.level",
        )
    if not np.isclose(grey, level, rtol=0.0, atol=_TIE).any():
        return level
    # Upwards, so that what hangs together by one pixel alone comes apart.
    return level + min((grey[grey > level + _TIE].min() - level) / 2.0, _STEP)


def _window(
    shape: tuple[int, ...], region: Sequence[tuple[float, float]] | None
) -> shapely.Polygon:
    """Find the part of the image looked at, in pixels: all, or ``region`` within it."""
    box = shapely.box(0.0, 0.0, shape[1] - 1.0, shape[0] - 1.0)
    if region is None:
        return box
    if len(region) < 3:
        raise InputError("a polygon needs at least three points", key="geometry.region")
    polygon = shapely.Polygon(region)
    if not polygon.is_valid:
        raise InputError(
            f"the polygon crosses itself: {shapely.is_valid_reason(polygon)}", key="geometry.region"
        )
    window = polygon.intersection(box)
    if window.geom_type != "Polygon" or window.area == 0.0:
        raise InputError(
            f"the polygon lies outside the image of {shape[1]} x {shape[0]} pixels",
            key="geometry.region",
        )
    return window


def _cut_necks(part: shapely.Geometry) -> list[shapely.Geometry]:
    """Take apart what hangs together by less than an image can show."""
    cores = shapely.get_parts(part.buffer(-_NECK_PIXELS / 2.0, join_style="mitre"))
    if len(cores) < 2:
        return [part]
    grown = (core.buffer(_NECK_PIXELS / 2.0, join_style="mitre") for core in cores)
    pieces = shapely.get_parts([part.intersection(piece) for piece in grown])
    return list(shapely.remove_repeated_points(pieces, _SAME_PIXELS))


def _fill_small_holes(polygon: shapely.Polygon) -> shapely.Polygon:
    """Fill the holes of less than nine pixels."""
    holes = [hole for hole in polygon.interiors if shapely.Polygon(hole).area >= _SPECK_PIXELS]
    return shapely.Polygon(polygon.exterior, holes)


def _to_outline(polygon: shapely.Polygon, unit_m: float, frame: shapely.LinearRing) -> Outline:
    """Scale a polygon to m; edges on ``frame`` are cuts."""
    exterior = shapely.get_coordinates(polygon.exterior)[:-1]
    # Within a thousandth of a pixel, far below the accuracy of a contour.
    cut = find_edges_on(exterior, frame, 1e-3)
    holes = tuple(shapely.get_coordinates(hole)[:-1] * unit_m for hole in polygon.interiors)
    return Outline(exterior * unit_m, holes, cut)


def _is_cut_all_round(outline: Outline, pixel_size: float) -> bool:
    """Tell if cuts face left, right, up and down."""
    edges = (np.roll(outline.exterior, -1, axis=0) - outline.exterior)[outline.cut]
    # Rounding turns edges by less than a hundredth of a pixel.
    along = np.concatenate([edges, -edges], axis=1) > 0.01 * pixel_size
    return bool(along.any(axis=0).all())


def _read_grey(path: Path) -> npt.NDArray[np.generic]:
    """Read an image as a grey array of its own number type."""
    if path.suffix.lower() == ".npy":
        return read_npy(path)
    image = read_picture(path)
    if image.ndim == 2:
        return image
    # Grey by luminance in floating-point numbers, brought back so that it still counts as
    # brightness.
    return np.rint(color.rgb2gray(image) * np.iinfo(np.uint32).max).astype(np.uint32)
