"""Orientation of a crystal: 3 x 3 matrices whose columns are its axes in global coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy  # which loads its parts when they are used

from chemomech.arrays import FloatArray
from chemomech.errors import InputError

#: Cosine of the angle between two axes that still counts as rounding of a right angle.
_ROUNDING = 1e-3


def create_euler_axes(angles: Sequence[float]) -> FloatArray:
    """Create R = Z(phi1) X(Phi) Z(phi2), the transpose of Bunge's matrix, shape (3, 3).

    Args:
        angles: Bunge's Euler angles phi1, Phi, phi2 in rad. With Phi = 0 the crystal is turned by
            phi1 + phi2 about z, counter-clockwise.
    """
    turn = scipy.spatial.transform.Rotation.from_euler("ZXZ", np.asarray(angles, dtype=np.float64))
    return np.asarray(turn.as_matrix())


def create_turned_axes(angles: FloatArray) -> FloatArray:
    """Create the axes of crystals turned by angles (rad, shape (n,)) about z, shape (n, 3, 3)."""
    turns = scipy.spatial.transform.Rotation.from_euler("Z", angles.reshape(-1, 1))
    return np.asarray(turns.as_matrix())


def create_axes_from_two(first: Sequence[float], second: Sequence[float]) -> FloatArray:
    """Create the axes of a crystal from the directions of two of them, shape (3, 3).

    Args:
        first: Direction of the first axis, of any length; two components lie in the plane.
        second: Direction of the second axis.

    Raises:
        InputError: A direction is zero, or the two are not perpendicular.
    """
    one, other = (np.append(v, 0.0)[:3].astype(np.float64) for v in (first, second))
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    if min(lengths) == 0.0:
        raise InputError("a direction of zero length points nowhere", key="axes")
    one, other = one / lengths[0], other / lengths[1]
    cosine = float(one @ other)
    if abs(cosine) > _ROUNDING:
        angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        raise InputError(f"the two axes must be perpendicular, not at {angle:.4g} deg", key="axes")
    other = other - cosine * one
    other /= np.linalg.norm(other)
    return np.stack([one, other, np.cross(one, other)], axis=1)
