"""The steps of the image chain, one by one from Python."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread
from mpi4py import MPI

DEMO = str(Path(__file__).resolve().parents[2] / "demos" / "step_by_step.py")
STEPS = [
    *("read_stack", "align", "convert", "decompose", "cluster", "unmix"),
    *("create_composition", "trace_outlines", "create_domain", "StaticStress"),
]
PICTURES = {
    *("scree", "components", "clusters", "cluster_spectra", "composition", "optical_density"),
    *("mesh", "von_mises", "stress_along"),
}

pytestmark = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="starts a program of its own")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Folder of a quick run, and what it says of each step."""
    output = tmp_path_factory.mktemp("demo") / "steps"
    command = [sys.executable, DEMO, str(output), "--seed", "2", "--quick"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return output, dict(line.split(maxsplit=1) for line in printed.splitlines())


def test_each_step_says_what_it_found(result):
    _, figures = result
    assert list(figures) == STEPS
    # The project's targets: shifts within 0.05 pixels, x within 0.025.
    error = re.search(r"RMS error ([\d.]+) pixels", figures["align"])
    assert float(error[1]) < 0.05
    error = re.search(r"median error ([\d.]+)", figures["create_composition"])
    assert float(error[1]) < 0.025
    area, true = map(float, re.findall(r"\d\.\d{4}", figures["trace_outlines"]))
    assert area == pytest.approx(true, rel=0.05)
    median, high = map(float, re.findall(r"([\d.]+) MPa", figures["StaticStress"]))
    assert 0.0 < median < high


def test_pictures_show_something(result):
    output, _ = result
    pictures = list(output.glob("*.png"))
    assert {picture.stem for picture in pictures} == PICTURES
    assert all(imread(picture)[..., :3].std() > 0.02 for picture in pictures)


def test_used_folder_is_refused(tmp_path, monkeypatch, capfd):
    (tmp_path / "mine.txt").write_text("kept")
    monkeypatch.setattr(sys, "argv", [DEMO, str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(DEMO, run_name="__main__")
    assert caught.value.code == 2
    assert capfd.readouterr().err.startswith("step_by_step: error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
