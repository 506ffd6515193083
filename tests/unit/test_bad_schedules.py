"""Reactions, schedules, noise and checkpoints that cannot work: one message by the key at fault."""

import copy
import tomllib
from typing import Any

import pytest

from chemomech.config import create_config
from chemomech.errors import InputError

REMOVED = object()

VALID: dict[str, Any] = tomllib.loads("""
[geometry]
kind = "box"
size = ["40 nm", "20 nm"]
[material]
free_energy = { kind = "regular_solution", chi = 2.75 }
gradient = { interface_width = "10 nm" }
mobility = { kind = "degenerate", diffusivity = "1e-15 m^2/s" }
[mechanics]
elasticity = { kind = "isotropic", young_modulus = "43 GPa", poisson_ratio = 0.3 }
eigenstrain = { kind = "vegard", partial_molar_volume = "2.415e-6 m^3/mol" }
[[reaction]]
group = "surface"
kind = "butler_volmer"
rate_constant = "1e-10 m/s"
[schedule]
reference_voltage = "3.2 V"
cycles = 5
[[schedule.step]]
kind = "galvanostatic"
direction = "lithiate"
c_rate = 0.2
until = { voltage = "3.0 V", lithium_mean = 0.9 }
[[schedule.step]]
kind = "rest"
duration = "72 h"
[[schedule.step]]
kind = "potentiostatic"
voltage = "3.3 V"
until = { c_rate = 0.01 }
[initial]
kind = "noise"
mean = 0.1
[time]
end = "1000 h"
[noise]
interval = "10 ms"
depth = "50 nm"
""")
LITERAL = {"group": "surface", "kind": "paper_eq25_literal", "rate_constant": "1e-10 m/s"}
AT_ZERO = {"kind": "potentiostatic", "mu_res": "0 J/mol"}
GALVANOSTATIC = {"kind": "galvanostatic", "direction": "lithiate", "c_rate": 1.0}
MHC = {"group": "surface", "kind": "marcus_hush_chidsey", "rate_constant": "1e-10 m/s"}
POLYNOMIAL = {"kind": "polynomial", "coefficients": [0, 0, 1]}
CONSTANT_MOBILITY = {"kind": "constant", "diffusivity": "1e-15 m^2/s"}
STEP = "schedule.step.0"
LAST = "schedule.step.2"

