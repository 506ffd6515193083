"""Sweeps: their cases and names, what is refused, and a small one run, stopped and gone on with."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import ANY

import pytest
from mpi4py import MPI

from chemomech import cli
from chemomech.errors import InputError
from chemomech.output.ledger import name_columns
from chemomech.sweeps.cases import read_sweep
from chemomech.sweeps.folder import Outcome, SweepFolder
from chemomech.sweeps.slurm import create_batch_script

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="a sweep starts its own ranks")

BASE = """
geometry = { kind = "box", size = ["40 nm", "20 nm"] }
initial = { kind = "noise", mean = 0.5, seed = 3 }
time = { end = "0.02 s" }
output = { count = 2, pictures = false, movie = false }
[material]
free_energy = { kind = "regular_solution", chi = 2.75 }
gradient = { kappa = "5.559e-14 J*m^2/mol" }
mobility = { kind = "degenerate", diffusivity = "1e-15 m^2/s" }
"""
GRID = """
base = "base.toml"
[[axis]]
key = "material.free_energy.chi"
values = [2.5, 2.75]
[[axis]]
key = "initial.seed"
range = { first = 1, last = 2, count = 2 }
"""


def write(folder, text):
    (folder / "base.toml").write_text(BASE)
    (folder / "sweep.toml").write_text(text)
    return folder / "sweep.toml"


def test_axes_make_a_grid(tmp_path):
    sweep = read_sweep(write(tmp_path, GRID))
    names = [case.name for case in sweep.cases]
    assert names == ["chi-2.5-seed-1", "chi-2.5-seed-2", "chi-2.75-seed-1", "chi-2.75-seed-2"]
    assert sweep.shape == (2, 2)
    assert sweep.cases[1].config.material.free_energy.chi == 2.5
    assert sweep.cases[1].config.initial.seed == 2


def test_range_by_ratios_and_keys_that_change_together(tmp_path):
    text = """
base = "base.toml"
[[axis]]
key = "time.end"
range = { first = "0.01 s", last = "1 s", count = 3, spacing = "log" }
[[axis]]
keys = ["initial.mean", "initial.seed"]
values = [[0.4, 1], [0.5, 7]]
"""
    sweep = read_sweep(write(tmp_path, text))
    ends = [case.config.time.end for case in sweep.cases]
    assert ends == pytest.approx([0.01, 0.01, 0.1, 0.1, 1, 1])
    assert [(c.config.initial.mean, c.config.initial.seed) for c in sweep.cases[:2]] == [
        (0.4, 1),
        (0.5, 7),
    ]


def test_a_list_may_change_together_with_another_key(tmp_path):
    text = """
