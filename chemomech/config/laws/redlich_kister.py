"""Tables of Redlich-Kister free energies and of crystals by name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chemomech.config.base import Number
from chemomech.config.laws.free_energy import FreeEnergyConfig, RegularSolutionConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.materials.redlich_kister import LIFEPO4, LIXV2O5, LIXV2O5_PHASES, RedlichKister

Coefficients = Annotated[tuple[Number, ...], Field(min_length=1, max_length=60)]
_COEFFICIENTS = "L0, L1, ... in units of RT C"
_LINEAR = "coefficient m of c, in units of RT C"


class _ExcessConfig(FreeEnergyConfig):
    """A table of an excess energy's coefficients."""

    linear: Number = Field(default=0.0, description=_LINEAR)
    coefficients: Coefficients = Field(description=_COEFFICIENTS)

    def create(self, numbers: Numbers, temperature: float) -> RedlichKister:
        """Create the law; see `FreeEnergyConfig.create`."""
        return RedlichKister(numbers.add("linear"), numbers.add("coefficients"))


class RedlichKisterConfig(_ExcessConfig):
    """Ideal mixing + m c + c (1 - c) (L0 + L1 (2 c - 1) + L2 (2 c - 1)^2 + ...), units of RT C."""

    kind: Literal["redlich_kister"] = "redlich_kister"


class LiXV2O5Config(_ExcessConfig):
    """Redlich-Kister energy of Li_xV2O5, derived from windows and plateaus; V_ref = 3.39 V."""

    kind: Literal["lixv2o5"] = "lixv2o5"
    linear: Number = Field(default=LIXV2O5.linear, description=_LINEAR)
    coefficients: Coefficients = Field(
        default=tuple(LIXV2O5.coefficients), description=_COEFFICIENTS
    )

    def list_phase_names(self) -> tuple[str, ...]:
        """List alpha, epsilon and delta."""
        return LIXV2O5_PHASES

    def find_reference_voltage(self) -> float | None:
        """Find the voltage at mu = 0, unless m was replaced, which shifts it."""
        return 3.39 if self.linear == LIXV2O5.linear else None


class LiFePO4Config(RegularSolutionConfig):
    """Regular solution of LiFePO4 at 298 K, MPET's; V_ref = 3.422 V."""

    kind: Literal["lifepo4"] = "lifepo4"  # type: ignore[assignment] # a regular solution by name
    chi: Annotated[Number, Field(ge=-30.0)] = Field(
        default=LIFEPO4.chi, description="interaction parameter"
    )

    def find_reference_voltage(self) -> float:
        """Find the voltage at mu = 0, that of the plateau, whatever chi."""
        return 3.422
