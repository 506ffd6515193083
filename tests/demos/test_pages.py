"""Every command, configuration and piece of code of README.md and docs/ does what a reader expects.

Commands run as they are printed, in a copy of the clone, one after the other. What takes minutes
is shortened on its way to the program: a coarser mesh, an earlier end. Tutorials run when the
site is built, and docs/extending.md with the other tests.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

import chemomech
from chemomech.config import Config, StressConfig, create_config
from chemomech.config.templates import create_template

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))

#: Lines that are not run here, and where they are.
ELSEWHERE = {
    r"pytest": "is this",
    r"pre-commit|python -m build": "CI, tests/setup",
    r"^\.ci/": "CI",
    r"benchmarks/": "CI, in their short forms",
    r"^conda |^mpirun": "conda is not here",
    r"^docker ": ".ci/container",
    r"reproduce (3-5|4B|4C-H|particle)": "tests/unit/paper",
    r"run demos/cycles\.toml": "test_cycles",
    r"three_phases": "test_three_phases",
}
#: What a reader has before the first line of a page.
BEFORE = {
    "running.md": ["chemomech init wire.toml"],
    "analysis.md": ["chemomech run demos/bent_nanowire.toml"],
    "report.md": [
        "chemomech run demos/bent_nanowire.toml",
        "chemomech sweep demos/sweep.toml",
        "chemomech phantom wire",
        "(cd wire && chemomech measure measure.toml && chemomech stress stress.toml)",
        "mv wire/stress-results .",
        "chemomech report stress-results",  # of an earlier day: the page says --force
    ],
}
#: What a reader has after the last line, among other things.
AFTER = {
    "README.md": [
        "bent_nanowire-results/movie.mp4",
        "bent_nanowire-results/pictures/ledger.png",
        "bent_nanowire-results/fields.vtkhdf",
        "my_wire-results/ledger.csv",
        "my_wire.msh",
        "wire/measure-results/measurement.h5",
        "wire/stress-results/figure.png",
    ],
    "analysis.md": [
        "composition.png",
        "stress.pdf",
        "domains.csv",
        "pattern.svg",
    ],
    "imaging.md": ["wire/stress-results/stress.csv"],
    "report.md": ["bent_nanowire-results/report.html", "sweep.html", "stress-results/report.html"],
    "running.md": ["wire-results/fields.vtkhdf"],
    "sweeps.md": ["sweep-results/overview.png", "sweep.sh", "seeds.toml"],
    "tables.md": ["stress.csv", "strains.csv"],
}
COARSE = ["mesh.size=15 nm", "mesh.allow_coarse=true", "output.count=3"]
#: Changes to runs by the file they are of.
SHORTER = {
    "bent_nanowire.toml": [*COARSE, "time.end=12 s"],
    "my_wire.toml": [*COARSE, "time.end=0.1 s"],
    "wire.toml": [*COARSE, "time.end=0.1 s"],
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="runs from a clone"),
    pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="the commands start their own ranks"),
]


def find_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def find_commands(page):
    """Lines of each shell block, without comments and joined where they go on."""
    for block in find_blocks(page, "sh"):
        lines = block.replace("\\\n", " ").splitlines()
        yield list(filter(None, (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)))


def choose_commands(page):
    """The same without lines that are run elsewhere, and without blocks of nothing else."""
    patterns = "|".join(ELSEWHERE)
    chosen = [
        [line for line in block if not re.search(patterns, line)] for block in find_commands(page)
    ]
    return list(filter(None, chosen))


COMMANDS = {page: commands for page in PAGES if (commands := choose_commands(page))}


@pytest.fixture
def clone(tmp_path):
    """A copy of what a reader has, and a function that runs a line in it."""
    folder = tmp_path / "chemomech"
    folder.mkdir()
    shutil.copytree(ROOT / "demos", folder / "demos")
    for name in ("docs", "meshes"):
        (folder / name).symlink_to(ROOT / name)
    sweep = folder / "demos/sweep.toml"
    text = sweep.read_text().replace('"1 s"', '"0.02 s"\n"mesh.size" = "15 nm"')
    text = text.replace(', "2.224e-13 J*m^2/mol"]', "]")
    sweep.write_text(text.replace("[[axis]]", '"mesh.allow_coarse" = true\n[[axis]]', 1))
    write_program(folder / "with-fenicsx", 'exec "$@"')
    cases = []
    for file, changes in SHORTER.items():
        words = " ".join(f"--set '{change}'" for change in changes)
        cases.append(f"*/{file} | {file}) more=({words}) ;;")
    write_program(
        tmp_path / "bin/chemomech",
        "more=()",
        'case "$1" in',
        'run) case "$2" in',
        *cases,
        "esac ;;",
        'stress) more=(--set "mesh.size=40 nm") ;;',
        "esac",
        f'exec {sys.executable} -m chemomech "$@" "${{more[@]}}"',
    )
    environment = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}

    def run(lines):
        script = "\n".join(["set -ex -o pipefail", *lines])
        result = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-4000:]

    return folder, run


def write_program(path, *lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/bash", *lines]) + "\n")
    path.chmod(0o755)


def test_every_exception_is_still_needed():
    lines = [line for page in PAGES for block in find_commands(page) for line in block]
    for pattern in ELSEWHERE:
        assert any(re.search(pattern, line) for line in lines), pattern
    names = {page.name for page in COMMANDS}
    assert set(BEFORE) | set(AFTER) <= names


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.name)
def test_commands_run(page, clone):
    folder, run = clone
    run(BEFORE.get(page.name, []))
    # Each block begins where the reader began.
    for block in COMMANDS[page]:
        run(block)
    if page.name == "analysis.md":
        (folder / "page.py").write_text("\n".join(find_blocks(page, "python")))
        run([f"{sys.executable} page.py"])
    for name in AFTER.get(page.name, []):
        assert (folder / name).exists(), name


#: What each configuration on a page goes into: a model and where the rest of its keys is from.
INTO = {
    "cycles.md": [(Config, ROOT / "demos/cycles.toml")],
    "extending.md": [(Config, "simulation")],
    "imaging.md": [(StressConfig, "stress"), (StressConfig, "stress"), (Config, "simulation")],
    "free_energies.md": [(Config, "simulation")] * 3,
    "running.md": [(Config, "simulation")],
    "shapes.md": [*[(Config, "simulation")] * 2, (Config, ROOT / "demos/periodic_box.toml")],
    "strain.md": [(Config, "simulation")] * 3,
    "tables.md": [(StressConfig, "stress")],
    "transport.md": [(Config, "simulation")] * 3,
}
#: Files that these name.
NAMED = [
    *("x.tif", "outline.geojson", "stack.nxs", "standards.csv"),
    *("measure-results/measurement.h5", "measure-results/outlines.geojson"),
    "bent_nanowire-results/fields.vtkhdf",
]


#: Laws of unit cells and of curves are made when their tables are read.
CELLS = """name,x,a_angstrom,b_angstrom,c_angstrom,formula_units
alpha,0.0,11.5,4.4,3.6,2
delta,1.0,11.2,4.9,3.6,2
"""


def measure_open_circuit():
    """Voltages of alpha, epsilon and delta in equilibrium, flat where two phases coexist."""
    c = np.linspace(0.01, 0.99, 99)
    voltages = 3.39 - 0.025693 * chemomech.DensityCurve(chemomech.LIXV2O5).potential(c)
    voltages[(c > 0.1) & (c < 0.3)] = 3.39
    voltages[(c > 0.7) & (c < 0.9)] = 3.20
    return "c,voltage_V\n" + "".join(f"{x:.4f},{v:.6f}\n" for x, v in zip(c, voltages, strict=True))


@pytest.mark.parametrize("page", [p for p in PAGES if find_blocks(p, "toml")], ids=lambda p: p.name)
def test_configurations_are_valid(page, tmp_path):
    for name in NAMED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not looked into")
    (tmp_path / "phases.csv").write_text(CELLS)
    (tmp_path / "diffusion.csv").write_text("c,diffusivity_m2_per_s\n0,1e-15\n1,1e-16\n")
    (tmp_path / "open_circuit.csv").write_text(measure_open_circuit())
    blocks = find_blocks(page, "toml")
    for block, (model, source) in zip(blocks, INTO[page.name], strict=True):
        text = source.read_text() if isinstance(source, Path) else create_template(source)
        # A table on the page takes the place of the whole table, but for one in [material].
        whole, shown = tomllib.loads(text), tomllib.loads(block)
        if "material" in shown:
            shown["material"] = whole["material"] | shown["material"]
        config = create_config(whole | shown, tmp_path, model=model)
        assert isinstance(config, model)
