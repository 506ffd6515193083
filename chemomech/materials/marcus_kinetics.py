"""Surface reaction limited by the transfer of the electron (Marcus, Hush, Chidsey)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import ufl
from ufl.core.expr import Expr

from chemomech.materials.reactions import ButlerVolmer
from chemomech.materials.scalars import Scalar, require, require_positive

# Above, the closed form is off by more than a quarter and 1 - erf loses its digits.
_LARGEST_REORGANISATION = 40.0


@dataclass(frozen=True)
class MarcusHushChidsey:
    r"""J = A [k(H_f) c - k(-H_f) c_+], electron transfer from a metal's whole Fermi sea.

    Here H_f = H + ln(c_+ / c) is the formal driving force, c_+ the activity of lithium in the
    electrolyte, A = k_s sqrt(a_res a) (1 - c) / (sqrt(c_+ c) k(0)), and, with lm = lambda / kT,

        k(y) = sqrt(pi lm) / (1 + e^(-y)) erfc[(lm - sqrt(1 + sqrt(lm) + y^2)) / (2 sqrt(lm))]

    the closed form for int exp(-(z - lm + y)^2 / (4 lm)) / (1 + e^z) dz of Zeng, Smith, Bai and
    Bazant (2014). For |y| <= 15 that is within 4.7 % at lm = 8.3, 3.5 % at 15.2, 12 % for smaller
    lm and 27 % up to 40; the shape k(y) / k(0), on which J depends, within 9.4 % at lm = 8.3, 5.8 %
    at 15.2, 22 % for smaller lm and 29 % at 40.

    The erfc is even in y, so that k(y) / k(-y) = e^y, and J is, without a difference of nearly
    equal rates,

        J = k_s (1 - c) (a - a_res) erfc[y] / (erfc[0] cosh(y / 2)),  y = H_f:

    `ButlerVolmer` times a factor that is one at H_f = 0. Hence J = 0 just where mu = mu_res, and
    the factor at ln(c_+ / c) is that of the exchange currents. k levels off where y exceeds lm; J
    does so at a given sqrt(a_res a) only, and grows as e^(|H| / 2) where that grows with the drive.

    Args:
        rate: Rate constant k_s (length / time, > 0).
        reorganisation: Reorganisation energy lm = lambda / kT, positive and at most 40.
        electrolyte: Activity c_+ of lithium in the electrolyte (> 0).

    Raises:
        InputError: A parameter is not positive or the reorganisation energy is too large.
    """

    rate: Scalar
    reorganisation: Scalar
    electrolyte: Scalar = 1.0
    needs_reservoir: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive(self.rate, "rate")
        require_positive(self.reorganisation, "reorganisation")
        require_positive(self.electrolyte, "electrolyte")
        require(
            self.reorganisation,
            "reorganisation",
            lambda number: number <= _LARGEST_REORGANISATION,
            f"at most {_LARGEST_REORGANISATION:g} kT (1 eV at room temperature), as far as the "
            "closed form of the rate reaches",
        )

    def rate_constant(self, force: Expr) -> Expr:
        """Return the rate k(y), of the force y per RT, of extraction; k(-y) of insertion."""
        prefactor = ufl.sqrt(math.pi * self.reorganisation)
        return prefactor * self._erfc(force) / (1 + ufl.exp(-force))

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J."""
        force = mu - reservoir + ufl.ln(self.electrolyte / c)
        limit = self._erfc(force) / self._erfc(ufl.as_ufl(0.0))
        activity_driven = ButlerVolmer(self.rate).flux(c, mu, reservoir)
        return activity_driven * limit / ufl.cosh(force / 2)

    def _erfc(self, force: Expr) -> Expr:
        """Return the erfc[...] of k(y), even in y, rising from erfc[0] to 2."""
        lm = self.reorganisation
        distance = lm - ufl.sqrt(1 + ufl.sqrt(lm) + force**2)
        # UFL has no erfc; at lm = 40 and y = 0 the difference keeps eleven digits.
        return 1 - ufl.erf(distance / (2 * ufl.sqrt(lm)))
