"""The wrapper's promises that need no network and no root of its own.

Each test runs a copy of the script in a machine made of a few fake programs: it never sees the
real one.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from mpi4py import MPI

REPOSITORY = Path(__file__).parents[2]
WRAPPER = REPOSITORY / "with-fenicsx"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PROGRAMS = (
    *("bash", "sh", "env", "true", "sleep", "id", "flock"),
    *("awk", "cut", "grep", "head", "paste", "sed", "sha256sum", "sort"),
    *("basename", "cat", "chmod", "cp", "df", "dirname", "ln", "mkdir", "mktemp", "mv"),
    *("readlink", "rm", "tar", "touch"),
)

pytestmark = [
    pytest.mark.skipif(not WRAPPER.exists(), reason="runs from a clone"),
    pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="a shell script: one rank tests it"),
]


def _script(path, text):
    path.unlink(missing_ok=True)  # it may be a link to the real program
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def machine(tmp_path):
    """A clone, an empty cache, a PATH with standard tools but neither DOLFINx nor mmdebstrap."""
    clone = tmp_path / "clone"
    (clone / "packages").mkdir(parents=True)
    for name in (
        "with-fenicsx",
        "pyproject.toml",
        "packages/debian.txt",
        "packages/install-python",
    ):
        shutil.copy(REPOSITORY / name, clone / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).symlink_to(shutil.which(name))
    return Machine(clone, programs, tmp_path / "cache")


class Machine:
    def __init__(self, clone: Path, programs: Path, cache: Path):
        self.clone, self.programs, self.cache = clone, programs, cache

    def environment(self, **variables):
        return {
            "PATH": str(self.programs),
            "HOME": os.environ["HOME"],
            "CHEMOMECH_ROOT": str(self.cache),
            "CHEMOMECH_MIRROR": "http://mirror.invalid/debian",
            **variables,
        }

    def start(self, *command, **variables):
        return subprocess.Popen(
            [self.clone / "with-fenicsx", *command],
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command, **variables):
        process = self.start(*command, **variables)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    def give_program(self, name, text):
        _script(self.programs / name, text)

    def give_dolfinx(self, version="0.10.0"):
        """Let python3 claim a DOLFINx, and the installation of Python packages succeed at once."""
        self.give_program("python3", f'[ "$1" = - ] && echo "{version} {sys.executable}"')
        _script(
            self.clone / "packages/install-python",
            'for layer in "$2 $SHARED_KEY" "$3 $CLONE_KEY"; do set -- $layer\n'
            'mkdir -p "$1/bin"; echo "$2" > "$1/complete"; echo made >&2; done',
        )

    def give_system(self):
        """Let bootstrapping give an empty folder and entering run the command here."""
        if not KEYRING.exists():
            pytest.skip("the wrapper makes its own root on Debian and Ubuntu only")
        self.give_dolfinx()
        self.give_program("python3", "exit 1")
        self.give_program("id", "echo 0")
        self.give_program(
            "mmdebstrap",
            'for d; do case $d in */system.partial) mkdir -p "$d/etc" ;; esac; done',
        )
        # The options end where the command starts: env (a start), install-python (the set-up) or
        # true (the check that it works).
        self.give_program(
            "bwrap",
            "report=/dev/null\n"
            "while [ $# -gt 0 ]; do case $1 in\n"
            "  --info-fd) report=/dev/fd/$2; shift ;;\n"
            "  env|true|*/install-python) break ;; esac; shift; done\n"
            '"$@" <&0 & echo "{ \\"child-pid\\": $! }" > $report\n'
            "wait $!",
        )


def test_without_a_command_it_shows_its_usage(machine):
    code, output, errors = machine.run()
    assert code == 2
    assert output == ""
    assert "with-fenicsx COMMAND" in errors
    assert "CHEMOMECH_SUITE" in errors
    assert not machine.cache.exists()


def test_unknown_suite_is_refused(machine):
    code, _, errors = machine.run("true", CHEMOMECH_SUITE="sid")
    assert code == 1
    assert "CHEMOMECH_SUITE=sid is unknown" in errors


def test_machine_without_dolfinx_is_refused_when_asked_for(machine):
    code, _, errors = machine.run("true", CHEMOMECH_SUITE="machine")
    assert code == 1
    assert "no DOLFINx" in errors
    assert "conda" in errors
    assert "docker" in errors


def test_missing_programs_are_named_with_the_other_ways(machine):
    machine.give_program("id", "echo 1000")
    code, output, errors = machine.run("true")
    assert code == 1
    assert output == ""
    assert "needed and not here: mmdebstrap bwrap newuidmap" in errors
    assert "conda" in errors
    assert "docker" in errors


def test_too_little_space_is_said_before_anything_is_fetched(machine):
    machine.give_system()
    machine.give_program("df", r"printf 'header\ndisk 9000000 8000000 1000000 89%% /\n'")
    machine.give_program("mmdebstrap", f"touch {machine.cache}/fetched")
    code, _, errors = machine.run("true")
    assert code == 1
    assert "1 GB of free space; 5 GB are needed" in errors
    assert not (machine.cache / "fetched").exists()


def test_mount_namespaces_refused_by_the_kernel_are_reported(machine):
    machine.give_system()
    machine.give_program("bwrap", "exit 1")
    code, _, errors = machine.run("true")
    assert code == 1
    assert "may not make a mount namespace" in errors


def test_own_dolfinx_is_used_and_set_up_once(machine):
    machine.give_dolfinx()
    code, output, errors = machine.run("bash", "-c", "echo $OMP_NUM_THREADS; exit 7")
    assert (code, output) == (7, "1\n")
    assert errors.count("made") == 2
    code, output, errors = machine.run("bash", "-c", "echo $OMP_NUM_THREADS", OMP_NUM_THREADS="3")
    assert (code, output, errors) == (0, "3\n", "")


def test_changed_dependencies_are_installed_anew(machine):
    machine.give_dolfinx()
    machine.run("true")
    project = machine.clone / "pyproject.toml"
    text = project.read_text()
    project.write_text(text.replace("dependencies = [", 'dependencies = [\n    "tqdm",', 1))
    assert machine.run("true")[2].count("made") == 2


def test_two_clones_have_their_own_environment(machine, tmp_path):
    machine.give_dolfinx()
    other = Machine(tmp_path / "other", machine.programs, machine.cache)
    shutil.copytree(machine.clone, other.clone)
    show = ("bash", "-c", "echo ${PATH%%:*}")
    first, second = machine.run(*show)[1], other.run(*show)[1]
    assert Path(first).parent.parent == Path(second).parent.parent
    assert first != second


def test_a_first_use_makes_the_system_and_later_ones_do_not(machine):
    machine.give_system()
    code, output, errors = machine.run("bash", "-c", "echo inside; exit 5")
    assert (code, output) == (5, "inside\n")
    assert "[2/4]" in errors
    assert machine.run("bash", "-c", "exit 4")[::2] == (4, "")


def test_a_failed_set_up_leaves_nothing_half_made(machine):
    machine.give_system()
    machine.give_program("mmdebstrap", 'mkdir -p "${@: -2:1}"; exit 25')
    code, _, errors = machine.run("true")
    assert code == 1
    assert "could not be made" in errors
    assert not list(machine.cache.glob("*/system*"))


def test_an_interrupted_set_up_stops_at_once_and_cleans_up(machine):
    machine.give_system()
    machine.give_program("mmdebstrap", 'mkdir -p "${@: -2:1}"; echo begun >&2; sleep 50')
    process = machine.start("true")
    while "begun" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert not list(machine.cache.glob("*/system*"))


def test_remains_of_an_interrupted_set_up_are_replaced(machine):
    machine.give_system()
    machine.give_program("mmdebstrap", "exit 25")
    machine.run("true")
    (place,) = machine.cache.glob("trixie-*")
    (place / "system.partial").mkdir()
    (place / "system.partial/old").touch()
    machine.give_system()
    assert machine.run("true")[0] == 0
    assert (place / "system").is_dir()
    assert not (place / "system/old").exists()
    assert not (place / "system.partial").exists()


def test_a_second_set_up_waits_for_the_first(machine):
    machine.give_system()
    slow = (machine.programs / "mmdebstrap").read_text() + "sleep 2\n"
    (machine.programs / "mmdebstrap").write_text(slow)
    processes = [machine.start("true") for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("[2/4]" in text for text in errors) == 1
    assert sum("waiting" in text for text in errors) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_command_which_decides(machine, number):
    machine.give_system()
    machine.run("true")
    name = number.name.removeprefix("SIG")
    script = f"trap 'echo caught; exit 9' {name}; echo up; while :; do sleep 0.05; done"
    process = machine.start("bash", "-c", script)
    assert process.stdout.readline() == "up\n"
    time.sleep(0.2)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (9, "caught\n")


def test_standard_input_reaches_the_command(machine):
    machine.give_system()
    machine.run("true")
    finished = subprocess.run(
        [machine.clone / "with-fenicsx", "cat"],
        input="words",
        env=machine.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert finished.stdout == "words"


def test_a_home_and_a_temporary_folder_that_are_missing_are_replaced(machine):
    machine.give_system()
    machine.run("true")
    environment = machine.environment(TMPDIR="/proc/none")
    del environment["HOME"]
    finished = subprocess.run(
        [machine.clone / "with-fenicsx", "bash", "-c", "echo $HOME ${TMPDIR:-none}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert finished.stdout == f"{pwd.getpwuid(os.getuid()).pw_dir} none\n"
    assert finished.stderr == (
        "with-fenicsx: TMPDIR=/proc/none is no folder that can be written to; /tmp is used\n"
    )


def test_closed_standard_streams_are_open_for_the_command(machine):
    machine.give_system()
    machine.run("true")
    words = [machine.clone / "with-fenicsx", "bash", "-c", "cat && echo out && echo error >&2"]
    close = ["bash", "-c", '"$@" <&- >&- 2>&-', "bash", *words]
    assert subprocess.run(close, env=machine.environment(), check=False).returncode == 0


def test_nothing_keeps_ranks_on_several_nodes_from_each_other(machine):
    machine.give_system()
    _, output, _ = machine.run("bash", "-c", "echo ${OMPI_MCA_btl-any} $OMPI_MCA_reachable")
    assert output == "any weighted\n"
    image = (REPOSITORY / "Dockerfile").read_text().splitlines()
    assert not any("OMPI_MCA_btl" in line for line in image if not line.startswith("#"))


@pytest.fixture
def user(machine, tmp_path):
    """A user of a root that an administrator has made and nobody else may write to."""
    machine.give_system()
    assert machine.run("true")[0] == 0
    machine.give_program("mmdebstrap", "exit 25")
    files = [machine.cache, *machine.cache.rglob("*")]
    for path in files:
        path.chmod(path.stat().st_mode & ~0o222)
    yield Machine(machine.clone, machine.programs, tmp_path / "own")
    for path in files:
        path.chmod(path.stat().st_mode | 0o200)


def test_a_root_made_by_an_administrator_serves_all_users(machine, user):
    before = sorted(machine.cache.rglob("*"))
    installer = user.clone / "packages/install-python"
    # As the real one: what is complete is left alone.
    installer.write_text(
        installer.read_text().replace("do set", 'do [ -e "${layer% *}/complete" ] && continue; set')
    )
    shared = {"CHEMOMECH_SHARED": str(machine.cache)}
    show = ("bash", "-c", "echo $XDG_CACHE_HOME")
    code, output, errors = user.run(*show, **shared)
    assert code == 0, errors
    assert errors.count("made\n") == 1  # the clone's own layer
    assert "does not hold" not in errors
    assert Path(output.strip()).is_relative_to(user.cache)
    assert len(list(user.cache.glob("*/clones/*/complete"))) == 1
    assert not list(user.cache.glob("*/system"))
    assert not list(user.cache.glob("*/python-*"))
    assert sorted(machine.cache.rglob("*")) == before
    assert user.run(*show, **shared) == (0, output, "")


def test_a_clone_that_was_set_up_before_moves_to_the_shared_root(machine, tmp_path):
    machine.give_dolfinx()
    machine.run("true")
    shared = shutil.copytree(machine.cache, tmp_path / "shared")
    assert machine.run("true")[2] == ""
    assert "made" in machine.run("true", CHEMOMECH_SHARED=str(shared))[2]
    assert machine.run("true", CHEMOMECH_SHARED=str(shared))[2] == ""


def test_a_shared_root_without_the_packages_of_this_clone_is_told(machine, user):
    project = user.clone / "pyproject.toml"
    text = project.read_text()
    project.write_text(text.replace("dependencies = [", 'dependencies = [\n    "tqdm",', 1))
    code, _, errors = user.run("true", CHEMOMECH_SHARED=str(machine.cache))
    assert code == 0
    assert "does not hold the Python packages of this clone" in errors
    assert len(list(user.cache.glob("*/python-*"))) == 1
    assert not list(user.cache.glob("*/system"))


def test_a_shared_root_that_is_not_there_is_refused(machine):
    machine.give_dolfinx()
    code, _, errors = machine.run("true", CHEMOMECH_SHARED="/proc/none")
    assert code == 1
    assert "CHEMOMECH_SHARED=/proc/none is no folder" in errors


def test_a_user_of_a_shared_root_needs_bubblewrap_alone(machine, user):
    (machine.programs / "bwrap").unlink()
    machine.give_program("id", "echo 1000")
    code, _, errors = user.run("true", CHEMOMECH_SHARED=str(machine.cache))
    assert code == 1
    assert "needed and not here: bwrap \n" in errors


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of a clone, made by the real script over a Python without packages."""
    folder = tmp_path_factory.mktemp("bob's layers")
    shared, clone, project = folder / "shared", folder / "clone", folder / "project"
    base = sys._base_executable
    subprocess.run(
        [base, "-m", "venv", "--without-pip", "--system-site-packages", shared], check=True
    )
    (shared / "complete").write_text("key")
    (shared / "constraints.txt").write_text("pinned==1\n")
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "tiny"\nversion = "1"\n')
    words = [REPOSITORY / "packages/install-python", base, shared, clone, project]
    keys = {"SHARED_KEY": "key", "CLONE_KEY": "key"}
    result = subprocess.run(
        words, env=os.environ | keys, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return clone


def _make_wheel(folder, name, version):
    wheel, label = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(
            f"{label}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        file.writestr(
            f"{label}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{label}/RECORD", "")
    return wheel


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("extra", 0), ("pinned", 1)])
def test_pip_installs_beside_chemomech_but_not_over_what_dolfinx_was_built_with(
    environment, tmp_path, name, code
):
    words = [environment / "bin/pip", "install", "--no-index", _make_wheel(tmp_path, name, 2)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stderr
    assert "externally-managed" not in result.stderr
    assert len(list(environment.glob(f"lib/python*/site-packages/{name}.py"))) == (code == 0)
    imported = subprocess.run(
        [environment / "bin/python", "-c", f"import {name}"], check=False, capture_output=True
    )
    assert (imported.returncode == 0) == (code == 0)


def test_called_inside_itself_it_runs_the_command_directly(machine):
    code, output, errors = machine.run(
        "bash", "-c", "echo direct", CHEMOMECH_INSIDE=str(machine.clone)
    )
    assert (code, output, errors) == (0, "direct\n", "")


def test_package_list_names_no_package_twice():
    lines = (REPOSITORY / "packages/debian.txt").read_text().splitlines()
    packages = [line for line in (line.split("#")[0].strip() for line in lines) if line]
    assert len(packages) == len(set(packages)) > 10
