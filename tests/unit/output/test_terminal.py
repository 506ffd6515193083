import io
import os
import subprocess
import sys

import pytest
from mpi4py import MPI

from chemomech.output.terminal import is_watched

VARIABLES = ("PMIX_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
SERIAL = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="this process has a launcher")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_file_is_not_watched():
    assert not is_watched(io.StringIO())


def test_a_terminal_without_a_launcher_is_watched(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert is_watched(Terminal())


@SERIAL
@pytest.mark.parametrize("name", VARIABLES)
def test_a_rank_whose_launcher_is_elsewhere_is_not_watched(monkeypatch, name):
    monkeypatch.setenv(name, "0")
    assert not is_watched(Terminal())


CHILD = """
import io, sys
from chemomech.output.terminal import is_watched
class Terminal(io.StringIO):
    def isatty(self):
        return True
sys.stderr.write(str(is_watched(Terminal())))
"""


@SERIAL
@pytest.mark.parametrize("on_terminal", [False, True])
def test_behind_a_launcher_its_own_output_counts(tmp_path, on_terminal):
    # A stand-in that only bears a launcher's name, so that no MPI is needed.
    launcher = tmp_path / "mpirun"
    launcher.symlink_to(os.path.realpath("/bin/bash"))
    leader, follower = os.openpty()
    with (tmp_path / "log").open("w") as log:
        result = subprocess.run(
            [launcher, "-c", f"{sys.executable} -c '{CHILD}'; exit 0"],
            stdout=follower if on_terminal else log,
            stderr=subprocess.PIPE,
            env=os.environ | {"PMIX_RANK": "0"},
            text=True,
            check=True,
        )
    os.close(leader)
    os.close(follower)
    assert result.stderr == str(on_terminal)
