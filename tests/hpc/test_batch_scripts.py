"""Batch scripts of demos/hpc and of sweeps, in a real Slurm: they end well, preempted or not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.config import load_config
from chemomech.output.ledger import read_ledger

ROOT = Path(__file__).resolve().parents[2]
#: Some hundred small steps: long enough to be disturbed in the middle.
WIRE = """
geometry = { kind = "box", size = ["40 nm", "20 nm"] }
initial = { kind = "noise", mean = 0.5, seed = 3 }
time = { end = "0.25 s", max_step = "0.5 ms" }
output = { count = 4, pictures = false, movie = false }

[material]
free_energy = { kind = "regular_solution", chi = 2.75 }
gradient = { kappa = "5.6e-14 J*m^2/mol" }
mobility = { kind = "degenerate", diffusivity = "1e-15 m^2/s" }

[mechanics]
elasticity = { kind = "isotropic", young_modulus = "43 GPa", poisson_ratio = 0.3 }
eigenstrain = { kind = "vegard", partial_molar_volume = "2.415e-6 m^3/mol" }
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "demos/hpc").exists(), reason="runs from a clone"),
    pytest.mark.skipif(shutil.which("mpirun") is None, reason="the jobs start mpirun"),
]


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """A folder to submit from, with the scripts where a clone has them."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "demos").symlink_to(ROOT / "demos")
    (folder / "wire.toml").write_text(WIRE)
    return folder


@pytest.fixture(scope="session")
def undisturbed(slurm, clone):
    """Folder of a plain job on two ranks."""
    job = slurm.submit("demos/hpc/job.sh", "wire.toml", "--output", "undisturbed", cwd=clone)
    states, _ = slurm.wait_for_end(job, 600)
    assert states == ["COMPLETED"], slurm.tell(job)
    return clone / "undisturbed"


def read_provenance(folder):
    return json.loads((folder / "provenance.json").read_text())


def count_lines(folder):
    """Lines of the ledger in the making."""
    files = list(folder.glob("ledger.partial.csv"))
    return len(files[0].read_text().splitlines()) if files else 0


def assert_same(folder, reference):
    """The same steps with the same numbers, but for the time on the wall; none missing or twice."""
    ours, theirs = (read_ledger(path / "ledger.csv") for path in (folder, reference))
    np.testing.assert_array_equal(ours["step"], np.arange(len(theirs["step"])))
    assert set(ours) == set(theirs)
    for name in set(ours) - {"wall_s"}:
        # The balance is a difference of compositions, each about 1.
        scale = 1.0 if name == "lithium_balance_error" else np.abs(theirs[name]).max()
        np.testing.assert_allclose(
            ours[name], theirs[name], rtol=1e-12, atol=1e-12 * scale, err_msg=name
        )


def test_job(undisturbed):
    assert read_ledger(undisturbed / "ledger.csv")["time_s"][-1] == 0.25
    assert read_provenance(undisturbed)["ranks"] == 2


@pytest.mark.parametrize("partition", ["gentle", "abrupt"])
def test_preempted_job_goes_on_where_it_was(slurm, clone, undisturbed, partition):
    folder = clone / partition
    words = ["demos/hpc/requeue.sh", "wire.toml", "--output", partition]
    job = slurm.submit(f"--partition={partition}", *words, cwd=clone)
    slurm.wait_while_running(job, lambda: count_lines(folder) > 20, 300)
    urgent = slurm.submit("--partition=urgent", "--ntasks=2", "--wrap=sleep 1", cwd=clone)
    states, restarts = slurm.wait_for_end(job, 600)
    assert states == ["COMPLETED"], slurm.tell(job)
    assert restarts[0] >= 1
    assert slurm.wait_for_end(urgent, 1) == (["COMPLETED"], [0])
    log = (clone / f"chemomech-{job}.log").read_text()
    assert "stopped early, its state is saved" in log
    assert log.count("continuing from step") == 1, log
    # Who was warned has returned to the queue by himself; whom Slurm has ended, it puts back.
    assert ("back to the queue" in log) == (partition == "gentle")
    assert_same(folder, undisturbed)


def test_cancelled_job_stays_away(slurm, clone):
    words = ["demos/hpc/requeue.sh", "wire.toml", "--output", "cancelled"]
    job = slurm.submit(*words, cwd=clone)
    slurm.wait_while_running(job, lambda: count_lines(clone / "cancelled") > 5, 300)
    slurm.run("scancel", job)
    assert slurm.wait_for_end(job, 60) == (["CANCELLED"], [0])


def test_array(slurm, clone):
    words = ["demos/hpc/array.sh", "wire.toml", "--set", "time.end=5 ms"]
    job = slurm.submit(*words, cwd=clone)
    states, _ = slurm.wait_for_end(job, 600)
    assert states == ["COMPLETED"] * 3, slurm.tell(job)
    kappas = []
    for value in ("2.8e-14", "5.6e-14", "11.2e-14"):
        folder = clone / f"wire-kappa-{value}"
        assert read_provenance(folder)["ended"].startswith("reached the end time")
        assert read_ledger(folder / "ledger.csv")["time_s"][-1] == 5e-3
        kappas.append(load_config(folder / "config.toml", MPI.COMM_SELF).material.gradient.kappa)
    assert kappas == pytest.approx([2.8e-14, 5.6e-14, 11.2e-14])


def test_sweep(slurm, clone, undisturbed):
    """A preempted case returns to the queue and goes on; the tables are written afterwards."""
    (clone / "seeds.toml").write_text(
        'base = "wire.toml"\n[[axis]]\nkey = "initial.seed"\nvalues = [3, 4]\n'
    )
    words = [sys.executable, "-m", "chemomech", "sweep", "seeds.toml"]
    script = subprocess.check_output([*words, "--slurm", "--ranks", "2"], cwd=clone, text=True)
    (clone / "seeds.sh").write_text(script)
    job = slurm.submit("--partition=gentle", "seeds.sh", cwd=clone)
    results = clone / "seeds-results"
    first = results / "seed-3" / "results"
    slurm.wait_while_running(job, lambda: count_lines(first) > 20, 300)
    urgent = slurm.submit("--partition=urgent", "--ntasks=2", "--wrap=sleep 1", cwd=clone)
    states, restarts = slurm.wait_for_end(job, 900)
    assert states == ["COMPLETED"] * 2, slurm.tell(job)
    assert sum(restarts) >= 1
    assert slurm.wait_for_end(urgent, 1) == (["COMPLETED"], [0])
    assert_same(first, undisturbed)
    assert json.loads((results / "seed-3" / "outcome.json").read_text())["starts"] == 2
    subprocess.run([*words, "--collect"], cwd=clone, check=True)
    assert len((results / "summary.csv").read_text().splitlines()) == 3
