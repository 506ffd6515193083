"""Least squares in every pixel at once: one matrix, many right-hand sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from chemomech.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Design:
    """The matrix A = Q R of the model D = A t, with what solving for t needs.

    Args:
        matrix: A, shape (energies, p), no column zero.

    Attributes:
        inverse: pinv(A), shape (p, energies).
        orthonormal: Q, shape (energies, p).
        triangle: R, shape (p, p).
        condition: Condition number of A with its columns scaled to unit norm.
    """

    matrix: FloatArray
    inverse: FloatArray = field(init=False)
    orthonormal: FloatArray = field(init=False)
    triangle: FloatArray = field(init=False)
    condition: float = field(init=False)

    def __post_init__(self) -> None:
        norms = np.linalg.norm(self.matrix, axis=0)
        orthonormal, triangle = np.linalg.qr(self.matrix)
        object.__setattr__(self, "condition", float(np.linalg.cond(self.matrix / norms)))
        object.__setattr__(self, "inverse", np.linalg.pinv(self.matrix / norms) / norms[:, None])
        object.__setattr__(self, "orthonormal", orthonormal)
        object.__setattr__(self, "triangle", triangle)


def fit_plain(design: Design, data: FloatArray) -> FloatArray:
    """Minimise |D - A t|^2: t = pinv(A) D.

    Args:
        design: A.
        data: D, shape (energies, n).

    Returns:
        t, shape (p, n).
    """
    return design.inverse @ data


def fit_non_negative(design: Design, data: FloatArray, bounded: int) -> FloatArray:
    """Minimise |D - A t|^2 under t_s >= 0 for the first ``bounded`` columns.

    The minimum is the plain fit with those columns alone that are not zero there. Of the plain fits
    with each of the 2^bounded sets of columns, it is thus the best without a negative t_s. All this
    happens in the p-dimensional space of Q^T D, where it is cheap.

    Args:
        design: A, with independent columns.
        data: D, shape (energies, n).
        bounded: Number of columns, the first ones, that take part.

    Returns:
        t, shape (p, n).
    """
    columns = design.triangle.shape[1]
    projected = design.orthonormal.T @ data
    best = np.zeros((columns, data.shape[1]))
    explained = np.full(data.shape[1], -np.inf)
    free = range(bounded, columns)
    for size in range(bounded, -1, -1):
        for chosen in combinations(range(bounded), size):
            active = np.array([*chosen, *free], dtype=np.intp)
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


def fit_weighted(
    design: Design, data: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Minimise sum_E (D - A t)^2 / variance, with y = R t from (Q^T W Q) y = Q^T W D.

    In terms of Q the normal equations are no worse conditioned than the weights.

    Args:
        design: A.
        data: D, shape (energies, n).
        variance: Variance of D, greater than zero, shape (energies, n).

    Returns:
        t, shape (p, n), and its covariance (A^T W A)^-1, shape (p, p, n).
    """
    basis, columns = design.orthonormal, design.triangle.shape[1]
    weights = 1.0 / variance
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1)
    normal = (weights.T @ pairs).reshape(-1, columns, columns)
    inverse = np.linalg.inv(normal)
    back = np.linalg.inv(design.triangle)
    shares = np.einsum("nij,jn->in", inverse, basis.T @ (weights * data))
    covariance = np.einsum("ai,nij,bj->abn", back, inverse, back, optimize=True)
    return back @ shares, covariance
