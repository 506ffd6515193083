"""Optical density, and the incident intensity it is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage import filters

from chemomech.arrays import BoolArray, CountArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.stack import Stack, check_dark, check_energies, check_incident, check_limits

# Pixels this many standard deviations from the commonest brightness are something else.
_SPREAD = 2.5
# Relative differences of this size come from moving frames in single precision.
_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class OpticalDensity:
    """OD = -ln(I / I0), with I and I0 in counts above the dark counts.

    A pixel is valid if it was measured, and measured soundly, at every energy; the others are NaN
    at all energies.

    Args:
        values: Optical densities, shape (energies, rows, columns).
        energies: Photon energies, in eV, increasing, shape (energies,).
        grid: Where the pixels are.
        valid: Pixels that can be used, shape (rows, columns).
        incident: I0 above the dark counts, shape (energies,).
        incident_pixels: How many pixels I0 is the mean of; None where I0 counts as exact.
        dark: Dark counts that were subtracted.

    Raises:
        InputError: The shapes do not fit, no pixel is valid, a valid pixel is not finite, or I0,
            the number of its pixels or the dark counts are no such numbers.
    """

    values: CountArray
    energies: FloatArray
    grid: PixelGrid
    valid: BoolArray
    incident: FloatArray
    incident_pixels: int | None = None
    dark: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float32))
        object.__setattr__(self, "energies", np.asarray(self.energies, dtype=np.float64))
        count = len(self.energies)
        object.__setattr__(self, "incident", check_incident(self.incident, count))
        check_energies(self.energies)
        if self.values.shape != (count, *self.grid.shape):
            raise InputError(
                f"optical densities of shape {self.values.shape} do not fit {count} energies and "
                f"{self.grid.rows} x {self.grid.columns} pixels (rows x columns)"
            )
        self.grid.require_mask(self.valid, "valid")
        for frame in self.values:
            if not np.isfinite(frame[self.valid]).all():
                raise InputError("the optical density of a valid pixel is not finite")
        if self.incident_pixels is not None and self.incident_pixels < 1:
            raise InputError(f"I0 cannot be the mean of {self.incident_pixels} pixels")
        check_dark(self.dark)

    def predict_variance(self, densities: FloatArray) -> FloatArray:
        """Compute Var OD = (I + d) / I^2 + (I0 + d) / (N I0^2), from Poisson noise of I and I0.

        I = I0 exp(-OD) is restored from the density, measured or fitted, shape (energies, n), d are
        the dark counts and N the pixels I0 is the mean of. The second term is the same for all
        pixels of a frame and leaves out nothing but the correlation with the pixels of the empty
        region. Only for counts in photons; frames that were moved by a part of a pixel are somewhat
        less noisy.
        """
        incident = self.incident[:, None]
        intensity = incident * np.exp(-densities.astype(np.float64))
        variance: FloatArray = (intensity + self.dark) / intensity**2
        if self.incident_pixels is not None:
            variance += (incident + self.dark) / (self.incident_pixels * incident**2)
        return variance


def convert(
    stack: Stack,
    incident: FloatArray | None = None,
    *,
    dark: float = 0.0,
    saturation: float | None = None,
    incident_pixels: int | None = None,
) -> OpticalDensity:
    """Compute OD = -ln[(I - d) / (I0 - d)].

    A pixel that at any energy has no value, no more than the dark counts d, or as many counts as
    saturate the detector is not valid. It is flagged and becomes NaN, and is never patched. Before
    frames are moved onto each other, `chemomech.imaging.stack.mask_invalid_counts` does so too.

    Args:
        stack: Counts.
        incident: I0 as counted (dark counts included), shape (energies,); the stack's own if None.
        dark: Dark counts d, subtracted from the stack and from I0.
        saturation: Counts from which on the detector saturates.
        incident_pixels: How many pixels I0 is the mean of, for its share of the noise.

    Raises:
        InputError: There is no I0, it does not fit, it saturates or does not exceed the dark
            counts, an argument is out of range, or no pixel is valid.
    """
    ceiling = check_limits(dark, saturation)
    net = _find_net_incident(stack, incident, dark, saturation)
    valid = np.ones(stack.grid.shape, dtype=np.bool_)
    for frame in stack.counts:
        # Comparisons with NaN are false.
        valid &= (frame > dark) & (frame < ceiling)
    if not valid.any():
        raise InputError(
            "no pixel has a usable count at every energy: all are missing, not above the dark "
            f"counts ({dark:g}) or saturated in some frame"
        )
    values = np.full(stack.counts.shape, np.nan, dtype=np.float32)
    for density, frame, reference in zip(values, stack.counts, net, strict=True):
        np.subtract(frame, np.float32(dark), out=density, where=valid)
        density /= np.float32(reference)
        np.log(density, out=density)
        np.negative(density, out=density)
    return OpticalDensity(values, stack.energies, stack.grid, valid, net, incident_pixels, dark)


def find_incident(stack: Stack, mask: BoolArray) -> FloatArray:
    """Average the counts of an empty region, I0(E) = mean I(E) over the mask, shape (energies,).

    Dark counts are included. The mask shows pixels without a sample, shape (rows, columns); those
    that were not measured at every energy are left out.

    Raises:
        InputError: The mask does not fit or shows no pixel that was measured at every energy, or
            the detector saturates there or counts nothing.
    """
    stack.grid.require_mask(mask, "mask")
    measured = mask.copy()
    for frame in stack.counts:
        measured &= np.isfinite(frame)
    if not measured.any():
        raise InputError(
            f"none of the {np.count_nonzero(mask)} pixels of the empty region was measured at "
            "every energy",
            key="mask",
        )
    incident = np.array([frame[measured].mean(dtype=np.float64) for frame in stack.counts])
    dark = np.flatnonzero(incident <= 0.0)
    if dark.size:
        raise InputError(
            f"the empty region holds no counts at {stack.energies[dark[0]]:g} eV", key="mask"
        )
    _refuse_saturation(stack, measured)
    return incident


def find_empty_region(stack: Stack) -> BoolArray:
    """Find the pixels without a sample, shape (rows, columns): a mask for `find_incident`.

    They have the commonest brightness of the bright part of the image. Of the transmission averaged
    over energies, Otsu's threshold takes the bright part; one pixel next to anything darker is left
    out. What lies within 2.5 standard deviations of the peak of its histogram is empty. Taking the
    very brightest pixels instead would take their noise for light. A substrate that fills the gaps
    counts as empty, and is divided out.

    Raises:
        InputError: No pixel was measured at every energy, or there is no contrast or no bright
            part larger than the edges of the sample.
    """
    image = np.zeros(stack.grid.shape)
    for frame in stack.counts:
        image += frame / np.nanmean(frame, dtype=np.float64)
    measured = np.isfinite(image)
    if not measured.any():
        raise InputError("no pixel was measured at every energy")
    if np.ptp(image[measured]) <= 1e-6 * image[measured].max():
        raise InputError("the image has the same brightness everywhere; state the empty region")
    bright = measured & (image > filters.threshold_otsu(image[measured]))
    # What lies beyond the image or was not measured is no sample.
    bright &= ndimage.binary_erosion(bright | ~measured, border_value=1)
    if not bright.any():
        raise InputError("finds no empty region wider than two pixels; state it")
    return bright & _is_common(image, bright)


def _is_common(image: FloatArray, bright: BoolArray) -> BoolArray:
    """Find the pixels whose value belongs to the peak of the histogram of the bright ones."""
    values = image[bright]
    numbers, edges = np.histogram(values, bins=_count_bins(values))
    peak = int(np.argmax(numbers))
    mode = 0.5 * (edges[peak] + edges[peak + 1])
    # Nothing but noise is brighter than an empty pixel, so that side tells its width.
    above = values[values >= mode] - mode
    width = float(np.sqrt(np.mean(above**2))) + (edges[1] - edges[0])
    return np.asarray(np.abs(image - mode) <= _SPREAD * width)


def _count_bins(values: FloatArray) -> int:
    """Count bins of two thirds of the spread each (Freedman and Diaconis), 1 to 256."""
    quarter, three_quarters = np.percentile(values, (25.0, 75.0))
    width = 2.0 * (three_quarters - quarter) / np.cbrt(values.size)
    if width <= 0.0:
        return 1
    return int(np.clip(np.ceil(np.ptp(values) / width), 1, 256))


def _find_net_incident(
    stack: Stack, incident: FloatArray | None, dark: float, saturation: float | None
) -> FloatArray:
    """Return I0 above the dark counts."""
    given = stack.incident if incident is None else incident
    if given is None:
        raise InputError(
            "the stack brings no incident intensity I0; state an empty region, a mask or a "
            "spectrum",
            key="incident",
        )
    counted = check_incident(given, len(stack.energies))
    if saturation is not None:
        _refuse_energies(counted >= saturation, stack, f"I0 saturates the detector ({saturation:g}")
    _refuse_energies(counted <= dark, stack, f"I0 does not exceed the dark counts ({dark:g}")
    return counted - dark


def _refuse_energies(wrong: BoolArray, stack: Stack, what: str) -> None:
    if wrong.any():
        energy = stack.energies[int(np.argmax(wrong))]
        raise InputError(f"{what} counts) at {energy:g} eV", key="incident")


def _refuse_saturation(stack: Stack, region: BoolArray) -> None:
    """Refuse a region whose counts do not scatter and reach the same ceiling in every such frame.

    Frames without scatter at different levels mean that the stack was computed, which is in order.
    """
    if np.count_nonzero(region) < 2:
        return
    levels = np.empty(len(stack.energies))
    even = np.zeros(len(stack.energies), dtype=np.bool_)
    for number, frame in enumerate(stack.counts):
        values = frame[region]
        levels[number] = np.median(values)
        close = np.abs(values - levels[number]) <= _ROUNDING * levels[number]
        # More than half of small counts may be zero, but never any other number.
        even[number] = levels[number] > 0.0 and np.mean(close) > 0.5
    ceiling = levels.max()
    if even.any() and (levels[even] >= (1.0 - _ROUNDING) * ceiling).all():
        energy = stack.energies[int(np.argmax(even))]
        raise InputError(
            f"the detector saturates in the empty region: at {energy:g} eV most of its pixels have "
            f"the same count, {ceiling:g}",
            key="mask",
        )
