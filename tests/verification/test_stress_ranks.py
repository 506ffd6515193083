"""A stress map does not depend on how many ranks share it."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from mpi4py import MPI

from chemomech.config import StressConfig, load_config
from chemomech.mapping.stress import stress

COMM = MPI.COMM_WORLD
LAUNCHES = pytest.mark.skipif(
    COMM.size > 1 or shutil.which("mpirun") is None, reason="starts mpirun of its own"
)
#: Differences allowed, over the largest stress: far above rounding, far below what is read off.
TOLERANCE = 1e-8
ROWS, COLUMNS = 30, 40
ISOTROPIC = {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3}
# Both laws turn with the wire, whose direction comes from equations solved on all ranks.
ORTHOTROPIC = {
    "kind": "orthotropic",
    "young_moduli": ["60 GPa", "40 GPa", "30 GPa"],
    "poisson_ratios": [0.25, 0.2, 0.3],
    "shear_moduli": ["12 GPa", "15 GPa", "18 GPa"],
    "frame": "wire",
}
VEGARD = {
    "kind": "vegard",
    "partial_molar_volume": "2.415e-6 m^3/mol",
    "site_concentration": "18500 mol/m^3",
    "reference_composition": "mean",
}
TENSOR = {
    "kind": "tensor",
    "tensor": [[0.01, 0.0, 0.0], [0.0, 0.05, 0.0], [0.0, 0.0, -0.01]],
    "frame": "wire",
}
CASES = {
    "isotropic": {"elasticity": ISOTROPIC, "eigenstrain": VEGARD},
    "wire frame": {"elasticity": ORTHOTROPIC, "eigenstrain": TENSOR},
    "rollers": {
        "elasticity": ISOTROPIC,
        "eigenstrain": VEGARD | {"reference_composition": 0.0},
        "boundary": "border_rollers",
    },
    "solid": {
        "elasticity": ISOTROPIC,
        "eigenstrain": VEGARD,
        "mesh": {"size": "60 nm", "thickness": "100 nm", "layers": 1, "degree": 1},
    },
}


def write_case(name, folder):
    """A bent wire of noisy stripes; its two ends are cuts, upright and level."""
    angles = np.linspace(0.0, np.pi / 2, 13)
    arc = np.column_stack([np.cos(angles), np.sin(angles)])
    corners = 100.0 + np.concatenate([800.0 * arc, 550.0 * arc[::-1]])
    feature = {
        "type": "Feature",
        "properties": {"cut": [*[False] * 12, True, *[False] * 12, True]},
        "geometry": {"type": "Polygon", "coordinates": [[*corners.tolist(), corners[0].tolist()]]},
    }
    (folder / "outline.geojson").write_text(json.dumps(feature))
    y, x = 35.0 * np.indices((ROWS, COLUMNS))
    stripes = 0.2 + 0.1 * np.tanh(4 * np.cos(12 * np.arctan2(y[::-1] - 100.0, x - 100.0)))
    noise = np.random.default_rng(0).normal(0.0, 0.01, stripes.shape)
    np.save(folder / "x.npy", stripes + noise)
    table = {
        "composition": {
            "kind": "map",
            "file": "x.npy",
            "pixel_size": "35 nm",
            "uncertainty": 0.02,
        },
        "outline": {"file": "outline.geojson"},
        "mesh": {"size": "40 nm"},
        "phase": [
            {"name": "poor", "lowest": 0.0, "highest": 0.2},
            {"name": "rich", "lowest": 0.2, "highest": 0.4},
        ],
        "uncertainty": {"samples": 2},
        "output": {"fields": False, "pictures": False},
    }
    (folder / "case.toml").write_text(tomli_w.dumps(table | CASES[name]))


@pytest.fixture
def folder(tmp_path):
    yield Path(COMM.bcast(str(tmp_path)))
    COMM.barrier()


def read(path):
    """Labels and numbers of a table."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    texts = {"stress", "region", "statistic"} & rows[0].keys()
    labels = [tuple(row[text] for text in sorted(texts)) for row in rows]
    numbers = {
        name: np.array([float(row[name]) for row in rows]) for name in rows[0].keys() - texts
    }
    return labels, numbers


def assert_agree(one, many, tolerance=TOLERANCE):
    _, table = read(one / "stress.csv")
    largest = max(np.nanmax(np.abs(table[name])) for name in ("maximum_Pa", "minimum_Pa"))
    assert largest > 1e6
    for file in ("stress.csv", "stress_bands.csv"):
        (labels, expected), (found_labels, found) = read(one / file), read(many / file)
        if file == "stress.csv":
            assert labels == found_labels
        order, found_order = (np.argsort([*map(str, each)]) for each in (labels, found_labels))
        assert sorted(labels) == sorted(found_labels)
        for name, values in expected.items():
            stress = name.endswith("_Pa")
            np.testing.assert_allclose(
                found[name][found_order],
                values[order],
                rtol=0.0 if stress else TOLERANCE,
                atol=tolerance * largest if stress else 0.0,
                err_msg=f"{file}: {name}",
            )


def compute(folder, output, comm):
    config = load_config(folder / "case.toml", comm, model=StressConfig)
    stress(config, folder / output, comm)


@pytest.mark.skipif(COMM.size == 1, reason="compares several ranks with one")
@pytest.mark.parametrize("name", CASES)
def test_all_ranks_agree_with_one(name, folder):
    if COMM.rank == 0:
        write_case(name, folder)
        compute(folder, "one", MPI.COMM_SELF)
    COMM.barrier()
    compute(folder, "many", COMM)
    COMM.barrier()
    assert_agree(folder / "one", folder / "many")


@LAUNCHES
@pytest.mark.parametrize(
    ("name", "ranks"),
    [
        ("wire frame", 2),
        # The free body of one law alone is in the others.
        *(pytest.param(name, 3, marks=pytest.mark.slow) for name in CASES if name != "isotropic"),
    ],
)
def test_one_rank_and_many_from_the_command_line(name, ranks, folder):
    write_case(name, folder)
    compute(folder, "one", COMM)
    command = ["mpirun", "-n", str(ranks), sys.executable, "-m", "chemomech", "stress"]
    words = [str(folder / "case.toml"), "--output", str(folder / "many")]
    subprocess.run([*command, *words], check=True, timeout=300)
    assert_agree(folder / "one", folder / "many")
