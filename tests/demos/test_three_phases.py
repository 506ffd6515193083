"""The demo of a wire that is alpha, then epsilon, then delta, shortened to a few interfaces."""

import csv
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from mpi4py import MPI

import chemomech
from chemomech.cli import main

COMM = MPI.COMM_WORLD
DEMO = Path(__file__).resolve().parents[2] / "demos" / "three_phases.toml"
SHORT = [
    *("geometry.width=5 nm", "geometry.legs=40 nm", "mesh.size=2.5 nm"),
    *("schedule.step.0.c_rate=10", "time.end=6 min", "time.max_step=4 s"),
    *("output.count=40", "output.movie=false"),
]

pytestmark = pytest.mark.slow
alone = pytest.mark.skipif(COMM.size > 1, reason="results are read by one process")


@pytest.fixture(scope="module")
def results(run_demo):
    """Folder of a short run that all ranks see."""
    yield run_demo("three_phases", SHORT)
    COMM.barrier()


@alone
def test_phases_follow_one_another(results):
    """At each moment there are no more than two, neighbours, in the shares of the lever rule."""
    run = chemomech.open_run(results)
    seen = []
    for time in run.times:
        phases = chemomech.analyse_run_phases(run, time)
        assert [phase.phase for phase in phases] == ["alpha", "epsilon", "delta"]
        shares = np.array([phase.rich_fraction for phase in phases])
        assert shares.sum() == pytest.approx(1.0)
        seen.append(tuple(np.flatnonzero(shares > 0.0)))
    assert list(dict.fromkeys(seen)) == [(0,), (0, 1), (1,), (1, 2), (2,)]


@alone
def test_pictures_and_tables_name_the_phases(results, tmp_path, capfd, pages):
    run = chemomech.open_run(results)
    chemomech.plot_field(run, "composition", tmp_path / "c.svg", run.times[len(run.times) // 2])
    text = (tmp_path / "c.svg").read_text()
    assert imread(results / "pictures" / "cycles.png").std() > 0.02
    words = ["analyse", str(results), "--output", str(tmp_path / "domains.csv")]
    assert main(words) == 0
    said = capfd.readouterr().out
    page = chemomech.write_report(results, tmp_path / "page.html").read_text(encoding="utf-8")
    for name in ("alpha", "epsilon", "delta"):
        assert f">{name}</text>" in text
        assert name in said
        assert name in page
    with (tmp_path / "domains.csv").open(encoding="utf-8") as file:
        assert {row["phase"] for row in csv.DictReader(file)} == {"delta"}
    assert "Domains of each phase at the end, parted at c = 0.2, 0.8" in page
