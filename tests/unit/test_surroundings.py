"""The command where something of a usual machine is missing: words, results, no traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dolfinx import jit
from mpi4py import MPI

from chemomech.fenicsx import _place_jit_cache

BOX = """
geometry = { kind = "box", size = ["40 nm", "20 nm"] }
initial = { kind = "noise", mean = 0.5, seed = 1 }
time = { end = "1 s" }
[material]
free_energy = { kind = "regular_solution", chi = 2.75 }
gradient = { interface_width = "10 nm" }
mobility = { kind = "degenerate", diffusivity = "1e-15 m^2/s" }
"""

pytestmark = pytest.mark.skipif(
    MPI.COMM_WORLD.size > 1, reason="a child of an MPI process must not start MPI again"
)


def start(shell, folder, *words, remove=(), **variables):
    """Run the command with a redirection of the shell's; exit code, standard error."""
    environment = {k: v for k, v in (os.environ | variables).items() if k not in remove}
    result = subprocess.run(
        ["bash", "-c", f'"$@" {shell}', "bash", sys.executable, "-m", "chemomech", *words],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
        check=False,
    )
    return result.returncode, result.stderr


def test_without_home_and_temporary_folder(tmp_path):
    code, errors = start(
        "", tmp_path, "init", TMPDIR="/proc/1/none", remove=("HOME", "XDG_CACHE_HOME")
    )
    assert (code, errors) == (0, "")
    assert (tmp_path / "simulation.toml").exists()


def test_without_standard_streams(tmp_path):
    assert start(">&- 2>&- <&-", tmp_path, "init") == (0, "")
    assert (tmp_path / "simulation.toml").exists()
    # Nothing printed has gone into what was opened in the place of standard output.
    assert (tmp_path / "simulation.toml").read_text().startswith("# A simulation")


def test_a_full_disk_under_standard_output_is_named(tmp_path):
    code, errors = start("> /dev/full", tmp_path, "init")
    assert code == 2
    assert errors == "chemomech: error: standard output: No space left on device\n"


def test_a_reader_that_goes_does_not_end_the_work(tmp_path):
    (tmp_path / "box.toml").write_text(BOX)
    # PETSc is at work here, which would take the broken pipe for a crash. The reader has gone
    # before anything is written: it opens the pipe, and the command waits for that.
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["bash", "-c", ": < pipe"], cwd=tmp_path):
        code, errors = start("> pipe", tmp_path, "validate", "box.toml")
    assert code == 0
    assert "rror" not in errors


def test_petsc_leaves_broken_pipes_to_python():
    caught = int(
        next(
            line.split()[1]
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("SigIgn")
        ),
        16,
    )
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    assert caught >> (signal.SIGPIPE - 1) & 1


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files, and DOLFINx's default where nothing can be written."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    options = jit.DOLFINX_DEFAULT_JIT_OPTIONS
    monkeypatch.setitem(options, "cache_dir", (Path("/proc/1/none/fenics"), ""))
    return tmp_path


def test_forms_go_to_a_private_folder_where_the_cache_cannot_be_written_to(temporary):
    _place_jit_cache(None)
    _place_jit_cache(None)
    (private,) = temporary.iterdir()
    assert jit.DOLFINX_DEFAULT_JIT_OPTIONS["cache_dir"][0] == private
    assert private.stat().st_mode & 0o777 == 0o700


def test_forms_do_not_go_where_others_may_write(temporary):
    (temporary / f"chemomech-{os.getuid()}").mkdir(mode=0o700)
    (temporary / f"chemomech-{os.getuid()}").chmod(0o777)
    _place_jit_cache(None)
    assert jit.DOLFINX_DEFAULT_JIT_OPTIONS["cache_dir"][0] == Path("/proc/1/none/fenics")
