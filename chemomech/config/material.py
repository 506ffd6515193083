"""The table [material]: free energy, gradient energy, mobility."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from chemomech.config.base import Choice, Number, Section, SectionError
from chemomech.errors import InputError
from chemomech.materials.free_energy import Polynomial, RegularSolution
from chemomech.materials.phase_diagram import PhaseDiagram, find_phases
from chemomech.units import (
    Concentration,
    Diffusivity,
    GradientCoefficient,
    PositiveLength,
    Scales,
    Temperature,
)

#: Greatest chi with which runs were seen to work, on meshes that resolve their interfaces.
_GREATEST_CHI = 12.0
#: Feet of an interface that count as its width where they are steeper than the rest.
_FEET = 12.0


#: Gives a UFL scalar, or a list of them, for the number of a key.
Take = Callable[[str], Any]


class RegularSolutionConfig(Section):
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

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval of compositions."""
        return (0.0, 1.0)

    def create(self, take: Take | None = None) -> RegularSolution:
        """Create the law.

        Args:
            take: Returns what stands for the number of a key; None for the numbers themselves.
        """
        return RegularSolution(self.chi if take is None else take("chi"))


class PolynomialConfig(Section):
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

    def create(self, take: Take | None = None) -> Polynomial:
        """Create the law; see `RegularSolutionConfig.create`."""
        coefficients = self.coefficients if take is None else take("coefficients")
        return Polynomial(coefficients, self.bounds or (-math.inf, math.inf))


FreeEnergyConfig = Annotated[RegularSolutionConfig | PolynomialConfig, Field(discriminator="kind")]


class GradientConfig(Section):
    """The gradient energy C kappa |grad c|^2 / 2, by its coefficient or by the interface width."""

    choices = (Choice(("kappa", "interface_width")),)

    kappa: GradientCoefficient | None = Field(default=None, description="coefficient kappa")
    interface_width: PositiveLength | None = Field(
        default=None,
        description="width of a stress-free interface (of the narrowest); sets kappa",
    )


class DegenerateMobilityConfig(Section):
    """D c (1 - c) / (RT) (eqn 21): ideal diffusion has the diffusivity D at any composition."""

    kind: Literal["degenerate"] = "degenerate"
    diffusivity: Diffusivity = Field(description="diffusivity D")


class ConstantMobilityConfig(Section):
    """D / (RT) at any composition."""

    kind: Literal["constant"] = "constant"
    diffusivity: Diffusivity = Field(description="diffusivity D")


MobilityConfig = Annotated[
    DegenerateMobilityConfig | ConstantMobilityConfig, Field(discriminator="kind")
]


class MaterialConfig(Section):
    """The chemistry of the material."""

    temperature: Temperature = Field(default=298.15, description="temperature T")
    site_concentration: Concentration = Field(
        default=18500.0,
        description="concentration C of lithium sites at c = 1",
    )
    free_energy: FreeEnergyConfig
    gradient: GradientConfig
    mobility: MobilityConfig

    @cached_property
    def phases(self) -> PhaseDiagram:
        """Phases of the free energy without stress."""
        return find_phases(self.free_energy.create())

    @property
    def scales(self) -> Scales:
        """Scales that make the equations dimensionless, with lengths in nanometres."""
        return Scales(
            diffusivity=self.mobility.diffusivity,
            temperature=self.temperature,
            site_concentration=self.site_concentration,
        )

    @property
    def kappa(self) -> float:
        """Gradient coefficient (J m^2/mol), given or from the interface width."""
        if self.gradient.kappa is not None:
            return self.gradient.kappa
        assert self.gradient.interface_width is not None
        length = self.gradient.interface_width / self.phases.narrowest.interface_width(1.0)
        return self.scales.chemical_potential * length**2

    @property
    def interface_width(self) -> float | None:
        """Width of a stress-free interface (m), of several the narrowest; None with one phase."""
        if self.gradient.interface_width is not None:
            return self.gradient.interface_width
        if not self.phases.has_phase_separation:
            return None
        return self.phases.narrowest.interface_width(self.kappa / self.scales.chemical_potential)

    @property
    def resolved_width(self) -> float | None:
        """Length (m) that a mesh divides into so many cells an interface, None without interface.

        It is the interface's width, or where deep wells make its feet steeper, theirs: in a regular
        solution beyond chi = 5.4.
        """
        width = self.interface_width
        if width is None:
            return None
        gradient = self.kappa / self.scales.chemical_potential
        feet = (pair.tail_length(gradient) for pair in self.phases.coexistences)
        return min(width, _FEET * min(feet))

    @model_validator(mode="after")
    def _check_gradient(self) -> Self:
        try:
            self.phases  # noqa: B018 - found here, and kept
        except InputError as error:
            raise SectionError("free_energy", error.message) from error
        if self.gradient.interface_width is not None and not self.phases.has_phase_separation:
            raise SectionError(
                "gradient.interface_width",
                "this free energy has one phase and no interface (a regular solution has two with "
                "chi > 2); give kappa",
            )
        if self.gradient.kappa == 0.0 and self.phases.has_phase_separation:
            raise SectionError(
                "gradient.kappa",
                "must be greater than zero where phases separate; interfaces would have no width",
            )
        return self

    @model_validator(mode="after")
    def _check_mobility(self) -> Self:
        bounds = self.free_energy.bounds
        inside = bounds is not None and bounds[0] >= 0.0 and bounds[1] <= 1.0
        if self.mobility.kind == "degenerate" and not inside:
            raise SectionError(
                "mobility.kind",
                "a degenerate mobility c (1 - c) needs bounds within [0, 1] "
                'in free_energy; else use "constant"',
            )
        return self
