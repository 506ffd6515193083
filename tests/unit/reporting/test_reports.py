"""Pages about runs, measurements, stress maps and sweeps, and what they refuse."""

import json
import re
import shutil

import pytest
import tomli_w
from mpi4py import MPI

from chemomech.cli import main
from chemomech.errors import InputError
from chemomech.reporting.writing import write_report
from chemomech.sweeps.cases import read_sweep

COMM = MPI.COMM_WORLD
alone = pytest.mark.skipif(COMM.rank > 0, reason="reports are written by one rank")
one_process = pytest.mark.skipif(COMM.size > 1, reason="one process makes these results")

TABLE = {
    "geometry": {"kind": "nanowire", "width": "40 nm", "legs": "60 nm"},
    "mesh": {"size": "5 nm"},
    "material": {
        "free_energy": {"kind": "regular_solution", "chi": 2.75},
        "gradient": {"interface_width": "20 nm"},
        "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
    },
    "initial": {"kind": "noise", "mean": 0.5, "seed": 3},
    "time": {"end": "3 s"},
    "output": {"count": 4},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder of a small run that all ranks see."""
    place = COMM.bcast(tmp_path_factory.mktemp("reports"))
    if COMM.rank == 0:
        (place / "wire.toml").write_text(tomli_w.dumps(TABLE))
    COMM.barrier()
    words = ["run", str(place / "wire.toml"), "--output", str(place / "wire"), "--quiet"]
    assert main(words) == 0
    COMM.barrier()
    return place / "wire"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Folders of a measurement and of its stress map."""
    wire = tmp_path_factory.mktemp("images") / "wire"
    assert main(["phantom", str(wire)]) == 0
    measured = wire / "measure-results"
    assert main(["measure", str(wire / "measure.toml"), "--output", str(measured)]) == 0
    words = ["stress", str(wire / "stress.toml"), "--output", str(wire / "stress-results")]
    assert main([*words, "--set", "mesh.size=40 nm"]) == 0
    return measured, wire / "stress-results"


def copy(folder, place):
    return shutil.copytree(folder, place / "copy")


def find_addresses(text):
    """Whatever the page's own markup points at; the library inside is left out."""
    markup = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    return re.findall(r'(?:src|href)="([^"]*)"', markup)


@alone
def test_run(run, tmp_path):
    path = write_report(run, tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert all(address.startswith("data:") for address in find_addresses(text))
    record = json.loads((run / "provenance.json").read_text())
    for words in (record["config_sha256"], "time simulated", "Li-rich domains", "video/mp4"):
        assert words in text
    start = f"mpirun -n {COMM.size} " if COMM.size > 1 else ""
    assert f'<pre id="command">{start}chemomech run config.toml</pre>' in text
    assert text.count("<img ") == len(list((run / "pictures").glob("*.png"))) - 1
    assert '<ul class="gaps">' not in text


@alone
def test_missing_parts_are_told(run, tmp_path):
    folder = copy(run, tmp_path)
    (folder / "movie.mp4").unlink()
    shutil.rmtree(folder / "pictures")
    text = write_report(folder).read_text(encoding="utf-8")
    assert "there is no film" in text
    assert "there are no pictures" in text
    assert "<video" not in text


@alone
def test_page_is_not_overwritten_unasked(run, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_report(run, path)
    assert path.read_text() == "mine"
    write_report(run, path, replace=True)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


@alone
def test_names_cannot_break_the_page(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "a<b>&c")
    text = write_report(folder).read_text(encoding="utf-8")
    assert "<h1>Simulation a&lt;b&gt;&amp;c</h1>" in text


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: shutil.rmtree(folder), "no such folder"),
        (lambda folder: (folder / "config.toml").unlink(), "holds no results of a run"),
        (lambda folder: (folder / "provenance.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "ledger.csv").unlink(), "holds no results of a run"),
    ],
)
@alone
def test_what_is_no_result_is_refused(run, tmp_path, damage, complaint):
    folder = copy(run, tmp_path)
    damage(folder)
    with pytest.raises(InputError, match=complaint):
        write_report(folder, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@alone
def test_page_in_no_folder_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_report(run, tmp_path / "nowhere" / "page.html")


@one_process
def test_measurement_and_stress(images, tmp_path):
    measured, stressed = (
        write_report(folder, tmp_path / f"{number}.html").read_text(encoding="utf-8")
        for number, folder in enumerate(images)
    )
    assert "chemomech measure config.toml" in measured
    assert "plotly" not in measured.lower()
    assert "chemomech stress config.toml" in stressed
    assert "von Mises, 95th percentile" in stressed
    assert "Stress by region" in stressed
    for text in (measured, stressed):
        assert all(address.startswith("data:") for address in find_addresses(text))


@pytest.mark.slow
@one_process
def test_sweep(run, tmp_path):
    text = f"""
base = "{run.parent / "wire.toml"}"
[set]
"time.end" = "0.5 s"
"output.pictures" = false
"output.movie" = false
[[axis]]
key = "initial.seed"
values = [1, 2]
"""
    (tmp_path / "sweep.toml").write_text(text)
    folder = tmp_path / "two<wires>"
    assert main(["sweep", str(tmp_path / "sweep.toml"), "--output", str(folder)]) == 0
    page = write_report(folder).read_text(encoding="utf-8")
    assert "What came of the finished cases" in page
    assert re.findall(r'<option value="(\d)">(seed-\d)', page) == [("0", "seed-1"), ("1", "seed-2")]
    assert "chemomech sweep sweep.toml" in page
    # What the page tells to run is there, and is the same sweep.
    again = read_sweep(folder / "sweep.toml")
    assert [case.name for case in again.cases] == ["seed-1", "seed-2"]
    assert again.cases[0].config.time.end == 0.5
    assert "<wires>" not in page
    (folder / "summary.csv").unlink()
    (folder / "overview.png").unlink()
    cases = folder / "cases.csv"
    cases.write_text(re.sub("(seed-2,2,)done", r"\1failed", cases.read_text()))
    gaps = write_report(folder, replace=True).read_text(encoding="utf-8")
    assert "there is no summary" in gaps
    assert "there is no overview" in gaps
    # The one case that is left needs no choice.
    assert 'id="field"' in gaps
    assert 'id="case"' not in gaps
    (folder / "seed-1" / "results" / "fields.vtkhdf").unlink()
    without = write_report(folder, replace=True).read_text(encoding="utf-8")
    assert "seed-1 is not in the view: holds no fields" in without
    assert 'id="view"' not in without


def test_command(run, capfd):
    place = COMM.bcast(run.parent / f"page{COMM.size}.html")
    assert main(["report", str(run), "--output", str(place)]) == 0
    assert main(["report", str(run), "--output", str(place)]) == 2
    said = capfd.readouterr()
    if COMM.rank == 0:
        assert "opens without a network" in said.out
        assert "--force replaces it" in said.err
    COMM.barrier()
    assert place.exists()
