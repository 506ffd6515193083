"""Mobilities M(c) in dc/dt = div(M grad mu), with mu in units of RT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import ufl
from ufl.core.expr import Expr

from chemomech.materials.scalars import Scalar


class Mobility(Protocol):
    """Protocol of a mobility law; a new law is one such class."""

    def value(self, c: Expr) -> Expr:
        """Return the mobility M(c): a scalar UFL expression, or a symmetric positive tensor.

        A tensor has as many rows as the mesh has dimensions, as `ufl.as_matrix` makes it.
        """


@dataclass(frozen=True)
class DegenerateMobility:
    """M(c) = D c (1 - c), so that an ideal solution diffuses by Fick's law (eqn 21 divided by RT).

    D is the tracer diffusivity (length^2 / time).
    """

    diffusivity: Scalar

    def value(self, c: Expr) -> Expr:
        """Return the mobility M(c)."""
        return self.diffusivity * c * (1 - c)


@dataclass(frozen=True)
class ConstantMobility:
    """M(c) = D (length^2 / time, mu in units of RT)."""

    diffusivity: Scalar

    def value(self, c: Expr) -> Expr:
        """Return the mobility D, whatever the composition."""
        del c
        return ufl.as_ufl(self.diffusivity)
