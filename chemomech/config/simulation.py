"""The tables [initial], [time], [solver], [output], [checkpoint], [noise] and [[grading]]."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chemomech.config.base import (
    Choice,
    Count,
    ExistingFile,
    FieldFormat,
    Flag,
    Name,
    NonNegative,
    Number,
    Positive,
    Section,
    SectionError,
    Seed,
)
from chemomech.config.measurement import TreatmentConfig
from chemomech.errors import InputError
from chemomech.units import PositiveLength, Rate, Time

_MAX_SNAPSHOTS = 10_000
# A logarithmic series of snapshots begins at this fraction of the end time.
_LOG_START = 1e-3


class UniformConfig(Section):
    """The same composition everywhere."""

    kind: Literal["uniform"] = "uniform"
    mean: Number = Field(description="composition")


class NoiseConfig(Section):
    """A mean composition with smooth random noise."""

    kind: Literal["noise"] = "noise"
    mean: Number = Field(description="mean composition, met exactly")
    amplitude: NonNegative = Field(default=0.01, description="standard deviation of the noise")
    smoothing: Literal["auto"] | PositiveLength = Field(
        default="auto", description="standard deviation of the Gaussian filter; auto: the mesh size"
    )
    seed: Seed = Field(default=0, description="which noise; the same field on any number of ranks")


class FileConfig(Section):
    """Composition from a table."""

    kind: Literal["file"] = "file"
    file: ExistingFile = Field(description="CSV with the header x_nm,y_nm[,z_nm],c")


class FormulaConfig(Section):
    """Composition from a formula."""

    kind: Literal["formula"] = "formula"
    formula: Name = Field(
        description="expression in x, y, z and, in a nanowire, along and across (nm)"
    )


class MeasuredConfig(TreatmentConfig):
    """Composition measured in a microscope."""

    kind: Literal["measurement"] = "measurement"
    file: ExistingFile = Field(
        description="measurement.h5; geometry.file is the outlines.geojson beside it"
    )
    lithium_at_full: Positive = Field(default=1.0, description="lithium content x at c = 1")
    margin: Annotated[Number, Field(gt=0.0, lt=0.5)] | None = Field(
        default=None, description="set values beyond the bounds this far within; else refuse them"
    )


InitialConfig = Annotated[
    UniformConfig | NoiseConfig | FileConfig | FormulaConfig | MeasuredConfig,
    Field(discriminator="kind"),
]


class TimeConfig(Section):
    """Simulated time and its accuracy."""

    end: Time = Field(description="time at which the run ends")
    tolerance: Annotated[Number, Field(gt=0.0, lt=1.0)] = Field(
        default=1e-3, description="local error of the composition allowed a step"
    )
    first_step: Literal["auto"] | Time = Field(
        default="auto", description="first time step, or the step if not adaptive"
    )
    max_step: Time | None = Field(default=None, description="largest time step")
    adaptive: Flag = Field(default=True, description="choose steps by their error")
    stationary_rate: Literal["auto", "off"] | Rate = Field(
        default="auto", description="stop when max |dc/dt| stays below this and no pattern grows"
    )

    def _check(self) -> None:
        if self.first_step == "auto":
            if not self.adaptive:
                raise SectionError(
                    "first_step", 'is missing; with adaptive = false state the step, such as "1 ms"'
                )
            return
        if not self.adaptive and self.max_step is not None:
            raise SectionError("max_step", "has no meaning with adaptive = false; use first_step")
        if self.first_step > self.end:
            raise SectionError("first_step", "is longer than time.end")
        if self.max_step is not None and self.first_step > self.max_step:
            raise SectionError("first_step", "is longer than time.max_step")


_PetscName = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
_PetscValue = (
    Flag
    | Annotated[int, Field(strict=True)]
    | Number
    | Annotated[str, StringConstraints(strict=True, pattern=r"^[^\n\x00]*$")]
)


class SolverConfig(Section):
    """Discretisation and algebra."""

    preset: Literal["auto", "direct", "iterative"] = Field(
        default="auto",
        description="direct: MUMPS; iterative: block preconditioner; auto: by size and dimension",
    )
    degree_composition: Literal[1, 2] = Field(
        default=1, description="polynomial degree of c and mu"
    )
    degree_displacement: Literal[1, 2] = Field(default=1, description="polynomial degree of u")
    quadrature_degree: Literal["auto"] | Annotated[int, Field(strict=True, ge=1, le=20)] = Field(
        default="auto", description="degree of the integration rule; auto: 2 degree_composition + 1"
    )
    max_newton_iterations: Annotated[Count, Field(le=1000)] = Field(
        default=10, description="Newton iterations before a step is retried smaller"
    )
    newton_share: Annotated[Number, Field(ge=0.0, le=1.0)] = Field(
        default=0.3,
        description="share of time.tolerance that ends Newton's method as its error; 0: none",
    )
    relative_tolerance: Annotated[Number, Field(gt=0.0, lt=1.0)] = Field(
        default=1e-5, description="reduction of the residual that ends Newton's method"
    )
    absolute_tolerance: Annotated[Number, Field(gt=0.0, lt=1.0)] = Field(
        default=1e-9, description="dimensionless residual that ends Newton's method"
    )
    petsc: dict[_PetscName, _PetscValue] = Field(
        default_factory=dict, description='PETSc options, without dash; "" for a mere flag'
    )


class OutputConfig(Section):
    """Files to write, and times of snapshots."""

    choices = (Choice(("count", "interval", "times"), least=0),)

    interval: Time | None = Field(default=None, description="time between snapshots")
    times: Annotated[tuple[Time, ...], Field(min_length=1, max_length=_MAX_SNAPSHOTS)] | None = (
        Field(default=None, description="times of snapshots")
    )
    count: Annotated[Count, Field(le=_MAX_SNAPSHOTS)] | None = Field(
        default=None, description="number of snapshots; 100 if nothing is stated"
    )
    spacing: Literal["linear", "log"] = Field(
        default="linear", description="spread of count snapshots; log: from end/1000 on"
    )
    fields: Flag = Field(default=True, description="write fields for ParaView")
    field_format: FieldFormat = "vtkhdf"
    pictures: Flag = Field(default=True, description="write pictures")
    movie: Flag = Field(default=True, description="write the film")

    def _check(self) -> None:
        other = "interval" if self.interval is not None else "times"
        if self.spacing == "log" and getattr(self, other) is not None:
            raise SectionError("spacing", f"has no meaning with {other}; use count")
        if self.times is not None and any(
            later <= earlier for earlier, later in zip(self.times, self.times[1:], strict=False)
        ):
            raise SectionError("times", "must increase")

    def snapshot_times(self, end: float) -> tuple[float, ...]:
        """List the times of snapshots in s after the initial state, the last one exactly ``end``.

        Raises:
            SectionError: If times lie beyond the end or are too many.
        """
        if self.times is not None:
            if self.times[-1] > end:
                raise SectionError("times", "reach beyond time.end")
            return self.times if self.times[-1] == end else (*self.times, end)
        if self.interval is not None:
            if self.interval > end:
                raise SectionError("interval", "is longer than time.end")
            # A snapshot a rounding error before the end would be the end's double.
            count = math.ceil(end / self.interval * (1 - 1e-12))
            if count > _MAX_SNAPSHOTS:
                raise SectionError(
                    "interval", f"makes {count} snapshots; at most {_MAX_SNAPSHOTS} are written"
                )
            return (*(index * self.interval for index in range(1, count)), end)
        count = self.count or 100
        if self.spacing == "linear" or count == 1:
            return (*(end * index / count for index in range(1, count)), end)
        ratio = 1.0 / (count - 1)
        return (*(end * _LOG_START ** (1 - i * ratio) for i in range(count - 1)), end)


class CheckpointConfig(Section):
    """Checkpoints, and the limit of wall time."""

    interval: Literal["off"] | Time = Field(
        default=600.0, description='wall time between checkpoints; "off": none at all'
    )
    steps: Count | None = Field(default=None, description="time steps between checkpoints as well")
    keep: Annotated[Count, Field(le=100)] = Field(
        default=2, description="checkpoints kept, the newest ones"
    )
    wall_limit: Time | None = Field(
        default=None, description="stop with a checkpoint and exit code 4 after this wall time"
    )


class GradingConfig(Section):
    """A parameter that varies in space: its value times a factor."""

    choices = (Choice(("formula", "cells")),)

    parameter: Annotated[str, StringConstraints(strict=True, min_length=1)] = Field(
        description='key of the number, such as "mechanics.elasticity.young_modulus"'
    )
    formula: Name | None = Field(
        default=None,
        description="positive factor in x, y, z and, in a nanowire, along and across (nm)",
    )
    cells: dict[Name, Positive] | None = Field(
        default=None,
        min_length=1,
        description="positive factor in each group of cells, as { shell = 0.5 }; elsewhere 1",
    )


class ThermalNoiseConfig(Section):
    """Thermal noise in the flux of lithium (Cook), which lets metastable particles nucleate."""

    interval: Time = Field(
        description="noise is constant over this time: much shorter than what it is to excite"
    )
    strength: Annotated[Number, Field(gt=0.0, le=1e3)] = Field(
        default=1.0, description="factor on the amplitude; 1: fluctuation-dissipation theorem"
    )
    depth: PositiveLength | None = Field(
        default=None, description="extent out of the plane; 2-D needs it"
    )
    seed: Seed = Field(default=0, description="which noise; the same on any number of ranks")

    def check_depth(self, dimension: int) -> None:
        """Refuse a depth in 3-D, and none in 2-D.

        Raises:
            InputError: It does not fit the dimension.
        """
        if self.depth is None and dimension == 2:
            raise InputError('is missing; in 2-D state it, such as "50 nm"', key="noise.depth")
        if self.depth is not None and dimension == 3:
            raise InputError("has no meaning in 3-D", key="noise.depth")
