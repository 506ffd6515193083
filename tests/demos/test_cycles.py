"""The demo of five galvanostatic cycles."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from mpi4py import MPI

from chemomech.config import load_config
from chemomech.output.ledger import read_ledger
from chemomech.paper.stress_over_cycles import SHORT

COMM = MPI.COMM_WORLD
DEMO = Path(__file__).resolve().parents[2] / "demos" / "cycles.toml"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(run_demo):
    """Folder of a short run that all ranks see."""
    yield run_demo("cycles", SHORT)
    COMM.barrier()


def find_ends(ledger, stage):
    """Last lines of a stage, one a cycle."""
    lines = np.flatnonzero(ledger["stage"] == stage)
    return [lines[ledger["cycle"][lines] == cycle][-1] for cycle in (1, 2)]


def test_cycles_end_at_their_voltages(results):
    ledger = read_ledger(results / "ledger.csv")
    full, empty = find_ends(ledger, 1), find_ends(ledger, 3)
    assert ledger["voltage_V"][full] == pytest.approx(3.1, abs=1e-4)
    assert ledger["voltage_V"][empty] == pytest.approx(3.3, abs=1e-4)
    assert ledger["lithium_mean"][full].min() > 0.95
    assert ledger["lithium_mean"][empty].max() < 0.05
    assert np.abs(ledger["lithium_balance_error"]).max() < 1e-10
    assert ledger["time_s"][-1] < load_config(DEMO, COMM).time.end


def test_a_cycle_costs_energy(results):
    """The loop of voltage over charge is what the particle turns into heat, and so runs upwards."""
    ledger = read_ledger(results / "ledger.csv")
    second = ledger["cycle"] == 2
    charge, voltage = (ledger[name][second] for name in ("charge_C_per_m", "voltage_V"))
    # Charge that leaves at a higher voltage than it came in with.
    assert np.trapezoid(voltage, charge) > 0.0


def test_phases_separate_on_the_way(results):
    ledger = read_ledger(results / "ledger.csv")
    for stage in (1, 3):
        middle = (ledger["stage"] == stage) & (np.abs(ledger["lithium_mean"] - 0.5) < 0.1)
        assert (ledger["c_max"] - ledger["c_min"])[middle].max() > 0.5
        assert ledger["von_mises_max_Pa"][middle].max() > 1e6


def test_picture_of_the_cycles(results):
    image = imread(results / "pictures" / "cycles.png")
    assert min(image.shape[:2]) > 400
    assert image[..., :3].std() > 0.02
