"""The tables [[reaction]]: how lithium passes the surface, by facet group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import ufl
from pydantic import BeforeValidator, Field, PlainSerializer
from ufl.core.expr import Expr

from chemomech.config.base import Flag, InteriorFraction, Name, Number
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.materials.marcus_kinetics import MarcusHushChidsey
from chemomech.materials.reactions import (
    ButlerVolmer,
    ConstantExchange,
    ConstantFlux,
    LiteralEqn25,
    ReactionLaw,
    SquareRootExchange,
)
from chemomech.materials.scalars import Scalar
from chemomech.units import MOLAR_FLUX, VELOCITY, RateConstant, Scales


@dataclass(frozen=True)
class _SurfaceFlux:
    """A lithium flux as the user stated it.

    Args:
        value: Flux, outward positive: m/s of normalised composition, or mol/m^2/s if ``molar``.
        molar: Which of the two.
    """

    value: float
    molar: bool

    def velocity(self, site_concentration: float) -> float:
        """Convert to m/s of the normalised composition: a molar flux is divided by C (mol/m^3)."""
        return self.value / site_concentration if self.molar else self.value


def _parse_flux(value: object) -> _SurfaceFlux:
    if isinstance(value, _SurfaceFlux):
        return value
    if MOLAR_FLUX.accepts(value):
        return _SurfaceFlux(MOLAR_FLUX.parse(value), molar=True)
    return _SurfaceFlux(VELOCITY.parse(value), molar=False)


def _format_flux(flux: _SurfaceFlux) -> str:
    return (MOLAR_FLUX if flux.molar else VELOCITY).format(flux.value)


class ReactionConfig(LawConfig):
    """A reaction at a group of facets."""

    group: Name = Field(description="name of a facet group; the last one that fits")

    @property
    def exchanges(self) -> bool:
        """True if it exchanges lithium with a reservoir."""
        return True

    def create(self, numbers: Numbers, scales: Scales) -> ReactionLaw | None:
        """Create the law in the units of the equations; None where nothing passes."""
        raise NotImplementedError


class _RateConfig(ReactionConfig):
    """A reaction with a rate constant."""

    rate_constant: RateConstant = Field(
        description="rate constant k_s, in m/s of normalised composition"
    )


class ButlerVolmerConfig(_RateConfig):
    """k_s (1 - c) (a - a_res), a = exp(mu / RT)."""

    kind: Literal["butler_volmer"] = "butler_volmer"

    def create(self, numbers: Numbers, scales: Scales) -> ButlerVolmer:
        """Create the law; see `ReactionConfig.create`."""
        return ButlerVolmer(numbers.add("rate_constant", 1.0 / scales.velocity))


class _TransferConfig(_RateConfig):
    """A reaction with a charge transfer coefficient."""

    law: ClassVar[type[SquareRootExchange | ConstantExchange]]
    alpha: InteriorFraction = Field(default=0.5, description="charge transfer coefficient")

    def create(self, numbers: Numbers, scales: Scales) -> SquareRootExchange | ConstantExchange:
        """Create the law; see `ReactionConfig.create`."""
        return self.law(numbers.add("rate_constant", 1.0 / scales.velocity), numbers.add("alpha"))


class SquareRootExchangeConfig(_TransferConfig):
    """k_s sqrt(c (1 - c)) [exp((1 - alpha) H) - exp(-alpha H)], H = (mu - mu_res) / RT."""

    kind: Literal["exchange_sqrt"] = "exchange_sqrt"
    law = SquareRootExchange


class ConstantExchangeConfig(_TransferConfig):
    """k_s [exp((1 - alpha) H) - exp(-alpha H)]."""

    kind: Literal["exchange_constant"] = "exchange_constant"
    law = ConstantExchange


class MarcusHushChidseyConfig(_RateConfig):
    """Electron transfer from a metal with a reorganisation energy, which limits the rate."""

    kind: Literal["marcus_hush_chidsey"] = "marcus_hush_chidsey"
    reorganisation_energy: Annotated[Number, Field(gt=0.0, le=200.0)] = Field(
        default=8.3, description="lambda / (k_B T)"
    )
    electrolyte: Annotated[Number, Field(gt=0.0, le=1e3)] = Field(
        default=1.0, description="concentration of the electrolyte, relative to its reference"
    )

    def create(self, numbers: Numbers, scales: Scales) -> MarcusHushChidsey:
        """Create the law; see `ReactionConfig.create`."""
        return MarcusHushChidsey(
            numbers.add("rate_constant", 1.0 / scales.velocity),
            numbers.add("reorganisation_energy"),
            numbers.add("electrolyte"),
        )


class LiteralConfig(_RateConfig):
    """k_s (1 - c) sqrt(mu / RT) 2 sinh(mu / 2 RT): eqn 25 as printed, for mu >= 0 = mu_res only."""

    kind: Literal["paper_eq25_literal"] = "paper_eq25_literal"
    odd: Flag = Field(
        default=False, description="continue it to mu < 0 by sqrt(|mu|); no theory stands behind it"
    )

    def create(self, numbers: Numbers, scales: Scales) -> LiteralEqn25:
        """Create the law; see `ReactionConfig.create`."""
        return LiteralEqn25(numbers.add("rate_constant", 1.0 / scales.velocity), self.odd)


class _PrescribedConfig(ReactionConfig):
    """A reaction that takes no notice of a reservoir."""

    @property
    def exchanges(self) -> bool:
        """True if it exchanges lithium with a reservoir."""
        return False


class ConstantFluxConfig(_PrescribedConfig):
    """J = value, whatever the state."""

    kind: Literal["constant_flux"] = "constant_flux"
    value: Annotated[_SurfaceFlux, BeforeValidator(_parse_flux), PlainSerializer(_format_flux)] = (
        Field(description="outward positive: > 0 delithiates, < 0 lithiates; m/s or mol/m^2/s")
    )

    def create(self, numbers: Numbers, scales: Scales) -> ConstantFlux:
        """Create the law; see `ReactionConfig.create`."""
        value = self.value.velocity(scales.site_concentration)
        return ConstantFlux(numbers.add("value", 1.0 / scales.velocity, value))


class NoFluxConfig(_PrescribedConfig):
    """J = 0: takes a part out of a greater group that reacts."""

    kind: Literal["no_flux"] = "no_flux"

    def create(self, numbers: Numbers, scales: Scales) -> None:
        """Create nothing: nothing passes."""


@dataclass(frozen=True)
class _ScaledReaction:
    """A reaction of other units."""

    law: ReactionLaw
    factor: Scalar

    @property
    def needs_reservoir(self) -> bool:
        """True if the reaction is with a reservoir, which it is unless it says otherwise."""
        return getattr(self.law, "needs_reservoir", True)

    def flux(self, c: Expr, mu: Expr, reservoir: Expr) -> Expr:
        """Return the outward flux J."""
        return self.factor * ufl.as_ufl(self.law.flux(c, mu, reservoir))


class UserReactionConfig(ReactionConfig, UserLawConfig):
    """A reaction of a user's own, a velocity of the normalised composition in m/s."""

    needed: ClassVar[tuple[str, ...]] = ("flux",)
    purpose: ClassVar[str] = "a reaction"

    @property
    def exchanges(self) -> bool:
        """True if it exchanges lithium with a reservoir."""
        return _ScaledReaction(self.law, 1.0).needs_reservoir

    def create(self, numbers: Numbers, scales: Scales) -> ReactionLaw:
        """Create the law; see `ReactionConfig.create`."""
        return _ScaledReaction(self.build(numbers), numbers.convert(1.0 / scales.velocity))
