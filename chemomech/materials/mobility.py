"""Mobilities M(c) in dc/dt = div(M grad mu), with mu in units of RT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import ufl
from ufl.core.expr import Expr

from chemomech.materials.scalars import Scalar


class Mobility(Protocol):
    """What a mobility law must offer."""

    def value(self, c: Expr) -> Expr:
        """Mobility M(c) as a scalar UFL expression."""


@dataclass(frozen=True)
class DegenerateMobility:
    """M(c) = D c (1 - c), so that an ideal solution diffuses by Fick's law (eqn 21 divided by RT).

    Args:
        diffusivity: Tracer diffusivity D (length^2 / time).
    """

    diffusivity: Scalar

    def value(self, c: Expr) -> Expr:
        """Mobility M(c)."""
        return self.diffusivity * c * (1 - c)


@dataclass(frozen=True)
class ConstantMobility:
    """M(c) = D.

    Args:
        diffusivity: Mobility D (length^2 / time, mu in units of RT).
    """

    diffusivity: Scalar

    def value(self, c: Expr) -> Expr:
        """Mobility D, whatever the composition."""
        del c
        return ufl.as_ufl(self.diffusivity)
