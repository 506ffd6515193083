"""Outlines from files: traced in images here, read from GeoJSON next door."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity
from skimage import color, filters, measure
from skimage.io import imread

from chemomech.errors import InputError
from chemomech.geometry.checks import require_not_negative, require_positive
from chemomech.geometry.geojson_files import pick_particle, read_outline_geojson
from chemomech.geometry.outline import Outline

__all__ = ["read_outline_geojson", "read_outline_image", "trace_outlines"]

FloatArray = npt.NDArray[np.float64]
Level = float | Literal["otsu", "half_transmission"]

_SPECK_PIXELS = 9.0
_PLATEAU_PERCENTILE = 95.0


def read_outline_image(
    path: Path | str,
    pixel_size: float,
    level: Level = "otsu",
    region: Sequence[tuple[float, float]] | None = None,
    particle: int = 1,
    simplify: float = 0.1,
) -> Outline:
    """Trace the outline of a bright particle in an image.

    The image is PNG, TIFF or the like, or a NumPy ``.npy`` array; colours become grey. See
    `trace_outlines` for the arguments and for what is done.

    Args:
        path: Image file.
        pixel_size: Edge of a pixel, in m.
        level: Threshold.
        region: Polygon to look in, in pixels.
        particle: Which particle, by area: 1 is the largest.
        simplify: Largest deviation of the simplified curve, in pixels.

    Returns:
        The outline, in m.

    Raises:
        InputError: The file is missing, empty or no image, or shows no such particle.
    """
    try:
        outlines = trace_outlines(_read_grey(Path(path)), pixel_size, level, region, simplify)
        return outlines[pick_particle([outline.area for outline in outlines], particle)]
    except InputError as error:
        raise InputError(error.message, key=error.key, path=str(path)) from error


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
    are cut there (see `Outline.cut`); particles and holes smaller than nine pixels are dropped.

    Brightness is normalised first: images of integers by the largest number of their type, images
    of floating-point numbers, taken for optical densities, by the plateau OD0 inside the particle
    (the 95th percentile above Otsu's threshold). Pixels without a value are refused, for a contour
    would go round them: only the caller knows which lie outside the particle and are to be zero.

    Args:
        image: Grey image, bright where the particle is, shape (rows, columns), rows downwards.
        pixel_size: Edge of a pixel, in m.
        level: A normalised brightness in (0, 1); ``otsu`` for Otsu's threshold; or, for optical
            densities alone, ``half_transmission``, the unbiased level -ln((1 + exp(-OD0)) / 2) /
            OD0.
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
    parts = shapely.get_parts(area.simplify(simplify).intersection(window))
    polygons = [_without_specks(part) for part in parts if part.area >= _SPECK_PIXELS]
    polygons.sort(key=lambda polygon: -polygon.area)
    upwards = [1.0, 0.0, 0.0, -1.0, 0.0, grey.shape[0] - 1.0]
    frame = affinity.affine_transform(window, upwards).exterior
    return [
        _to_outline(affinity.affine_transform(polygon, upwards), pixel_size, frame)
        for polygon in polygons
    ]


def _normalise(image: npt.NDArray[np.generic], level: Level) -> tuple[FloatArray, float]:
    """Brightness, scaled as `trace_outlines` says, and the threshold on that scale."""
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
    densities = not np.issubdtype(image.dtype, np.integer)
    plateau = 0.0
    if densities:
        plateau = float(
            np.percentile(grey[grey > filters.threshold_otsu(grey)], _PLATEAU_PERCENTILE)
        )
        grey /= plateau
    else:
        grey /= float(np.iinfo(np.dtype(image.dtype.str)).max)
    if level == "otsu":
        return grey, float(filters.threshold_otsu(grey))
    if level == "half_transmission":
        if not densities:
            raise InputError(
                "half_transmission needs an image of optical densities (floating-point numbers); "
                "use otsu or a brightness",
                key="geometry.level",
            )
        return grey, float(-np.log((1.0 + np.exp(-plateau)) / 2.0) / plateau)
    if isinstance(level, str) or not 0.0 < level < 1.0:
        raise InputError(
            f"must be otsu, half_transmission or a brightness between 0 and 1, got {level!r}",
            key="geometry.level",
        )
    return grey, float(level)


def _window(
    shape: tuple[int, ...], region: Sequence[tuple[float, float]] | None
) -> shapely.Polygon:
    """Part of the image looked at, in pixels: all of it, or ``region`` within it."""
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


def _without_specks(polygon: shapely.Polygon) -> shapely.Polygon:
    """Fill the holes of less than nine pixels."""
    holes = [hole for hole in polygon.interiors if shapely.Polygon(hole).area >= _SPECK_PIXELS]
    return shapely.Polygon(polygon.exterior, holes)


def _to_outline(polygon: shapely.Polygon, unit_m: float, frame: shapely.LinearRing) -> Outline:
    """Scale a polygon to m; edges on ``frame`` are cuts."""
    exterior = shapely.get_coordinates(polygon.exterior)[:-1]
    edges = np.stack([exterior, np.roll(exterior, -1, axis=0)], axis=1)
    # Within a thousandth of a pixel, far below the accuracy of a contour.
    cut = np.asarray(shapely.covers(frame.buffer(1e-3), shapely.linestrings(edges)))
    holes = tuple(shapely.get_coordinates(hole)[:-1] * unit_m for hole in polygon.interiors)
    return Outline(exterior * unit_m, holes, cut)


def _read_grey(path: Path) -> npt.NDArray[np.generic]:
    """Image as a grey array of its own number type."""
    if not path.is_file():
        raise InputError("no such file", path=str(path))
    try:
        # Opened here, for imread leaves files open that are no images.
        with path.open("rb") as file:
            image = np.load(file) if path.suffix == ".npy" else imread(file)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise InputError(f"cannot be read as an image: {error}", path=str(path)) from error
    if image.ndim == 3 and image.shape[2] in (3, 4):
        # Grey by luminance in floating-point numbers, brought back so that it still counts as
        # brightness.
        grey = color.rgb2gray(image[..., :3])
        return np.rint(grey * np.iinfo(np.uint16).max).astype(np.uint16)
    return image
