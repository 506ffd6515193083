"""The schedule of a configuration in the problem's units, and the way through it."""

import math
from types import SimpleNamespace

import pytest

from chemomech.config import create_config
from chemomech.errors import InputError
from chemomech.problems.surface import Galvanostatic, Potentiostatic, Rest
from chemomech.simulation.stages import (
    Position,
    Stage,
    Timetable,
    _CutOff,
    _Quantity,
    create_events,
    create_timetable,
)

#: F (C/mol), R (J/mol/K), C (mol/m^3), T (K), D (m^2/s).
FARADAY, GAS, SITES, TEMPERATURE, DIFFUSIVITY = 96485.33212, 8.314462618, 18500.0, 298.15, 1e-15
SECOND = 1e3  # L0^2 / D = 1 ms with L0 = 1 nm
THERMAL_VOLTAGE = GAS * TEMPERATURE / FARADAY
BASE = {
    "geometry": {"kind": "box", "size": ["200 nm", "100 nm"]},
    "material": {
        "site_concentration": f"{SITES} mol/m^3",
        "temperature": f"{TEMPERATURE} K",
        "free_energy": {"kind": "regular_solution", "chi": 2.75},
        "gradient": {"interface_width": "10 nm"},
        "mobility": {"kind": "degenerate", "diffusivity": f"{DIFFUSIVITY} m^2/s"},
    },
    "initial": {"kind": "uniform", "mean": 0.5},
    "time": {"end": "1e6 s"},
    "reaction": [{"kind": "butler_volmer", "group": "surface", "rate_constant": "1e-10 m/s"}],
}


class FakeParticle:
    """As much of a problem as a schedule sees; its state is set by hand."""

    def __init__(self, dimension=2, volume=20000.0):
        geometry = SimpleNamespace(dim=dimension)
        self.domain = SimpleNamespace(mesh=SimpleNamespace(geometry=geometry))
        self.surface = SimpleNamespace(level=0.0)
        self.volume = volume
        self.mean, self.flow = 0.5, 0.0

    def mean_composition(self):
        return self.mean

    def outflow(self):
        return self.flow


def create(*steps, dimension=2, **schedule):
    sizes = ["200 nm", "100 nm", "50 nm"][:dimension]
    volume = 200.0 * 100.0 * (50.0 if dimension == 3 else 1.0)
    config = create_config(
        {
            **BASE,
            "geometry": {"kind": "box", "size": sizes},
            "schedule": {"step": list(steps), **schedule},
        }
    )
    return create_timetable(config, FakeParticle(dimension, volume))


def galvanostatic(direction, **options):
    return {"kind": "galvanostatic", "direction": direction, **options}


def test_without_a_schedule_there_is_one_endless_stage():
    reaction = [{"kind": "constant_flux", "group": "surface", "value": "1e-10 m/s"}]
    timetable = create_timetable(create_config({**BASE, "reaction": reaction}), FakeParticle())
    assert timetable == Timetable((Stage(None, math.inf, ()),), 1)


@pytest.mark.parametrize(("direction", "sign"), [("lithiate", -1.0), ("delithiate", 1.0)])
def test_c_rate_fills_the_particle_in_an_hour(direction, sign):
    """At 2C c changes by two in 3600 s: outflow times time is twice the volume."""
    step = galvanostatic(direction, c_rate=2.0, until={"lithium_mean": 0.5 - 0.3 * sign})
    (stage,) = create(step).stages
    assert isinstance(stage.drive, Galvanostatic)
    hour = 3600 * SECOND
    assert stage.drive.outflow * hour == pytest.approx(sign * 2 * 200 * 100, rel=1e-12)
    assert stage.duration == math.inf
    (cut_off,) = stage.cut_offs
    assert cut_off == _CutOff(_Quantity.MEAN, 0.5 - 0.3 * sign, -sign)


@pytest.mark.parametrize(
    ("dimension", "unit", "depth"), [(2, "A/m", 1.0), (3, "A", 50e-9)], ids=["2-D", "3-D"]
)
def test_current_is_charge_of_lithium_per_time(dimension, unit, depth):
    """The current F C V / 3600 s, of a particle of volume V, is 1C."""
    volume = 200e-9 * 100e-9 * depth
    current = FARADAY * SITES * volume / 3600
    options = {"duration": "10 s"}
    stated = galvanostatic("lithiate", current=f"{current!r} {unit}", **options)
    rated = galvanostatic("lithiate", c_rate=1.0, **options)
    first, second = create(stated, rated, dimension=dimension).stages
    assert first.drive.outflow == pytest.approx(second.drive.outflow, rel=1e-9)
    assert first.drive.outflow < 0.0
    assert first.duration == pytest.approx(10 * SECOND)


@pytest.mark.parametrize(("dimension", "unit", "right"), [(2, "A", "A/m"), (3, "A/m", "in A")])
def test_current_in_the_other_unit_is_refused(dimension, unit, right):
    with pytest.raises(InputError, match=right) as caught:
        create(
            galvanostatic("lithiate", current=f"1e-15 {unit}", duration="1 s"), dimension=dimension
        )
    assert "schedule.step.0.current" in str(caught.value)


