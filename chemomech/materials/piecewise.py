"""What is linear between the entries of a table, with corners that may be rounded."""

from __future__ import annotations

import numpy as np
import ufl
from numpy.typing import ArrayLike
from ufl.core.expr import Expr

from chemomech.arrays import FloatArray
from chemomech.errors import InputError

#: Compositions closer than this are one: far above rounding and far below anything measured.
ROUNDING = 1e-12


def check_compositions(compositions: ArrayLike) -> FloatArray:
    """Return the compositions of a table as an array; refuse those that do not increase."""
    nodes = np.array(compositions, dtype=np.float64)
    if nodes.ndim != 1 or len(nodes) < 2:
        raise InputError(
            f"a table needs at least two compositions in a row, got shape {nodes.shape}",
            key="compositions",
        )
    if not np.isfinite(nodes).all() or np.diff(nodes).min() <= ROUNDING:
        raise InputError(
            "the compositions of a table must be finite and increase", key="compositions"
        )
    return nodes


def ramp(distance: Expr, transition: float) -> Expr:
    """max(0, distance), with a slope that rises evenly from 0 to 1 over the transition."""
    if transition == 0.0:
        return ufl.max_value(distance, 0.0)
    half = transition / 2.0
    risen = ufl.min_value(ufl.max_value(distance + half, 0.0), transition)
    return risen**2 / (2.0 * transition) + ufl.max_value(distance - half, 0.0)
