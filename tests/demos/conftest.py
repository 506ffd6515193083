"""Folders and runs of demos."""

from pathlib import Path

import pytest
from mpi4py import MPI

from chemomech.cli import main

COMM = MPI.COMM_WORLD
DEMOS = Path(__file__).resolve().parents[2] / "demos"


@pytest.fixture(scope="module")
def share_folder(tmp_path_factory):
    """Return a function for an empty folder that all ranks see."""

    def share(name):
        path = Path(COMM.bcast(str(tmp_path_factory.mktemp(name))))
        COMM.barrier()
        return path

    return share


@pytest.fixture(scope="module")
def run_demo(share_folder):
    """Return a function that runs a demo with changes, for the folder of its results."""

    def run(name, changes):
        output = share_folder(name) / "results"
        words = [word for change in changes for word in ("--set", change)]
        demo = str(DEMOS / f"{name}.toml")
        assert main(["run", demo, "--output", str(output), "--quiet", *words]) == 0
        COMM.barrier()
        return output

    return run
