"""Absorption of the phantom's Li_xV2O5: tabulated continuum, made-up resonances."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from chemomech.arrays import FloatArray

# OD of 100 nm of V2O5 before the first edge, and what each edge adds: 0.34 past vanadium's two L
# edges, split 2 : 1 as the electrons of their shells are, and 0.63 past the K edge of oxygen.
_PRE_EDGE = 0.07
_EDGES_EV = np.array([517.5, 524.5, 531.5])
_STEPS = np.array([0.18, 0.09, 0.29])
_EDGE_WIDTH_EV = 0.3

# Resonances: energy, standard deviation (both eV), height (OD of 100 nm) at x = 0 and at x = 1.
_RESONANCES = np.array(
    [
        [515.6, 0.55, 0.25, 0.60],
        [516.8, 0.55, 0.45, 0.85],
        [518.0, 0.65, 1.05, 0.50],
        [525.0, 1.00, 0.60, 0.45],
        [529.0, 0.65, 0.60, 0.30],
        [531.0, 0.80, 0.40, 0.45],
    ]
)

# From, to (not included) and step, in eV: a pre-edge, then the finer the steeper.
_SCAN = (
    (508.0, 514.0, 1.0),
    (514.0, 519.6, 0.2),
    (519.6, 523.6, 0.5),
    (523.6, 526.8, 0.4),
    (526.8, 528.0, 0.3),
    (528.0, 532.4, 0.2),
    (532.4, 536.4, 0.5),
    (536.4, 560.5, 2.0),
)


def create_energies() -> FloatArray:
    """Create the photon energies of the scan, 508 to about 560 eV, densest at resonances."""
    parts = [np.arange(start, stop - 0.01, step) for start, stop, step in _SCAN]
    return np.round(np.concatenate(parts), 2)


def compute_absorption(energies: FloatArray, lithium: FloatArray) -> FloatArray:
    """Compute mu(E, x) = (1 - x) mu_0(E) + x mu_1(E), the density of 100 nm of Li_xV2O5.

    Synthetic: no spectra of Li_xV2O5 are public. The continuum is that of V2O5 (0.07 before the
    V L edges, 0.34 after them, 0.63 after the O K edge); it rises at the edges by smooth steps. On
    it stand Gaussian resonances of V L (515.6, 516.8, 518 and 525 eV) and O K (529 and 531 eV).
    Lithium reduces V5+ to V4+: intensity moves from 518 eV to 515.6 and 516.8 eV, and the resonance
    at 529 eV, whose empty states the electrons fill, loses against that at 531 eV. The signs follow
    measurements; heights and widths are chosen.

    Args:
        energies: Photon energies, in eV, shape (n,).
        lithium: Lithium contents x, shape (k,).

    Returns:
        Optical densities, shape (k, n).
    """
    steps = expit((energies[:, None] - _EDGES_EV) / _EDGE_WIDTH_EV)
    continuum = _PRE_EDGE + steps @ _STEPS
    centres, widths, pristine, full = _RESONANCES.T
    shapes = np.exp(-0.5 * ((energies[:, None] - centres) / widths) ** 2)
    heights = pristine + np.multiply.outer(lithium, full - pristine)
    return np.asarray(continuum + heights @ shapes.T)
