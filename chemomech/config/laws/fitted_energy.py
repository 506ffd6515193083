"""Tables of free energies that are fitted: to phases, or to a table of measured values."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from chemomech.config.base import (
    Choice,
    ExistingFile,
    InteriorFraction,
    Name,
    Number,
    Positive,
    Section,
    SectionError,
)
from chemomech.config.laws.free_energy import FreeEnergyConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.redlich_kister import RedlichKisterConfig
from chemomech.errors import InputError
from chemomech.materials.phase_fit import fit_phases
from chemomech.materials.redlich_kister import RedlichKister
from chemomech.materials.table_fit import Quantity, TableFit, fit_energy_table, read_energy_table
from chemomech.units import Voltage


class _FittedConfig(FreeEnergyConfig):
    """A free energy whose coefficients are fitted, and are parameters then."""

    @cached_property
    def fits(self) -> dict[str, RedlichKister]:
        """Laws by what they were fitted to, on the rank that reads the configuration.

        The others are given them with it: rounding must not make them choose other terms.
        """
        return {}

    def fit(self, temperature: float) -> RedlichKister:
        """Fit the law; see `FreeEnergyConfig.create`."""
        raise NotImplementedError

    def create(self, numbers: Numbers, temperature: float) -> RedlichKister:
        """Create the law; see `FreeEnergyConfig.create`."""
        # By all keys: a copy with other keys has the same dictionary.
        source = f"{temperature!r} K, {self.model_dump_json()}"
        if source not in self.fits:
            self.fits[source] = self.fit(temperature)
        law = self.fits[source]
        table = RedlichKisterConfig(linear=law.linear, coefficients=tuple(law.coefficients))
        return table.create(numbers.of(table), temperature)


class PhasesConfig(_FittedConfig):
    """A Redlich-Kister energy with given phases, plateaus and barriers."""

    kind: Literal["phases"] = "phases"
    windows: tuple[tuple[Number, Number], ...] = Field(
        description="lowest and highest c of each phase, the first from 0, the last to 1"
    )
    plateaus: tuple[Voltage, ...] = Field(
        description="voltage at which each phase is in equilibrium with the next"
    )
    reference_voltage: Voltage = Field(description="voltage at mu = 0, that of the schedule")
    barriers: tuple[Positive, ...] | None = Field(
        default=None, description="heights over the tangents, in units of RT C"
    )
    names: tuple[Name, ...] | None = Field(
        default=None, description="names of the phases, for tables and pictures"
    )

    def _check(self) -> None:
        if self.names is not None and len(self.names) != len(self.windows):
            raise SectionError(
                "names", f"needs {len(self.windows)} names, one a window, got {len(self.names)}"
            )
        if self.names is not None and len(set(self.names)) < len(self.names):
            raise SectionError("names", "two phases have the same name")

    def list_phase_names(self) -> tuple[str, ...]:
        """List the names that the table states."""
        return self.names or ()

    def find_reference_voltage(self) -> float | None:
        """Find the voltage at mu = 0 that the table states."""
        return self.reference_voltage

    def fit(self, temperature: float) -> RedlichKister:
        """Fit the law; see `FreeEnergyConfig.create`."""
        return fit_phases(
            self.windows,
            self.plateaus,
            self.reference_voltage,
            barriers=self.barriers,
            temperature=temperature,
        )


class PlateauConfig(Section):
    """A plateau of a measured curve, on which two phases coexist."""

    poor: InteriorFraction = Field(description="c of the phase poorer in lithium")
    rich: InteriorFraction = Field(description="c of the richer phase")
    barrier: Positive = Field(description="height over the tangent, in units of RT C")


class EnergyTableConfig(_FittedConfig):
    """A Redlich-Kister energy fitted to a table of g, of mu or of an open-circuit voltage."""

    kind: Literal["table"] = "table"
    choices = (Choice(("file", "points")),)

    file: ExistingFile | None = Field(
        default=None, description="CSV with the header c,g or c,mu or c,voltage_V"
    )
    points: tuple[tuple[Number, Number], ...] | None = Field(
        default=None, description="or its entries; folders of results keep them in place of a file"
    )
    quantity: Quantity = Field(
        description="what the table holds: g in units of RT C, mu in units of RT, or V in volts"
    )
    reference_voltage: Voltage | None = Field(
        default=None, description="voltage at mu = 0, of voltages only; that of the schedule"
    )
    plateaus: tuple[PlateauConfig, ...] | None = Field(
        default=None,
        description="each plateau; [] takes a curve as that of a homogeneous crystal",
    )

    def _check(self) -> None:
        if self.file is None:
            return
        try:
            table = read_energy_table(self.file, self.quantity)
        except InputError as error:
            raise SectionError("file", str(error)) from error
        # What counts is the content of the file: a change of it is one of the configuration.
        entries = tuple((float(c), float(value)) for c, value in table)
        self.__dict__.update(file=None, points=entries)

    def find_reference_voltage(self) -> float | None:
        """Find the voltage at mu = 0 that the table states."""
        return self.reference_voltage

    def fit_table(self, temperature: float) -> TableFit:
        """Fit the law and find its error; see `FreeEnergyConfig.create`."""
        assert self.points is not None
        plateaus = self.plateaus
        return fit_energy_table(
            self.points,
            self.quantity,
            reference_voltage=self.reference_voltage,
            plateaus=None if plateaus is None else [(p.poor, p.rich, p.barrier) for p in plateaus],
            temperature=temperature,
        )

    def fit(self, temperature: float) -> RedlichKister:
        """Fit the law; see `FreeEnergyConfig.create`."""
        return self.fit_table(temperature).law

    def describe(self, temperature: float) -> list[tuple[str, str]]:
        """Describe the law; see `FreeEnergyConfig.describe`."""
        fit = self.fit_table(temperature)
        terms, error = len(fit.law.coefficients), 1e3 * fit.largest_error
        return [("fit to the table", f"{terms} terms; largest error {error:.3g} mV")]
