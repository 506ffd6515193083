"""The whole configuration, and the rules that hold between its tables."""

from __future__ import annotations

import math

from pydantic import Field, ValidationInfo, field_validator

from chemomech.config.base import Section, SectionError, within
from chemomech.config.crystal import CrystalConfig, check_crystal
from chemomech.config.exchange_rules import check_exchange, check_reference
from chemomech.config.geometry import GeometryConfig, MeshConfig
from chemomech.config.laws.axes import Frame, HasFrames, list_frames
from chemomech.config.laws.reaction import ReactionConfig
from chemomech.config.material import MaterialConfig
from chemomech.config.mechanics import MechanicsConfig
from chemomech.config.schedule import ScheduleConfig
from chemomech.config.simulation import (
    CheckpointConfig,
    GradingConfig,
    InitialConfig,
    MeasuredConfig,
    NoiseConfig,
    OutputConfig,
    SolverConfig,
    ThermalNoiseConfig,
    TimeConfig,
    UniformConfig,
)
from chemomech.errors import InputError

_CELLS = {2: ("triangle", "quadrilateral"), 3: ("tetrahedron", "hexahedron")}
_IMAGED = ("outline", "mesh")
_ROUNDING = 1e-9
_MAX_CELLS = 1e9
_MAX_STRAIN = 0.05


