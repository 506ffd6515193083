"""The demo of few large domains and many stripes."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.config import load_config
from chemomech.drawing.film import _read_movie
from chemomech.output.ledger import read_ledger

COMM = MPI.COMM_WORLD
DEMOS = Path(__file__).resolve().parents[2] / "demos"
RUNS = ("lithiation", "delithiation")

#: Of the soak only the beginning, and a coarse mesh of a wide interface.
SHORT = [
    "mesh.size=10 nm",
    "material.gradient={interface_width='30 nm'}",
    "geometry.legs=60 nm",
    "geometry.bend_angle=45 deg",
    "schedule.step.0.duration=25 s",
    "schedule.step.1.duration=4 s",
    "mesh.allow_coarse=true",
    "output.count=3",
    "output.pictures=false",
]


@pytest.fixture(scope="module")
def both_ways():
    """The demo as a module."""
    spec = importlib.util.spec_from_file_location("both_ways", DEMOS / "both_ways.py")
    module = importlib.util.module_from_spec(spec)
    # Where its dataclasses look for the names in their annotations.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def run(demo, output, changes):
    words = [word for change in changes for word in ("--set", change)]
    return demo.main([str(output), *words])


@pytest.fixture(scope="module")
def results(both_ways, share_folder):
    """Folder with both runs in their short form."""
    output = share_folder("both") / "results"
    assert run(both_ways, output, SHORT) == 0
    COMM.barrier()
    yield output
    COMM.barrier()


def test_material_is_the_same():
    first, second = (
        load_config(DEMOS / f"{name}.toml", COMM).model_dump(
            exclude={"initial", "schedule", "time", "output"}
        )
        for name in RUNS
    )
    assert first == second
    assert {"material", "mechanics", "reaction", "noise", "mesh"} <= set(first)


@pytest.mark.slow
def test_one_wire_is_metastable_and_the_other_is_not(results):
    ledgers = {name: read_ledger(results / name / "ledger.csv") for name in RUNS}
    for name, sign in zip(RUNS, (1.0, -1.0), strict=True):
        ledger = ledgers[name]
        assert np.abs(ledger["lithium_balance_error"]).max() < 1e-10
        soaked = ledger["stage"] == 1
        assert np.all(sign * np.diff(ledger["lithium_mean"][soaked]) >= 0.0)
        assert np.ptp(ledger["lithium_mean"][~soaked]) < 1e-10
    spread = {name: ledgers[name]["c_max"][-1] - ledgers[name]["c_min"][-1] for name in RUNS}
    # Within the spinodal waves of 120 nm grow by e in 2.7 s; below it they die away.
    assert spread["lithiation"] < 0.1
    assert spread["delithiation"] > 0.5


@pytest.mark.slow
def test_film_shows_both(results):
    sizes = [next(_read_movie(results / name / "movie.mp4")).shape for name in RUNS]
    images = list(_read_movie(results / "both_ways.mp4"))
    assert images[0].shape[1] == sum(size[1] for size in sizes)
    assert images[0].shape[0] > max(size[0] for size in sizes)
    half = sizes[0][1]
    change = np.abs(images[0].astype(int) - images[-1]).max(axis=(0, 2))
    assert change[:half].max() > 50
    assert change[half:].max() > 50
    assert not [path for path in results.rglob("*") if "partial" in path.name]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Of four columns of vertices on a strip of 30 nm x 10 nm, one or two are rich.
        ([0.9, 0.1, 0.1, 0.9], (2, 1, 5.0, 20.0)),
        ([0.1, 0.9, 0.9, 0.9], (1, 1, 25.0, 5.0)),
        ([0.1, 0.1, 0.1, 0.1], (0, 1, 0.0, 30.0)),
    ],
)
def test_pattern_is_measured(both_ways, values, expected):
    points = np.array([[10.0 * column, 10.0 * row] for row in (0, 1) for column in range(4)])
    cells = np.array([[i, i + 1, i + 4, i + 5] for i in range(3)])
    field = both_ways.FieldData(points, cells, "quadrilateral", np.tile(values, 2))
    pattern = both_ways.measure(field, 10.0)
    found = (pattern.rich, pattern.poor, pattern.rich_length, pattern.poor_length)
    assert found == pytest.approx(expected)


def test_used_folder_is_refused(both_ways, share_folder, capfd):
    output = share_folder("used")
    if COMM.rank == 0:
        (output / "mine.txt").write_text("kept")
    COMM.barrier()
    assert run(both_ways, output, SHORT) == 2
    assert ("both_ways: error: " in capfd.readouterr().err) == (COMM.rank == 0)


def test_unknown_key_is_refused(both_ways, share_folder):
    output = share_folder("unknown") / "results"
    assert run(both_ways, output, ["geometry.widht=60 nm"]) == 2
    assert not output.exists()


@pytest.mark.slow
def test_few_large_domains_or_many_stripes(both_ways, share_folder, capfd):
    output = share_folder("claim") / "results"
    changes = ["mesh.size=5 nm", "mesh.allow_coarse=true", "output.count=3", "output.movie=false"]
    assert run(both_ways, output, changes) == 0
    text = COMM.bcast(capfd.readouterr().out)
    rows = re.findall(r"^(\w+) +rest .*?(\d+), each (\d+) nm", text, re.MULTILINE)
    pattern = {name: (int(count), float(length)) for name, count, length in rows}
    assert pattern["delithiation"][0] >= 2 * pattern["lithiation"][0] > 0
    assert pattern["lithiation"][1] >= 2 * pattern["delithiation"][1]
    assert not (output / "both_ways.mp4").exists()