# what is set, key the message names (None: the first key set), piece of the message
CASES: list[tuple[dict[str, Any], str | None, str]] = [
    # reactions
    ({"reaction.0.kind": "butler_wolmer"}, "reaction.0", "did you mean 'butler_volmer'"),
    ({"reaction.0.kind": REMOVED}, "reaction.0", "kind is missing"),
    ({"reaction.0.group": REMOVED}, None, "is missing"),
    ({"reaction.0.group": ""}, None, "at least 1"),
    ({"reaction.0.rate_constant": REMOVED}, None, "is missing"),
    ({"reaction.0.rate_constant": "-1e-10 m/s"}, None, "greater than zero"),
    ({"reaction.0.rate_constant": "0 m/s"}, None, "greater than zero"),
    ({"reaction.0.rate_constant": "1e-10 1/s"}, None, "[length]"),
    ({"reaction.0.alpha": 0.5}, None, "unknown key"),
    ({"reaction.0.kind": "exchange_sqrt", "reaction.0.alpha": 1.0}, "reaction.0.alpha", "less"),
    ({"reaction.0": MHC | {"reorganisation_energy": -1.0}}, None, "greater than 0"),
    ({"reaction.0": MHC | {"reorganisation_energy": "1 eV"}}, None, "plain number"),
    ({"reaction.0": MHC | {"electrolyte": 0.0}}, None, "greater than 0"),
    ({"reaction": [MHC, MHC]}, "reaction.1.group", "has a reaction already"),
    ({"schedule": REMOVED}, "schedule", "needs what drives it"),
    ({"reaction": REMOVED}, "schedule", "has nothing to drive"),
    ({"reaction.0": {"group": "surface", "kind": "no_flux"}}, "schedule", "nothing to drive"),
    (
        {"material.free_energy": POLYNOMIAL, "material.mobility": CONSTANT_MOBILITY}
        | {"material.gradient": {"kappa": "1e-14 J*m^2/mol"}, "mesh": {"size": "5 nm"}},
        "reaction.0.kind",
        "within [0, 1]",
    ),
    # eqn 25 as printed
    ({"reaction.0": LITERAL}, f"{STEP}.kind", "mu_res = 0"),
    (
        {"reaction.0": LITERAL, "schedule.step": [AT_ZERO | {"mu_res": "1 kJ/mol"}]}
        | {"schedule.cycles": 1},
        f"{STEP}.kind",
        "knows no reservoir",
    ),
    (
        {"reaction.0": LITERAL, "schedule.step": [{"kind": "rest", "duration": "1 h"}]},
        f"{STEP}.kind",
        "rest sealed",
    ),
    # the schedule
    ({"schedule.step": []}, None, "at least 1"),
    ({"schedule.step": REMOVED}, None, "is missing"),
    ({"schedule.cycles": 0}, None, "at least 1"),
    ({"schedule.cycles": 2.5}, None, "whole number"),
    ({"schedule.reference_voltage": "3.2"}, None, "has no unit"),
    ({"schedule.reference_voltage": REMOVED}, f"{STEP}.until.voltage", "reference_voltage"),
    ({f"{STEP}.kind": "galvanic"}, STEP, "did you mean 'galvanostatic'"),
    ({f"{STEP}.direction": REMOVED}, None, "is missing"),
    ({f"{STEP}.direction": "charge"}, None, "'lithiate'"),
    ({f"{STEP}.c_rate": 0}, None, "greater than 0"),
    ({f"{STEP}.c_rate": -0.2}, None, "greater than 0"),
    ({f"{STEP}.c_rate": REMOVED}, f"{STEP}.c_rate", "exactly one of c_rate and current"),
    ({f"{STEP}.current": "1 nA/m"}, f"{STEP}.c_rate", "exactly one of c_rate and current"),
    ({STEP: GALVANOSTATIC | {"duration": "0 h"}}, f"{STEP}.duration", "greater than zero"),
    ({STEP: GALVANOSTATIC | {"duration": "-1 h"}}, f"{STEP}.duration", "greater than zero"),
    ({STEP: GALVANOSTATIC}, STEP, "never ends"),
    ({STEP: GALVANOSTATIC | {"until": {}}}, STEP, "never ends"),
    (
        {STEP: GALVANOSTATIC | {"until": {"c_rate": 0.1}}},
        f"{STEP}.until.c_rate",
        "can never be met",
    ),
    (
        {STEP: {"kind": "galvanostatic", "direction": "lithiate", "current": "1 nA"}}
        | {f"{LAST}.duration": "1 h"},
        f"{STEP}",
        "never ends",
    ),
    (
        {STEP: GALVANOSTATIC | {"c_rate": None, "current": "1 nA", "duration": "1 h"}},
        f"{STEP}.current",
        "A/m, per metre of depth",
    ),
    *(
        (
            {STEP: GALVANOSTATIC | {"c_rate": None, "current": current, "duration": "1 h"}},
            f"{STEP}.current",
            "must be greater than zero",
        )
        for current in ("0 A/m", "-1 nA/m", "0 A", "-1 nA")
    ),
    ({f"{STEP}.until.lithium_mean": 1.5}, None, "at most 1"),
    ({f"{STEP}.until.lithium_mean": 0.05}, None, "can never be met"),
    (
        {f"{STEP}.direction": "delithiate"},
        f"{STEP}.until.lithium_mean",
        "leads away from 0.9",
    ),
    ({f"{STEP}.until.voltage": "1.0 V"}, None, "can never be met"),
    ({f"{STEP}.until.voltage": 3.0}, None, "has no unit"),
    ({f"{STEP}.until.capacity": 3.0}, None, "unknown key"),
    ({STEP: GALVANOSTATIC | {"duration": "2 h"}}, f"{STEP}.duration", "between 0 and 1"),
    ({f"{LAST}.mu_res": "1 kJ/mol"}, f"{LAST}.voltage", "excludes mu_res"),
    ({f"{LAST}.voltage": REMOVED}, f"{LAST}.voltage", "exactly one of voltage and mu_res"),
    ({f"{LAST}.voltage": "3.3 kJ/mol"}, f"{LAST}.voltage", "dimension"),
    ({f"{LAST}.until": {"voltage": "3.0 V"}}, f"{LAST}.until.voltage", "holds the voltage"),
    ({f"{LAST}.until": REMOVED}, LAST, "never ends"),
    ({"schedule.step.1.duration": REMOVED}, None, "is missing"),
    ({"schedule.step.1.duration": "0 s"}, None, "greater than zero"),
    ({"schedule.step.1.until": {"voltage": "3 V"}}, None, "unknown key"),
    ({"schedule.step.1.sealed": "yes"}, None, "true or false"),
    ({"time.stationary_rate": "1e-4 1/s"}, None, "no meaning with a schedule"),
    # stress, noise, checkpoints
    (
        {"schedule": REMOVED, "reaction": REMOVED, "mechanics.stress_in_reaction": False},
        "mechanics.stress_in_reaction",
        "without a reaction",
    ),
    ({"mechanics.stress_in_bulk": 1}, None, "true or false"),
    ({"noise.interval": REMOVED}, None, "is missing"),
    ({"noise.interval": "0 s"}, None, "greater than zero"),
    ({"noise.depth": REMOVED}, "noise.depth", "50 nm"),
    ({"noise.strength": 0.0}, None, "greater than 0"),
    ({"noise.seed": -1}, None, "at least 0"),
    ({"geometry.size": ["40 nm", "20 nm", "20 nm"]}, "noise.depth", "no meaning in 3-D"),
    ({"checkpoint": {"interval": "0 s"}}, "checkpoint.interval", "greater than zero"),
    ({"checkpoint": {"interval": "never"}}, "checkpoint.interval", "'off'"),
    ({"checkpoint": {"steps": 0}}, "checkpoint.steps", "at least 1"),
    ({"checkpoint": {"keep": 0}}, "checkpoint.keep", "at least 1"),
    ({"checkpoint": {"wall_limit": "1 nm"}}, "checkpoint.wall_limit", "[length]"),
    ({"checkpoint": {"every": "1 h"}}, "checkpoint.every", "unknown key"),
]


