"""The schedule of a run: stages, what each drives, and where it ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from chemomech import config as cfg
from chemomech.errors import InputError
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.surface import Drive, Galvanostatic, Potentiostatic, Rest
from chemomech.solvers.events import Event
from chemomech.units import Scales

_HOUR = 3600.0


class _Quantity(Enum):
    """A quantity that may end a stage."""

    LEVEL = "voltage"  # in the form of mu_res per RT
    MEAN = "mean composition"
    OUTFLOW = "current"  # magnitude of the total outflow


@dataclass(frozen=True)
class _CutOff:
    """Value of a quantity, in the problem's units, at which a stage ends.

    The sign is +1 where the quantity must rise to the value, -1 where it must fall; 0: whichever
    way the value lies when the stage begins.
    """

    quantity: _Quantity
    value: float
    sign: float


@dataclass(frozen=True)
class Stage:
    """One step of a schedule.

    Args:
        drive: What is held; None where no reaction asks.
        duration: Longest duration in the problem's unit of time.
        cut_offs: What else ends it.
    """

    drive: Drive | None = None
    duration: float = math.inf
    cut_offs: tuple[_CutOff, ...] = ()


@dataclass(frozen=True)
class Position:
    """Progress of a run through its schedule: cycle and stage, from 1, and how the stage began.

    Released lithium and mean composition are those at its beginning. Skipped are stages until now
    whose cut-off was met as they began.
    """

    cycle: int = 1
    stage: int = 1
    began: float = 0.0
    released: float = 0.0
    mean: float = 0.0
    over: bool = False
    skipped: int = 0

    def end_stage(self, *, skipped: bool = False) -> Position:
        """Return the same position, its stage over; or skipped, over before it began."""
        return replace(self, over=True, skipped=self.skipped + skipped)


@dataclass(frozen=True)
class Timetable:
    """Stages of one cycle, gone through a number of times."""

    stages: tuple[Stage, ...] = (Stage(),)
    cycles: int = 1

    def stage(self, position: Position) -> Stage:
        """Return the stage at a position."""
        return self.stages[position.stage - 1]

    def next_position(
        self, position: Position, time: float, released: float, mean: float
    ) -> Position | None:
        """Return the position after the stage of one has ended, None after the last.

        Time, lithium released and mean composition are the present ones.
        """
        cycle, stage = position.cycle, position.stage + 1
        if stage > len(self.stages):
            cycle, stage = cycle + 1, 1
        if cycle > self.cycles:
            return None
        return Position(cycle, stage, time, released, mean, skipped=position.skipped)


def create_timetable(config: cfg.Config, problem: ChemoMechanics) -> Timetable:
    """Create the timetable of a configuration; without a schedule it is one endless stage.

    A C-rate refers to the volume of the problem, which it drives.

    Raises:
        InputError: A current is not stated in the unit of the particle's dimension.
    """
    if config.schedule is None:
        return Timetable()
    scales = config.material.scales
    stages = tuple(
        _create_stage(step, config.schedule, scales, problem, f"schedule.step.{index}")
        for index, step in enumerate(config.schedule.step)
    )
    return Timetable(stages, config.schedule.cycles)


def create_events(
    cut_offs: Sequence[_CutOff], problem: ChemoMechanics, position: Position
) -> list[Event]:
    """Create functions of the problem's state that reach zero where a stage ends.

    The position is that of the stage's beginning.
    """
    quantities: dict[_Quantity, Event] = {
        _Quantity.LEVEL: lambda: problem.surface.level,
        _Quantity.MEAN: problem.mean_composition,
        _Quantity.OUTFLOW: lambda: abs(problem.outflow()),
    }

    def create(cut_off: _CutOff) -> Event:
        sign = cut_off.sign or math.copysign(1.0, cut_off.value - position.mean)
        quantity = quantities[cut_off.quantity]
        return lambda: sign * (quantity() - cut_off.value)

    return [create(cut_off) for cut_off in cut_offs]


def _create_stage(
    step: cfg.StepConfig,
    schedule: cfg.ScheduleConfig,
    scales: Scales,
    problem: ChemoMechanics,
    key: str,
) -> Stage:
    duration = math.inf if step.duration is None else step.duration / scales.time
    if isinstance(step, cfg.RestConfig):
        return Stage(Rest(step.sealed), duration)

    def level(voltage: float) -> float:
        assert schedule.reference_voltage is not None
        return (schedule.reference_voltage - voltage) / scales.voltage

    def outflow(c_rate: float) -> float:
        return c_rate * problem.volume * scales.time / _HOUR

    drive: Drive
    sign = 0.0
    if isinstance(step, cfg.PotentiostaticConfig):
        potential = step.mu_res
        if step.voltage is not None:
            drive = Potentiostatic(level(step.voltage))
        else:
            assert potential is not None
            drive = Potentiostatic(potential / scales.chemical_potential)
    else:
        sign = 1.0 if step.direction == "lithiate" else -1.0
        magnitude = (
            outflow(step.c_rate)
            if step.c_rate is not None
            else _scale_current(step, scales, problem, key)
        )
        drive = Galvanostatic(-sign * magnitude)
    cut_offs = []
    if step.until.voltage is not None:
        cut_offs.append(_CutOff(_Quantity.LEVEL, level(step.until.voltage), sign))
    if step.until.lithium_mean is not None:
        cut_offs.append(_CutOff(_Quantity.MEAN, step.until.lithium_mean, sign))
    if step.until.c_rate is not None:
        cut_offs.append(_CutOff(_Quantity.OUTFLOW, outflow(step.until.c_rate), -1.0))
    return Stage(drive, duration, tuple(cut_offs))


def _scale_current(
    step: cfg.GalvanostaticConfig, scales: Scales, problem: ChemoMechanics, key: str
) -> float:
    """Return the magnitude of the outflow that a current means."""
    assert step.current is not None
    dimension = problem.domain.mesh.geometry.dim
    if step.current.per_depth != (dimension == 2):
        unit = "A/m, per metre of depth" if dimension == 2 else "A"
        raise InputError(f"a {dimension}-D particle needs it in {unit}", key=f"{key}.current")
    return step.current.value * scales.time / scales.charge(dimension)