def test_voltage_falls_as_mu_res_rises():
    """mu_res = F (V0 - V), in units of RT: 100 mV below the reference it is positive."""
    step = {"kind": "potentiostatic", "voltage": "3.1 V", "duration": "5 s"}
    (stage,) = create(step, reference_voltage="3.2 V").stages
    assert stage.drive == Potentiostatic(pytest.approx(0.1 / THERMAL_VOLTAGE, rel=1e-9))


def test_potential_per_mole_is_divided_by_rt():
    step = {"kind": "potentiostatic", "mu_res": "2 kJ/mol", "duration": "5 s"}
    (stage,) = create(step).stages
    assert stage.drive == Potentiostatic(pytest.approx(2000 / (GAS * TEMPERATURE), rel=1e-9))
    assert stage.cut_offs == ()


@pytest.mark.parametrize(
    ("direction", "voltage", "sign"), [("lithiate", 3.1, 1.0), ("delithiate", 3.3, -1.0)]
)
def test_voltage_cut_off_is_crossed_with_the_current(direction, voltage, sign):
    """Lithiation draws the voltage down and mu_res up."""
    step = galvanostatic(direction, c_rate=1.0, until={"voltage": f"{voltage} V"})
    (stage,) = create(step, reference_voltage="3.2 V").stages
    (cut_off,) = stage.cut_offs
    assert cut_off.quantity is _Quantity.LEVEL
    assert cut_off.value == pytest.approx((3.2 - voltage) / THERMAL_VOLTAGE, rel=1e-9)
    assert cut_off.value * sign > 0.0
    assert cut_off.sign == sign
    particle = FakeParticle()
    (event,) = create_events(stage.cut_offs, particle, Position())
    assert event() < 0.0
    particle.surface.level = 1.01 * cut_off.value
    assert event() > 0.0


def test_current_cut_off_is_a_decay_in_either_direction():
    step = {"kind": "potentiostatic", "mu_res": "1 kJ/mol", "until": {"c_rate": 0.1}}
    (stage,) = create(step).stages
    (cut_off,) = stage.cut_offs
    limit = 0.1 * 200 * 100 / (3600 * SECOND)
    assert cut_off == _CutOff(_Quantity.OUTFLOW, pytest.approx(limit, rel=1e-12), -1.0)
    particle = FakeParticle()
    (event,) = create_events(stage.cut_offs, particle, Position())
    for flow in (2 * limit, -2 * limit):
        particle.flow = flow
        assert event() == pytest.approx(-limit, rel=1e-9)
    particle.flow = -limit / 2
    assert event() > 0.0


@pytest.mark.parametrize(("began", "crossed"), [(0.2, 0.61), (0.9, 0.59)])
def test_mean_of_a_held_potential_is_crossed_from_where_the_stage_began(began, crossed):
    step = {"kind": "potentiostatic", "mu_res": "1 kJ/mol", "until": {"lithium_mean": 0.6}}
    (stage,) = create(step).stages
    particle = FakeParticle()
    (event,) = create_events(stage.cut_offs, particle, Position(mean=began))
    particle.mean = began
    assert event() == pytest.approx(-abs(0.6 - began))
    particle.mean = 0.6
    assert event() == pytest.approx(0.0, abs=1e-15)
    particle.mean = crossed
    assert event() > 0.0


def test_rest_is_open_or_sealed():
    rests = [{"kind": "rest", "duration": "7 s", "sealed": sealed} for sealed in (False, True)]
    stages = create(*rests).stages
    assert [stage.drive for stage in stages] == [Rest(), Rest(sealed=True)]
    assert [stage.duration for stage in stages] == pytest.approx([7 * SECOND] * 2)


def test_all_cut_offs_count():
    step = galvanostatic(
        "lithiate", c_rate=1.0, duration="60 s", until={"voltage": "3.0 V", "lithium_mean": 0.9}
    )
    (stage,) = create(step, reference_voltage="3.2 V").stages
    assert {cut_off.quantity for cut_off in stage.cut_offs} == {_Quantity.LEVEL, _Quantity.MEAN}
    assert stage.duration == pytest.approx(60 * SECOND)


def test_timetable_goes_through_its_cycles():
    timetable = Timetable((Stage(Rest(), 1.0), Stage(Rest(True), 2.0)), cycles=2)
    position, seen, time = Position(), [], 0.0
    while position is not None:
        seen.append((position.cycle, position.stage, position.began, position.released))
        assert timetable.stage(position) is timetable.stages[position.stage - 1]
        ended = position.end_stage()
        assert ended.over
        assert (ended.cycle, ended.stage) == (position.cycle, position.stage)
        time += 1.5
        position = timetable.next_position(ended, time, 10 * time, 0.5)
        assert position is None or (not position.over and position.mean == 0.5)
    assert seen == [(1, 1, 0.0, 0.0), (1, 2, 1.5, 15.0), (2, 1, 3.0, 30.0), (2, 2, 4.5, 45.0)]


def test_cycles_of_a_configuration():
    steps = [
        galvanostatic("lithiate", c_rate=1.0, until={"lithium_mean": 0.9}),
        galvanostatic("delithiate", c_rate=1.0, until={"lithium_mean": 0.5}),
    ]
    timetable = create(*steps, cycles=3)
    assert (len(timetable.stages), timetable.cycles) == (2, 3)
