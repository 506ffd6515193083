"""Tables of eigenstrains that are piecewise linear: by phase, of molar volumes, of unit cells."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from chemomech.config.base import ExistingFile, Name, Number, Section, SectionError
from chemomech.config.laws.axes import Frame
from chemomech.config.laws.eigenstrain import Lithium, ReferredConfig, SwellingConfig, Use
from chemomech.config.laws.numbers import Numbers
from chemomech.errors import naming
from chemomech.materials.lattice import LatticePhase, create_lattice_eigenstrain, read_phases
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain
from chemomech.units import MolarVolume


class _TableConfig(ReferredConfig):
    """An eigenstrain that is piecewise linear."""

    transition: Annotated[Number, Field(ge=0.0, le=1.0)] | None = Field(
        default=None,
        description="range of composition about each entry over which the slope changes; 0.05 in "
        "a simulation, 0 in a stress map",
    )

    @property
    def _width(self) -> float:
        assert self.transition is not None
        return self.transition


class PhaseExpansionConfig(Section):
    """Partial molar volume within the window of one phase."""

    lowest: Lithium = Field(description="lowest x of the phase")
    highest: Lithium = Field(description="highest x of the phase")
    partial_molar_volume: MolarVolume = Field(description="Omega within the phase")


class PhaseEigenstrainConfig(SwellingConfig, _TableConfig):
    """The integral of Omega(x) C / 3, Omega constant within each phase."""

    kind: Literal["phases"] = "phases"
    phases: Annotated[tuple[PhaseExpansionConfig, ...], Field(min_length=1)] = Field(
        description="windows of x, in order"
    )

    def _check(self) -> None:
        end = -1.0
        for index, phase in enumerate(self.phases):
            if phase.lowest >= phase.highest:
                raise SectionError(f"phases.{index}.highest", "must be greater than lowest")
            if phase.lowest < end:
                raise SectionError(f"phases.{index}.lowest", "lies within the phase before it")
            end = phase.highest

    def create(self, numbers: Numbers, use: Use) -> TabulatedEigenstrain:
        """Create the law; see `EigenstrainConfig.create`."""
        windows = [(p.lowest, p.highest, p.partial_molar_volume) for p in self.phases]
        with naming(key=numbers.name("phases")):
            return TabulatedEigenstrain.from_phases(
                windows,
                self.site_concentration or use.concentration,
                self._resolve_reference(use),
                transition=self._width,
            )


class VolumeEigenstrainConfig(_TableConfig):
    """(V(x) - V_ref) / (3 V_ref) in all directions, from a table of molar volumes."""

    kind: Literal["molar_volumes"] = "molar_volumes"
    lithium: Annotated[tuple[Lithium, ...], Field(min_length=2)] = Field(
        description="x, increasing"
    )
    volumes: Annotated[tuple[MolarVolume, ...], Field(min_length=2)] = Field(
        description="molar volume at each x"
    )

    @property
    def reach(self) -> tuple[float, float]:
        """First and last composition; see `EigenstrainConfig.reach`."""
        return self.lithium[0], self.lithium[-1]

    def _check(self) -> None:
        if len(self.lithium) != len(self.volumes):
            raise SectionError(
                "volumes", f"has {len(self.volumes)} entries, lithium {len(self.lithium)}"
            )
        if any(b <= a for a, b in zip(self.lithium, self.lithium[1:], strict=False)):
            raise SectionError("lithium", "must increase")
        if min(self.volumes) <= 0.0:
            raise SectionError("volumes", "must be greater than zero")

    def create(self, numbers: Numbers, use: Use) -> TabulatedEigenstrain:
        """Create the law; see `EigenstrainConfig.create`."""
        with naming(key=numbers.name("volumes")):
            return TabulatedEigenstrain.from_molar_volumes(
                self.lithium, self.volumes, self._resolve_reference(use), transition=self._width
            )


class LatticeEigenstrainConfig(_TableConfig):
    """Strain tensors between the phases of a table of lattice parameters, linear in between."""

    kind: Literal["lattice"] = "lattice"
    file: ExistingFile = Field(description="CSV of phases: name, x, lattice parameters")
    axes: Name = Field(
        description="edges along the first, second and third axis of the frame, those along the "
        'wire, across it and out of the image: such as "bca"'
    )
    frame: Frame = Field(default="wire", description="axes that the edges lie along")

    @cached_property
    def phases(self) -> list[LatticePhase]:
        """The phases in the file."""
        return read_phases(self.file)

    @property
    def reach(self) -> tuple[float, float]:
        """First and last composition; see `EigenstrainConfig.reach`."""
        return self.phases[0].x, self.phases[-1].x

    def _check(self) -> None:
        if sorted(self.axes) != ["a", "b", "c"]:
            raise SectionError(
                "axes", f'must name each of the edges a, b and c once, as "bca", not {self.axes!r}'
            )
        # On the rank that reads the configuration; the others are given it with the phases.
        self.phases  # noqa: B018

    def create(self, numbers: Numbers, use: Use) -> TabulatedEigenstrain:
        """Create the law; see `EigenstrainConfig.create`."""
        reference = self._resolve_reference(use)
        with naming(path=self.file):
            return create_lattice_eigenstrain(
                self.phases, reference, self.axes, transition=self._width
            )