class Config(Section):
    """A simulation, as a TOML file states it; all quantities as floats in SI units."""

    geometry: GeometryConfig
    mesh: MeshConfig = Field(default_factory=MeshConfig)
    material: MaterialConfig
    mechanics: MechanicsConfig | None = None
    crystal: tuple[CrystalConfig, ...] = ()
    reaction: tuple[ReactionConfig, ...] = ()
    schedule: ScheduleConfig | None = None
    noise: ThermalNoiseConfig | None = None
    grading: tuple[GradingConfig, ...] = ()
    initial: InitialConfig
    time: TimeConfig
    solver: SolverConfig = Field(default_factory=SolverConfig)
    output: OutputConfig = Field(default_factory=OutputConfig)
    checkpoint: CheckpointConfig = Field(default_factory=CheckpointConfig)

    @property
    def mesh_size(self) -> float | None:
        """Largest cell edge (m): stated, or from the interface width; None for a mesh file."""
        if self.mesh.size != "auto":
            return self.mesh.size
        width, needed = self.material.interface_width, self.cells_needed
        if width is None or needed is None or self.geometry.kind == "mesh":
            return None
        return width / needed

    @property
    def cells_needed(self) -> float | None:
        """Cells across an interface that resolve it, None without interface.

        These are ``mesh.cells_per_interface``, and for great chi more, for the interface's feet.
        """
        width, resolved = self.material.interface_width, self.material.resolved_width
        if width is None or resolved is None:
            return None
        return self.mesh.cells_per_interface * width / resolved

    @property
    def frames(self) -> dict[str, Frame | None]:
        """Axes that laws refer to, by the dotted keys that say so."""
        material, mechanics = self.material, self.mechanics
        tables: dict[str, HasFrames] = {
            "material.gradient": material.gradient,
            "material.mobility": material.mobility,
        }
        if mechanics is not None:
            tables["mechanics.elasticity"] = mechanics.elasticity
            tables["mechanics.eigenstrain"] = mechanics.eigenstrain
        return list_frames(tables)

    @property
    def bending_strain(self) -> float | None:
        """Elastic strain f w / (2 R) at the edges of a wire that is held bent; None without."""
        wire, mechanics = self.geometry, self.mechanics
        if mechanics is None or mechanics.prestrain is None or wire.kind != "nanowire":
            return None
        assert wire.bend_radius is not None
        return mechanics.prestrain.fraction * wire.width / (2 * wire.bend_radius)

    @property
    def snapshot_times(self) -> tuple[float, ...]:
        """Increasing times of snapshots (s), the last one exactly the end of the run."""
        return self.output.snapshot_times(self.time.end)

    @property
    def composition_bounds(self) -> tuple[float, float]:
        """Open interval the composition must keep to."""
        return self.material.homogeneous_energy.bounds

    @field_validator("material")
    @classmethod
    def _tell_dimension(cls, material: MaterialConfig, info: ValidationInfo) -> MaterialConfig:
        geometry = info.data.get("geometry")
        return material.with_dimension(None if geometry is None else geometry.dimension)

    def _check(self) -> None:
        self._check_mesh()
        self._check_resolution()
        self._check_frames()
        self._check_sides()
        self._check_prestrain()
        self._check_initial()
        self._check_measurement()
        self._check_dimension()
        self._check_exchange()
        self._check_stress_parts()
        self._check_snapshots()
        self._check_mobility()
        self._check_stiffness()

    def _check_mesh(self) -> None:
        mesh, geometry = self.mesh, self.geometry
        if geometry.kind == "mesh":
            for key, value in (("size", mesh.size), ("cell", mesh.cell)):
                if value != "auto":
                    raise SectionError(f"mesh.{key}", "has no meaning for a mesh from a file")
            return
        if self.mesh_size is None:
            raise SectionError(
                "mesh.size",
                "must be stated: this material has no interface width it could follow from",
            )
        assert geometry.dimension is not None
        self._check_cell(geometry.dimension)
        if geometry.kind in ("nanowire", "box"):
            cells = math.prod(extent / self.mesh_size for extent in geometry.extents)
            if cells > _MAX_CELLS:
                raise SectionError(
                    "mesh.size",
                    f"{self.mesh_size:.3g} m makes about {cells:.2g} cells; at most {_MAX_CELLS:g}",
                )

    def _check_cell(self, dimension: int) -> None:
        cells: tuple[str, ...] = _CELLS[dimension]
        if self.geometry.kind == "outline":
            cells = ("triangle",)
        if self.mesh.cell != "auto" and self.mesh.cell not in cells:
            raise SectionError(
                "mesh.cell",
                f"{self.mesh.cell} does not fit this {dimension}-D shape; use {' or '.join(cells)}",
            )

    def _check_resolution(self) -> None:
        width, size = self.material.interface_width, self.mesh.size
        cells = self.cells_needed
        if width is None or cells is None or size == "auto" or self.mesh.allow_coarse:
            return
        needed = width / cells
        if size > needed * (1 + _ROUNDING):
            raise SectionError(
                "mesh.size",
                f"{size:.3g} m is too coarse for an interface {width:.3g} m wide, which needs "
                f"{cells:.3g} cells: at most {needed:.3g} m, or set mesh.allow_coarse = true",
            )

    def _check_mobility(self) -> None:
        key = self.material.mobility.strain_key
        if key is not None and self.mechanics is None:
            raise SectionError(
                f"material.mobility.{key}",
                "asks for the strain, which only a table [mechanics] gives",
            )

    def _check_frames(self) -> None:
        check_crystal(self.crystal, self.frames)
        if self.geometry.kind != "box" or "x" not in self.geometry.periodic:
            return
        for key, frame in self.frames.items():
            if frame == "wire":
                raise SectionError(
                    key,
                    "refers to a wire, and a box that is periodic along x has no ends to tell "
                    'where one runs; use frame = "global"',
                )

    def _check_stiffness(self) -> None:
        if self.mechanics is None:
            return
        with within("mechanics.elasticity"):
            self.mechanics.elasticity.check_range(*self.composition_bounds)

    def _check_prestrain(self) -> None:
        if self.mechanics is None or self.mechanics.prestrain is None:
            return
        wire = self.geometry
        if wire.kind != "nanowire" or wire.bend_angle == 0.0:
            raise SectionError(
                "mechanics.prestrain", 'is for a bent wire: geometry.kind = "nanowire", bend_angle'
            )
        strain = self.bending_strain
        assert strain is not None
        if strain > _MAX_STRAIN * (1 + _ROUNDING):
            raise SectionError(
                "mechanics.prestrain.fraction",
                f"makes strains of {strain:.2g} at the edges, where small strains end at "
                f"{_MAX_STRAIN:g}: make it smaller, the bend wider or the wire thinner",
            )

    def _check_initial(self) -> None:
        if not isinstance(self.initial, UniformConfig | NoiseConfig):
            return
        lower, upper = self.composition_bounds
        if not lower < self.initial.mean < upper:
            raise SectionError(
                "initial.mean", f"{self.initial.mean:g} lies outside ({lower:g}, {upper:g})"
            )
        if isinstance(self.initial, NoiseConfig):
            room = min(self.initial.mean - lower, upper - self.initial.mean)
            if self.initial.amplitude >= room:
                raise SectionError(
                    "initial.amplitude",
                    f"{self.initial.amplitude:g} takes the composition outside "
                    f"({lower:g}, {upper:g}); less than {room:g} is needed",
                )

    def _check_sides(self) -> None:
        if self.geometry.kind != "box":
            return
        boundary = () if self.mechanics is None else self.mechanics.boundary
        groups = {f"reaction.{i}.group": table.group for i, table in enumerate(self.reaction)}
        groups |= {f"mechanics.boundary.{i}.group": one.group for i, one in enumerate(boundary)}
        self.geometry.check_groups(groups)

    def _check_measurement(self) -> None:
        if isinstance(self.initial, MeasuredConfig) and self.geometry.kind not in _IMAGED:
            raise SectionError(
                "initial.kind",
                "a measured composition lies on its own outline; use geometry.kind = "
                '"outline" with its outlines.geojson',
            )

    def _check_dimension(self) -> None:
        dimension = self.geometry.dimension
        if dimension is None:
            return
        try:
            if self.mechanics is not None:
                self.mechanics.resolve_assumption(dimension)
                self.mechanics.check_vectors(dimension)
            if self.noise is not None:
                self.noise.check_depth(dimension)
        except InputError as error:
            raise SectionError(error.key or "geometry", error.message) from error

    def _check_exchange(self) -> None:
        initial = self.initial
        mean = initial.mean if isinstance(initial, UniformConfig | NoiseConfig) else None
        check_exchange(
            self.reaction,
            self.schedule,
            self.composition_bounds,
            mean,
            self.geometry.dimension,
            self.material.scales.voltage,
        )
        check_reference(self.material.free_energy, self.schedule)
        if self.schedule is not None and self.time.stationary_rate not in ("auto", "off"):
            raise SectionError(
                "time.stationary_rate", "has no meaning with a schedule; its steps say what ends"
            )

    def _check_stress_parts(self) -> None:
        if self.mechanics is None or self.mechanics.stress_in_reaction or self.schedule:
            return
        raise SectionError("mechanics.stress_in_reaction", "has no meaning without a reaction")

    def _check_snapshots(self) -> None:
        with within("output"):
            self.output.snapshot_times(self.time.end)
