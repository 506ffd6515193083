"""Find the pixels that show a particle."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import filters

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.optical_density import OpticalDensity

_PLATEAU_PERCENTILE = 95.0
_SPECK_PIXELS = 9


def mean_density(od: OpticalDensity, window: tuple[float, float] | None = None) -> FloatArray:
    """Average the optical density over energies; NaN where not valid, shape (rows, columns).

    The window is lowest and highest photon energy, in eV, both included; None takes all.
    """
    low, high = (-np.inf, np.inf) if window is None else window
    chosen = np.flatnonzero((od.energies >= low) & (od.energies <= high))
    if chosen.size == 0:
        raise InputError(
            f"no photon energy lies between {low:g} and {high:g} eV; the stack has "
            f"{od.energies[0]:g} to {od.energies[-1]:g} eV",
            key="window",
        )
    image = np.zeros(od.grid.shape)
    for number in chosen:
        image += od.values[number]
    image /= chosen.size
    return image


def find_particles(od: OpticalDensity, window: tuple[float, float] | None = None) -> BoolArray:
    """Find the pixels of particles by their mean density, shape (rows, columns).

    The threshold is -ln[(1 + exp(-OD0)) / 2], half of the transmission, which the blur of the
    microscope leaves in place; OD0 is the plateau inside the particles, the 95th percentile above
    Otsu's threshold. Patches of less than nine pixels are dropped. Outlines are drawn on the grey
    image of `mean_density`, not on this mask. A window of energies (eV) after the edge is best.
    """
    image = mean_density(od, window)
    values = image[od.valid]
    # Within the rounding of single precision.
    if np.ptp(values) <= 1e-6 * max(float(np.abs(values).max()), 1e-6):
        raise InputError("the image has the same density everywhere; there is no particle")
    plateau = np.percentile(values[values > filters.threshold_otsu(values)], _PLATEAU_PERCENTILE)
    if plateau <= 0.0:
        raise InputError("the particle is brighter than I0; I0 is too small")
    # Comparisons with NaN are false.
    labels, _ = ndimage.label(image > -np.log((1.0 + np.exp(-plateau)) / 2.0))
    large = np.bincount(labels.ravel()) >= _SPECK_PIXELS
    large[0] = False
    if not large.any():
        raise InputError(f"no particle of {_SPECK_PIXELS} pixels or more rises above the level")
    return np.asarray(large[labels])
