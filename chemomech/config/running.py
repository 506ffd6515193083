"""The tables [checkpoint] and [noise]: what happens beside and below the equations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chemomech.config.base import Count, Number, Section
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
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = Field(
        default=0, description="which noise; the same on any number of ranks"
    )
