"""Features by which spectra are sorted into clusters: their shapes, freed of thickness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import trapezoid

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.decomposition import Decomposition
from chemomech.imaging.masked_spectra import MaskedSpectra


@dataclass(frozen=True, eq=False)
class SpectralFeatures:
    """Coordinates in which the distance of two pixels is that of their treated spectra.

    They have the shape (pixels, features); weights are of mean one. Usable pixels absorb, so that
    their shape is defined; others have zeros.
    """

    values: FloatArray
    weights: FloatArray
    usable: BoolArray


def create_features(
    pixels: MaskedSpectra,
    decomposition: Decomposition,
    *,
    skip_first: bool,
    pre_edge: tuple[float, float] | None,
    area_normalise: bool,
) -> SpectralFeatures:
    """Treat the spectra that the components rebuild, without ever building them.

    Subtracting the pre-edge is linear, so it is done to the components; dividing by the area is
    done to the scores. With the treated components as columns Q R, the coordinates are R c. For the
    arguments see `chemomech.imaging.clustering.cluster`.
    """
    energies = pixels.od.energies
    if skip_first and decomposition.components < 2:
        raise InputError(
            "the first component is skipped and there is no other; decompose into two or more",
            key="components",
        )
    basis, coefficients = _rebuild(pixels, decomposition)
    basis = basis - compute_pre_edge(basis.T, energies, pre_edge)[:, None]
    usable: BoolArray = np.ones(pixels.count, dtype=np.bool_)
    weights: FloatArray = np.ones(pixels.count)
    if area_normalise:
        areas = compute_areas(basis.T, energies) @ coefficients
        usable = areas > 0.0
        areas = np.where(usable, areas, np.inf)
        coefficients = coefficients / areas
        weights = np.where(usable, areas, 0.0) ** 2
        if usable.any():
            weights /= weights[usable].mean()
    if decomposition.scale is not None:
        basis = basis / decomposition.scale
    # The mean goes with the first component: both are mostly thickness times one spectrum.
    first = (1 + (decomposition.mean is not None)) if skip_first else 0
    triangle = np.linalg.qr(basis[first:].T, mode="r")
    return SpectralFeatures((triangle @ coefficients[first:]).T, weights, usable)


def compute_pre_edge(
    spectra: FloatArray, energies: FloatArray, window: tuple[float, float] | None
) -> FloatArray:
    """Average spectra (energies, n) over the energies (eV) in a window, shape (n,).

    Without a window there is nothing to subtract: zeros.
    """
    if window is None:
        return np.zeros(spectra.shape[1])
    inside = (energies >= window[0]) & (energies <= window[1])
    if not inside.any():
        raise InputError(
            f"no energy lies between {window[0]:g} and {window[1]:g} eV; the stack goes from "
            f"{energies[0]:g} to {energies[-1]:g} eV",
            key="pre_edge",
        )
    return np.asarray(spectra[inside].mean(axis=0))


def compute_areas(spectra: FloatArray, energies: FloatArray) -> FloatArray:
    """Average spectra (energies, n) over the energies (eV), shape (n,).

    It is the integral of OD dE / (E_last - E_first).
    """
    return np.asarray(trapezoid(spectra, energies, axis=0) / (energies[-1] - energies[0]))


def _rebuild(pixels: MaskedSpectra, decomposition: Decomposition) -> tuple[FloatArray, FloatArray]:
    """Rebuild the densities as products of spectra (m, energies) and shares (m, pixels)."""
    energies = len(pixels.od.energies)
    if decomposition.spectra.shape[1] != energies:
        raise InputError(
            f"the components have {decomposition.spectra.shape[1]} energies, the stack {energies}",
            key="decomposition",
        )
    shape = decomposition.scores.shape[1:]
    if shape != pixels.od.grid.shape:
        raise InputError(
            f"the scores are images of {shape} pixels, the stack of {pixels.od.grid.shape}",
            key="decomposition",
        )
    scores = decomposition.scores.reshape(decomposition.components, -1)[:, pixels.index]
    if np.isnan(scores).any():
        raise InputError(
            "the mask shows pixels that the decomposition did not; use the same mask for both",
            key="decomposition",
        )
    scale = 1.0 if decomposition.scale is None else decomposition.scale
    basis = decomposition.spectra * scale
    if decomposition.mean is None:
        return basis, scores
    return np.vstack([decomposition.mean, basis]), np.vstack([np.ones(pixels.count), scores])
