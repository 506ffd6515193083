"""The bent nanowire: two straight legs joined by a circular bend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.geometry.checks import require_not_negative, require_positive


@dataclass(frozen=True)
class Nanowire:
    """A wire of constant rectangular section whose mid-line is leg, circular arc, leg.

    The mid-line starts at the origin, runs along +x for ``legs[0]``, bends to the left
    (counter-clockwise) about the point ``(legs[0], bend_radius)`` and ends with ``legs[1]``. The
    concave, left side is ``inner``, the convex one ``outer``; a thickness extends from z = 0
    (``bottom``) to z = thickness (``top``).

    Args:
        width: Width across the wire in the plane of the bend, in m.
        bend_radius: Radius of the mid-line in the bend, in m, larger than half the width. A
            straight wire has none: it is neither needed nor checked.
        bend_angle: Angle of the bend in radians: 0 is straight, pi/2 an L, pi a U.
        legs: Lengths of the first and the second leg, in m; either may be zero.
        thickness: Thickness normal to the plane of the bend, in m; ``None`` for a wire in 2-D.

    Raises:
        InputError: A length or an angle cannot be built.
    """

    width: float
    bend_radius: float | None
    bend_angle: float
    legs: tuple[float, float]
    thickness: float | None = None

    def __post_init__(self) -> None:
        require_positive(self.width, "geometry.width")
        if len(self.legs) != 2:
            raise InputError(f"needs two lengths, got {len(self.legs)}", key="geometry.legs")
        for leg in self.legs:
            require_not_negative(leg, "geometry.legs")
        if self.thickness is not None:
            require_positive(self.thickness, "geometry.thickness")
        require_not_negative(self.bend_angle, "geometry.bend_angle", "rad")
        if self.bend_angle > math.pi * (1.0 + 1e-12):
            raise InputError(
                f"must lie between 0 and 180 degrees, got {math.degrees(self.bend_angle):g}",
                key="geometry.bend_angle",
            )
        if self.is_straight:
            require_positive(sum(self.legs), "geometry.legs")
            return
        require_positive(self.radius, "geometry.bend_radius")
        if self.radius <= self.width / 2.0:
            raise InputError(
                f"must be larger than half the width ({self.width / 2.0:g} m), "
                f"or the inner side folds over; got {self.radius:g} m",
                key="geometry.bend_radius",
            )

    @property
    def is_straight(self) -> bool:
        """True if the wire has no bend."""
        return self.bend_angle == 0.0

    @property
    def radius(self) -> float:
        """``bend_radius`` of a bent wire, in m.

        Raises:
            InputError: There is none.
        """
        if self.bend_radius is None:
            raise InputError("a bent wire needs a bend radius", key="geometry.bend_radius")
        return self.bend_radius

    @property
    def dimension(self) -> int:
        """Dimension of space the wire lives in: 2 without, 3 with a thickness."""
        return 2 if self.thickness is None else 3

    @property
    def midline_length(self) -> float:
        """Length of the mid-line, ``legs[0] + bend_radius * bend_angle + legs[1]``, in m."""
        arc = 0.0 if self.is_straight else self.radius * self.bend_angle
        return self.legs[0] + arc + self.legs[1]

    def tangent(self, x: FloatArray) -> FloatArray:
        """Unit vectors along the wire, from ``start`` to ``end``, at points (m), shape (2 or 3, n).

        They are (cos a, sin a), where a is the polar angle about the centre of the bend, held at 0
        in the first leg and at ``bend_angle`` in the second; shape (``dimension``, n).
        """
        angle = self._turning(x)
        direction = np.zeros((self.dimension, x.shape[1]))
        direction[0], direction[1] = np.cos(angle), np.sin(angle)
        return direction

    @property
    def bend_centre(self) -> tuple[float, float]:
        """Centre (x, y) of the bend, in m.

        Raises:
            InputError: The wire is straight.
        """
        return self.legs[0], self.radius

    def is_in_bend(self, x: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell which points, in m, shape (2 or 3, n), lie in the bend rather than in a leg."""
        angle = self._turning(x)
        inside: npt.NDArray[np.bool_] = (angle > 0.0) & (angle < self.bend_angle)
        return inside

    def unroll(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Place points in m, shape (2 or 3, n), along and across the wire, as if it were straight.

        Returns:
            Length of mid-line (m) from ``start`` to the point beside each point, and its distance
            (m) from the mid-line, positive towards ``outer``; shapes (n,).
        """
        if self.is_straight:
            return x[0].copy(), -x[1]
        angle = self._turning(x)
        # From the centre of the bend: along the tangent where the point lies beyond an arc's end.
        right, up = x[0] - self.legs[0], x[1] - self.radius
        beyond = right * np.cos(angle) + up * np.sin(angle)
        out = right * np.sin(angle) - up * np.cos(angle)
        return self.legs[0] + self.radius * angle + beyond, out - self.radius

    def _turning(self, x: FloatArray) -> FloatArray:
        """Angle of the tangent at given points, from 0 in the first leg to ``bend_angle``."""
        if self.is_straight:
            return np.zeros(x.shape[1])
        # The branch cut lies opposite the middle of the bend, where there is never any material.
        middle = self.bend_angle / 2.0
        polar = np.arctan2(x[0] - self.legs[0], self.radius - x[1]) - middle
        polar = np.mod(polar + np.pi, 2.0 * np.pi) - np.pi + middle
        turning: FloatArray = np.clip(polar, 0.0, self.bend_angle)
        return turning
