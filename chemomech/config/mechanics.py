"""The table [mechanics]: elasticity, eigenstrain and mechanical boundary conditions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from chemomech.config.base import Flag, Name, Number, Section, SectionError
from chemomech.config.laws.eigenstrain import SIMULATION, EigenstrainConfig
from chemomech.config.laws.elasticity import ElasticityConfig
from chemomech.errors import InputError
from chemomech.units import Length, Stress

PlaneAssumption = Literal["plane_strain", "plane_stress", "generalised_plane_strain"]
_ResolvedAssumption = PlaneAssumption | Literal["three_dimensional"]


class _BendingConfig(Section):
    """The wire was straight and is held bent: y / (R + y) along the bend, tension outside."""

    kind: Literal["bending"] = "bending"
    fraction: Annotated[Number, Field(gt=0.0, le=1.0)] = Field(
        default=1.0, description="elastic part of the bending; the rest is in the stress-free shape"
    )


class ClampedConfig(Section):
    """No displacement."""

    kind: Literal["clamped"] = "clamped"
    group: Name = Field(description="name of a facet group")


class RollerConfig(Section):
    """A displacement along the normal, none by default; no shear traction."""

    kind: Literal["roller"] = "roller"
    group: Name = Field(description="name of a plane facet group")
    value: Length = Field(default=0.0, description="displacement along the outward normal")


class DisplacementConfig(Section):
    """A given displacement."""

    kind: Literal["displacement"] = "displacement"
    group: Name = Field(description="name of a facet group")
    value: Annotated[tuple[Length, ...], Field(min_length=2, max_length=3)] = Field(
        description="displacement vector"
    )


class TractionConfig(Section):
    """A given force per area."""

    kind: Literal["traction"] = "traction"
    group: Name = Field(description="name of a facet group")
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
    prestrain: _BendingConfig | None = Field(
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

    @field_validator("eigenstrain")
    @classmethod
    def _complete(cls, eigenstrain: EigenstrainConfig) -> EigenstrainConfig:
        return eigenstrain.complete(SIMULATION)

    def resolve_assumption(self, dimension: int) -> _ResolvedAssumption:
        """Return the assumption stated, or the default for the number of space dimensions.

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
        """Refuse displacements and tractions without one component a dimension."""
        for index, condition in enumerate(self.boundary):
            if isinstance(condition, DisplacementConfig | TractionConfig):
                count = len(condition.value)
                if count != dimension:
                    raise InputError(
                        f"has {count} components; a {dimension}-D mesh needs {dimension}",
                        key=f"mechanics.boundary.{index}.value",
                    )

    def _check(self) -> None:
        seen: dict[str, str] = {}
        for index, condition in enumerate(self.boundary):
            if condition.group in seen:
                raise SectionError(
                    f"boundary.{index}.group",
                    f"{condition.group!r} is {seen[condition.group]} already; "
                    "a group bears one condition",
                )
            seen[condition.group] = condition.kind
