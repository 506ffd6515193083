"""The table [mechanics]: elasticity, eigenstrain and mechanical boundary conditions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from chemomech.config.base import Flag, Fraction, GroupName, Number, Section, SectionError
from chemomech.errors import InputError
from chemomech.units import Length, Modulus, MolarVolume, Stress

PlaneAssumption = Literal["plane_strain", "plane_stress", "generalised_plane_strain"]
_ResolvedAssumption = PlaneAssumption | Literal["three_dimensional"]
Frame = Literal["global", "wire"]
Strain = Annotated[Number, Field(ge=-1.0, le=1.0)]
StrainRow = tuple[Strain, Strain, Strain]
_Reference = Annotated[
    Literal["mean"] | Fraction,
    Field(description='stress-free composition; "mean": the initial mean'),
]
_PoissonRatio = Annotated[Number, Field(ge=-5.0, le=5.0)]


class IsotropicConfig(Section):
    """Two constants."""

    kind: Literal["isotropic"] = "isotropic"
    young_modulus: Modulus = Field(description="Young's modulus E")
    poisson_ratio: Annotated[Number, Field(gt=-1.0, lt=0.5)] = Field(description="Poisson's ratio")


class CubicConfig(Section):
    """Three constants in the crystal's axes."""

    kind: Literal["cubic"] = "cubic"
    c11: Modulus = Field(description="stiffness c11")
    c12: Stress = Field(description="stiffness c12")
    c44: Modulus = Field(description="stiffness c44")
    frame: Frame = Field(default="global", description="axes the constants refer to")

    @model_validator(mode="after")
    def _check_stability(self) -> Self:
        if not -self.c11 / 2 < self.c12 < self.c11:
            raise SectionError("c12", "must lie between -c11/2 and c11, or the solid is unstable")
        return self


class OrthotropicConfig(Section):
    """Nine constants in the crystal's axes."""

    kind: Literal["orthotropic"] = "orthotropic"
    young_moduli: tuple[Modulus, Modulus, Modulus] = Field(description="E1, E2, E3")
    poisson_ratios: tuple[_PoissonRatio, _PoissonRatio, _PoissonRatio] = Field(
        description="nu12, nu13, nu23; nu_ij: contraction along j under tension along i"
    )
    shear_moduli: tuple[Modulus, Modulus, Modulus] = Field(description="G23, G13, G12")
    frame: Frame = Field(default="global", description="axes the constants refer to")

    @model_validator(mode="after")
    def _check_stability(self) -> Self:
        e1, e2, _ = self.young_moduli
        nu12, nu13, nu23 = self.poisson_ratios
        compliance = np.diag(1.0 / np.array(self.young_moduli))
        compliance[[0, 0, 1], [1, 2, 2]] = -nu12 / e1, -nu13 / e1, -nu23 / e2
        if np.linalg.eigvalsh(compliance * e1, UPLO="U").min() <= 0.0:
            raise SectionError(
                "poisson_ratios",
                "too large for these Young's moduli; the stiffness would not be positive definite",
            )
        return self


ElasticityConfig = Annotated[
    IsotropicConfig | CubicConfig | OrthotropicConfig, Field(discriminator="kind")
]


class VegardConfig(Section):
    """Omega C (c - c_ref) / 3 in all directions (eqn 10)."""

    kind: Literal["vegard"] = "vegard"
    partial_molar_volume: MolarVolume = Field(description="partial molar volume Omega")
    reference_composition: _Reference = "mean"


def check_symmetry(tensor: tuple[StrainRow, StrainRow, StrainRow]) -> None:
    """Refuse a strain that is not symmetric.

    Raises:
        SectionError: It is not; under the key ``tensor``.
    """
    rows = np.array(tensor)
    if not np.allclose(rows, rows.T, rtol=1e-12, atol=0.0):
        raise SectionError("tensor", "must be symmetric")


class TensorEigenstrainConfig(Section):
    """E (c - c_ref) with any symmetric tensor E."""

    kind: Literal["tensor"] = "tensor"
    tensor: tuple[StrainRow, StrainRow, StrainRow] = Field(
        description="strain per unit composition"
    )
    frame: Frame = Field(default="global", description="axes the tensor refers to")
    reference_composition: _Reference = "mean"

    @model_validator(mode="after")
    def _check_symmetry(self) -> Self:
        check_symmetry(self.tensor)
        return self


