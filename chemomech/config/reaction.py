"""The tables [[reaction]]: how lithium passes the surface, by facet group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from chemomech.config.base import Flag, GroupName, InteriorFraction, Number, Section
from chemomech.units import MOLAR_FLUX, RATE_CONSTANT, VELOCITY


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


_RateConstant = Annotated[float, RATE_CONSTANT]
Group = Annotated[GroupName, Field(description="name of a facet group; the last one that fits")]
_RATE = Field(description="rate constant k_s, in m/s of normalised composition")
_ALPHA = Field(default=0.5, description="charge transfer coefficient")


class ConstantFluxConfig(Section):
    """J = value, whatever the state."""

    kind: Literal["constant_flux"] = "constant_flux"
    group: Group
    value: Annotated[_SurfaceFlux, BeforeValidator(_parse_flux), PlainSerializer(_format_flux)] = (
        Field(description="outward positive: > 0 delithiates, < 0 lithiates; m/s or mol/m^2/s")
    )


class NoFluxConfig(Section):
    """J = 0: takes a part out of a greater group that reacts."""

    kind: Literal["no_flux"] = "no_flux"
    group: Group


class ButlerVolmerConfig(Section):
    """k_s (1 - c) (a - a_res), a = exp(mu / RT)."""

    kind: Literal["butler_volmer"] = "butler_volmer"
    group: Group
    rate_constant: _RateConstant = _RATE


class SquareRootExchangeConfig(Section):
    """k_s sqrt(c (1 - c)) [exp((1 - alpha) H) - exp(-alpha H)], H = (mu - mu_res) / RT."""

    kind: Literal["exchange_sqrt"] = "exchange_sqrt"
    group: Group
    rate_constant: _RateConstant = _RATE
    alpha: InteriorFraction = _ALPHA


class ConstantExchangeConfig(Section):
    """k_s [exp((1 - alpha) H) - exp(-alpha H)]."""

    kind: Literal["exchange_constant"] = "exchange_constant"
    group: Group
    rate_constant: _RateConstant = _RATE
    alpha: InteriorFraction = _ALPHA


class MarcusHushChidseyConfig(Section):
    """Electron transfer from a metal with a reorganisation energy, which limits the rate."""

    kind: Literal["marcus_hush_chidsey"] = "marcus_hush_chidsey"
    group: Group
    rate_constant: _RateConstant = _RATE
    reorganisation_energy: Annotated[Number, Field(gt=0.0, le=200.0)] = Field(
        default=8.3, description="lambda / (k_B T)"
    )
    electrolyte: Annotated[Number, Field(gt=0.0, le=1e3)] = Field(
        default=1.0, description="concentration of the electrolyte, relative to its reference"
    )


class LiteralConfig(Section):
    """k_s (1 - c) sqrt(mu / RT) 2 sinh(mu / 2 RT): eqn 25 as printed, for mu >= 0 = mu_res only."""

    kind: Literal["paper_eq25_literal"] = "paper_eq25_literal"
    group: Group
    rate_constant: _RateConstant = _RATE
    odd: Flag = Field(
        default=False, description="continue it to mu < 0 by sqrt(|mu|); no theory stands behind it"
    )


ReactionConfig = Annotated[
    ButlerVolmerConfig
    | SquareRootExchangeConfig
    | ConstantExchangeConfig
    | MarcusHushChidseyConfig
    | LiteralConfig
    | ConstantFluxConfig
    | NoFluxConfig,
    Field(discriminator="kind"),
]

#: Kinds that exchange nothing with a reservoir.
PRESCRIBED = (ConstantFluxConfig, NoFluxConfig)
