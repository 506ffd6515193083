"""Clusters of pixels with like spectra."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.integrate import trapezoid
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from chemomech.arrays import BoolArray, FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.imaging.decomposition import Decomposition
from chemomech.imaging.masked_spectra import MaskedSpectra
from chemomech.imaging.optical_density import OpticalDensity
from chemomech.imaging.spectral_features import (
    SpectralFeatures,
    compute_areas,
    compute_pre_edge,
    create_features,
)


@dataclass(frozen=True, eq=False)
class Clusters:
    """Pixels sorted by spectrum, the cluster that absorbs at the lowest energies first.

    The order is that of the spectra's centres of gravity, sum E OD / sum OD, above the pre-edge
    where one was given. It is there to be the same every time; which cluster holds how much lithium
    is for whoever looks at the spectra to say.

    Args:
        labels: Number of each pixel's cluster, from 0, shape (rows, columns); -1 outside the mask
            and where a pixel absorbs nothing.
        core: Pixels that made the clusters, shape (rows, columns); the others with a label, on the
            particle's edge, joined the nearest one.
        spectra: Mean optical density of each cluster's core pixels, shape (k, energies).
        spread: Their standard deviation, shape (k, energies); it holds thickness too.
        sizes: Number of core pixels of each cluster, shape (k,).
        areas: Mean of each spectrum over the energies, above the pre-edge where one was given,
            shape (k,): a measure of the cluster's mean thickness.
        inertia: Sum of weighted squared distances to the centres, which restarts have lowered.
    """

    labels: IntArray
    core: BoolArray
    spectra: FloatArray
    spread: FloatArray
    sizes: IntArray
    areas: FloatArray
    inertia: float

    def spectra_of_equal_area(self) -> FloatArray:
        """Scale the spectra, shape (k, energies), to one area, their mean, as if equally thick.

        Without this, eqn 8 would count a thick cluster's composition for less than a thin one's.
        """
        if self.areas.min() <= 0.0:
            raise InputError(
                f"cluster {np.argmin(self.areas)} (counted from 0) absorbs nothing above the "
                "pre-edge, so its spectrum cannot be scaled"
            )
        mean = np.average(self.areas, weights=self.sizes)
        return np.asarray(self.spectra * (mean / self.areas)[:, None])


def cluster(
    od: OpticalDensity,
    mask: BoolArray,
    decomposition: Decomposition,
    *,
    clusters: int,
    seed: int,
    restarts: int = 10,
    skip_first: bool = True,
    erosion: int = 1,
    pre_edge: tuple[float, float] | None = None,
    area_normalise: bool = True,
) -> Clusters:
    """Minimise sum_n w_n |f_n - centre(n)|^2, k-means, over the spectra f of a decomposition.

    f is a pixel's spectrum as its components rebuild it; without a pre-edge, area or first
    component to treat, this is k-means on the scores. Subtracting the pre-edge and dividing by the
    area leaves the shape of the spectrum and takes thickness out; pixels then weigh with their area
    squared, for noise grows as a pixel gets thinner. Pixels at the edge, whose spectra are those of
    partial coverage and would make clusters of their own, take no part, but join the nearest.

    Results are the same for the same seed, from run to run and for any number of threads.

    Args:
        od: Optical densities.
        mask: Pixels looked at, as in ``decomposition``, shape (rows, columns).
        decomposition: Components of those spectra.
        clusters: Number k of clusters.
        seed: Seed of the random first centres.
        restarts: How many times to start afresh; the best result counts.
        skip_first: Leave out the first component ("thickness correction"), and the mean.
        erosion: Width of the edge that takes no part, in pixels.
        pre_edge: Lowest and highest energy, in eV, of a window before the absorption edge, whose
            mean optical density is subtracted.
        area_normalise: Divide each spectrum by its mean over the energies.

    Raises:
        InputError: The mask is empty, or is after erosion; there are more clusters than distinct
            pixels, or one of a single pixel; the pre-edge holds no energy; or the decomposition has
            one component, to be skipped, or another mask.
    """
    limits = (("clusters", clusters, 1), ("restarts", restarts, 1), ("erosion", erosion, 0))
    for key, value, least in limits:
        if value < least:
            raise InputError(f"must be at least {least}, got {value}", key=key)
    pixels = MaskedSpectra(od, mask)
    features = create_features(
        pixels,
        decomposition,
        skip_first=skip_first,
        pre_edge=pre_edge,
        area_normalise=area_normalise,
    )
    core = _find_core(pixels, features, erosion)
    if core.sum() < clusters:
        raise InputError(
            f"{core.sum()} pixels away from the edges cannot make {clusters} clusters",
            key="clusters",
        )
    inertia, nearest = _run_k_means(features, core, clusters, seed, restarts)
    spectra, spread, sizes = _compute_statistics(pixels, np.where(core, nearest, -1), clusters)
    above = spectra - compute_pre_edge(spectra.T, od.energies, pre_edge)[:, None]
    areas = compute_areas(above.T, od.energies)
    order = _order(od.energies, above, areas)
    ranks = np.append(np.argsort(order), -1)
    labels = np.full(mask.shape, -1, dtype=np.int64)
    labels.flat[pixels.index] = ranks[np.where(features.usable, nearest, -1)]
    inside = np.zeros(mask.shape, dtype=np.bool_)
    inside.flat[pixels.index] = core
    return Clusters(
        labels, inside, spectra[order], spread[order], sizes[order], areas[order], inertia
    )


def _find_core(pixels: MaskedSpectra, features: SpectralFeatures, erosion: int) -> BoolArray:
    """Find the pixels that lie ``erosion`` pixels inside the mask and absorb, shape (n,)."""
    inside = np.zeros(pixels.od.grid.shape, dtype=np.bool_)
    inside.flat[pixels.index] = True
    if erosion:
        # Where a particle leaves the image there is no edge of it.
        inside = ndimage.binary_erosion(
            inside, np.ones((3, 3)), iterations=erosion, border_value=True
        )
    core: BoolArray = inside.flat[pixels.index] & features.usable
    if not core.any():
        raise InputError(
            f"no pixel of the mask absorbs and lies {erosion} pixels or more from its edge; use "
            "less erosion or another mask",
            key="erosion",
        )
    return core


def _run_k_means(
    features: SpectralFeatures, core: BoolArray, clusters: int, seed: int, restarts: int
) -> tuple[float, IntArray]:
    """Find the core pixels' clusters: their inertia, and the nearest one of every pixel."""
    model = KMeans(clusters, n_init=restarts, random_state=seed, algorithm="lloyd")
    # Sums depend on how many threads share them, in the last digits.
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(features.values[core], sample_weight=features.weights[core])
        except ConvergenceWarning as warning:
            raise InputError(
                f"the spectra differ too little for {clusters} clusters: {warning}", key="clusters"
            ) from warning
        nearest = model.predict(features.values).astype(np.int64)
    sizes = np.bincount(nearest[core], minlength=clusters)
    if sizes.min() < 2:
        raise InputError(
            f"of {clusters} clusters, one holds a single pixel and has no spread; ask for fewer "
            "clusters or leave outlying pixels out of the mask",
            key="clusters",
        )
    return float(model.inertia_), nearest


def _compute_statistics(
    pixels: MaskedSpectra, labels: IntArray, clusters: int
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Compute mean spectra and standard deviations, both (k, energies), and sizes."""
    sizes = np.bincount(labels[labels >= 0], minlength=clusters)
    member = np.equal.outer(np.arange(clusters), labels).astype(np.float64)
    means = np.zeros((clusters, len(pixels.od.energies)))
    squares = np.zeros_like(means)
    for part, block in pixels.blocks():
        means += member[:, part] @ block.T
    means /= sizes[:, None]
    # About the means, in a second pass: the difference of large sums would lose digits.
    for part, block in pixels.blocks():
        squares += member[:, part] @ (block.T - means[labels[part]]) ** 2
    return means, np.sqrt(squares / (sizes - 1)[:, None]), sizes.astype(np.int64)


def _order(energies: FloatArray, spectra: FloatArray, areas: FloatArray) -> IntArray:
    """Sort the clusters by the centre of gravity of their spectra, shape (k,)."""
    moments = trapezoid(spectra * energies, energies) / (energies[-1] - energies[0])
    centres = np.full(len(spectra), np.inf)
    np.divide(moments, areas, out=centres, where=areas > 0.0)
    return np.argsort(centres, kind="stable")
