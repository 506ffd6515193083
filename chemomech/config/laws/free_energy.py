"""Tables of free energies g(c)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from ufl.core.expr import Expr

from chemomech.config.base import Number, SectionError
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.errors import InputError
from chemomech.materials.free_energy import FreeEnergy, Polynomial, RegularSolution

#: Greatest chi with which runs were seen to work, on meshes that resolve their interfaces.
_GREATEST_CHI = 12.0


class FreeEnergyConfig(LawConfig):
    """The free energy of a homogeneous composition."""

    def create(self, numbers: Numbers, temperature: float) -> FreeEnergy:
        """Create the law.

        Args:
            numbers: The table's numbers.
            temperature: Temperature (K) of the material.

        Raises:
            InputError: If the numbers make no law.
        """
        raise NotImplementedError

    def create_plain(self, temperature: float) -> FreeEnergy:
        """Create the law with the numbers of the table themselves; see `create`."""
        return self.create(Numbers(self), temperature)

    def list_phase_names(self) -> tuple[str, ...]:
        """List the names of its phases by rising composition, or none."""
        return ()

    def find_reference_voltage(self) -> float | None:
        """Find the voltage at which its mu is zero; None if any may be."""
        return None

    def describe(self, temperature: float) -> list[tuple[str, str]]:
        """Describe the law in names and values, beyond its phases; see `create`."""
        del temperature
        return []


class RegularSolutionConfig(FreeEnergyConfig):
    """c ln c + (1 - c) ln(1 - c) + chi c (1 - c), in units of RT C."""

    kind: Literal["regular_solution"] = "regular_solution"
    chi: Annotated[Number, Field(ge=-30.0)] = Field(
        description="interaction parameter, at most 12; phases separate above 2"
    )

    @model_validator(mode="after")
    def _check_chi(self) -> Self:
        if self.chi > _GREATEST_CHI:
            raise SectionError(
                "chi",
                f"must be at most {_GREATEST_CHI:g}: beyond, phases lie closer to 0 and 1 than "
                "errors in c, and interfaces end in feet that no affordable mesh resolves",
            )
        return self

    def create(self, numbers: Numbers, temperature: float) -> RegularSolution:
        """Create the law; see `FreeEnergyConfig.create`."""
        return RegularSolution(numbers.add("chi"))

    def describe(self, temperature: float) -> list[tuple[str, str]]:
        """Describe the law; see `FreeEnergyConfig.describe`."""
        return [("chi", f"{self.chi:g}")]


class PolynomialConfig(FreeEnergyConfig):
    """a0 + a1 c + a2 c^2 + ..., in units of RT C."""

    kind: Literal["polynomial"] = "polynomial"
    coefficients: Annotated[tuple[Number, ...], Field(min_length=1, max_length=20)] = Field(
        description="a0, a1, ... in units of RT C"
    )
    bounds: tuple[Number, Number] | None = Field(
        default=None, description="open interval the composition must keep to"
    )

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.bounds is not None and self.bounds[0] >= self.bounds[1]:
            raise SectionError("bounds", "the first must be smaller than the second")
        return self

    def create(self, numbers: Numbers, temperature: float) -> Polynomial:
        """Create the law; see `FreeEnergyConfig.create`."""
        return Polynomial(numbers.add("coefficients"), self.bounds or (-math.inf, math.inf))


@dataclass(frozen=True)
class _BoundedDensity:
    """The density of a law, within bounds of plain numbers."""

    law: FreeEnergy
    bounds: tuple[float, float]

    def density(self, c: Expr) -> Expr:
        """Return the free-energy density g(c)."""
        return self.law.density(c)


class UserFreeEnergyConfig(FreeEnergyConfig, UserLawConfig):
    """A free energy g(c) of a user's own, in units of RT C."""

    needed: ClassVar[tuple[str, ...]] = ("density", "bounds")
    purpose: ClassVar[str] = "a free energy"

    def create(self, numbers: Numbers, temperature: float) -> FreeEnergy:
        """Create the law; see `FreeEnergyConfig.create`."""
        lower, upper = self.law.bounds
        return _BoundedDensity(self.build(numbers), (float(lower), float(upper)))

    def list_phase_names(self) -> tuple[str, ...]:
        """List the ``phase_names`` of the law, if it has any."""
        return tuple(getattr(self.law, "phase_names", ()))

    def _probe(self) -> None:
        lower, upper = self.law.bounds
        if not lower < upper:
            raise InputError(f"the bounds of {self.law_class.__name__} must increase")
        names = getattr(self.law, "phase_names", ())
        if not isinstance(names, tuple | list) or not all(
            isinstance(name, str) and name.strip() for name in names
        ):
            raise InputError(f"phase_names must be texts, one for each phase, not {names!r}")
        if len(set(names)) < len(names):
            raise InputError(f"phase_names must differ, not {names!r}")
