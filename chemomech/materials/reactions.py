"""Surface reactions J(c, mu, mu_res) (eqns 24 and 25), with mu in units of RT.

J > 0 takes lithium out. H = mu - mu_res is the driving force, a = e^mu and a_res = e^mu_res are the
activities of lithium in the solid and in the reservoir.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import ufl
from ufl.core.expr import Expr

from chemomech.materials.scalars import Scalar, require, require_positive


class ReactionLaw(Protocol):
    """Protocol of a surface reaction; a new law is one such class.

    Every law here but `ConstantFlux` dissipates: J (mu - mu_res) >= 0, eqn 25's at mu_res = 0.
    """

    @property
    def needs_reservoir(self) -> bool:
        """True if the reaction is with a reservoir, rather than given outright."""

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the flux J of the normalised composition (length / time), outward positive.

        Args:
            c: Composition at the surface, 0 < c < 1.
            mu: Chemical potential at the surface per RT, with all its parts.
            reservoir: Chemical potential mu_res of the reservoir per RT.
        """


@dataclass(frozen=True)
class _ReservoirReaction:
    """A reaction with a reservoir, of a rate constant k_s (length / time, > 0)."""

    rate: Scalar
    needs_reservoir: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive(self.rate, "rate")


@dataclass(frozen=True)
class _TransferReaction(_ReservoirReaction):
    """A reaction whose drive a transfer coefficient divides between extraction and insertion."""

    alpha: Scalar = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.alpha, "alpha", lambda number: 0.0 <= number <= 1.0, "between 0 and 1")

    def _drive(self, force: Expr) -> Expr:
        """Return e^((1 - alpha) H) - e^(-alpha H), of the sign of H."""
        return ufl.exp((1 - self.alpha) * force) - ufl.exp(-self.alpha * force)


@dataclass(frozen=True)
class ButlerVolmer(_ReservoirReaction):
    r"""J = k_s (1 - c) (e^mu - e^mu_res): extraction by activity, insertion by vacancies.

    This is generalised Butler-Volmer kinetics with a transition state that excludes one site,

        J = k_s (1 - c) a_res^(1 - alpha) a^alpha [e^((1 - alpha) H) - e^(-alpha H)],

    whose transfer coefficient cancels, whatever it is: with e^H = a / a_res, the first product is
    a_res^(1 - alpha) a^alpha (a / a_res)^(1 - alpha) = a, the second
    a_res^(1 - alpha) a^alpha (a / a_res)^(-alpha) = a_res. For alpha = 1/2 and mu_res = 0 it is
    eqn 25 with the square root of the activity where that prints the root of the potential.

    All of mu_res counts as activity here, as befits a chemical reservoir. Were a part of it an
    electrode's potential, only the rest would belong in the exchange current, and alpha would
    divide that part between extraction and insertion.

    In a regular solution (1 - c) e^mu = c e^(chi (1 - 2 c) + ...), so nothing blows up at c = 0 or
    1. J = 0 just where mu = mu_res, and J -> k_s (1 - c) a_res H nearby.

    Args:
        rate: Rate constant k_s (length / time, > 0).

    Raises:
        InputError: The rate is not positive.
    """

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J."""
        return self.rate * (1 - c) * (ufl.exp(mu) - ufl.exp(reservoir))


@dataclass(frozen=True)
class LiteralEqn25(_ReservoirReaction):
    r"""J = k_s (1 - c) sqrt(mu) (e^(mu/2) - e^(-mu/2)), eqn 25 to the letter, mu per RT.

    It is defined for mu >= 0 only and zero is taken below. The reservoir is the reference state,
    mu_res = 0. Hence the law can extract, never insert: mu < 0 is just what would drive lithium in.
    Near equilibrium J ~ k_s (1 - c) mu^(3/2): the exchange conductance dJ/dmu is zero there, and a
    wire held at mu near 0 is hardly held at all. It is here for comparison; `ButlerVolmer` is what
    is most likely meant. The rate constant k_s is in length / time. An ``odd`` law goes on to mu <
    0 by sqrt(|mu|), so that it inserts too; that dissipates, but has no derivation.
    """

    odd: bool = False

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J; independent of the reservoir."""
        del reservoir
        drive = _root_times_sinh(mu)
        if self.odd:
            drive -= _root_times_sinh(-mu)
        return self.rate * (1 - c) * drive


@dataclass(frozen=True)
class SquareRootExchange(_TransferReaction):
    r"""J = k_s sqrt(c (1 - c)) [e^((1 - alpha) H) - e^(-alpha H)].

    The exchange current is that of an ideal solution in equilibrium, (1 - c) sqrt(c / (1 - c)), at
    any state. At chi = 0 and without stress it is that of `ButlerVolmer` with mu_res = 0 and
    alpha = 1/2.

    Args:
        rate: Rate constant k_s (length / time, > 0).
        alpha: Transfer coefficient, the share of H that speeds insertion up (0 to 1).

    Raises:
        InputError: The rate is not positive or alpha is not between 0 and 1.
    """

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J."""
        exchange = self.rate * ufl.sqrt(c * (1 - c))
        return exchange * self._drive(mu - reservoir)


@dataclass(frozen=True)
class ConstantExchange(_TransferReaction):
    r"""J = k_s [e^((1 - alpha) H) - e^(-alpha H)], whatever the composition.

    Args:
        rate: Rate constant k_s (length / time, > 0).
        alpha: Transfer coefficient, the share of H that speeds insertion up (0 to 1).

    Raises:
        InputError: The rate is not positive or alpha is not between 0 and 1.
    """

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J."""
        del c
        return self.rate * self._drive(mu - reservoir)


@dataclass(frozen=True)
class ConstantFlux:
    """J (length / time), a finite number, is given whatever the state: > 0 takes lithium out."""

    value: Scalar
    needs_reservoir: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(self.value, "value", lambda _: True, "a finite flux")

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J."""
        del c, mu, reservoir
        return ufl.as_ufl(self.value)


def _root_times_sinh(mu: Expr) -> Expr:
    """Return 2 sqrt(mu) sinh(mu / 2) for mu > 0, else 0."""
    # Strictly above: at mu = 0 the slope of this branch is 0 * inf.
    return ufl.conditional(ufl.gt(mu, 0.0), 2 * ufl.sqrt(mu) * ufl.sinh(mu / 2), 0.0)
