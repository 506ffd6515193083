"""Tables of mobilities M(c, e)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import ufl
from pydantic import Field
from ufl.core.expr import Expr

from chemomech.config.base import Choice, ExistingFile, Fraction, Number, SectionError
from chemomech.config.laws.axes import Frame, LocalAxes
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.tensors import AnisotropyConfig, StrainSensitivityConfig
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.errors import InputError, naming
from chemomech.materials.mobility import (
    UNSTRAINED,
    AnisotropicMobility,
    ConstantMobility,
    DegenerateMobility,
    Mobility,
    StrainedMobility,
    Strains,
    TabulatedMobility,
)
from chemomech.materials.scalars import Scalar, evaluate
from chemomech.text_files import read_columns
from chemomech.units import Diffusivity

_COLUMNS = ("c", "diffusivity_m2_per_s")


class MobilityConfig(LawConfig):
    """The mobility of lithium; times RT, a diffusivity."""

    anisotropy: AnisotropyConfig | None = Field(
        default=None, description="factors of the mobility by direction; none: all directions alike"
    )
    strain: StrainSensitivityConfig | None = Field(
        default=None, description="change of the mobility by strain; none: it does not change"
    )

    @property
    def scale(self) -> float:
        """Diffusivity (m^2/s) by which the equations are scaled."""
        raise NotImplementedError

    @property
    def frames(self) -> dict[str, Frame | None]:
        """Axes that the law refers to; see `LawConfig.frames`."""
        tables = {"anisotropy": self.anisotropy, "strain": self.strain}
        return {f"{key}.frame": table.frame for key, table in tables.items() if table}

    @property
    def strain_key(self) -> str | None:
        """Key that makes the law depend on strain; None where it does not."""
        return None if self.strain is None else "strain"

    def create(self, numbers: Numbers, unit: float, axes: LocalAxes) -> Mobility:
        """Create the law.

        Args:
            numbers: Numbers of the table.
            unit: Diffusivity (m^2/s) that is one in the equations.
            axes: Those of the particle.
        """
        law = self._create_isotropic(numbers, unit)
        if self.anisotropy is not None:
            factors = self.anisotropy.create(numbers.within("anisotropy"), axes)
            law = AnisotropicMobility(law, factors)
        if self.strain is not None:
            sensitivity = self.strain.create(numbers.within("strain"), axes)
            law = StrainedMobility(law, sensitivity, self.strain.measure)
        return law

    def evaluate(self, composition: float) -> float:
        """Compute the mobility times RT (m^2/s) without strain at a composition.

        That is where the factors by direction are one; of a tensor, its largest diagonal entry.
        """
        law = self._create_isotropic(Numbers(self), 1.0)
        value = ufl.as_ufl(law.value(ufl.as_ufl(composition), UNSTRAINED))
        rows = range(value.ufl_shape[0]) if value.ufl_shape else ()
        found = [evaluate(one) for one in [value[i, i] for i in rows] or [value]]
        return max(one for one in found if one is not None)

    def check_range(self, lower: float, upper: float) -> None:
        """Refuse compositions for which it has no meaning.

        Raises:
            SectionError: Under the key of the table at fault.
        """

    def describe(self) -> list[tuple[str, str]]:
        """Describe the law in rows of label and value."""
        return []

    def _create_isotropic(self, numbers: Numbers, unit: float) -> Mobility:
        """Create the law without directions and strain."""
        raise NotImplementedError

    def _require_fractions(self, lower: float, upper: float) -> None:
        if not (lower >= 0.0 and upper <= 1.0):
            raise SectionError(
                "kind",
                f"a {self.kind} mobility needs bounds within [0, 1] "
                'in free_energy; else use "constant"',
            )


class _DiffusivityConfig(MobilityConfig):
    """A mobility of one number."""

    law: ClassVar[type[ConstantMobility | DegenerateMobility]]
    diffusivity: Diffusivity = Field(description="diffusivity D")

    @property
    def scale(self) -> float:
        """The diffusivity D."""
        return self.diffusivity

    def _create_isotropic(self, numbers: Numbers, unit: float) -> Mobility:
        return self.law(numbers.add("diffusivity", 1.0 / unit))


class DegenerateMobilityConfig(_DiffusivityConfig):
    """D c (1 - c) / (RT) (eqn 21): ideal diffusion has the diffusivity D at any composition."""

    kind: Literal["degenerate"] = "degenerate"
    law = DegenerateMobility

    def check_range(self, lower: float, upper: float) -> None:
        """Refuse all but fractions; see `MobilityConfig.check_range`."""
        self._require_fractions(lower, upper)


class ConstantMobilityConfig(_DiffusivityConfig):
    """D / (RT) at any composition."""

    kind: Literal["constant"] = "constant"
    law = ConstantMobility


class TabulatedMobilityConfig(MobilityConfig):
    """D(c) c (1 - c) / (RT), or D(c) / (RT), with D(c) from a table, straight in ln D."""

    kind: Literal["table"] = "table"
    choices = (Choice(("file", "diffusivities")),)

    file: ExistingFile | None = Field(
        default=None, description="CSV with the header c,diffusivity_m2_per_s"
    )
    compositions: tuple[Number, ...] | None = Field(
        default=None, description="or the entries: compositions c, increasing"
    )
    diffusivities: tuple[Diffusivity, ...] | None = Field(
        default=None, description="diffusivity at each c; results keep the entries, not a file"
    )
    factor: Literal["c(1-c)", "none"] = Field(
        default="c(1-c)", description='what D is multiplied by; "none": the table holds M RT'
    )
    transition: Fraction = Field(
        default=0.05, description="range of c about each entry over which d ln D / dc changes"
    )

    @property
    def scale(self) -> float:
        """The largest diffusivity."""
        assert self.diffusivities is not None
        return max(self.diffusivities)

    def check_range(self, lower: float, upper: float) -> None:
        """Refuse compositions the table does not reach; see `MobilityConfig.check_range`."""
        assert self.compositions is not None
        if self.factor != "none":
            self._require_fractions(lower, upper)
        first, last = self.compositions[0], self.compositions[-1]
        if lower < first or last < upper:
            raise SectionError(
                "compositions",
                f"the table reaches from c = {first:g} to {last:g}, the composition may go from "
                f"{lower:g} to {upper:g}: add entries at both, or narrow the bounds",
            )

    def describe(self) -> list[tuple[str, str]]:
        """Describe the law; see `MobilityConfig.describe`."""
        error = self._create_isotropic(Numbers(self), 1.0).find_error()
        entries = f"{len(self.compositions or ())} entries"
        return [("table of diffusivities", f"{entries}; rounding changes D by {error:.1%} at most")]

    def _create_isotropic(self, numbers: Numbers, unit: float) -> TabulatedMobility:
        assert self.compositions is not None
        return TabulatedMobility(
            np.array(self.compositions),
            numbers.add("diffusivities", 1.0 / unit),
            is_degenerate=self.factor != "none",
            transition=self.transition,
        )

    def _check(self) -> None:
        if self.file is not None:
            self._read()
        if self.compositions is None:
            raise SectionError("compositions", "is missing: the composition of each diffusivity")
        try:
            self._create_isotropic(Numbers(self), 1.0)
        except InputError as error:
            raise SectionError(error.key or "diffusivities", error.message) from error

    def _read(self) -> None:
        """Take the entries from the file: its content counts, not its name."""
        assert self.file is not None
        if self.compositions is not None:
            raise SectionError("compositions", "excludes file; state one of both")
        try:
            columns = read_columns(self.file)
        except InputError as error:
            raise SectionError("file", str(error)) from error
        if sorted(columns) != sorted(_COLUMNS):
            raise SectionError(
                "file", f"needs the header {','.join(_COLUMNS)}, got {','.join(columns)}"
            )
        c, values = (tuple(map(float, columns[name])) for name in _COLUMNS)
        self.__dict__.update(file=None, compositions=c, diffusivities=values)


@dataclass(frozen=True)
class _ScaledMobility:
    """A mobility of other units."""

    law: Mobility
    factor: Scalar

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility M(c, e)."""
        return self.factor * ufl.as_ufl(self.law.value(c, strains))


