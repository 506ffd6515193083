"""Fit each pixel's spectrum by pure spectra: maps of partial thickness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.masked_spectra import MaskedSpectra
from chemomech.imaging.optical_density import OpticalDensity

_Method = Literal["plain", "non_negative", "weighted"]

_MOST_CONDITION = 1e6
_MOST_NON_NEGATIVE = 6


@dataclass(frozen=True, eq=False)
class ThicknessMaps:
    """Partial thicknesses t_s of D(E) = sum_s mu_s(E) t_s + baseline (eqn 7), NaN outside the mask.

    Args:
        grid: Where the pixels are.
        thickness: Shape (k, rows, columns), in units of the thickness the spectra mu were given
            for: 1 is that thickness.
        baseline: Optical density of the constant and of the linear baseline, as far as fitted,
            shape (b, rows, columns); the linear one is zero amid the energies and this at the last.
        covariance: Covariance of the thicknesses from the noise of the counts, shape (k, k, rows,
            columns); for non-negative fits that of the plain fit, also where a thickness is zero.
        residual: Root mean square over the energies of the misfit in optical density, shape (rows,
            columns).
        rms_residual: The same over all pixels of the mask.
        relative_residual: Norm of the misfit over the norm of D, over all pixels and energies.
        condition: Condition number of the spectra and baselines, scaled to unit norm.
        method: ``plain``, ``non_negative`` or ``weighted``.
    """

    grid: PixelGrid
    thickness: FloatArray
    baseline: FloatArray
    covariance: FloatArray
    residual: FloatArray
    rms_residual: float
    relative_residual: float
    condition: float
    method: _Method

    @property
    def mask(self) -> BoolArray:
        """Pixels that were fitted, shape (rows, columns)."""
        return np.isfinite(self.thickness[0])


class _Design:
    """Matrix A = Q R of the model D = A t: spectra and baselines as columns, shape (energies, p).

    ``inverse`` is pinv(A), (p, energies), ``orthonormal`` Q, ``triangle`` R; the condition number
    is that of A with its columns scaled to unit norm.
    """

    def __init__(self, spectra: FloatArray, baselines: FloatArray) -> None:
        self.matrix = np.concatenate([spectra.T, baselines], axis=1)
        energies, unknowns = self.matrix.shape
        if energies < unknowns:
            raise InputError(
                f"{energies} energies cannot determine {unknowns} unknowns ({len(spectra)} spectra "
                f"and {baselines.shape[1]} baselines)",
                key="spectra",
            )
        norms = np.linalg.norm(self.matrix, axis=0)
        self.condition = float(np.linalg.cond(self.matrix / norms))
        if self.condition > _MOST_CONDITION:
            raise InputError(
                "the spectra (or baselines) cannot be told apart: their condition number is "
                f"{self.condition:.3g}, above {_MOST_CONDITION:.0g}; leave out what is given "
                "twice, or a spectrum that is a baseline",
                key="spectra",
            )
        self.inverse = np.linalg.pinv(self.matrix / norms) / norms[:, None]
        self.orthonormal, self.triangle = np.linalg.qr(self.matrix)


def unmix(
    od: OpticalDensity,
    mask: BoolArray,
    spectra: FloatArray,
    *,
    method: _Method = "plain",
    constant: bool = True,
    linear: bool = False,
) -> ThicknessMaps:
    """Minimise |D - mu t|^2 in every pixel: t = pinv(mu) D (eqn 7).

    ``plain`` is that; ``non_negative`` the minimum under t >= 0 (baselines are free), found exactly
    by trying every set of spectra that may be present; ``weighted`` minimises the misfit over the
    variance of D (1 / I, and the share of I0 and of dark counts), with the counts I that the plain
    fit predicts: measured ones would give low counts too little weight, and bias t.

    Args:
        od: Optical densities.
        mask: Pixels to fit, shape (rows, columns); those not valid are left out.
        spectra: Optical density mu of the pure phases at the stack's energies, all for the same
            thickness, shape (k, energies).
        method: ``plain``, ``non_negative`` or ``weighted``.
        constant: Fit a constant baseline too.
        linear: Fit a baseline linear in energy too.

    Raises:
        InputError: The spectra do not fit the stack or cannot be told apart, there are too few
            energies, too many spectra for ``non_negative``, or the mask does not fit.
    """
    pixels = MaskedSpectra(od, mask)
    if method not in get_args(_Method):
        raise InputError(
            f"must be one of {', '.join(get_args(_Method))}, got {method}", key="method"
        )
    spectra = _check_spectra(spectra, len(od.energies))
    count = len(spectra)
    if method == "non_negative" and count > _MOST_NON_NEGATIVE:
        raise InputError(
            f"non_negative takes at most {_MOST_NON_NEGATIVE} spectra, got {count}", key="method"
        )
    design = _Design(spectra, _create_baselines(od.energies, constant, linear))
    amounts = np.empty((design.matrix.shape[1], pixels.count))
    covariance = np.empty((count, count, pixels.count))
    misfit = np.empty(pixels.count)
    total = 0.0
    for part, block in pixels.blocks():
        amounts[:, part], covariance[..., part] = _fit(design, block, od, count, method)
        misfit[part] = np.sum((block - design.matrix @ amounts[:, part]) ** 2, axis=0)
        total += float(np.sum(block**2))
    size = misfit.size * len(od.energies)
    return ThicknessMaps(
        grid=od.grid,
        thickness=pixels.to_image(amounts[:count]),
        baseline=pixels.to_image(amounts[count:]),
        covariance=pixels.to_image(covariance),
        residual=pixels.to_image(np.sqrt(misfit / len(od.energies))),
        rms_residual=float(np.sqrt(misfit.sum() / size)),
        relative_residual=float(np.sqrt(misfit.sum() / total)) if total > 0.0 else 0.0,
        condition=design.condition,
        method=method,
    )


def _fit(
    design: _Design, densities: FloatArray, od: OpticalDensity, count: int, method: _Method
) -> tuple[FloatArray, FloatArray]:
    """Fit all columns' amounts, (p, n), and the covariance of the spectra's, (k, k, n)."""
    amounts = design.inverse @ densities
    variance = od.predict_variance(design.matrix @ amounts)
    if method == "weighted":
        amounts, covariance = _fit_weighted(design, densities, variance)
        return amounts, covariance[:count, :count]
    inverse = design.inverse[:count]
    covariance = np.einsum("ie,je,en->ijn", inverse, inverse, variance, optimize=True)
    if method == "non_negative":
        amounts = _fit_non_negative(design, densities, count)
    return amounts, covariance


def _fit_non_negative(design: _Design, data: FloatArray, bounded: int) -> FloatArray:
    """Minimise |D - A t|^2 under t_s >= 0 for the first ``bounded`` columns; t is (p, n).

    The minimum is the plain fit with those columns alone that are not zero there. Of the plain fits
    with each of the 2^bounded sets of columns, it is thus the best without a negative t_s. All this
    happens in the p-dimensional space of Q^T D, where it is cheap.
    """
    columns = design.triangle.shape[1]
    projected = design.orthonormal.T @ data
    best = np.zeros((columns, data.shape[1]))
    explained = np.full(data.shape[1], -np.inf)
    for size in range(bounded, -1, -1):
        for chosen in combinations(range(bounded), size):
            active = np.array([*chosen, *range(bounded, columns)], dtype=np.intp)
            basis, triangle = np.linalg.qr(design.triangle[:, active])
            shares = basis.T @ projected
            amounts = np.linalg.solve(triangle, shares)
            # The larger the part of D explained, the smaller the misfit.
            norm = np.sum(shares**2, axis=0)
            better = (norm > explained) & (amounts[:size] >= 0.0).all(axis=0)
            explained[better] = norm[better]
            best[:, better] = 0.0
            best[np.ix_(active, np.flatnonzero(better))] = amounts[:, better]
    return best


def _fit_weighted(
    design: _Design, data: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Minimise sum_E (D - A t)^2 / variance, with y = R t from (Q^T W Q) y = Q^T W D.

    In terms of Q the normal equations are no worse conditioned than the weights. t has the shape
    (p, n), its covariance (A^T W A)^-1 the shape (p, p, n).
    """
    basis, weights = design.orthonormal, 1.0 / variance
    inverse = np.linalg.inv(np.einsum("ei,ej,en->nij", basis, basis, weights, optimize=True))
    back = np.linalg.inv(design.triangle)
    shares = np.einsum("nij,jn->in", inverse, basis.T @ (weights * data))
    covariance = np.einsum("ai,nij,bj->abn", back, inverse, back, optimize=True)
    return back @ shares, covariance


def _check_spectra(spectra: FloatArray, energies: int) -> FloatArray:
    spectra = np.asarray(spectra, dtype=np.float64)
    if spectra.ndim != 2 or len(spectra) == 0 or spectra.shape[1] != energies:
        raise InputError(
            f"spectra must have shape (number of spectra, {energies} energies), got "
            f"{spectra.shape}; interpolate them to the stack's energies first",
            key="spectra",
        )
    if not np.isfinite(spectra).all():
        raise InputError("a spectrum holds numbers that are not finite", key="spectra")
    empty = np.flatnonzero(~spectra.any(axis=1))
    if empty.size:
        raise InputError(f"spectrum {empty[0] + 1} is zero at all energies", key="spectra")
    return spectra


def _create_baselines(energies: FloatArray, constant: bool, linear: bool) -> FloatArray:
    """Create columns: 1, and linear from -1 to 1 over the energies; shape (energies, b)."""
    middle, half = (energies[0] + energies[-1]) / 2, (energies[-1] - energies[0]) / 2
    columns = np.stack([np.ones(len(energies)), (energies - middle) / half], axis=1)
    return columns[:, [constant, linear]]
