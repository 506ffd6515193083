r"""The elastic strain of a wire that was straight and is bent: y / (R + y) along the wire.

All fibres of a straight wire have the length of its mid-line, R per radian of the bend. Bent, the
one at the distance y from the mid-line has the length R + y per radian: relative to its bent state,
in which the mesh and so the small strain are measured, it is stretched by y / (R + y). This strain
is compatible: a free wire gets rid of it, and of all stress, by springing back. The y / R of beam
theory is the same to first order in w / R, and is not compatible.
"""

from __future__ import annotations

from dataclasses import dataclass

import ufl
from ufl.core.expr import Expr

from chemomech.materials.scalars import Scalar


@dataclass(frozen=True)
class BendingStrain:
    """e = f y / (R + y) t (x) t in a circular bend in the plane of x and y, 0 in the legs.

    Args:
        in_bend: 1 in the bend and 0 in the legs, a scalar UFL expression.
        centre: Centre of the bend, a UFL vector of two components.
        radius: R of the mid-line, a scalar UFL expression.
        fraction: f, the part of the bending that is elastic; the rest is in the stress-free shape.
    """

    in_bend: Expr
    centre: Expr
    radius: Expr
    fraction: Scalar

    def strain(self, x: Expr) -> Expr:
        """Return the strain in global axes, a 3 x 3 UFL tensor; tension positive.

        Args:
            x: Position, a UFL vector of two or three components.
        """
        right, up = x[0] - self.centre[0], x[1] - self.centre[1]
        distance = ufl.sqrt(right**2 + up**2)
        size = self.in_bend * self.fraction * (1 - self.radius / distance)
        tangent = ufl.as_vector([-up / distance, right / distance, 0])
        return size * ufl.outer(tangent, tangent)
