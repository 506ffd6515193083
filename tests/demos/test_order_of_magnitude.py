"""The demo of the readings of the paper's "order of magnitude"."""

import csv
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread
from mpi4py import MPI

DEMO = str(Path(__file__).resolve().parents[2] / "demos" / "order_of_magnitude.py")

pytestmark = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="starts a program of its own")


def test_readings(tmp_path):
    output = tmp_path / "readings"
    command = [sys.executable, DEMO, str(output), "--mesh-size", "40 nm"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.count(" MPa ") == 8
    with (output / "readings.csv").open() as file:
        ratios = {row["reading"]: float(row["ratio"]) for row in csv.DictReader(file)}
    # Contrast alone: the same in both wires, whose patterns differ a little.
    assert ratios["normalised, free, constant Ω"] == pytest.approx(1.0, abs=0.3)
    # Ten times the swelling lies between epsilon and delta.
    assert ratios["normalised, free, V(x)"] > 3.0
    # Held at both ends, a wire feels all of its lithium, 0.8 against 0.2.
    assert ratios["normalised, rollers, constant Ω"] > 3.0
    assert imread(output / "readings.png")[..., :3].std() > 0.02


def test_used_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [DEMO, str(tmp_path)])
    with pytest.raises(SystemExit, match=f"order_of_magnitude: error: .*{tmp_path.name}"):
        runpy.run_path(DEMO, run_name="__main__")
