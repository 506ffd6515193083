"""Tables of the strain that lithium causes, in simulations and in stress maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from chemomech.config.base import NonNegative, Number, SectionError
from chemomech.config.laws.axes import Frame
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.errors import InputError, naming
from chemomech.materials.eigenstrain import Eigenstrain, EigenstrainLaw
from chemomech.materials.scalars import Scalar
from chemomech.units import Concentration, MolarVolume

Lithium = NonNegative
_Strain = Annotated[Number, Field(ge=-1.0, le=1.0)]
_StrainRow = tuple[_Strain, _Strain, _Strain]


@dataclass(frozen=True)
class Use:
    """The use of an eigenstrain: how its table is completed, and what it may state.

    Args:
        reference: Stress-free composition where the table states none.
        highest: Largest stress-free composition.
        frame: Axes of a tensor where the table states none.
        transition: Range over which a slope changes where the table states none.
        is_solved: Whether the composition is solved for rather than given.
        mean: Mean composition of the particle; NaN where it is not known yet.
        concentration: Of lithium sites (mol/m^3), where the table states none.
    """

    reference: float | Literal["mean"]
    highest: float
    frame: Frame
    transition: float
    is_solved: bool
    mean: float = math.nan
    concentration: float = math.nan


SIMULATION = Use("mean", 1.0, "global", 0.05, is_solved=True)
STRESS_MAP = Use(0.0, math.inf, "wire", 0.0, is_solved=False)


class EigenstrainConfig(LawConfig):
    """The strain of the stress-free solid, by composition.

    Attributes:
        is_linear: Whether it is linear in the composition.
    """

    is_linear: ClassVar[bool] = False

    def find_expansion(self, concentration: float) -> float | None:
        """Find the strain per unit composition of Vegard's law; None of any other.

        ``concentration`` of lithium sites (mol/m^3) counts where the table states none.
        """
        del concentration
        return None

    @property
    def reach(self) -> tuple[float, float] | None:
        """First and last composition of a table that goes on straight beyond; None without one."""
        return None

    def complete(self, use: Use) -> Self:
        """Return the table with the defaults of its use.

        Raises:
            SectionError: The table states what has no meaning there, or lacks what is needed.
        """
        del use
        return self

    def create(self, numbers: Numbers, use: Use) -> EigenstrainLaw:
        """Create the law, in the axes of its table, which is complete, for a known mean.

        Raises:
            InputError: If the numbers make no law.
        """
        raise NotImplementedError


class ReferredConfig(EigenstrainConfig):
    """An eigenstrain that counts from a stress-free composition."""

    reference_composition: Literal["mean"] | Lithium | None = Field(
        default=None,
        description='stress-free composition; "mean", a simulation\'s default: the initial mean; '
        "0 in a stress map",
    )

    def complete(self, use: Use) -> Self:
        """Return the table with the defaults of its use; see `EigenstrainConfig.complete`."""
        defaults = {
            "reference_composition": use.reference,
            "frame": use.frame,
            "transition": use.transition,
        }
        stated = {key: getattr(self, key, math.nan) for key in defaults}
        reference = stated["reference_composition"]
        if isinstance(reference, float) and reference > use.highest:
            raise SectionError(
                "reference_composition", f"{reference!r} must be at most {use.highest:g}"
            )
        if use.is_solved and stated["transition"] == 0.0:
            raise SectionError(
                "transition", "must be greater than zero in a simulation, or mu would jump"
            )
        missing = {key: defaults[key] for key, value in stated.items() if value is None}
        return self.model_copy(update=missing)

    def _resolve_reference(self, use: Use) -> float:
        reference = self.reference_composition
        assert reference is not None
        return use.mean if reference == "mean" else reference

    def _add_reference(self, numbers: Numbers, use: Use) -> Scalar:
        value = self._resolve_reference(use)
        number: Scalar = numbers.add("reference_composition", value=value, highest=use.highest)
        return number


class SwellingConfig(ReferredConfig):
    """An eigenstrain of lithium's partial molar volume, which takes its concentration."""

    site_concentration: Concentration | None = Field(
        default=None,
        description="lithium per volume at x = 1; of a stress map only, as a simulation has that "
        "of the material",
    )

    def complete(self, use: Use) -> Self:
        """Return the table with the defaults of its use; see `EigenstrainConfig.complete`."""
        if use.is_solved and self.site_concentration is not None:
            raise SectionError(
                "site_concentration", "has no meaning in a simulation: material has one"
            )
        if not use.is_solved and self.site_concentration is None:
            raise SectionError("site_concentration", "is missing (lithium per volume at x = 1)")
        return super().complete(use)


class VegardConfig(SwellingConfig):
    """Omega C (c - c_ref) / 3 in all directions (eqn 10)."""

    kind: Literal["vegard"] = "vegard"
    is_linear: ClassVar[bool] = True
    partial_molar_volume: MolarVolume = Field(description="partial molar volume Omega")

    def find_expansion(self, concentration: float) -> float:
        """Compute Omega C / 3."""
        return self.partial_molar_volume * (self.site_concentration or concentration) / 3

    def create(self, numbers: Numbers, use: Use) -> Eigenstrain:
        """Create the law; see `EigenstrainConfig.create`."""
        scale = (self.site_concentration or use.concentration) / 3.0
        expansion = numbers.add("partial_molar_volume", scale)
        return Eigenstrain.isotropic(expansion, self._add_reference(numbers, use))


class TensorEigenstrainConfig(ReferredConfig):
    """E (c - c_ref) with any symmetric tensor E."""

    kind: Literal["tensor"] = "tensor"
    is_linear: ClassVar[bool] = True
    tensor: tuple[_StrainRow, _StrainRow, _StrainRow] = Field(
        description="strain per unit composition"
    )
    frame: Frame | None = Field(
        default=None,
        description="axes the tensor refers to; global in a simulation, wire in a stress map",
    )

    def _check(self) -> None:
        rows = np.array(self.tensor)
        if not np.allclose(rows, rows.T, rtol=1e-12, atol=0.0):
            raise SectionError("tensor", "must be symmetric")

    def create(self, numbers: Numbers, use: Use) -> Eigenstrain:
        """Create the law; see `EigenstrainConfig.create`."""
        reference = self._add_reference(numbers, use)
        with naming(key=numbers.name("tensor")):
            law = Eigenstrain(numbers.add("tensor"), reference)
        numbers.add_check(law.require_symmetry, "tensor")
        return law


class UserEigenstrainConfig(EigenstrainConfig, UserLawConfig):
    """An eigenstrain of a user's own."""

    frame: Frame = Field(default="global", description="axes that the strain refers to")

    needed: ClassVar[tuple[str, ...]] = ("strain",)
    purpose: ClassVar[str] = "an eigenstrain"

    def create(self, numbers: Numbers, use: Use) -> EigenstrainLaw:
        """Create the law; see `EigenstrainConfig.create`."""
        law: EigenstrainLaw = self.build(numbers)
        return law

    def _probe(self) -> None:
        if hasattr(self.law, "in_wire_frame"):
            raise InputError(
                "in_wire_frame is not looked at: state the axes beside kind, such as "
                'frame = "wire"',
                key="frame",
            )
