"""Principal components of the spectra in a stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.masked_spectra import MaskedSpectra
from chemomech.imaging.optical_density import OpticalDensity


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Spectra D(E) = mean(E) + scale(E) sum_k score_k spectrum_k(E), the first k components.

    Args:
        scores: Share of each component in each pixel (the eigen-images), shape (k, rows, columns);
            NaN outside the mask.
        spectra: Eigen-spectra, orthonormal, largest variance first, shape (k, energies). The entry
            of largest magnitude is positive.
        scree: Variances of all components, falling, shape (energies,).
        mean: Spectrum subtracted first, shape (energies,); none if the components are not centred.
        scale: Optical density by which each energy was divided, shape (energies,); none if the
            components are not normalised.
    """

    scores: FloatArray
    spectra: FloatArray
    scree: FloatArray
    mean: FloatArray | None
    scale: FloatArray | None

    @property
    def components(self) -> int:
        """Number k of components."""
        return len(self.spectra)

    @property
    def variances(self) -> FloatArray:
        """Variances of the k components, shape (k,)."""
        return self.scree[: self.components]


def decompose(
    od: OpticalDensity,
    mask: BoolArray,
    *,
    components: int,
    centred: bool = False,
    normalised: bool = False,
) -> Decomposition:
    """Diagonalise the covariance C = sum_n d_n d_n^T / N of the pixels' spectra.

    C is E x E, with E energies, so its eigenvectors are exact and cheap however many pixels there
    are. Four kinds are in use: covariance or, normalised, correlation, of optical densities divided
    at each energy by their root mean square; about the origin or, centred, about the mean (then
    divided by N - 1). About the origin, the first component is nearly the mean spectrum and its
    eigen-image the thickness. Pixels of the mask (rows, columns) that are not valid are left out.

    Results are the same to the last bit for any number of threads.

    Raises:
        InputError: There is one energy, or there are more components than energies or pixels, the
            mask does not fit, or at one energy all pixels are alike and cannot be normalised.
    """
    pixels = MaskedSpectra(od, mask)
    most = min(len(od.energies), pixels.count - centred)
    if not 1 <= components <= most:
        raise InputError(
            f"{len(od.energies)} energies and {pixels.count} pixels have {most} components; asked "
            f"for {components}",
            key="components",
        )
    # Sums depend on how many threads share them, in the last digits.
    with threadpool_limits(limits=1):
        mean = _compute_mean(pixels) if centred else None
        covariance = _compute_covariance(pixels, mean)
        scale = _find_scale(covariance, od.energies) if normalised else None
        if scale is not None:
            covariance /= np.outer(scale, scale)
        scree, vectors = linalg.eigh(covariance)
        spectra = _fix_signs(vectors[:, ::-1].T[:components])
        scores = np.empty((components, pixels.count))
        for part, block in pixels.blocks():
            scores[:, part] = spectra @ _prepare(block, mean, scale)
    # Rounding leaves tiny negative numbers where there is no variance.
    scree = np.maximum(scree[::-1], 0.0)
    return Decomposition(pixels.to_image(scores), spectra, scree, mean, scale)


def _compute_mean(pixels: MaskedSpectra) -> FloatArray:
    """Compute the mean spectrum, shape (energies,)."""
    total = np.zeros(len(pixels.od.energies))
    for _, block in pixels.blocks():
        total += block.sum(axis=1)
    return total / pixels.count


def _compute_covariance(pixels: MaskedSpectra, mean: FloatArray | None) -> FloatArray:
    """Compute the covariance about the mean or the origin, shape (energies, energies)."""
    size = len(pixels.od.energies)
    total = np.zeros((size, size))
    for _, block in pixels.blocks():
        spectra = _prepare(block, mean, None)
        total += spectra @ spectra.T
    return total / (pixels.count - (mean is not None))


def _prepare(block: FloatArray, mean: FloatArray | None, scale: FloatArray | None) -> FloatArray:
    """Centre and normalise spectra, shape (energies, pixels)."""
    if mean is not None:
        block = block - mean[:, None]
    return block if scale is None else block / scale[:, None]


def _find_scale(covariance: FloatArray, energies: FloatArray) -> FloatArray:
    """Find the spread of the optical densities at each energy, shape (energies,)."""
    scale: FloatArray = np.sqrt(np.diag(covariance))
    flat = np.flatnonzero(scale <= np.finfo(np.float32).eps * scale.max())
    if flat.size:
        raise InputError(
            f"at {energies[flat[0]]:g} eV the optical density does not vary, so it cannot be "
            "normalised",
            key="normalised",
        )
    return scale


def _fix_signs(spectra: FloatArray) -> FloatArray:
    """Turn eigenvectors, whose sign is arbitrary, so that their largest entry is positive."""
    largest = np.argmax(np.abs(spectra), axis=1)
    signs = np.sign(spectra[np.arange(len(spectra)), largest])
    return np.ascontiguousarray(spectra * signs[:, None])
