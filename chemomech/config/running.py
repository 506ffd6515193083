"""The tables [checkpoint], [noise] and [[grading]]: what is added to the equations and a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chemomech.config.base import Choice, Count, Name, Number, Positive, Section, Seed
from chemomech.errors import InputError
from chemomech.units import PositiveLength, Time


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
