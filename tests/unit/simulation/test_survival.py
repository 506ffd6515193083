"""Runs killed at random moments: what is left is enough to end as if nothing had happened.

Each disaster strikes twenty times, or CHEMOMECH_MOMENTS times. The moments are random but seeded;
where a process happens to be at them differs from machine to machine, which is the point.
"""

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from box import UNDRAWN, create_tables
from mpi4py import MPI

from chemomech.output.ledger import read_ledger

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="starts runs of its own"),
    pytest.mark.skipif(shutil.which("mpirun") is None, reason="no mpirun"),
]

MOMENTS = int(os.environ.get("CHEMOMECH_MOMENTS", "20"))
#: Disasters strike within so many seconds of a run's first sign of life, of not many more.
SPAN_S = 0.25
TABLE = create_tables(
    time={"end": "0.1 s", "max_step": "2 ms"},
    # Without MUMPS, which on several ranks sums in the order in which messages arrive.
    solver={"preset": "iterative"},
    output={"count": 6, **UNDRAWN},
    checkpoint={"steps": 5},
)


def write_input(folder):
    (folder / "input.toml").write_text(tomli_w.dumps(TABLE))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_input(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return a function for the ledger of a run nobody disturbed, on as many ranks."""
    folder = write_input(tmp_path_factory.mktemp("undisturbed"))

    @functools.cache
    def run(ranks):
        finish(folder, f"whole{ranks}", ranks=ranks)
        return read_ledger(folder / f"whole{ranks}" / "ledger.csv")

    return run


def start(folder, results, *words, ranks=2):
    """Start a run whose output goes to a log; it begins or goes on."""
    command = [sys.executable, "-m", "chemomech", "run", "input.toml", "--output", str(results)]
    if ranks > 1:
        command = ["mpirun", "-n", str(ranks), *command]
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            [*command, "--restart", *words],
            cwd=folder,
            env=os.environ | {"OMPI_MCA_mpi_yield_when_idle": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def finish(folder, results, **options):
    process = start(folder, results, **options)
    assert process.wait(timeout=300) == 0, (folder / "log.txt").read_text()[-3000:]


def find_ranks(process):
    """Process numbers of a run's ranks, found as descendants that run Python."""
    children = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [process.pid]
    while todo:
        for child in children.get(todo.pop(), []):
            todo.append(child)
            found.append(child)
    return [pid for pid in found if b"chemomech" in read_command(pid).split(b"\0")]


def read_command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_until(condition, process, seconds=60):
    """Wait for something to happen while a process runs; tell whether it did."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return condition()


def wait_for_writing(ledger, process):
    """Wait until a run begins, or goes on, to write its ledger."""
    before = ledger.stat().st_mtime_ns if ledger.exists() else 0
    wait_until(lambda: ledger.exists() and ledger.stat().st_mtime_ns > before, process)


def assert_ended_like(one, results):
    """The run has ended, and its ledger is that of another."""
    two = read_ledger(results / "ledger.csv")
    np.testing.assert_array_equal(two["step"], np.arange(len(two["step"])))
    assert len(one["step"]) == len(two["step"])
    for name in one.keys() - {"wall_s"}:
        scale = 1.0 if name == "lithium_balance_error" else np.abs(one[name]).max()
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-12 * max(scale, 1e-300))
    assert not (results / "restart").exists()
    assert json.loads((results / "provenance.json").read_text())["finished"]


def test_sigkill_of_any_rank(folder, undisturbed):
    """Each kill strikes the run between its first sign of life and its end."""
    chance = random.Random(1)
    killed = 0
    for number in range(10 * MOMENTS):
        if killed == MOMENTS:
            break
        results = f"results{number // 8}"
        process = start(folder, results)
        wait_for_writing(folder / results / "ledger.partial.csv", process)
        time.sleep(chance.uniform(0.0, SPAN_S))
        ranks = find_ranks(process)
        if process.poll() is None and ranks:
            os.kill(chance.choice(ranks), signal.SIGKILL)
            killed += 1
        # The launcher notices and ends the others; a run that hangs on fails here.
        process.wait(timeout=60)
    assert killed == MOMENTS
    for path in sorted(folder.glob("results*")):
        finish(folder, path.name)
        assert_ended_like(undisturbed(2), path)


def test_folder_removed(folder, undisturbed):
    """A run whose folder is gone ends with a message; the next one begins at the beginning."""
    chance = random.Random(2)
    for number in range(MOMENTS):
        process = start(folder, "results", ranks=1 + number % 2)
        ledger = folder / "results" / "ledger.partial.csv"
        wait_until(ledger.exists, process)
        time.sleep(chance.uniform(0.0, SPAN_S))
        shutil.rmtree(folder / "results", ignore_errors=True)
        code = process.wait(timeout=60)
        assert code != 0 or (folder / "results" / "ledger.csv").exists()
        log = (folder / "log.txt").read_text()
        assert "Traceback" not in log, log[-3000:]
        shutil.rmtree(folder / "results", ignore_errors=True)
    finish(folder, "results")
    assert_ended_like(undisturbed(2), folder / "results")


def test_disk_full(folder, undisturbed):
    """A disk that fills up ends the run with a message; with room again it goes on."""
    chance = random.Random(4)
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200m", "survival", str(disk)]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    if said.returncode:
        pytest.skip(f"NOT TESTED: a disk that fills up needs root: {said.stderr.strip()}")
    try:
        for number in range(MOMENTS):
            results = f"disk/results{number}"
            process = start(folder, results, ranks=1 + number % 2)
            wait_for_writing(folder / results / "ledger.partial.csv", process)
            time.sleep(chance.uniform(0.0, SPAN_S))
            fill(disk / "ballast")
            code = process.wait(timeout=60)
            assert code != 0 or (folder / results / "ledger.csv").exists()
            assert "Traceback" not in (folder / "log.txt").read_text()
            (disk / "ballast").unlink()
            finish(folder, results, ranks=1 + number % 2)
            assert_ended_like(undisturbed(1 + number % 2), folder / results)
            shutil.rmtree(folder / results)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(path):
    """Take all the room there is on a disk."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_truncated_checkpoint(folder, undisturbed):
    """Any file of the newest checkpoint cut anywhere: the one before it is taken."""
    chance = random.Random(3)
    process = start(folder, "stopped")
    wait_until(lambda: count_checkpoints(folder / "stopped") == 2, process)
    for pid in find_ranks(process):
        os.kill(pid, signal.SIGTERM)
    process.wait(timeout=60)
    assert count_checkpoints(folder / "stopped") == 2
    for number in range(MOMENTS):
        results = f"results{number}"
        shutil.copytree(folder / "stopped", folder / results)
        newest = max((folder / results / "restart" / "checkpoints").iterdir())
        files = sorted(path for path in newest.rglob("*") if path.is_file())
        victim = chance.choice(files)
        with victim.open("r+b") as file:
            file.truncate(chance.randrange(max(1, victim.stat().st_size)))
        finish(folder, results)
        assert_ended_like(undisturbed(2), folder / results)
    text = (folder / "log.txt").read_text()
    assert text.count("continuing from step") == MOMENTS
    # Nothing good left: that is said, and nothing is touched.
    for path in (folder / "stopped" / "restart" / "checkpoints").rglob("record.json"):
        path.write_text("{")
    before = sorted(folder.joinpath("stopped").rglob("*"))
    assert start(folder, "stopped").wait(timeout=60) == 2
    assert "no good checkpoint" in (folder / "log.txt").read_text()
    assert sorted(folder.joinpath("stopped").rglob("*")) == before


def count_checkpoints(results):
    folder = results / "restart" / "checkpoints"
    return len([p for p in folder.glob("*") if p.name.isdecimal()]) if folder.is_dir() else 0


@pytest.mark.parametrize("ranks", [1, 3])
def test_another_number_of_ranks_goes_on(folder, undisturbed, ranks):
    """Twenty steps after a restart from two ranks, what the change costs an undisturbed run too."""
    process = start(folder, "parts")
    ledger = folder / "parts" / "ledger.partial.csv"
    wait_until(lambda: ledger.exists() and ledger.read_bytes().count(b"\n") > 15, process)
    for pid in find_ranks(process):
        os.kill(pid, signal.SIGTERM)
    process.wait(timeout=60)
    stopped = len(read_ledger(folder / "parts" / "ledger.partial.csv")["step"])
    finish(folder, "parts", ranks=ranks)
    two, other = undisturbed(2), undisturbed(ranks)
    parts = read_ledger(folder / "parts" / "ledger.csv")
    assert 10 < stopped < len(two["step"]) - 20
    until = slice(0, stopped + 20)
    for name in ("time_s", "lithium_mean", "energy_total_J_per_m", "c_min", "c_max"):
        cost = np.abs(other[name][until] - two[name][until]).max()
        scale = np.abs(two[name]).max()
        change = np.abs(parts[name][until] - two[name][until]).max()
        assert change <= 10 * cost + 1e-12 * scale, name
        np.testing.assert_array_equal(parts[name][:stopped], two[name][:stopped])
