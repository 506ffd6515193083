"""Tables of mobilities M(c)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import ufl
from pydantic import Field
from ufl.core.expr import Expr

from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.errors import InputError
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility, Mobility
from chemomech.materials.scalars import evaluate
from chemomech.units import Diffusivity


class MobilityConfig(LawConfig):
    """The mobility of lithium; times RT, a diffusivity.

    Attributes:
        needs_fractions: Whether it has a meaning for compositions within [0, 1] only.
    """

    needs_fractions: ClassVar[bool] = False

    @property
    def scale(self) -> float:
        """Diffusivity (m^2/s) by which the equations are scaled."""
        raise NotImplementedError

    def create(self, numbers: Numbers, unit: float) -> Mobility:
        """Create the law; ``unit`` is the diffusivity (m^2/s) that is one in the equations."""
        raise NotImplementedError

    def evaluate(self, composition: float) -> float:
        """Compute the mobility times RT (m^2/s) at a composition."""
        value = evaluate(self.create(Numbers(self), 1.0).value(ufl.as_ufl(composition)))
        assert value is not None
        return value


class _DiffusivityConfig(MobilityConfig):
    """A mobility of one number."""

    law: ClassVar[type[ConstantMobility | DegenerateMobility]]
    diffusivity: Diffusivity = Field(description="diffusivity D")

    @property
    def scale(self) -> float:
        """The diffusivity D."""
        return self.diffusivity

    def create(self, numbers: Numbers, unit: float) -> ConstantMobility | DegenerateMobility:
        """Create the law; see `MobilityConfig.create`."""
        return self.law(numbers.add("diffusivity", 1.0 / unit))


class DegenerateMobilityConfig(_DiffusivityConfig):
    """D c (1 - c) / (RT) (eqn 21): ideal diffusion has the diffusivity D at any composition."""

    kind: Literal["degenerate"] = "degenerate"
    needs_fractions: ClassVar[bool] = True
    law = DegenerateMobility


class ConstantMobilityConfig(_DiffusivityConfig):
    """D / (RT) at any composition."""

    kind: Literal["constant"] = "constant"
    law = ConstantMobility


@dataclass(frozen=True)
class _ScaledMobility:
    """A mobility of other units."""

    law: Mobility
    factor: float

    def value(self, c: Expr) -> Expr:
        """Return the mobility M(c)."""
        return self.factor * ufl.as_ufl(self.law.value(c))


class UserMobilityConfig(MobilityConfig, UserLawConfig):
    """A mobility of a user's own, times RT a diffusivity in m^2/s."""

    needed: ClassVar[tuple[str, ...]] = ("value",)
    purpose: ClassVar[str] = "a mobility"

    @property
    def scale(self) -> float:
        """The greatest value between c = 0.1 and 0.9."""
        return max(self.evaluate(tenth / 10) for tenth in range(1, 10))

    def create(self, numbers: Numbers, unit: float) -> Mobility:
        """Create the law; see `MobilityConfig.create`."""
        return _ScaledMobility(self.build(numbers), 1.0 / unit)

    def _probe(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0.0):
            raise InputError(
                f"{self.law_class.__name__} must be positive (m^2/s) between c = 0.1 and 0.9, "
                f"where its greatest value is {self.scale:g}"
            )
