"""Folders of results, opened again; pictures and tables made of them."""

import csv
import json
import re
import shutil
from pathlib import Path

import dolfinx
import numpy as np
import pytest
from matplotlib.image import imread
from mpi4py import MPI

import chemomech
from chemomech import cli
from chemomech.analysis.results import RunResults, StressResults, open_results
from chemomech.config import create_config
from chemomech.errors import InputError

COMM = MPI.COMM_WORLD
# Kept by all ranks together, looked at by one.
serial = pytest.mark.skipif(COMM.size > 1, reason="the command line speaks to all ranks")
one_rank = pytest.mark.skipif(COMM.rank > 0, reason="one rank reads results")

SETTINGS = {
    "geometry": {
        "kind": "nanowire",
        "width": "40 nm",
        "bend_radius": "100 nm",
        "bend_angle": "90 deg",
        "legs": ["60 nm", "60 nm"],
    },
    "material": {
        "free_energy": {"kind": "regular_solution", "chi": 2.75},
        "gradient": {"interface_width": "20 nm"},
        "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
    },
    "mechanics": {
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {"kind": "vegard", "partial_molar_volume": "2.415e-6 m^3/mol"},
    },
    "initial": {"kind": "noise", "mean": 0.5, "seed": 3},
    "time": {"end": "0.5 s"},
    "output": {"count": 3, "pictures": False, "movie": False},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = COMM.bcast(tmp_path_factory.mktemp("run") / "results")
    chemomech.simulate(create_config(SETTINGS), folder, COMM, quiet=True)
    COMM.barrier()
    return folder


@one_rank
def test_run_is_opened_as_it_was_written(finished):
    results = chemomech.open_run(finished)
    assert results.is_finished
    assert results.config == chemomech.load_config(finished / "config.toml", MPI.COMM_SELF)
    assert results.times[0] == 0.0
    assert results.times[-1] == results.ledger["time_s"][-1] == 0.5
    assert {"composition", "chemical_potential", "displacement", "von_mises"} <= set(
        results.field_names
    )
    c = results.read("composition")
    assert c.min() == pytest.approx(results.ledger["c_min"][-1], abs=1e-12)
    assert c.max() == pytest.approx(results.ledger["c_max"][-1], abs=1e-12)
    assert results.read("von_mises").max() == pytest.approx(
        results.ledger["von_mises_max_Pa"][-1], rel=1e-9
    )
    assert results.read("displacement").shape == (len(results.grid.points), 3)


@one_rank
def test_nearest_snapshot_is_read(finished):
    results = chemomech.open_run(finished)
    early = results.times[1]
    assert results.find_time(early * 1.01) == early
    np.testing.assert_array_equal(
        results.read("composition", early * 1.01), results.read("composition", early)
    )
    assert results.read("composition", 0.0).std() < results.read("composition").std()


@one_rank
def test_domains_are_the_ledgers(finished):
    results = chemomech.open_run(finished)
    for row, time in enumerate(results.ledger["time_s"]):
        if time in results.times:
            count = chemomech.analyse_run(results, time).count
            assert count == results.ledger["domains"][row]


@serial
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_field_is_drawn(finished, tmp_path, capfd, suffix):
    path = tmp_path / f"stress.{suffix}"
    words = ["plot", str(finished), "--field", "von_mises", "--time", "10 s", "--output", str(path)]
    assert cli.main(words) == 0
    assert "von_mises at 500 ms" in capfd.readouterr().out
    match suffix:
        case "png":
            image = imread(path)
            assert image.shape[0] > 400
            assert image.std() > 0.05
        case "svg":
            text = path.read_text()
            # Letters, not outlines of letters.
            assert re.search(r"<text[^>]*>von Mises stress \(GPa\)</text>", text)
            assert "nm</text>" in text
            assert "<image" in text
        case "pdf":
            assert path.read_bytes().startswith(b"%PDF")
    before = path.read_bytes()
    assert cli.main(words) == 2
    assert "left as it is" in capfd.readouterr().err
    assert path.read_bytes() == before


@one_rank
def test_magnitude_of_a_displacement_is_drawn(finished, tmp_path):
    results = chemomech.open_run(finished)
    chemomech.plot_field(results, "displacement", tmp_path / "u.png", 0.0)
    assert imread(tmp_path / "u.png").shape[0] > 400


@one_rank
def test_runs_are_drawn_side_by_side(finished, tmp_path, pages):
    """Each under its title, with one colour bar; a picture that exists is left as it is."""
    results, path = chemomech.open_run(finished), tmp_path / "runs.png"
    chemomech.plot_side_by_side([results] * 3, "von_mises", path, ["a", "b", "c"], columns=2)
    *panels, bar = pages["runs"].axes
    assert [axes.get_title() for axes in panels] == ["a", "b", "c", ""]
    assert bar.get_ylabel() == "von Mises stress (GPa)"
    with pytest.raises(InputError, match="exists already"):
        chemomech.plot_side_by_side([results], "von_mises", path, ["a"])
    with pytest.raises(InputError, match=r"must end in \.png"):
        chemomech.plot_side_by_side([results], "von_mises", tmp_path / "runs.svg", ["a"])


@one_rank
def test_wire_is_found_from_its_run(finished):
    """Halves of a bend: the outer one is longer, as radii are; volumes add up to the wire's."""
    results = chemomech.open_run(finished)
    across = chemomech.find_wire(results).across
    volumes = chemomech.compute_vertex_volumes(results.grid)
    length = 2 * 60 + 100 * np.pi / 2
    assert volumes.sum() == pytest.approx(40 * length, rel=2e-3)
    assert np.abs(across).max() == pytest.approx(20, rel=1e-2)
    radius = np.average(across, weights=volumes)
    # Of the bend alone it is h^2 / (12 R).
    assert radius == pytest.approx(40**2 / 12 / 100 * (100 * np.pi / 2) / length, rel=0.1)


@serial
def test_domains_are_listed(finished, tmp_path, capfd):
    path = tmp_path / "domains.csv"
    assert cli.main(["analyse", str(finished), "--output", str(path)]) == 0
    said = capfd.readouterr().out
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    results = chemomech.open_run(finished)
    statistics = chemomech.analyse_run(results)
    assert len(rows) == statistics.count == results.ledger["domains"][-1]
    assert float(rows[0]["along_nm"]) == statistics.domains[0].along
    assert f"{statistics.spanning} of {statistics.count}" in said
    assert cli.main(["analyse", str(finished), "--output", str(path)]) == 2


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    """What earlier versions left: fields.bp, and no word of its format in config.toml."""
    if not dolfinx.has_adios2:
        pytest.skip("DOLFINx without ADIOS2")
    folder = tmp_path_factory.mktemp("former") / "results"
    settings = SETTINGS | {"output": SETTINGS["output"] | {"field_format": "bp"}}
    # Alone: the tests that look at it are skipped by the other ranks, and this with them.
    chemomech.simulate(create_config(settings), folder, MPI.COMM_SELF, quiet=True)
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace('field_format = "bp"\n', ""))
    return folder


