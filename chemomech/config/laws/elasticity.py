"""Tables of elastic stiffness."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from ufl.core.expr import Expr

from chemomech.config.base import Number, SectionError
from chemomech.config.laws.axes import Frame
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.user_law import UserLawConfig
from chemomech.errors import InputError, naming
from chemomech.materials import elasticity as el
from chemomech.materials.mixed_elasticity import MixedElasticity
from chemomech.units import Modulus, Stress

_FRAME = "axes that the stiffness refers to"
_PoissonRatio = Annotated[Number, Field(ge=-5.0, le=5.0)]


class ElasticityConfig(LawConfig):
    """The linear elasticity of the solid."""

    @property
    def isotropic_constants(self) -> tuple[float, float] | None:
        """Young's modulus (Pa) and Poisson's ratio; None where there are no such two."""
        return None

    def create(
        self,
        numbers: Numbers,
        assumption: el.Assumption,
        unit: float,
        axes: Expr | None = None,
    ) -> el.ElasticityLaw:
        """Create the law.

        Args:
            numbers: Those of the table.
            assumption: Treatment of the third direction.
            unit: Unit of stress in the equations, in Pa.
            axes: Axes of the table, as `Elasticity` takes them.

        Raises:
            InputError: If the constants make no stable solid.
        """
        raise NotImplementedError

    def check_range(self, lower: float, upper: float) -> None:
        """Refuse compositions at which it makes no stable solid.

        Raises:
            SectionError: Under the key of the table at fault.
        """


class StiffnessConfig(ElasticityConfig):
    """An elasticity of one stiffness, whose stability is checked whenever a parameter is set."""

    def create(
        self,
        numbers: Numbers,
        assumption: el.Assumption,
        unit: float,
        axes: Expr | None = None,
    ) -> el.Elasticity:
        """Create the law; see `ElasticityConfig.create`."""
        stiffness = numbers.derive(self._create_stiffness(numbers, 1.0 / unit))
        with naming(key=numbers.name()):
            law = el.Elasticity(stiffness, assumption, axes)
        numbers.add_check(law.require_stability)
        return law

    def _create_stiffness(self, numbers: Numbers, scale: float) -> el.Matrix:
        """Create the stiffness, a Mandel matrix in the units of the equations."""
        raise NotImplementedError


class IsotropicConfig(StiffnessConfig):
    """Two constants."""

    kind: Literal["isotropic"] = "isotropic"
    young_modulus: Modulus = Field(description="Young's modulus E")
    poisson_ratio: Annotated[Number, Field(gt=-1.0, lt=0.5)] = Field(description="Poisson's ratio")

    @property
    def isotropic_constants(self) -> tuple[float, float]:
        """Young's modulus (Pa) and Poisson's ratio."""
        return self.young_modulus, self.poisson_ratio

    def _create_stiffness(self, numbers: Numbers, scale: float) -> el.Matrix:
        return el.create_isotropic_stiffness(
            numbers.add("young_modulus", scale), numbers.add("poisson_ratio")
        )


class _CrystalConfig(StiffnessConfig):
    """A solid with axes."""

    frame: Frame = Field(default="global", description=_FRAME)


class CubicConfig(_CrystalConfig):
    """Three constants in the crystal's axes."""

    kind: Literal["cubic"] = "cubic"
    c11: Modulus = Field(description="stiffness c11")
    c12: Stress = Field(description="stiffness c12")
    c44: Modulus = Field(description="stiffness c44")

    def _check(self) -> None:
        if not -self.c11 / 2 < self.c12 < self.c11:
            raise SectionError("c12", "must lie between -c11/2 and c11, or the solid is unstable")

    def _create_stiffness(self, numbers: Numbers, scale: float) -> el.Matrix:
        return el.create_cubic_stiffness(
            *(numbers.add(key, scale) for key in ("c11", "c12", "c44"))
        )


