"""The march through time: pictures that steal no steps, states that only seem to rest, rests."""

import numpy as np
import pytest
from box import UNDRAWN, create_tables
from mpi4py import MPI

import chemomech
from chemomech.config import create_config
from chemomech.output.ledger import read_ledger
from chemomech.simulation.recording import Recorder

COMM = MPI.COMM_WORLD
REACTION = [{"kind": "butler_volmer", "group": "surface", "rate_constant": "1e-10 m/s"}]
QUIET = {"fields": False, **UNDRAWN}


def configure(**tables):
    """The box whose composition separates, with nothing written but its ledger."""
    table = {
        "initial": {"kind": "noise", "mean": 0.5, "seed": 1},
        "time": {"end": "30 s"},
        "output": {"count": 1, **QUIET},
        "checkpoint": {"interval": "off"},
    }
    return create_config(create_tables(**table | tables))


def simulate(config, folder):
    """How the run ended, and its ledger."""
    ended = chemomech.simulate(config, folder, COMM, quiet=True)
    return ended, read_ledger(folder / "ledger.csv")


@pytest.fixture
def snapshots(monkeypatch):
    """Times and means of composition of the snapshots that are recorded."""
    seen = []
    record = Recorder.record_snapshot

    def note(self, time_s, **options):
        seen.append((time_s, self._problem.mean_composition()))
        record(self, time_s, **options)

    monkeypatch.setattr(Recorder, "record_snapshot", note)
    return seen


def test_number_of_snapshots_changes_no_step(folder, snapshots):
    """Bit for bit; on several ranks without MUMPS, which sums in the order messages arrive."""
    ledgers = []
    for count in (1, 5, 40):
        snapshots.clear()
        output = {"count": count, **QUIET}
        config = configure(output=output, time={"end": "0.3 s"}, solver={"preset": "iterative"})
        ledgers.append(simulate(config, folder / str(count))[1])
        times, means = zip(*snapshots, strict=True)
        np.testing.assert_allclose(times, 0.3 * np.arange(count + 1) / count, rtol=1e-12)
        np.testing.assert_allclose(means, 0.5, atol=1e-12)
    assert len(ledgers[0]["step"]) < 40
    for ledger in ledgers[1:]:
        for name in ("time_s", "energy_total_J_per_m"):
            tolerance = 0.0 if COMM.size == 1 else 1e-9
            np.testing.assert_allclose(ledger[name], ledgers[0][name], rtol=tolerance)


@pytest.mark.parametrize(
    "amplitude",
    [1e-7, pytest.param(1e-6, marks=pytest.mark.slow), pytest.param(1e-5, marks=pytest.mark.slow)],
)
def test_a_hardly_disturbed_unstable_state_separates(folder, amplitude):
    """Waves of 1e-7 grow by e in 0.16 s: they are large after 2.5 s."""
    noise = {"kind": "noise", "mean": 0.5, "seed": 1, "amplitude": amplitude}
    ended, ledger = simulate(configure(initial=noise, time={"end": "6 s"}), folder / "run")
    assert ended == "reached the end time 6 s"
    assert ledger["c_min"][-1] < 0.15
    assert ledger["c_max"][-1] > 0.85
    # Of about -6.6e-10 J/m with walls 48 nm long in all; without any it would be -2.8e-9 J/m.
    energy = ledger["energy_total_J_per_m"]
    assert energy[-1] < 3 * energy[0] < 0.0


def test_disturbance_grows_as_theory_says(folder):
    """At rates far below those of a stationary state: the fastest wave by M g''^2 / (4 kappa).

    Of the box's waves the fastest, k = 2 pi / 40 nm, has 0.92 of that rate.
    """
    noise = {"kind": "noise", "mean": 0.5, "seed": 1, "amplitude": 1e-8}
    config = configure(initial=noise, time={"end": "1.4 s"})
    _, ledger = simulate(config, folder / "run")
    late = ledger["time_s"] > 0.8
    logs = np.log(ledger["c_max"][late] - 0.5)
    measured = np.polyfit(ledger["time_s"][late], logs, 1)[0]
    mobility, curvature = 1e-15 * 0.25, 4.0 - 2 * 2.75
    kappa = config.material.kappa / config.material.scales.chemical_potential
    k = 2 * np.pi / 40e-9
    expected = -mobility * k**2 * (curvature + kappa * k**2)
    assert measured == pytest.approx(expected, rel=0.1)


def test_a_stable_mixture_is_stationary(folder):
    noise = {"kind": "noise", "mean": 0.1, "seed": 1, "amplitude": 1e-3}
    ended, ledger = simulate(configure(initial=noise), folder / "run")
    assert ended.startswith("stationary at")
    assert ended.endswith("no composition in it is unstable")
    assert ledger["c_max"][-1] - ledger["c_min"][-1] < 1e-4


def test_separated_phases_are_stationary(folder):
    """One flat interface between the two phases; waiting for waves to grow takes few steps."""
    wall = {"kind": "formula", "formula": "0.5 + 0.38*tanh((x - 20)/5)"}
    box = {"kind": "box", "size": ["40 nm", "5 nm"]}
    ended, ledger = simulate(configure(initial=wall, geometry=box), folder / "run")
    assert ended.startswith("stationary at")
    assert "slower and slower for 10 times the growth time" in ended
    assert ledger["c_min"][-1] < 0.11
    assert len(ledger["step"]) < 120


@pytest.mark.parametrize("drive", ["closed", "open", "sealed"])
def test_resting_uniform_state_takes_few_steps_and_keeps_still(folder, drive):
    tables = {"initial": {"kind": "uniform", "mean": 0.1}}
    if drive == "closed":
        tables["time"] = {"end": "72 h", "stationary_rate": "off"}
    else:
        rest = {"kind": "rest", "duration": "72 h", "sealed": drive == "sealed"}
        tables |= {"reaction": REACTION, "schedule": {"step": [rest]}, "time": {"end": "100 h"}}
    _, ledger = simulate(configure(**tables), folder / "run")
    assert ledger["time_s"][-1] == pytest.approx(72 * 3600)
    assert ledger["rejected"].sum() == 0
    assert len(ledger["step"]) < 60
    np.testing.assert_allclose(ledger["c_min"], 0.1, atol=1e-12)
    np.testing.assert_allclose(ledger["c_max"], 0.1, atol=1e-12)


def test_step_whose_cut_off_is_met_already_is_told(folder, caplog):
    step = {"kind": "galvanostatic", "direction": "lithiate", "c_rate": 1.0}
    schedule = {
        "reference_voltage": "3.2 V",
        "step": [
            step | {"until": {"voltage": "3.3 V"}},
            {"kind": "rest", "duration": "1 s"},
        ],
    }
    config = configure(
        initial={"kind": "uniform", "mean": 0.05}, reaction=REACTION, schedule=schedule
    )
    ended, ledger = simulate(config, folder / "run")
    assert ended == "finished the schedule at 1 s; 1 step skipped, the cut-off met from the start"
    assert ledger["stage"].tolist()[:2] == [1, 2]
    said = [one.getMessage() for one in caplog.records if "skipped" in one.getMessage()]
    if COMM.rank == 0:
        (line,) = said
        assert line.startswith("schedule.step.0 is skipped in cycle 1, at 0 s")
        assert "(voltage)" in line