def edit(changes: dict[str, Any]) -> dict[str, Any]:
    """The valid tables with keys set or removed."""
    changed = copy.deepcopy(VALID)
    for key, value in changes.items():
        target: Any = changed
        *parents, last = (int(part) if part.isdecimal() else part for part in key.split("."))
        for part in parents:
            target = target[part]
        if value is REMOVED:
            del target[last]
        else:
            target[last] = value
    return changed


def test_the_unedited_tables_are_valid() -> None:
    config = create_config(VALID)
    assert config.schedule is not None
    assert [step.kind for step in config.schedule.step] == [
        "galvanostatic",
        "rest",
        "potentiostatic",
    ]


@pytest.mark.parametrize(("changes", "named", "piece"), CASES)
def test_refusal(changes: dict[str, Any], named: str | None, piece: str) -> None:
    with pytest.raises(InputError) as caught:
        create_config(edit(changes))
    message = str(caught.value)
    assert message.startswith(named or next(iter(changes)))
    assert piece in message
    assert "\n" not in message


def test_the_printed_law_may_take_lithium_out_of_a_reservoir_at_zero() -> None:
    tables = edit({"reaction.0": LITERAL, "schedule.step": [AT_ZERO], "schedule.cycles": 1})
    assert create_config(tables).reaction[0].kind == "paper_eq25_literal"
