"""The table [material]: free energy, gradient energy, mobility."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Self

from pydantic import Field

from chemomech.config.base import Choice, Section, SectionError, within
from chemomech.config.laws.axes import Frame, LocalAxes
from chemomech.config.laws.free_energy import FreeEnergyConfig
from chemomech.config.laws.mobility import MobilityConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.tensors import AnisotropyConfig
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.errors import InputError, UnloadedLawError
from chemomech.materials.free_energy import FreeEnergy
from chemomech.materials.phase_diagram import PhaseDiagram, find_phases
from chemomech.materials.phases import Phase
from chemomech.materials.scalars import Scalar, ScalarOrTensor
from chemomech.units import (
    Concentration,
    GradientCoefficient,
    PositiveLength,
    Scales,
    Temperature,
)

#: Feet of an interface that count as its width where they are steeper than the rest.
_FEET = 12.0


class _GradientConfig(Section):
    """The gradient energy C kappa |grad c|^2 / 2, by its coefficient or by the interface width."""

    choices = (Choice(("kappa", "interface_width")),)

    kappa: GradientCoefficient | None = Field(default=None, description="coefficient kappa")
    interface_width: PositiveLength | None = Field(
        default=None,
        description="width of a stress-free interface (of the narrowest); sets kappa",
    )
    anisotropy: AnisotropyConfig | None = Field(
        default=None,
        description="factors of kappa by direction; widths go with their roots; none: all alike",
    )

    @property
    def frames(self) -> dict[str, Frame | None]:
        """Axes that kappa refers to, by the key that says so."""
        return {} if self.anisotropy is None else {"anisotropy.frame": self.anisotropy.frame}

    def create(
        self, numbers: Numbers, kappa: float, unit: float, axes: LocalAxes
    ) -> ScalarOrTensor:
        """Create the coefficient, a scalar or a tensor.

        Args:
            numbers: Numbers of the table.
            kappa: Coefficient (J m^2/mol) where the factor is one.
            unit: Coefficient that is one in the equations.
            axes: Those of the particle.
        """
        coefficient: Scalar = numbers.add("kappa", 1.0 / unit, kappa)
        if self.anisotropy is None:
            return coefficient
        return coefficient * self.anisotropy.create(numbers.within("anisotropy"), axes)


class MaterialConfig(Section):
    """The chemistry of the material."""

    temperature: Temperature = Field(default=298.15, description="temperature T")
    site_concentration: Concentration = Field(
        default=18500.0,
        description="concentration C of lithium sites at c = 1",
    )
    free_energy: FreeEnergyConfig
    gradient: _GradientConfig
    mobility: MobilityConfig
    _dimension: int | None = None

    def with_dimension(self, dimension: int | None) -> Self:
        """Return a copy for shapes of a number of dimensions; None where a mesh will tell."""
        copy = self.model_copy()
        copy._dimension = dimension
        return copy

    @cached_property
    def homogeneous_energy(self) -> FreeEnergy:
        """The free energy of a homogeneous composition, of plain numbers."""
        return self.free_energy.create_plain(self.temperature)

    @cached_property
    def phases(self) -> PhaseDiagram:
        """Phases of the free energy without stress."""
        return find_phases(self.homogeneous_energy)

    @cached_property
    def named_phases(self) -> tuple[Phase, ...]:
        """Phases by rising composition, with the law's names, or numbered from three on.

        There are none where the law was not loaded, where it has one phase, or where it has two
        without names: Li-poor and Li-rich.
        """
        try:
            windows = self.phases.windows
        except UnloadedLawError:
            return ()
        names = self.free_energy.list_phase_names()
        if len(names) != len(windows):
            if len(windows) < 3:
                return ()
            names = tuple(f"phase {number}" for number in range(1, len(windows) + 1))
        return tuple(Phase(name, *ends) for name, ends in zip(names, windows, strict=True))

    @property
    def phase_limits(self) -> tuple[float, ...]:
        """Compositions at which one phase ends and the next begins; without two phases 0.5."""
        try:
            return self.phases.thresholds or (0.5,)
        except UnloadedLawError:
            return (0.5,)

    def __getstate__(self) -> dict[Any, Any]:
        # Not the law, nor phases that hold it: those of a user's module ranks that are sent this
        # have yet to load.
        state = super().__getstate__()
        kept = type(self).model_fields
        return state | {"__dict__": {k: v for k, v in state["__dict__"].items() if k in kept}}

    @property
    def scales(self) -> Scales:
        """Scales that make the equations dimensionless, with lengths in nanometres."""
        return Scales(
            diffusivity=self.mobility.scale,
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
    def width_factors(self) -> tuple[float, float]:
        """The smallest and the largest ratio of widths, of any direction, to that of kappa."""
        table = self.gradient.anisotropy
        low, high = (1.0, 1.0) if table is None else table.find_extremes(self._dimension)
        return math.sqrt(low), math.sqrt(high)

    @property
    def interface_width(self) -> float | None:
        """Width of a stress-free interface (m), of several the narrowest; None with one phase.

        Where kappa depends on the direction it is that of the direction with the narrowest.
        """
        width = self.gradient.interface_width
        if width is None:
            if not self.phases.has_phase_separation:
                return None
            gradient = self.kappa / self.scales.chemical_potential
            width = self.phases.narrowest.interface_width(gradient)
        return self.width_factors[0] * width

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
        feet = min(pair.tail_length(gradient) for pair in self.phases.coexistences)
        return min(width, _FEET * self.width_factors[0] * feet)

    def _check(self) -> None:
        self._check_gradient()
        self._check_mobility()

    def _check_gradient(self) -> None:
        try:
            self.phases  # noqa: B018 - found here, and kept
        except InputError as error:
            key = ".".join(part for part in ("free_energy", error.key) if part)
            raise SectionError(key, error.message) from error
        self._check_phase_names()
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

    def _check_phase_names(self) -> None:
        names, windows = self.free_energy.list_phase_names(), self.phases.windows
        # Numbers of a crystal by name may be replaced, and with them its phases.
        if isinstance(self.free_energy, UserLawConfig) and names and len(names) != len(windows):
            raise SectionError(
                "free_energy.kind",
                f"phase_names needs {len(windows)} names, one for each phase, got {len(names)}",
            )

    def _check_mobility(self) -> None:
        with within("mobility"):
            self.mobility.check_range(*self.homogeneous_energy.bounds)
