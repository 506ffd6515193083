"""PFHub's benchmark 1b, as numbers: spinodal decomposition in a square without flux.

dc/dt = div(M grad mu), mu = f'(c) - kappa laplace c, f = rho (c - c_a)^2 (c_b - c)^2, with
n . grad c = n . grad mu = 0 on the boundary of (0, 200)^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LENGTH = 200.0
RHO, LOW, HIGH = 5.0, 0.3, 0.7
KAPPA = 2.0
MOBILITY = 5.0


def initial_composition(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Composition at t = 0."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    waves: NDArray[np.float64] = (
        np.cos(0.105 * x) * np.cos(0.11 * y)
        + (np.cos(0.13 * x) * np.cos(0.087 * y)) ** 2
        + np.cos(0.025 * x - 0.15 * y) * np.cos(0.07 * x - 0.02 * y)
    )
    return 0.5 + 0.01 * waves


def energy_density(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """f(c)."""
    return RHO * (c - LOW) ** 2 * (HIGH - c) ** 2


def potential(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """f'(c)."""
    return 2 * RHO * (c - LOW) * (HIGH - c) * (LOW + HIGH - 2 * c)


def curvature(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """f''(c)."""
    return 2 * RHO * ((LOW + HIGH - 2 * c) ** 2 - 2 * (c - LOW) * (HIGH - c))