class OrthotropicConfig(_CrystalConfig):
    """Nine constants in the crystal's axes."""

    kind: Literal["orthotropic"] = "orthotropic"
    young_moduli: tuple[Modulus, Modulus, Modulus] = Field(description="E1, E2, E3")
    poisson_ratios: tuple[_PoissonRatio, _PoissonRatio, _PoissonRatio] = Field(
        description="nu12, nu13, nu23; nu_ij: contraction along j under tension along i"
    )
    shear_moduli: tuple[Modulus, Modulus, Modulus] = Field(description="G23, G13, G12")

    def _check(self) -> None:
        e1, e2, _ = self.young_moduli
        nu12, nu13, nu23 = self.poisson_ratios
        compliance = np.diag(1.0 / np.array(self.young_moduli))
        compliance[[0, 0, 1], [1, 2, 2]] = -nu12 / e1, -nu13 / e1, -nu23 / e2
        if np.linalg.eigvalsh(compliance * e1, UPLO="U").min() <= 0.0:
            raise SectionError(
                "poisson_ratios",
                "too large for these Young's moduli; the stiffness would not be positive definite",
            )

    def _create_stiffness(self, numbers: Numbers, scale: float) -> el.Matrix:
        return el.create_orthotropic_stiffness(
            numbers.add("young_moduli", scale),
            numbers.add("poisson_ratios"),
            numbers.add("shear_moduli", scale),
        )


class UserElasticityConfig(StiffnessConfig, UserLawConfig):
    """An elasticity of a user's own: ``stiffness()``, a Mandel matrix in Pa, shape (6, 6)."""

    frame: Frame = Field(default="global", description=_FRAME)

    needed: ClassVar[tuple[str, ...]] = ("stiffness",)
    purpose: ClassVar[str] = "an elasticity"

    def _create_stiffness(self, numbers: Numbers, scale: float) -> el.Matrix:
        # Each entry once: equal ones become one constant. An array of floats makes them as they are
        # asked for; in lists they live on, and no two have one id.
        rows = [list(row) for row in self.build(numbers).stiffness()]
        scaled: dict[int, Any] = {}
        entries = [scaled.setdefault(id(x), scale * x) for row in rows for x in row]
        plain = all(isinstance(entry, float) for entry in entries)
        matrix: el.Matrix = np.empty(36, dtype=np.float64 if plain else object)
        matrix[:] = entries
        return matrix.reshape(6, 6)

    def _probe(self) -> None:
        self.create(Numbers(self), el.Assumption.THREE_DIMENSIONAL, 1.0)


class MixtureConfig(ElasticityConfig):
    """(1 - h) C_a + h C_b, by the composition: linear elasticity at each."""

    kind: Literal["mixture"] = "mixture"
    poor: StiffnessConfig
    rich: StiffnessConfig
    compositions: tuple[Number, Number] = Field(
        default=(0.0, 1.0), description="composition at which h is 0, and that at which it is 1"
    )
    blend: Literal["linear", "smooth"] = Field(
        default="linear",
        description="h = t, beyond 0 and 1 too; or t^2 (3 - 2 t), level there: t is the place of "
        "the composition between the two",
    )
    frame: Frame = Field(default="global", description="axes that both refer to")

    def create(
        self,
        numbers: Numbers,
        assumption: el.Assumption,
        unit: float,
        axes: Expr | None = None,
    ) -> MixedElasticity:
        """Create the law; see `ElasticityConfig.create`."""
        poor, rich = (
            table.create(numbers.within(key), assumption, unit, axes)
            for key, table in (("poor", self.poor), ("rich", self.rich))
        )
        start, end = numbers.add("compositions", keep_zeros=True)
        law = MixedElasticity(poor, rich, (start, end), self.blend == "smooth")
        numbers.add_check(law.require_order, "compositions")
        return law

    def check_range(self, lower: float, upper: float) -> None:
        """Refuse a straight line that leaves stable solids; see `ElasticityConfig.check_range`."""
        law = self.create(Numbers(self), el.Assumption.THREE_DIMENSIONAL, 1.0)
        try:
            law.require_stability(lower, upper)
        except InputError as error:
            raise SectionError("compositions", error.message) from error

    def _check(self) -> None:
        if self.compositions[0] >= self.compositions[1]:
            raise SectionError("compositions", "must increase")
        for key in ("poor", "rich"):
            if getattr(self, key).frames.get("frame", "global") != "global":
                raise SectionError(f"{key}.frame", "is to be stated for both: beside poor and rich")
