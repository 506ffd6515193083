"""The steps of the image chain, one by one from Python."""

import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread
from mpi4py import MPI

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="starts a program of its own")
def test_each_step_says_what_it_found(tmp_path):
    output = tmp_path / "steps"
    command = [sys.executable, str(ROOT / "demos" / "step_by_step.py"), str(output)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    steps = [line.split()[0] for line in result.stdout.splitlines()]
    assert steps[0] == "read_stack"
    assert steps[-1] == "StaticStress"
    pictures = list(output.rglob("*.png"))
    assert pictures
    assert all(imread(picture)[..., :3].std() > 0.02 for picture in pictures)