@one_rank
def test_results_of_earlier_versions_hold_the_same(former, finished):
    assert (former / "fields.bp").is_dir()
    assert not (former / "fields.vtkhdf").exists()
    old, new = (chemomech.open_run(folder) for folder in (former, finished))
    assert "field_format" not in (former / "config.toml").read_text()
    assert set(old.field_names) == set(new.field_names)
    np.testing.assert_array_equal(old.times, new.times)
    # Points are in another order.
    one, two = (np.lexsort(results.grid.points.round(6).T) for results in (old, new))
    np.testing.assert_allclose(old.grid.points[one], new.grid.points[two], atol=1e-9)
    # Ranks sum in another order than one does, and step sizes follow.
    scale = 1e-12 if COMM.size == 1 else 1e-6
    for name in old.field_names:
        values = new.read(name, 0.2)[two]
        atol = scale * np.abs(values).max()
        np.testing.assert_allclose(old.read(name, 0.2)[one], values, rtol=0.0, atol=atol)


@serial
def test_results_of_earlier_versions_are_drawn_analysed_and_reported(former, tmp_path):
    words = ("plot", "analyse", "report")
    for word, name in zip(words, ("c.png", "domains.csv", "page.html"), strict=True):
        assert cli.main([word, str(former), "--output", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 0


@one_rank
def test_stopped_run_is_opened_unfinished(finished, tmp_path):
    stopped = tmp_path / "stopped"
    shutil.copytree(finished, stopped)
    (stopped / "ledger.csv").rename(stopped / "ledger.partial.csv")
    (stopped / "fields.vtkhdf").rename(stopped / "fields.partial.vtkhdf")
    results = open_results(stopped)
    assert isinstance(results, RunResults)
    assert not results.is_finished
    assert results.read("composition").size == len(results.grid.points)


@serial
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["plot", "nowhere"], "nowhere: no such folder"),
        (["plot", "."], "holds no results of a run: it has no config.toml"),
        (["plot", "RUN", "--field", "compositon"], "did you mean 'composition'?"),
        (["plot", "RUN", "--time", "5"], "--time: '5' has no unit"),
        (["plot", "RUN", "--output", "c.jpeg"], "--output: c.jpeg is no picture"),
        (["plot", "RUN", "--output", "no/c.png"], "a folder that does not exist"),
        (["analyse", "nowhere"], "nowhere: no such folder"),
        (["analyse", "."], "holds no results of a run"),
    ],
)
def test_bad_words_are_refused(finished, tmp_path, monkeypatch, capfd, words, complaint):
    monkeypatch.chdir(tmp_path)
    assert cli.main([str(finished) if word == "RUN" else word for word in words]) == 2
    assert complaint in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


