"""Homogeneous free-energy densities g(c), in the caller's unit of energy (usually RT C)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import ufl
from ufl.core.expr import Expr

from chemomech.materials.scalars import Scalar


class FreeEnergy(Protocol):
    """Protocol of a homogeneous free energy; a new law is one such class."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval of compositions on which the density is finite."""

    def density(self, c: Expr) -> Expr:
        """Return the free-energy density g(c) as a scalar UFL expression."""


@dataclass(frozen=True)
class RegularSolution:
    r"""g(c) = c ln c + (1 - c) ln(1 - c) + chi c (1 - c), in units of RT C (eqn 13).

    The logarithm is the true one: the density exists for 0 < c < 1 only, and it is the solver's
    duty to stay there. Phases separate for chi > 2.

    Args:
        chi: Interaction parameter (dimensionless).
    """

    chi: Scalar

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval (0, 1)."""
        return (0.0, 1.0)

    def density(self, c: Expr) -> Expr:
        """Return the free-energy density g(c)."""
        entropy = c * ufl.ln(c) + (1 - c) * ufl.ln(1 - c)
        return entropy + self.chi * c * (1 - c)


@dataclass(frozen=True)
class Polynomial:
    r"""g(c) = sum_k a_k c^k.

    Args:
        coefficients: a_0, a_1, ... in ascending order.
        bounds: Open interval the composition must keep to; everything by default.
    """

    coefficients: Sequence[Scalar]
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def density(self, c: Expr) -> Expr:
        """Return the free-energy density g(c), by Horner's rule."""
        value: Expr = ufl.as_ufl(self.coefficients[-1])
        for coefficient in reversed(self.coefficients[:-1]):
            value = value * c + coefficient
        return value


def create_double_well(height: float, wells: Sequence[float]) -> Polynomial:
    """Create g(c) = height (c - c_a)^2 (c_b - c)^2, the wells of PFHub's first benchmark.

    Args:
        height: Prefactor rho_s.
        wells: The two compositions c_a and c_b of lowest energy.
    """
    a, b = wells
    s, p = a + b, a * b
    square = (p * p, -2 * p * s, s * s + 2 * p, -2 * s, 1.0)
    return Polynomial(tuple(height * coefficient for coefficient in square))
