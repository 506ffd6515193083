"""The wheel holds everything, is built from the source archive, and works outside of a clone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from mpi4py import MPI

ROOT = Path(__file__).parents[2]
NOT_SOURCES = shutil.ignore_patterns(
    *(".*", "__pycache__", "*.egg-info", "build", "dist", "_build", "*-results")
)

pytestmark = [
    pytest.mark.skipif(not (ROOT / "MANIFEST.in").exists(), reason="runs from a clone"),
    pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="one process builds"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with wheel and source archive; the wheel is built from the archive."""
    pytest.importorskip("build")
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT, folder / "sources", ignore=NOT_SOURCES)
    # Setuptools is there already: nothing is downloaded.
    words = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        folder,
        folder / "sources",
    ]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def installed(built):
    """Return a function that runs words where only the wheel's chemomech is found."""
    place = built / "installed"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    words += ["--target", place, next(built.glob("*.whl"))]
    subprocess.run(words, check=True)
    paths = [str(place), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def run(*words):
        command = [sys.executable, place / "bin" / "chemomech", *words]
        result = subprocess.run(
            command, cwd=built, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = "import chemomech; print(chemomech.__file__)"
    found = subprocess.check_output(
        [sys.executable, "-c", where], cwd=built, env=environment, text=True
    )
    assert Path(found.strip()).is_relative_to(place)
    return run


def test_wheel_holds_every_file_of_the_package(built):
    sources = ROOT / "chemomech"
    wanted = {
        f"chemomech/{path.relative_to(sources).as_posix()}"
        for path in sources.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        label = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = wheel.read(label).decode()
    assert wanted <= names
    # And nothing else: no tests, no demos.
    assert {name.partition("/")[0] for name in names} == {"chemomech", label.partition("/")[0]}
    assert "License-Expression: MIT" in metadata
    assert "Requires-Dist: pydantic" in metadata


def test_source_archive_can_be_tested_and_read(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "tests/conftest.py", "demos/bent_nanowire.toml", "docs/index.md"} <= names
    assert "demos/paper/wall.toml" in names


def test_commands_work_without_the_sources(installed, built):
    assert installed("--version").startswith("chemomech ")
    for kind in ("simulation", "measurement", "stress"):
        installed("init", f"{kind}.toml", "--for", kind)
    assert "interface" in installed("validate", "simulation.toml")
    assert "4C-H" in installed("reproduce", "--list")
    (built / "sweep.toml").write_text(
        'base = "simulation.toml"\n[[axis]]\nkey = "initial.seed"\nvalues = [1, 2]\n'
    )
    assert "#SBATCH --array=0-1" in installed("sweep", "sweep.toml", "--slurm")
