"""The file of `chemomech stress`: from a composition, or a stack, to the stress of a particle."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from chemomech.config.base import (
    Choice,
    Count,
    ExistingFile,
    ExistingPath,
    FieldFormat,
    Flag,
    InteriorFraction,
    Name,
    NonNegative,
    Number,
    Positive,
    Section,
    SectionError,
    Seed,
)
from chemomech.config.crystal import CrystalConfig, check_crystal
from chemomech.config.laws.axes import Frame, list_frames
from chemomech.config.laws.eigenstrain import STRESS_MAP, EigenstrainConfig, Lithium
from chemomech.config.laws.elasticity import ElasticityConfig
from chemomech.config.measurement import MeasurementConfig, Region, TreatmentConfig
from chemomech.config.mechanics import PlaneAssumption
from chemomech.units import PositiveLength, Time


class MeasuredCompositionConfig(Section):
    """The result of `chemomech measure`."""

    kind: Literal["measurement"] = "measurement"
    file: ExistingFile = Field(description="measurement.h5; its outlines.geojson lies beside it")


class MapCompositionConfig(Section):
    """A map from elsewhere."""

    kind: Literal["map"] = "map"
    file: ExistingFile = Field(description=".tif/.tiff, .npy or .csv of x; NaN where not measured")
    pixel_size: PositiveLength = Field(description="edge of one pixel")
    uncertainty: NonNegative | ExistingFile = Field(
        default=0.0, description="standard deviation of x: one number, or a map in a file"
    )
    mask: ExistingFile | None = Field(default=None, description="image that marks trusted pixels")


class FieldCompositionConfig(Section):
    """A field of a simulation on its own mesh."""

    kind: Literal["field"] = "field"
    file: ExistingPath = Field(description=".vtkhdf, .bp, .xdmf or .vtu")
    name: Name = Field(default="composition", description="name of the field")
    time: Time | None = Field(default=None, description="which time of the file; the last")
    unit: PositiveLength = Field(default=1e-9, description="length of one coordinate unit; 1 nm")
    scale: Positive = Field(default=1.0, description="x at a field value of one")


CompositionSourceConfig = Annotated[
    MeasuredCompositionConfig | MapCompositionConfig | FieldCompositionConfig,
    Field(discriminator="kind"),
]


class ParticleOutlineConfig(Section):
    """The particle, and its outline where the composition does not bring one."""

    file: ExistingFile | None = Field(
        default=None,
        description="GeoJSON in nm from the centre of the lowest left pixel, or a grey image",
    )
    level: Literal["half_transmission", "otsu"] | InteriorFraction = Field(
        default="otsu", description="threshold: a rule or a brightness; images only"
    )
    region: Region | None = Field(
        default=None, description="polygon [[column, row], ...] to look in; images only"
    )
    particle: Count = Field(default=1, description="which particle, by area: 1 is the largest")

    @property
    def is_drawn(self) -> bool:
        """True if the file is GeoJSON rather than an image."""
        return self.file is not None and self.file.suffix.lower() in (".geojson", ".json")

    def _check(self) -> None:
        if self.file is None or self.is_drawn:
            for key, default in (("level", "otsu"), ("region", None)):
                if getattr(self, key) != default:
                    raise SectionError(key, "has no meaning without an image to outline")


class _StressMeshConfig(Section):
    """Size of the particle's mesh, and its thickness across the image."""

    size: PositiveLength | None = Field(
        default=None, description="edge of the cells; half a pixel unless stated"
    )
    thickness: PositiveLength | Literal["measured"] | None = Field(
        default=None, description="makes the model 3-D: one thickness, or the measured map"
    )
    layers: Annotated[Count, Field(le=100)] = Field(
        default=3, description="layers of cells across the thickness"
    )
    degree: Literal[1, 2] = Field(
        default=2, description="of the displacement; 1 invents stress where x varies within a cell"
    )


class _PhaseWindowConfig(Section):
    """A phase, for statistics."""

    name: Name = Field(description="what the table calls it")
    lowest: Lithium = Field(description="lowest x that counts as this phase")
    highest: Lithium = Field(description="highest x")

    def _check(self) -> None:
        if self.lowest >= self.highest:
            raise SectionError("highest", "must be greater than lowest")


class _StatisticsConfig(Section):
    """Percentiles of stress, and what counts as a boundary or a tip."""

    percentiles: Annotated[
        tuple[Annotated[Number, Field(ge=0.0, le=100.0)], ...], Field(min_length=1)
    ] = Field(default=(5.0, 25.0, 50.0, 75.0, 95.0, 99.0), description="percent of the volume")
    boundary_distance: PositiveLength | None = Field(
        default=None, description="what counts as at a phase boundary; one pixel unless stated"
    )
    tip_widths: NonNegative = Field(
        default=0.0, description="leave out what is nearer to the wire's ends, in widths of it"
    )