class UserMobilityConfig(MobilityConfig, UserLawConfig):
    """A mobility of a user's own, times RT a diffusivity in m^2/s."""

    needed: ClassVar[tuple[str, ...]] = ("value",)
    purpose: ClassVar[str] = "a mobility"

    @property
    def scale(self) -> float:
        """The greatest value between c = 0.1 and 0.9."""
        return max(self.evaluate(tenth / 10) for tenth in range(1, 10))

    @property
    def strain_key(self) -> str | None:
        """Key that makes the law depend on strain: its kind, where it asks for the strains."""
        law = self.law
        try:
            law.value(ufl.as_ufl(0.5), None)
        except (AttributeError, TypeError, InputError):
            return "kind"
        return super().strain_key

    def _create_isotropic(self, numbers: Numbers, unit: float) -> Mobility:
        return _ScaledMobility(self.build(numbers), numbers.convert(1.0 / unit))

    def _probe(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0.0):
            raise InputError(
                f"{self.law_class.__name__} must be positive (m^2/s) between c = 0.1 and 0.9, "
                f"where its greatest value is {self.scale:g}"
            )
        if self.anisotropy is not None:
            with naming(key="anisotropy"):
                AnisotropicMobility(self.law, ufl.Identity(3)).value(ufl.as_ufl(0.5), UNSTRAINED)
