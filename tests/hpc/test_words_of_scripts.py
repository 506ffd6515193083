"""What the batch scripts call, word by word, whatever files are named; no batch system needed."""

import os
import subprocess
from pathlib import Path

import pytest
from mpi4py import MPI

from chemomech.config import load_config
from chemomech.config.templates import create_template
from chemomech.sweeps.cases import read_sweep
from chemomech.sweeps.slurm import create_batch_script

ROOT = Path(__file__).resolve().parents[2]
NAME = 'bob\'s "first" $wire; 100%'
SWEEP = f"""
base = '''{NAME}.toml'''
[[axis]]
key = "initial.seed"
values = [1, 2]
"""

pytestmark = [
    pytest.mark.skipif(not (ROOT / "demos/hpc").exists(), reason="runs from a clone"),
    pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="shell scripts: one rank tests them"),
]


@pytest.fixture
def submit(tmp_path):
    """Return a function that runs a script as a batch system would; the words it ends in.

    What it would start (mpirun, chemomech) notes its words and succeeds.
    """
    (tmp_path / "demos").symlink_to(ROOT / "demos")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("mpirun", "chemomech"):
        (programs / name).write_text(f"#!/bin/bash\nprintf '%s\\0' {name} \"$@\" > words\n")
        (programs / name).chmod(0o755)

    def run(script, *words, **variables):
        environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SLURM_NTASKS": "3",
            "SLURM_JOB_ID": "7",
            "SLURM_ARRAY_JOB_ID": "6",
            "SLURM_ARRAY_TASK_ID": "1",
            **variables,
        }
        subprocess.run(["bash", script, *words], cwd=tmp_path, env=environment, check=True)
        return (tmp_path / "words").read_text().split("\0")[:-1]

    return run


@pytest.mark.parametrize("script", ["job.sh", "requeue.sh"])
def test_a_job_goes_on_where_an_earlier_one_stopped(submit, script):
    words = submit(f"demos/hpc/{script}", f"{NAME}.toml", "--output", "my results")
    launch = ["mpirun", "-n", "3", "chemomech", "run", "--restart"]
    assert words == [*launch, f"{NAME}.toml", "--output", "my results"]


def test_a_task_of_the_array_runs_the_file_that_init_writes_with_its_kappa(submit, tmp_path):
    file = tmp_path / f"{NAME}.toml"
    file.write_text(create_template("simulation"))
    words = submit("demos/hpc/array.sh", file.name)
    assert words[6:] == [
        f"{NAME}.toml", "--output", f"{NAME}-kappa-5.6e-14",
        "--set", "material.gradient.kappa=5.6e-14 J*m^2/mol",
    ]  # fmt: skip
    config = load_config(file, MPI.COMM_SELF, [words[-1]])
    assert config.material.kappa == pytest.approx(5.6e-14, rel=1e-12)


def test_a_task_of_a_sweep_finds_file_and_folder_whatever_their_names(submit, tmp_path):
    (tmp_path / f"{NAME}.toml").write_text(create_template("simulation"))
    file = tmp_path / f"{NAME} sweep.toml"
    file.write_text(SWEEP)
    folder = tmp_path / f"{NAME} results"
    text = create_batch_script(read_sweep(file), folder, 3)
    (tmp_path / "sweep.sh").write_text(text)
    words = submit("sweep.sh")
    assert words == [
        *("chemomech", "sweep", str(file), "--output", str(folder)),
        *("--case", "1", "--ranks", "3"),
    ]
    # What Slurm reads itself: one plain word after each option.
    options = [line.split() for line in text.splitlines() if line.startswith("#SBATCH")]
    assert ["#SBATCH", "--job-name=bob_s_first_wire_100_sweep"] in options
    assert all(len(option) == 2 for option in options)
