"""Check reactions, schedule and material against one another."""

from __future__ import annotations

from collections.abc import Sequence

from chemomech.config.base import SectionError, within
from chemomech.config.laws.fitted_energy import EnergyTableConfig, PhasesConfig
from chemomech.config.laws.free_energy import FreeEnergyConfig
from chemomech.config.laws.reaction import LiteralConfig, ReactionConfig
from chemomech.config.schedule import (
    GalvanostaticConfig,
    PotentiostaticConfig,
    RestConfig,
    ScheduleConfig,
    StepConfig,
)

#: Distance from the reference, per RT, beyond which a cut-off of the voltage cannot be resolved:
#: full and empty particles approach it like the logarithm of the last free or filled sites.
_REACH = 20.0


def check_exchange(
    reactions: Sequence[ReactionConfig],
    schedule: ScheduleConfig | None,
    bounds: tuple[float, float],
    initial_mean: float | None,
    dimension: int | None,
    thermal_voltage: float,
) -> None:
    """Refuse reactions and schedules that do not fit one another or the material.

    The bounds are the open interval of the composition, the thermal voltage is R T / F (V). Mean
    and dimension are None where only the mesh will tell.
    """
    _check_groups(reactions)
    reacting = [r for r in reactions if r.exchanges]
    if schedule is None:
        if reacting:
            raise SectionError(
                "schedule", f"is missing; the reaction {reacting[0].kind!r} needs what drives it"
            )
        return
    if not reacting:
        raise SectionError("schedule", "has nothing to drive; state a [[reaction]] of some kind")
    if bounds[0] < 0.0 or bounds[1] > 1.0:
        raise SectionError(
            "reaction.0.kind",
            f"{reacting[0].kind!r} needs a composition within [0, 1]; bound material.free_energy",
        )
    with within("schedule"):
        for index, step in enumerate(schedule.step):
            _check_step(step, f"step.{index}", schedule, dimension, thermal_voltage)
            if any(isinstance(reaction, LiteralConfig) for reaction in reacting):
                _check_literal(step, f"step.{index}", schedule)
        schedule.check_reach(initial_mean)


def check_reference(law: FreeEnergyConfig, schedule: ScheduleConfig | None) -> None:
    """Refuse two voltages at mu = 0."""
    stated, own = schedule and schedule.reference_voltage, law.find_reference_voltage()
    if stated is None or own is None or stated == own:
        return
    if isinstance(law, PhasesConfig | EnergyTableConfig):
        raise SectionError(
            "material.free_energy.reference_voltage",
            f"must be that of the schedule, {stated:g} V",
        )
    raise SectionError(
        "schedule.reference_voltage",
        f"must be {own:g} V, at which mu = 0 in {law.kind!r}, not {stated:g} V",
    )


def _check_groups(reactions: Sequence[ReactionConfig]) -> None:
    groups = [reaction.group for reaction in reactions]
    for index, group in enumerate(groups):
        if group in groups[:index]:
            raise SectionError(f"reaction.{index}.group", f"{group!r} has a reaction already")


def _check_step(
    step: StepConfig,
    key: str,
    schedule: ScheduleConfig,
    dimension: int | None,
    thermal_voltage: float,
) -> None:
    if isinstance(step, RestConfig):
        return
    reference, voltage = schedule.reference_voltage, step.until.voltage
    if reference is not None and voltage is not None:
        farthest = _REACH * thermal_voltage
        if abs(voltage - reference) > farthest:
            raise SectionError(
                f"{key}.until.voltage",
                f"can never be met: it lies {abs(voltage - reference):.3g} V from the reference, "
                f"and a particle full or empty to the last resolved site within {farthest:.3g} V",
            )
    current = step.current if isinstance(step, GalvanostaticConfig) else None
    if current is None or dimension is None or current.per_depth == (dimension == 2):
        return
    unit = "A/m, per metre of depth" if dimension == 2 else "A"
    raise SectionError(f"{key}.current", f"a {dimension}-D particle needs it in {unit}")


def _check_literal(step: StepConfig, key: str, schedule: ScheduleConfig) -> None:
    """Refuse eqn 25 as printed with any mu_res but zero: it has none in it."""
    if isinstance(step, RestConfig) and step.sealed:
        return
    if isinstance(step, PotentiostaticConfig):
        at_zero = step.mu_res == 0.0 or (
            step.voltage is not None and step.voltage == schedule.reference_voltage
        )
        if at_zero:
            return
    raise SectionError(
        f"{key}.kind",
        "eqn 25 as printed knows no reservoir but mu_res = 0: hold that (kind = "
        '"potentiostatic", mu_res = "0 J/mol") or rest sealed, or use the reaction "butler_volmer"',
    )
