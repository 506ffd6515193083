"""The command line itself: words, exit codes, failures on some ranks."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mpi4py import MPI

from chemomech.cli import main
from chemomech.config import load_config

COMM = MPI.COMM_WORLD


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One working directory for all ranks."""
    shared = COMM.bcast(tmp_path, root=0)
    monkeypatch.chdir(shared)
    yield shared
    COMM.Barrier()


def test_init_writes_a_file_that_is_valid(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "wire.toml"]) == 0
    assert load_config(folder / "wire.toml", COMM).geometry.kind == "nanowire"
    output = capfd.readouterr()
    assert ("chemomech run wire.toml" in output.out) == (COMM.rank == 0)


def test_init_never_overwrites(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if COMM.rank == 0:
        (folder / "simulation.toml").write_text("mine")
    COMM.Barrier()
    assert main(["init"]) == 2
    assert (folder / "simulation.toml").read_text() == "mine"
    errors = capfd.readouterr().err
    if COMM.rank == 0:
        assert errors == (
            "chemomech: error: simulation.toml: exists already and is left as it is; name another\n"
        )
    else:
        assert errors == ""


def test_init_reports_a_folder_that_is_not_there(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "none/wire.toml"]) == 2
    if COMM.rank == 0:
        message = "chemomech: error: none/wire.toml: No such file or directory\n"
        assert capfd.readouterr().err == message


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert ("chemomech" in capfd.readouterr().out) == (COMM.rank == 0)


def test_each_commands_help_says_what_it_does_its_exit_codes_and_an_example(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0
    overview = capfd.readouterr().out
    names = COMM.bcast(re.findall(r"^    ([a-z]+) ", overview, re.MULTILINE), root=0)
    assert len(names) == 14
    for name in names:
        assert main([name, "--help"]) == 0
        page = capfd.readouterr().out
        if COMM.rank == 0:
            # Usage, a sentence, arguments, exit codes, an example.
            start, end = page.split("\noptions:")
            assert re.search(r"\n\n[A-Z][^\n]+(\n[^\n]+)*\.\n\n", start)
            assert "Exit codes: 0 done, 2 bad input" in " ".join(end.split())
            assert re.search(rf"^Example:\n  chemomech {name} \S", end, re.MULTILINE)


@pytest.mark.parametrize(
    "words", [[], ["rnu"], ["run"], ["run", "a.toml", "--outptu", "b"], ["mesh", "a.toml"]]
)
def test_wrong_words_are_bad_input(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert ("usage: chemomech" in capfd.readouterr().err) == (COMM.rank == 0)


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        (["validate", "none.toml"], "none.toml: cannot be read: No such file"),
        (["run", "wire.toml", "--set", "time.end"], "write key=value"),
        (["run", "wire.toml", "--set", "time.end=3 kg"], "time.end: '3 kg'"),
        (["run", "wire.toml", "--petsc", "ksp.rtol 3"], "--petsc: 'ksp.rtol 3' is no option"),
        (["mesh", "wire.toml", "--output", "wire.stl"], "--output: wire.stl is no mesh file"),
        (["mesh", "wire.toml", "--output", "wire.msh"], "--output: wire.msh exists already"),
    ],
)
def test_refusals(
    folder: Path, words: list[str], piece: str, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["init", "wire.toml"])
    if COMM.rank == 0:
        (folder / "wire.msh").touch()
    COMM.Barrier()
    capfd.readouterr()
    assert main(words) == 2
    errors = capfd.readouterr().err
    assert (piece in errors) == (COMM.rank == 0)
    assert errors.count("error") == (COMM.rank == 0)


@pytest.mark.skipif(COMM.size > 1, reason="a child of an MPI process must not start MPI again")
def test_help_does_not_wait_for_the_finite_elements() -> None:
    script = (
        "import sys; from chemomech.cli import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('dolfinx', 'pint', 'pyvista')))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert result.returncode == 0


LONE_FAILURE = """
import sys
from mpi4py import MPI
from chemomech import cli
def fail_alone(arguments, comm):
    if comm.rank == comm.size - 1:
        raise {error}
    comm.Barrier()
cli.templates._execute = fail_alone
cli._SECONDS_TO_AGREE = 0.5
sys.exit(cli.main(["init"]))
"""


@pytest.mark.skipif(
    COMM.size > 1 or shutil.which("mpirun") is None, reason="starts mpirun of its own"
)
@pytest.mark.parametrize(
    ("error", "code", "piece"),
    [
        ("OSError(28, 'No space left on device', 'c.bp')", 2, "c.bp: No space left on device"),
        ("ZeroDivisionError('surprise')", 1, "ZeroDivisionError: surprise"),
    ],
)
def test_a_rank_that_fails_alone_ends_the_others(error: str, code: int, piece: str) -> None:
    result = subprocess.run(
        ["mpirun", "-n", "2", sys.executable, "-c", LONE_FAILURE.format(error=error)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == code
    assert result.stderr.count(piece) == 1


def test_accepting_changes_means_nothing_without_a_restart(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "input.toml"]) == 0
    capfd.readouterr()
    assert main(["run", "input.toml", "--accept-changes"]) == 2
    if COMM.rank == 0:
        assert "--accept-changes: has a meaning with --restart only" in capfd.readouterr().err
