"""Compute the lithium content of each pixel; smooth and extend a map of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from scipy import ndimage

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.unmixing import ThicknessMaps

Reading = Literal["normalised", "as_printed"]

_TRUNCATE = 4.0


def create_composition(
    maps: ThicknessMaps,
    lithium: FloatArray,
    *,
    reading: Reading = "normalised",
    minimum_thickness: float = 0.1,
    source: str = "",
) -> CompositionMap:
    """Compute x = sum_s t_s x_s / sum_s t_s; or, as eqn 8 is printed, x = sum_s t_s x_s.

    As printed, x grows with thickness, and is a lithium content only where the particle is as thick
    as the spectra were given for (t_s counts in units of that thickness). Values are not clipped:
    noise and plain fits lead beyond the contents of the end members. Where x cannot be trusted it
    is NaN.

    The uncertainty is sqrt(g^T C g), with the covariance C of the thicknesses and g_s = dx/dt_s.

    Args:
        maps: Partial thicknesses.
        lithium: Content x_s per formula unit of each spectrum's phase, shape (k,).
        reading: ``normalised`` or ``as_printed``.
        minimum_thickness: Least sum_s t_s of a pixel that can be trusted, as a fraction of the
            median over the mask: the division magnifies the noise of thin pixels.
        source: Where the maps came from, for the record.
    """
    lithium = _check_lithium(lithium, len(maps.thickness))
    if reading not in get_args(Reading):
        names = ", ".join(get_args(Reading))
        raise InputError(f"must be one of {names}, got {reading}", key="reading")
    if not 0.0 <= minimum_thickness < 1.0:
        raise InputError(
            f"must be a fraction of the median thickness, at least 0 and less than 1, got "
            f"{minimum_thickness:g}",
            key="minimum_thickness",
        )
    total = maps.thickness.sum(axis=0)
    chosen = _find_thick(maps, total, minimum_thickness)
    parts = maps.thickness[:, chosen]
    if reading == "normalised":
        values = lithium @ parts / total[chosen]
        slopes = (lithium[:, None] - values) / total[chosen]
    else:
        values = lithium @ parts
        slopes = np.broadcast_to(lithium[:, None], parts.shape)
    variance = np.einsum("in,ijn,jn->n", slopes, maps.covariance[:, :, chosen], slopes)
    return CompositionMap(
        maps.grid,
        _to_image(values, chosen),
        # Rounding may leave a tiny negative variance.
        _to_image(np.sqrt(np.maximum(variance, 0.0)), chosen),
        chosen,
        reading,
        source,
    )


def draw_sample(composition: CompositionMap, rng: np.random.Generator) -> CompositionMap:
    """Add noise of the map's own uncertainty, x + uncertainty N(0, 1), for one sample of many.

    The noise of pixels is independent, which it is no longer after smoothing or extension: draw
    first, then smooth, then extend. The same state of the random numbers gives the same map.
    """
    if not composition.uncertainty[composition.trusted].any():
        raise InputError(
            "the composition map states no uncertainty, so that all samples would be alike; give "
            "its uncertainty, or ask for one sample"
        )
    noise = rng.standard_normal(composition.grid.shape) * composition.uncertainty
    return replace(composition, values=composition.values + noise)


def _smooth(composition: CompositionMap, width: float) -> CompositionMap:
    """Average with Gaussian weights over trusted pixels alone: x_i = sum_j g_ij x_j / sum_j g_ij.

    The uncertainty shrinks as that of independent pixels, sqrt(sum g^2 u^2) / sum g. Stripes of
    wavelength L keep exp(-2 (pi width / L)^2) of their contrast. Pixels that are not trusted become
    NaN. The width, a standard deviation, is in m; zero changes nothing.
    """
    if not (math.isfinite(width) and width >= 0.0):
        raise InputError(f"must be zero or positive and finite, got {width:g} m", key="width")
    if width == 0.0:
        return composition
    grid, trusted = composition.grid, composition.trusted
    kernels = [_create_kernel(width / step) for step in (grid.row_spacing, grid.column_spacing)]
    total = _convolve(trusted.astype(np.float64), kernels)
    values = _convolve(np.where(trusted, composition.values, 0.0), kernels)
    variance = _convolve(
        np.where(trusted, composition.uncertainty, 0.0) ** 2, [kernel**2 for kernel in kernels]
    )
    return replace(
        composition,
        values=_to_image((values[trusted] / total[trusted]), trusted),
        uncertainty=_to_image(np.sqrt(variance[trusted]) / total[trusted], trusted),
    )


def prepare(
    composition: CompositionMap, *, smoothing: float = 0.0, erosion: int = 1
) -> CompositionMap:
    """Smooth a map among trusted pixels, then extend it beyond them, ready for a mesh.

    For ``smoothing`` (m) see `_smooth`, for ``erosion`` (pixels) `extend_outwards`.
    """
    return extend_outwards(_smooth(composition, smoothing), erosion=erosion)


def extend_outwards(composition: CompositionMap, *, erosion: int = 1) -> CompositionMap:
    """Give every pixel a value: that of the nearest pixel that can be trusted.

    The edge of a particle covers its pixels in part, and what they show is no composition: so many
    pixels are taken away first, only along rows and columns, since two pixels taken off a slanted
    edge cost more than partial coverage does. Trusted are those that remain. Where the particle
    leaves the image there is no such edge. The nearest value carries stripes that cross a wire on
    to its surface, and magnifies no noise; continuing slopes would.
    """
    if erosion < 0:
        raise InputError(f"must be at least 0 pixels, got {erosion}", key="erosion")
    trusted = composition.trusted
    if erosion:
        trusted = ndimage.binary_erosion(trusted, iterations=erosion, border_value=True)
    if not trusted.any():
        raise InputError(
            f"no trusted pixel is left after taking away {erosion} pixels at the edge; take less",
            key="erosion",
        )
    grid = composition.grid
    nearest = ndimage.distance_transform_edt(
        ~trusted,
        sampling=(grid.row_spacing, grid.column_spacing),
        return_distances=False,
        return_indices=True,
    )
    source = tuple(nearest)
    return replace(
        composition,
        values=composition.values[source],
        uncertainty=composition.uncertainty[source],
        trusted=trusted,
    )


def _check_lithium(lithium: FloatArray, phases: int) -> FloatArray:
    lithium = np.asarray(lithium, dtype=np.float64)
    if lithium.shape != (phases,):
        raise InputError(
            f"one lithium content for each of {phases} spectra is needed, got shape "
            f"{lithium.shape}",
            key="lithium",
        )
    if not (np.isfinite(lithium) & (lithium >= 0.0)).all():
        raise InputError(
            f"lithium contents must be zero or positive and finite, got {lithium.tolist()}",
            key="lithium",
        )
    return lithium


def _find_thick(maps: ThicknessMaps, total: FloatArray, minimum_thickness: float) -> BoolArray:
    """Find the pixels of the maps that may be divided by their thickness, shape (rows, columns)."""
    median = float(np.median(total[maps.mask]))
    if median <= 0.0:
        raise InputError(
            f"the median thickness over the mask is {median:.3g}; there is no particle in it, or "
            "the spectra are upside down"
        )
    # NaN, outside the mask, is not thick; the thickest pixel always is.
    thick: BoolArray = maps.mask & (np.nan_to_num(total) > minimum_thickness * median)
    return thick


def _to_image(values: FloatArray, chosen: BoolArray) -> FloatArray:
    """Lay the values of chosen pixels out as an image, NaN elsewhere."""
    image = np.full(chosen.shape, np.nan)
    image[chosen] = values
    return image


def _create_kernel(width: float) -> FloatArray:
    """Create a Gaussian of a standard deviation in pixels, its largest weight one."""
    reach = max(1, math.ceil(_TRUNCATE * width))
    return np.asarray(np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2))


def _convolve(image: FloatArray, kernels: list[FloatArray]) -> FloatArray:
    """Weigh rows with the first kernel and columns with the second; zeros beyond the image."""
    for axis, kernel in enumerate(kernels):
        image = ndimage.correlate1d(image, kernel, axis=axis, mode="constant")
    return image