EigenstrainConfig = Annotated[VegardConfig | TensorEigenstrainConfig, Field(discriminator="kind")]


class BendingConfig(Section):
    """The wire was straight and is held bent: y / (R + y) along the bend, tension outside."""

    kind: Literal["bending"] = "bending"
    fraction: Annotated[Number, Field(gt=0.0, le=1.0)] = Field(
        default=1.0, description="elastic part of the bending; the rest is in the stress-free shape"
    )


class ClampedConfig(Section):
    """No displacement."""

    kind: Literal["clamped"] = "clamped"
    group: GroupName = Field(description="name of a facet group")


class RollerConfig(Section):
    """No displacement along the normal, no shear traction."""

    kind: Literal["roller"] = "roller"
    group: GroupName = Field(description="name of a facet group")


class DisplacementConfig(Section):
    """A given displacement."""

    kind: Literal["displacement"] = "displacement"
    group: GroupName = Field(description="name of a facet group")
    value: Annotated[tuple[Length, ...], Field(min_length=2, max_length=3)] = Field(
        description="displacement vector"
    )


class TractionConfig(Section):
    """A given force per area."""

    kind: Literal["traction"] = "traction"
    group: GroupName = Field(description="name of a facet group")
    value: Annotated[tuple[Stress, ...], Field(min_length=2, max_length=3)] = Field(
        description="traction vector"
    )


BoundaryConfig = Annotated[
    ClampedConfig | RollerConfig | DisplacementConfig | TractionConfig,
    Field(discriminator="kind"),
]


class MechanicsConfig(Section):
    """Stress and strain; without this table the model is purely chemical."""

    assumption: Literal["auto"] | _ResolvedAssumption = Field(
        default="auto", description="auto: plane_strain in 2-D, three_dimensional in 3-D"
    )
    elasticity: ElasticityConfig
    eigenstrain: EigenstrainConfig
    prestrain: BendingConfig | None = Field(
        default=None, description="elastic strain the particle has to begin with"
    )
    boundary: tuple[BoundaryConfig, ...] = Field(
        default=(), description="conditions by facet group; free elsewhere"
    )
    stress_in_bulk: Flag = Field(
        default=True, description="whether the stress part of mu drives diffusion"
    )
    stress_in_reaction: Flag = Field(
        default=True, description="whether the stress part of mu drives the surface reactions"
    )

    def resolve_assumption(self, dimension: int) -> _ResolvedAssumption:
        """Find the assumption for a mesh.

        Args:
            dimension: Number of space dimensions.

        Returns:
            The assumption stated, or the default for the dimension.

        Raises:
            InputError: If the stated assumption does not fit the dimension.
        """
        if self.assumption == "auto":
            return "plane_strain" if dimension == 2 else "three_dimensional"
        if (self.assumption == "three_dimensional") != (dimension == 3):
            right = (
                "three_dimensional"
                if dimension == 3
                else "plane_strain, plane_stress or generalised_plane_strain"
            )
            raise InputError(
                f"{self.assumption} does not fit a {dimension}-D mesh; use {right}",
                key="mechanics.assumption",
            )
        return self.assumption

    def check_vectors(self, dimension: int) -> None:
        """Check that displacements and tractions have one component a dimension.

        Args:
            dimension: Number of space dimensions.

        Raises:
            InputError: If a vector is too short or too long.
        """
        for index, condition in enumerate(self.boundary):
            if isinstance(condition, DisplacementConfig | TractionConfig):
                count = len(condition.value)
                if count != dimension:
                    raise InputError(
                        f"has {count} components; a {dimension}-D mesh needs {dimension}",
                        key=f"mechanics.boundary.{index}.value",
                    )

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        seen: dict[str, str] = {}
        for index, condition in enumerate(self.boundary):
            if condition.group in seen:
                raise SectionError(
                    f"boundary.{index}.group",
                    f"{condition.group!r} is {seen[condition.group]} already; "
                    "a group bears one condition",
                )
            seen[condition.group] = condition.kind
        return self
