"""The table [schedule]: what drives the reactions, step by step, cycle by cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from chemomech.config.base import Choice, Count, Flag, Number, Section, SectionError
from chemomech.units import CURRENT, LINE_CURRENT, MolarEnergy, Time, Voltage

_CRate = Annotated[Number, Field(gt=0.0, le=1e6)]
Lithium = Annotated[Number, Field(ge=0.0, le=1.0)]
_Direction = Literal["lithiate", "delithiate"]

_DURATION = Field(default=None, description="the step ends after this time at the latest")


@dataclass(frozen=True)
class _TotalCurrent:
    """The magnitude of a current as the user stated it, in A or in A per metre of depth."""

    value: float
    per_depth: bool


def _parse_current(value: object) -> _TotalCurrent | None:
    if value is None or isinstance(value, _TotalCurrent):
        return value
    if LINE_CURRENT.accepts(value):
        return _TotalCurrent(LINE_CURRENT.parse(value), per_depth=True)
    return _TotalCurrent(CURRENT.parse(value), per_depth=False)


def _format_current(current: _TotalCurrent) -> str:
    return (LINE_CURRENT if current.per_depth else CURRENT).format(current.value)


class _CutOffConfig(Section):
    """Cut-offs of a step; the first that is met ends it."""

    voltage: Voltage | None = Field(
        default=None, description="against Li/Li+; crossed in the direction of the current"
    )
    lithium_mean: Lithium | None = Field(default=None, description="mean composition reached")
    c_rate: _CRate | None = Field(
        default=None, description="the current of a held potential has decayed to this C-rate"
    )

    @property
    def is_empty(self) -> bool:
        """True if nothing is stated."""
        return self == _CutOffConfig()


class GalvanostaticConfig(Section):
    """A constant current."""

    choices = (Choice(("c_rate", "current")),)

    kind: Literal["galvanostatic"] = "galvanostatic"
    direction: _Direction = Field(description="lithiate or delithiate")
    c_rate: _CRate | None = Field(default=None, description="1: c changes by one in an hour")
    current: (
        Annotated[_TotalCurrent, BeforeValidator(_parse_current), PlainSerializer(_format_current)]
        | None
    ) = Field(default=None, description="magnitude: A in 3-D, A/m (per depth) in 2-D")
    duration: Time | None = _DURATION
    until: _CutOffConfig = Field(default_factory=_CutOffConfig)

    def _check(self) -> None:
        if self.until.c_rate is not None:
            raise SectionError("until.c_rate", "can never be met: this step holds the current")


class PotentiostaticConfig(Section):
    """A constant potential of the reservoir."""

    choices = (Choice(("voltage", "mu_res")),)

    kind: Literal["potentiostatic"] = "potentiostatic"
    voltage: Voltage | None = Field(default=None, description="against Li/Li+")
    mu_res: MolarEnergy | None = Field(
        default=None, description="chemical potential of the reservoir: > 0 lithiates"
    )
    duration: Time | None = _DURATION
    until: _CutOffConfig = Field(default_factory=_CutOffConfig)

    def _check(self) -> None:
        if self.until.voltage is not None:
            raise SectionError("until.voltage", "can never be met: this step holds the voltage")


class RestConfig(Section):
    """No current."""

    kind: Literal["rest"] = "rest"
    sealed: Flag = Field(
        default=False, description="true: taken out of the electrolyte; false: open circuit"
    )
    duration: Time = Field(description="how long")


StepConfig = Annotated[
    GalvanostaticConfig | PotentiostaticConfig | RestConfig, Field(discriminator="kind")
]


class ScheduleConfig(Section):
    """Steps in their order, repeated; the run ends with the last one, or at time.end."""

    reference_voltage: Voltage | None = Field(
        default=None,
        description="open-circuit reference V0: voltage against Li/Li+ at mu_res = 0",
    )
    cycles: Annotated[Count, Field(le=100_000)] = Field(
        default=1, description="how often the steps are gone through"
    )
    step: Annotated[tuple[StepConfig, ...], Field(min_length=1, max_length=1000)] = Field(
        description="what is done, in order"
    )

    def _check(self) -> None:
        self._check_voltages()
        self._check_ends()

    def _check_voltages(self) -> None:
        if self.reference_voltage is not None:
            return
        for index, step in enumerate(self.step):
            if isinstance(step, RestConfig):
                continue
            for key in ("voltage", "until.voltage"):
                holder = step.until if key.startswith("until") else step
                if getattr(holder, "voltage", None) is not None:
                    raise SectionError(
                        f"step.{index}.{key}", "needs schedule.reference_voltage, V at mu_res = 0"
                    )

    def _check_ends(self) -> None:
        for index, step in enumerate(self.step):
            last = index == len(self.step) - 1 and self.cycles == 1
            if not last and step.duration is None and step.until.is_empty:
                raise SectionError(
                    f"step.{index}", "never ends: state duration or until, or make it the last one"
                )

    def check_reach(self, initial_mean: float | None) -> None:
        """Follow the mean composition through one cycle and refuse what cannot be reached.

        That is a cut-off that can never be met, or a current that fills or empties the particle
        beyond its limits.
        """
        mean = initial_mean
        for index, step in enumerate(self.step):
            mean = _follow(step, mean, f"step.{index}")


def _follow(step: StepConfig, mean: float | None, key: str) -> float | None:
    """Mean composition after a step, None where it is not known beforehand."""
    if isinstance(step, RestConfig):
        return mean
    goal = step.until.lithium_mean
    if isinstance(step, PotentiostaticConfig):
        only = step.duration is None and step.until.c_rate is None
        return goal if only else None
    sign = 1.0 if step.direction == "lithiate" else -1.0
    if goal is not None and mean is not None and sign * (goal - mean) <= 0.0:
        raise SectionError(
            f"{key}.until.lithium_mean",
            f"can never be met: the step begins at {mean:g} and its current leads away from "
            f"{goal:g}",
        )
    if step.until.voltage is not None:
        return None
    if step.c_rate is None or step.duration is None:
        return goal if step.duration is None else None
    change = step.c_rate * step.duration / 3600.0
    if mean is not None:
        reached = mean + sign * change
        if goal is not None and sign * (goal - reached) < 0.0:
            return goal
        if not 0.0 <= reached <= 1.0:
            raise SectionError(
                f"{key}.duration",
                f"leads from c = {mean:g} to {reached:g}; c stays between 0 and 1. Shorten it, or "
                "state until",
            )
        return reached
    return None