@one_rank
def test_damaged_records_are_refused(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    (copy / "provenance.json").write_text("[")
    with pytest.raises(InputError, match=r"provenance\.json: cannot be read"):
        chemomech.open_run(copy)
    (copy / "provenance.json").write_text(json.dumps({}))
    for file in copy.glob("fields.*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    with pytest.raises(InputError, match=r"output\.fields = false"):
        chemomech.open_run(copy)


@serial
def test_stress_map_is_opened(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["phantom", "wire"]) == 0
    monkeypatch.chdir(tmp_path / "wire")
    assert cli.main(["measure", "measure.toml", "--set", "output.pictures=false"]) == 0
    assert cli.main(["stress", "stress.toml", "--set", "output.pictures=false"]) == 0
    results = open_results("stress-results")
    assert isinstance(results, StressResults)
    assert results.read("von_mises").max() > 1e6
    assert cli.main(["plot", "stress-results", "--field", "principal_1"]) == 0
    assert imread("principal_1.png").std() > 0.05
    assert "principal_1.png: principal_1\n" in capfd.readouterr().out


@one_rank
def test_documented_code_runs(finished, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bent_nanowire-results").symlink_to(finished)
    page = Path(__file__).resolve().parents[3] / "docs" / "analysis.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block, "analysis.md", "exec"), {})
    assert "composition" in capfd.readouterr().out
    assert (tmp_path / "pattern.svg").stat().st_size > 1000


def test_commands_run_on_any_number_of_ranks(finished, capfd):
    path = finished.parent / "stress_along.svg"
    assert cli.main(["plot", str(finished), "--field", "stress_along", "--output", str(path)]) == 0
    assert cli.main(["analyse", str(finished)]) == 0
    said = capfd.readouterr().out
    assert (said.count("stress_along at"), said.count("Domains at")) == (int(COMM.rank == 0),) * 2
    assert path.exists()
