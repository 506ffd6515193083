"""From a stack to its stress through the command line, on any number of ranks."""

import csv
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from matplotlib.image import imread
from mpi4py import MPI

from chemomech.cli import main
from chemomech.config import MeasurementConfig, StressConfig, create_config, load_config
from chemomech.errors import ConvergenceError
from chemomech.geometry.files.geojson import read_outline_geojson
from chemomech.imaging.measurement import read_measurement
from chemomech.imaging.phantom_truth import PHASES
from chemomech.mapping.stress_model import StressModel
from chemomech.output.ledger import read_ledger

COMM = MPI.COMM_WORLD
ROOT = Path(__file__).resolve().parents[2]
MEASURED = {
    *("config.toml", "provenance.json", "report.json", "measurement.h5"),
    *("outlines.geojson", "spectra.csv", "pictures"),
}
MAPS = {
    *("optical_density", "scree", "components", "component_spectra", "clusters"),
    *("cluster_spectra", "end_members", "composition", "residual", "uncertainty", "thickness"),
}
STRESSES = {
    *("von_mises", "hydrostatic", "stress_along", "stress_normal", "stress_shear"),
    *("principal_1", "principal_2", "principal_3"),
}
LAUNCHES = pytest.mark.skipif(
    COMM.size > 1 or shutil.which("mpirun") is None, reason="starts mpirun of its own"
)
QUICK = ["--set", "output.pictures=false", "--set", "output.fields=false"]
COARSE = ["--set", "mesh.size=40 nm"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A phantom that leaves its image, measured."""
    path = Path(COMM.bcast(str(tmp_path_factory.mktemp("chain")))) / "wire"
    assert main(["phantom", str(path), "--leaves-view", "--seed", "3"]) == 0
    results = str(path / "measure-results")
    assert main(["measure", str(path / "measure.toml"), "--output", results]) == 0
    COMM.barrier()
    yield path
    COMM.barrier()


def stress(folder, name, *words):
    """Exit code of the stress of the phantom, its results in a folder of that name."""
    code = main(["stress", str(folder / "stress.toml"), "--output", str(folder / name), *words])
    COMM.barrier()
    return code


def read_table(path):
    with (path / "stress.csv").open() as file:
        return {(row["stress"], row["region"]): row for row in csv.DictReader(file)}


def p95(path):
    return float(read_table(path)["von_mises", "all"]["p95_Pa"])


def test_measurement_leaves_its_records(folder):
    results = folder / "measure-results"
    assert {path.name for path in results.iterdir()} == MEASURED
    assert {path.stem for path in (results / "pictures").iterdir()} == MAPS
    for path in (results / "pictures").iterdir():
        assert imread(path)[..., :3].std() > 0.02
    record = json.loads((results / "provenance.json").read_text())
    assert record["ended"] == "measured"
    config = load_config(results / "config.toml", COMM, model=MeasurementConfig)
    table = config.model_dump(mode="json", exclude_none=True)
    assert create_config(table, model=MeasurementConfig) == config


def test_measurement_is_that_of_the_phantom(folder):
    results = folder / "measure-results"
    report = json.loads((results / "report.json").read_text())
    assert report["alignment"]["largest_shift_pixels"] < 2.0
    assert report["outline"]["particles"] == 1
    found = read_measurement(results / "measurement.h5")
    (_, low), (_, high) = PHASES["delithiated"]
    inside = found.composition.values[found.composition.trusted]
    assert low < inside.mean() < high
    assert found.end_members.names == ("alpha", "epsilon")
    assert np.nanmedian(found.thickness) == pytest.approx(100e-9, rel=0.1)
    outline = read_outline_geojson(results / "outlines.geojson", 1e-9)
    assert outline.cut.sum() >= 2


def test_stress_leaves_its_records(folder):
    assert stress(folder, "full", "--samples", "3", *COARSE) == 0
    results = folder / "full"
    names = {path.name for path in results.iterdir()}
    records = {"config.toml", "provenance.json", "stress.csv", "stress_bands.csv"}
    assert records | {"stress.vtkhdf"} <= names
    assert not [path for path in results.rglob("*") if "partial" in path.name]
    drawn = {path.stem for path in (results / "pictures").iterdir()}
    assert drawn == {*STRESSES, "mesh", "composition", "percentiles"}
    for path in (results / "figure.png", *(results / "pictures").iterdir()):
        assert imread(path)[..., :3].std() > 0.02
    table = read_table(results)
    assert {stress for stress, _ in table} == STRESSES
    assert {region for _, region in table} == {"all", "alpha", "epsilon", "boundaries"}
    config = load_config(results / "config.toml", COMM, model=StressConfig)
    assert config.uncertainty.samples == 3


def test_the_same_seed_gives_the_same_bands(folder):
    tables = []
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        seeded = ["--set", f"uncertainty.seed={seed}"]
        assert stress(folder, name, "--samples", "2", *seeded, *COARSE, *QUICK) == 0
        text = (folder / name / "stress_bands.csv").read_text().splitlines()[1:]
        tables.append(np.array([line.split(",")[4:] for line in text], dtype=float))
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-6, atol=1.0)
    assert np.abs(tables[0] - tables[2]).max() > 1e4


def test_used_folder_is_left_as_it_is(folder, capfd):
    before = sorted((folder / "measure-results").rglob("*"))
    assert stress(folder, "measure-results") == 2
    assert ("--output" in capfd.readouterr().err) == (COMM.rank == 0)
    assert sorted((folder / "measure-results").rglob("*")) == before


@pytest.mark.parametrize(
    ("error", "code", "ended"),
    [
        (ConvergenceError("gave up", reason=-3), 3, "failed: gave up"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_ends_early_says_so(folder, monkeypatch, error, code, ended):
    """The second sample fails: what is finished stays, and nothing claims more."""
    solve, solved = StressModel.solve, []

    def fail_third_time(model):
        solved.append(model)
        if len(solved) == 3:
            raise error
        solve(model)

    monkeypatch.setattr(StressModel, "solve", fail_third_time)
    name = f"ended_{code}"
    assert stress(folder, name, "--samples", "2", *COARSE, *QUICK) == code
    record = json.loads((folder / name / "provenance.json").read_text())
    assert record["ended"] == ended
    assert record["finished"] >= record["started"]
    names = {path.name for path in (folder / name).iterdir()}
    assert names == {"config.toml", "provenance.json", "stress.csv"}


def test_from_stack_to_stress_in_one_command(folder):
    if COMM.rank == 0:
        tables = tomllib.loads((folder / "stress.toml").read_text())
        del tables["composition"]
        tables["measurement"] = tomllib.loads((folder / "measure.toml").read_text())
        tables["measurement"]["output"] = {"pictures": False}
        (folder / "whole.toml").write_text(tomli_w.dumps(tables))
    COMM.barrier()
    words = ["--output", str(folder / "whole"), *COARSE, *QUICK]
    assert main(["stress", str(folder / "whole.toml"), *words]) == 0
    assert stress(folder, "parts", *COARSE, *QUICK) == 0
    assert (folder / "whole" / "measurement" / "measurement.h5").exists()
    assert p95(folder / "whole") == pytest.approx(p95(folder / "parts"), rel=1e-6)


def test_rollers_on_two_sides_that_meet_let_the_wire_swell(folder):
    """The phantom leaves the image on the right and below: it may grow to the left and upwards."""
    words = ["--set", "boundary=border_rollers", *COARSE, *QUICK]
    assert stress(folder, "rollers", *words) == 0
    assert stress(folder, "shifted", *words, "--set", "eigenstrain.reference_composition=0.2") == 0
    assert p95(folder / "shifted") == pytest.approx(p95(folder / "rollers"), rel=1e-6)


def test_straight_wire_between_rollers(folder):
    """Held on two opposite sides, a uniform x gives E Omega C x / 3 everywhere."""
    if COMM.rank == 0:
        corners = [[0, 350], [1400, 350], [1400, 700], [0, 700], [0, 350]]
        feature = {
            "type": "Feature",
            "properties": {"cut": [False, True, False, True]},
            "geometry": {"type": "Polygon", "coordinates": [corners]},
        }
        (folder / "straight.geojson").write_text(json.dumps(feature))
        np.save(folder / "uniform.npy", np.full((30, 41), 0.2))
    COMM.barrier()
    source = 'composition={kind="map", file="uniform.npy", pixel_size="35 nm"}'
    outline = 'outline={file="straight.geojson"}'
    words = ["--set", source, "--set", outline, "--set", "boundary=border_rollers"]
    words += ["--set", "statistics.tip_widths=0", *COARSE, *QUICK]
    assert stress(folder, "straight", *words) == 0
    row = read_table(folder / "straight")["von_mises", "all"]
    expected = 43e9 * 2.415e-6 * 18500 / 3 * 0.2
    for column in ("minimum_Pa", "p95_Pa", "maximum_Pa"):
        assert float(row[column]) == pytest.approx(expected, rel=1e-8)


LAWS = {
    "phases": {
        "kind": '"phases"',
        "site_concentration": '"18500 mol/m^3"',
        "phases": '[{lowest=0.0, highest=1.0, partial_molar_volume="2.415e-6 m^3/mol"}]',
    },
    "volumes": {
        "kind": '"molar_volumes"',
        "lithium": "[0.0, 1.0]",
        # Omega C / 3 = (V1 - V0) / (3 V0) for V0 = 1 / C.
        "volumes": f'["{1 / 18500!r} m^3/mol", "{1 / 18500 + 2.415e-6!r} m^3/mol"]',
    },
    "tensor": {
        "kind": '"tensor"',
        "tensor": str(np.diag([2.415e-6 * 18500 / 3] * 3).tolist()),
    },
}


@pytest.mark.parametrize("law", LAWS)
def test_laws_that_amount_to_the_same_stress(folder, law):
    inline = ", ".join(f"{key} = {value}" for key, value in LAWS[law].items())
    words = ["--set", f"eigenstrain={{{inline}}}", *COARSE, *QUICK]
    assert stress(folder, law, *words) == 0
    assert stress(folder, f"{law}_vegard", *COARSE, *QUICK) == 0
    assert p95(folder / law) == pytest.approx(p95(folder / f"{law}_vegard"), rel=1e-6)


def test_lattice_table(folder):
    file = ROOT / "demos" / "fictitious_phases.csv"
    law = f'eigenstrain={{kind="lattice", file="{file}", axes="bca"}}'
    assert stress(folder, "lattice", "--set", law, *COARSE, *QUICK) == 0
    assert p95(folder / "lattice") > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("thickness", ["100 nm", "measured"])
def test_solid(folder, thickness):
    """A thin solid free above and below is nearly in plane stress."""
    name = thickness.replace(" ", "")
    words = ["--set", f"mesh.thickness={thickness}", "--set", "mesh.layers=1"]
    code = stress(folder, name, *words, "--set", "mesh.size=60 nm", "--set", "output.fields=false")
    assert code == 0
    assert stress(folder, f"{name}_plane", "--set", "mesh.size=60 nm", *QUICK) == 0
    assert p95(folder / name) == pytest.approx(p95(folder / f"{name}_plane"), rel=0.5)
    assert imread(folder / name / "pictures" / "von_mises.png")[..., :3].std() > 0.02


def test_map_from_elsewhere(folder):
    """The measured map, saved as an array, gives the stress the measurement gives."""
    if COMM.rank == 0:
        found = read_measurement(folder / "measure-results" / "measurement.h5").composition
        np.save(folder / "x.npy", np.where(found.trusted, found.values, np.nan))
        np.save(folder / "u.npy", np.where(found.trusted, found.uncertainty, np.nan))
    COMM.barrier()
    source = 'composition={kind="map", file="x.npy", pixel_size="35 nm", uncertainty="u.npy"}'
    outline = 'outline={file="measure-results/outlines.geojson"}'
    words = ["--set", source, "--set", outline, *COARSE, *QUICK, "--samples", "2"]
    assert stress(folder, "map", *words) == 0
    assert stress(folder, "measured_map", *COARSE, *QUICK) == 0
    assert p95(folder / "map") == pytest.approx(p95(folder / "measured_map"), rel=1e-6)


SIMULATION = """
[geometry]
kind = "outline"
file = "measure-results/outlines.geojson"
unit = "1 nm"
[mesh]
size = "40 nm"
allow_coarse = true
[material]
free_energy = { kind = "regular_solution", chi = 2.75 }
gradient = { interface_width = "80 nm" }
mobility = { kind = "degenerate", diffusivity = "1e-15 m^2/s" }
[initial]
kind = "measurement"
file = "measure-results/measurement.h5"
lithium_at_full = 0.4
margin = 0.02
[time]
end = "0.1 s"
[output]
count = 1
movie = false
pictures = false
"""


def test_measurement_is_where_a_simulation_starts(folder):
    """And the stress of what becomes of it can be had from its fields."""
    if COMM.rank == 0:
        (folder / "run.toml").write_text(SIMULATION)
    COMM.barrier()
    words = [str(folder / "run.toml"), "--output", str(folder / "run"), "--quiet"]
    assert main(["run", *words]) == 0
    COMM.barrier()
    ledger = read_ledger(folder / "run" / "ledger.csv")
    found = read_measurement(folder / "measure-results" / "measurement.h5").composition
    mean = found.values[found.trusted].mean() / 0.4
    assert ledger["lithium_mean"][0] == pytest.approx(mean, abs=0.02)
    source = 'composition={kind="field", file="run/fields.vtkhdf", scale=0.4}'
    assert stress(folder, "field", "--set", source, *QUICK) == 0
    assert p95(folder / "field") > 1e6


def test_measured_composition_out_of_bounds_is_refused(folder, capfd):
    if COMM.rank == 0:
        text = SIMULATION.replace("margin = 0.02", "").replace("= 0.4", "= 0.2")
        (folder / "beyond.toml").write_text(text)
    COMM.barrier()
    output = folder / "beyond"
    assert main(["run", str(folder / "beyond.toml"), "--output", str(output), "--quiet"]) == 2
    assert ("initial" in capfd.readouterr().err) == (COMM.rank == 0)
    assert not output.exists()


@LAUNCHES
@pytest.mark.slow
def test_ranks_give_the_same_numbers(folder):
    words = ["--output", str(folder / "ranks"), *COARSE, *QUICK, "--samples", "2"]
    command = ["mpirun", "-n", "3", sys.executable, "-m", "chemomech"]
    subprocess.run([*command, "stress", str(folder / "stress.toml"), *words], check=True)
    assert stress(folder, "serial", "--samples", "2", *COARSE, *QUICK) == 0
    one, many = (read_table(folder / each) for each in ("serial", "ranks"))
    assert one.keys() == many.keys()
    largest = float(one["von_mises", "all"]["maximum_Pa"])
    for key, row in one.items():
        for column in row.keys() - {"stress", "region"}:
            expected = float(row[column])
            assert float(many[key][column]) == pytest.approx(
                expected, rel=1e-8, abs=1e-8 * largest if column.endswith("_Pa") else 0.0
            )


@pytest.mark.parametrize("subject", ["measurement", "stress"])
def test_templates_can_be_written(tmp_path, monkeypatch, subject):
    shared = Path(COMM.bcast(str(tmp_path)))
    monkeypatch.chdir(shared)
    assert main(["init", "--for", subject]) == 0
    COMM.barrier()
    assert (shared / f"{subject}.toml").read_text().startswith("# A ")
    tomllib.loads((shared / f"{subject}.toml").read_text())
    COMM.barrier()


def test_tables(tmp_path):
    shared = Path(COMM.bcast(str(tmp_path)))
    curvature = [str(ROOT / "demos" / "curvature.csv"), "--film-thickness", "50 nm"]
    words = [*curvature, "--positive-side", "concave", "--output", str(shared / "film.csv")]
    assert main(["stoney", *words]) == 0
    assert main(["lattice", str(ROOT / "demos" / "fictitious_phases.csv")]) == 0
    COMM.barrier()
    assert (shared / "film.csv").exists()
    COMM.barrier()