class _UncertaintyConfig(Section):
    """Repetition with noise drawn from the map of uncertainty."""

    samples: Annotated[int, Field(strict=True, ge=0, le=100_000)] = Field(
        default=0, description="number of repetitions"
    )
    seed: Seed = Field(default=0, description="seed of the noise")


class _StressOutputConfig(Section):
    """Files to write."""

    fields: Flag = Field(default=True, description="write fields for ParaView")
    field_format: FieldFormat = "vtkhdf"
    pictures: Flag = Field(default=True, description="write pictures")


class StressConfig(Section):
    """A stress map, as a TOML file states it; lengths in m, stresses in Pa."""

    choices = (Choice(("composition", "measurement")),)

    composition: CompositionSourceConfig | None = None
    measurement: MeasurementConfig | None = None
    treatment: TreatmentConfig = Field(default_factory=TreatmentConfig)
    outline: ParticleOutlineConfig = Field(default_factory=ParticleOutlineConfig)
    mesh: _StressMeshConfig = Field(default_factory=_StressMeshConfig)
    assumption: PlaneAssumption = Field(
        default="plane_stress", description="what happens out of the plane; 2-D only"
    )
    elasticity: ElasticityConfig
    eigenstrain: EigenstrainConfig
    crystal: tuple[CrystalConfig, ...] = ()
    boundary: Literal["free", "border_rollers"] = Field(
        default="free",
        description="border_rollers: no displacement normal to the image's borders, where cut",
    )
    phase: tuple[_PhaseWindowConfig, ...] = ()
    statistics: _StatisticsConfig = Field(default_factory=_StatisticsConfig)
    uncertainty: _UncertaintyConfig = Field(default_factory=_UncertaintyConfig)
    output: _StressOutputConfig = Field(default_factory=_StressOutputConfig)

    @property
    def dimension(self) -> int:
        """Number of space dimensions; that of the mesh for a field on one."""
        return 2 if self.mesh.thickness is None else 3

    @property
    def frames(self) -> dict[str, Frame | None]:
        """Axes that laws refer to, by the dotted keys that say so."""
        return list_frames({"elasticity": self.elasticity, "eigenstrain": self.eigenstrain})

    @field_validator("eigenstrain")
    @classmethod
    def _complete(cls, eigenstrain: EigenstrainConfig) -> EigenstrainConfig:
        return eigenstrain.complete(STRESS_MAP)

    def _check(self) -> None:
        self._check_source()
        self._check_thickness()
        self._check_phases()
        check_crystal(self.crystal, self.frames)

    def _check_source(self) -> None:
        if isinstance(self.composition, MapCompositionConfig) and self.outline.file is None:
            raise SectionError("outline.file", "is missing; a map needs the particle's outline")
        if isinstance(self.composition, FieldCompositionConfig):
            self._check_field()
        elif not isinstance(self.composition, MapCompositionConfig) and self.outline.file:
            raise SectionError("outline.file", "has no meaning; the measurement brings outlines")

    def _check_field(self) -> None:
        for key, used, unused in (
            ("outline", self.outline, ParticleOutlineConfig()),
            ("treatment", self.treatment, TreatmentConfig()),
            ("uncertainty", self.uncertainty, _UncertaintyConfig()),
            ("mesh", self.mesh, _StressMeshConfig(degree=self.mesh.degree)),
        ):
            if used != unused:
                raise SectionError(key, "has no meaning for a field, which has its own mesh")
        if self.boundary != "free":
            raise SectionError("boundary", "a field of a simulation leaves no image; use free")

    def _check_thickness(self) -> None:
        if self.mesh.thickness is None and self.mesh.layers != _StressMeshConfig().layers:
            raise SectionError("mesh.layers", "has no meaning without mesh.thickness")
        if self.mesh.thickness is not None and self.assumption != "plane_stress":
            raise SectionError("assumption", "has no meaning in 3-D; leave it out")
        if self.mesh.thickness == "measured":
            members = () if self.measurement is None else self.measurement.end_member
            if isinstance(self.composition, MapCompositionConfig):
                raise SectionError("mesh.thickness", "a map of x has no thickness; state one")
            if members and members[0].thickness is None:
                raise SectionError(
                    "mesh.thickness", "measured needs the thickness of each end member's spectrum"
                )

    def _check_phases(self) -> None:
        names = [phase.name for phase in self.phase]
        for index, phase in enumerate(self.phase):
            if phase.name in (*names[:index], "all", "boundaries"):
                raise SectionError(f"phase.{index}.name", f"{phase.name!r} is used already")
            if index and phase.lowest < self.phase[index - 1].highest:
                raise SectionError(f"phase.{index}.lowest", "lies within the phase before it")