base = "base.toml"
[[axis]]
keys = ["geometry.size", "initial.seed"]
values = [[["40 nm", "20 nm"], 1], [["60 nm", "30 nm"], 2]]
"""
    sweep = read_sweep(write(tmp_path, text))
    sizes = [case.config.geometry.size for case in sweep.cases]
    assert sizes == [pytest.approx((4e-8, 2e-8)), pytest.approx((6e-8, 3e-8))]
    assert len({case.name for case in sweep.cases}) == 2


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("base.toml", "none.toml", "base: no such file"),
        ("[2.5, 2.75]", '[2.5, "x"]', "case chi-x-seed-1: material.free_energy.chi"),
        ("[2.5, 2.75]", "[2.5, 2.5]", "two cases are the same"),
        ("[2.5, 2.75]", "[]", "axis.0.values: is empty"),
        ("initial.seed", "material.free_energy.chi", "is set more than once"),
        ("last = 2", 'last = "2 s"', "axis.1.range.last"),
        ("material.free_energy.chi", "material.free_energy.chii", "did you mean 'chi'?"),
    ],
)
def test_bad_sweeps_are_refused(tmp_path, before, after, complaint):
    with pytest.raises(InputError) as caught:
        read_sweep(write(tmp_path, GRID.replace(before, after, 1)))
    assert complaint in str(caught.value)


def test_dry_run_writes_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, GRID)
    assert cli.main(["sweep", "sweep.toml", "--dry-run"]) == 0
    assert "4 cases" in capfd.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base.toml", "sweep.toml"]


def test_dry_run_counts_start_up_and_drawing(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, GRID)
    figures = []
    for drawn in ("false", "true"):
        (tmp_path / "base.toml").write_text(BASE.replace("pictures = false", f"pictures = {drawn}"))
        assert cli.main(["sweep", "sweep.toml", "--dry-run", "--jobs", "1"]) == 0
        said = capfd.readouterr().out
        figures.append(float(re.search(r"about ([0-9.]+) s", said)[1]))
    # Four times Python, DOLFINx and PETSc, which no machine loads in less than a second; and VTK.
    assert figures[0] > 4 * 1.0
    assert figures[1] > figures[0] + 4 * 1.0


def test_dry_run_learns_from_the_finished_cases(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seeds = 'base = "base.toml"\n[[axis]]\nkey = "initial.seed"\nvalues = [1, 2, 3, 4]\n'
    folder = SweepFolder(tmp_path / "results", read_sweep(write(tmp_path, seeds)))
    folder.prepare()
    case = folder.cases[0]
    case.results.mkdir()
    columns = name_columns(2)
    row = ["4.0" if name == "wall_s" else "1" for name in columns]
    (case.results / "ledger.csv").write_text(f"{','.join(columns)}\n{','.join(row)}\n")
    case.write_outcome(Outcome(exit_code=0, stopped=False, wall_s=44.0, starts=1, ended="done"))
    words = ["sweep", "sweep.toml", "--output", "results", "--dry-run", "--jobs", "1"]
    assert cli.main(words) == 0
    # Three cases as large as the one that took 44 s, start-up included.
    assert "2.2 min to go, by the 1 finished" in " ".join(capfd.readouterr().out.split())


def test_batch_script_has_a_task_for_each_case(tmp_path):
    script = create_batch_script(read_sweep(write(tmp_path, GRID)), tmp_path / "results", 4)
    assert "#SBATCH --array=0-3\n" in script
    assert "#SBATCH --ntasks=4\n" in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_demo_is_a_sweep():
    assert len(read_sweep(ROOT / "demos" / "sweep.toml").cases) == 4


@pytest.mark.slow
def test_stopped_sweep_goes_on(tmp_path):
    write(tmp_path, GRID)
    words = [sys.executable, "-m", "chemomech", "sweep", "sweep.toml", "--jobs", "1"]
    process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL)
    first = tmp_path / "sweep-results" / "chi-2.5-seed-1" / "outcome.json"
    deadline = time.monotonic() + 120
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    # Both, as when a batch system preempts.
    os.kill(process.pid, signal.SIGTERM)
    os.kill(process.pid, signal.SIGUSR1)
    assert process.wait(120) == 4
    outcomes = [json.loads(path.read_text()) for path in tmp_path.rglob("outcome.json")]
    assert outcomes
    assert -signal.SIGKILL not in [outcome["exit_code"] for outcome in outcomes]
    assert subprocess.run(words, cwd=tmp_path, timeout=300, check=False).returncode == 0
    with (tmp_path / "sweep-results" / "cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"done"}
    assert json.loads(first.read_text())["starts"] == 1
    with (tmp_path / "sweep-results" / "summary.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4
    assert (tmp_path / "sweep-results" / "overview.png").stat().st_size > 5000


def sweep(folder, *words):
    """Exit code and what is said of a sweep of short cases on one rank at a time."""
    command = [sys.executable, "-m", "chemomech", "sweep", "sweep.toml", "--jobs", "1", *words]
    result = subprocess.run(
        command, cwd=folder, timeout=300, check=False, capture_output=True, text=True
    )
    return result.returncode, result.stderr


def read_rows(folder, name):
    with (folder / "sweep-results" / name).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_failed_cases_are_named_and_run_again_when_asked(tmp_path):
    write(tmp_path, GRID.replace("[2.5, 2.75]", "[2.5]"))
    bad = tmp_path / "sweep-results" / "chi-2.5-seed-2"
    # A file in the way of one case's results.
    (bad / "results").mkdir(parents=True)
    (bad / "results" / "notes.txt").write_text("mine")
    (tmp_path / "sweep-results" / "cases.csv").write_text("")
    code, said = sweep(tmp_path)
    assert code == 3
    assert "chi-2.5-seed-2: exit code 2" in said
    assert "--retry" in said
    assert [row["status"] for row in read_rows(tmp_path, "cases.csv")].count("failed") == 1
    assert len(read_rows(tmp_path, "summary.csv")) == 1
    assert (bad / "results" / "notes.txt").read_text() == "mine"

    # Not by itself, though what was in the way has gone.
    (bad / "results" / "notes.txt").unlink()
    assert sweep(tmp_path)[0] == 3
    assert json.loads((bad / "outcome.json").read_text())["starts"] == 1
    assert sweep(tmp_path, "--retry")[0] == 0
    rows = {row["case"]: row for row in read_rows(tmp_path, "cases.csv")}
    assert {row["status"] for row in rows.values()} == {"done"}
    assert rows["chi-2.5-seed-2"]["starts"] == "2"
    assert rows["chi-2.5-seed-1"]["starts"] == "1"
    assert len(read_rows(tmp_path, "summary.csv")) == 2


@pytest.mark.slow
def test_cases_on_two_ranks(tmp_path):
    write(tmp_path, GRID.replace("[2.5, 2.75]", "[2.75]"))
    assert sweep(tmp_path, "--ranks", "2") == (0, ANY)
    for name in ("chi-2.75-seed-1", "chi-2.75-seed-2"):
        record = tmp_path / "sweep-results" / name / "results" / "provenance.json"
        assert json.loads(record.read_text())["ranks"] == 2


@pytest.mark.slow
def test_one_case_then_the_tables(tmp_path):
    """What the tasks of an array do, and what comes after them."""
    write(tmp_path, GRID)
    assert sweep(tmp_path, "--case", "4")[0] == 2
    assert sweep(tmp_path, "--case", "3")[0] == 0
    code, said = sweep(tmp_path, "--collect")
    assert code == 0, said
    assert [row["case"] for row in read_rows(tmp_path, "summary.csv")] == ["chi-2.75-seed-2"]
    states = [row["status"] for row in read_rows(tmp_path, "cases.csv")]
    assert states == ["waiting"] * 3 + ["done"]
