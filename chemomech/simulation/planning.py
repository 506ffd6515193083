"""Times of stages, snapshots, noise and checkpoints of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from chemomech.config import Config
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.simulation.stages import Timetable, create_timetable

#: Rate below which a pattern counts as stationary, in units of D / (interface width)^2.
_STATIONARY = 1e-5


@dataclass(frozen=True)
class TimeLoopPlan:
    """Times of stages, snapshots, noise and checkpoints, in the problem's unit.

    Snapshots increase, the last one is the end. States of a rate of composition below the quiet one
    may be stationary; where it follows the mobility, it is that of a diffusivity of one.
    Checkpoints are so many seconds of wall time, or time steps, apart.
    """

    timetable: Timetable
    end: float
    snapshots: Sequence[float]
    quiet_rate: float
    follows_mobility: bool
    ends_stationary: bool
    time_scale: float
    noise_interval: float = math.inf
    noise_seed: int = 0
    checkpoint_interval: float = math.inf
    checkpoint_steps: int | None = None


def create_plan(config: Config, problem: ChemoMechanics) -> TimeLoopPlan:
    """Create the plan of a configuration; a C-rate refers to the problem's volume."""
    scale, checkpoint, noise = config.material.scales.time, config.checkpoint, config.noise
    return TimeLoopPlan(
        create_timetable(config, problem),
        config.time.end / scale,
        [time / scale for time in config.snapshot_times],
        _quiet_rate(config) * scale,
        config.time.stationary_rate == "auto",
        config.time.stationary_rate != "off",
        scale,
        noise_interval=math.inf if noise is None else noise.interval / scale,
        noise_seed=0 if noise is None else noise.seed,
        checkpoint_interval=math.inf if checkpoint.interval == "off" else checkpoint.interval,
        checkpoint_steps=checkpoint.steps,
    )


def _quiet_rate(config: Config) -> float:
    """Rate of composition (1/s) below which a state may be stationary; with a schedule none is."""
    rate, width = config.time.stationary_rate, config.material.interface_width
    if config.schedule is not None:
        return 0.0
    if isinstance(rate, float):
        return rate
    if width is None:
        return 0.0
    return _STATIONARY * config.material.mobility.scale / width**2
