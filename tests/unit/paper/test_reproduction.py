"""What holds for every figure: its name, its folder, its page and its configurations."""

import json
import re
from pathlib import Path

import pytest
from mpi4py import MPI

from chemomech.cli import main
from chemomech.config import load_config
from chemomech.errors import InputError
from chemomech.paper.figures import FIGURES, find_figure
from chemomech.paper.page import Film, Findings, Table
from chemomech.paper.reproduction import PAGE, Reproduction, find_configuration, reproduce
from chemomech.sweeps.cases import read_sweep

alone = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="figures are made by one process")

NUMBERS = Path(__file__).with_name("test_numbers.py")
SWEEPS = ["4B", "4C-H", "4C-H-strips", "5"]
SWEEPS += ["bending", "lithiation", "anisotropy", "solids", "particle"]
#: Walls of the six kappas of figure 4, in nm.
WIDTHS = [2.5, 5, 10, 20, 40, 80]


class Maker:
    """A figure that notes that it was made, and can be stopped on the way."""

    def __init__(self):
        self.made, self.stops = 0, False

    def make(self, work):
        self.made += 1
        (work.folder / "figure.png").write_bytes(b"picture")
        if self.stops:
            raise KeyboardInterrupt
        table = Table("numbers", "Numbers", {"a": [1.23456789, "x"], "b": [None, 2]})
        # Of the pages of figures 4B and particle.
        values = {"kappas": [1e-14, 2e-14], "slope": 0.5, "deviation": 0.0123, "ends": {}}
        return Findings(values, [table], [Film("figure.png", "It moves.")])


@pytest.fixture
def maker(monkeypatch):
    made = Maker()
    monkeypatch.setattr("chemomech.paper.reproduction.import_module", lambda name: made)
    return made


@pytest.fixture
def work(tmp_path):
    return Reproduction(find_figure("4b"), tmp_path / "figure")


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_figure_is_found_and_held_to_its_numbers(figure):
    """Each is made by a test of its own in test_numbers, with figures from theory or data."""
    assert find_figure(figure.name.lower()) is figure
    numbers = NUMBERS.read_text(encoding="utf-8")
    assert f'make("{figure.name}"' in numbers


def test_unknown_figure_is_refused():
    with pytest.raises(InputError, match=r"no figure '2Z'.*4B") as caught:
        find_figure("2Z")
    assert caught.value.key == "FIG"


@alone
def test_page_and_tables(work, maker):
    assert str(work.folder / PAGE) in reproduce(work)
    page = (work.folder / PAGE).read_text(encoding="utf-8")
    for words in (
        f"# Figure 4B: {work.figure.title}",
        "`chemomech reproduce 4B`",
        "## What the paper shows\n\nComposition across a wall",
        "Walls of 2 gradient coefficients from 1e-14 to 2e-14 J m2/mol",
        "log(kappa) is **0.5000**",
        "\n\nLaws: a regular solution (chi = 2.75) with a gradient energy",
        "eqn (4) is **1.23%**",
        "![Profiles, the same over distance/√kappa, widths.",
        "- [It moves.](figure.png)",
        "\n\n| a | b |\n| --- | --- |\n",
        "## Where they differ, and why\n\nThe paper gives neither",
    ):
        assert words in page
    assert "| 1.235 | – |" in page
    assert (work.folder / "data" / "numbers.csv").read_text() == "a,b\n1.23456789,\nx,2\n"
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert links
    assert all((work.folder / link).exists() for link in links)


@alone
def test_finished_figure_is_not_overwritten(work, maker):
    reproduce(work)
    with pytest.raises(InputError, match="holds a page already"):
        reproduce(work)
    assert maker.made == 1


@alone
def test_unfinished_figure_is_gone_on_with(work, maker):
    maker.stops = True
    with pytest.raises(KeyboardInterrupt):
        reproduce(work)
    maker.stops = False
    reproduce(work)
    assert (work.folder / PAGE).exists()


@alone
@pytest.mark.parametrize(
    "mark", [None, "{", json.dumps({"figure": "4A", "short": False}), json.dumps({"figure": "4B"})]
)
def test_folder_of_something_else_is_left_alone(work, maker, mark):
    work.folder.mkdir()
    (work.folder / "mine.txt").write_text("mine")
    if mark is not None:
        (work.folder / "reproduction.json").write_text(mark)
    with pytest.raises(InputError, match="holds something else"):
        reproduce(work)
    assert maker.made == 0
    assert not (work.folder / PAGE).exists()


@alone
def test_file_instead_of_a_folder_is_refused(work, maker):
    work.folder.write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        reproduce(work)
    assert work.folder.read_text() == "mine"


@pytest.mark.parametrize("name", [*SWEEPS, *(f"{name}-short" for name in SWEEPS)])
@alone
def test_sweeps_are_valid(name):
    assert len(read_sweep(find_configuration(name)).cases) > 1


@alone
@pytest.mark.parametrize("name", ["4B", "4C-H"])
def test_kappas_are_those_of_the_six_walls(name):
    cases = read_sweep(find_configuration(name)).cases
    widths = [1e9 * case.config.material.interface_width for case in cases]
    assert widths == pytest.approx(WIDTHS, rel=2e-4)


@alone
def test_wires_of_figure_4_differ_in_kappa_mesh_and_time_only():
    """One noise, one shape, one material: whatever else is the same in every case."""
    first, *others = (
        case.config.model_dump() for case in read_sweep(find_configuration("4C-H")).cases
    )
    for other in others:
        assert {key for key in first if first[key] != other[key]} == {"material", "mesh", "time"}
        assert other["initial"]["seed"] == first["initial"]["seed"]


def test_particle_is_valid():
    assert load_config(find_configuration("1A"), MPI.COMM_WORLD).schedule.cycles == 5


@alone
def test_configuration_takes_the_place_of_the_base(tmp_path, maker):
    text = find_configuration("outlined").read_text(encoding="utf-8")
    mine = tmp_path / "my wire.toml"
    outline = find_configuration("outlined").with_name("tapered_wire.geojson")
    mine.write_text(
        text.replace("tapered_wire.geojson", str(outline)).replace("mean = 0.4", "mean = 0.3")
    )
    cases = read_sweep(find_configuration("particle"), mine).cases
    assert [case.config.initial.mean for case in cases] == [0.3, 0.3]
    assert [case.config.mechanics.stress_in_bulk for case in cases] == [True, False]
    figure = find_figure("particle")
    work = Reproduction(figure, tmp_path / "figure", base=mine)
    maker.stops = True
    with pytest.raises(KeyboardInterrupt):
        reproduce(work)
    # What was begun with one configuration is not gone on with with another.
    with pytest.raises(InputError, match="holds something else"):
        reproduce(Reproduction(figure, tmp_path / "figure"))
    maker.stops = False
    reproduce(work)
    page = (work.folder / PAGE).read_text(encoding="utf-8")
    assert f"`chemomech reproduce particle --base '{mine}'`" in page


def test_list(capfd):
    assert main(["reproduce", "--list"]) == 0
    if MPI.COMM_WORLD.rank == 0:
        said = capfd.readouterr().out
        assert all(figure.name in said for figure in FIGURES)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "name a figure"),
        (["9Z"], "there is no figure '9Z'"),
        pytest.param(
            ["4B", "--base", "mine.toml"], "--base: figure 4B takes no configuration", marks=alone
        ),
        pytest.param(["particle", "--base", "mine.toml"], "mine.toml", marks=alone),
    ],
)
def test_bad_words_are_refused(words, complaint, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *words]) == 2
    if MPI.COMM_WORLD.rank == 0:
        assert complaint in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(MPI.COMM_WORLD.size == 1, reason="about several ranks")
def test_mpirun_is_refused(tmp_path, capfd):
    assert main(["reproduce", "4A", "--output", str(tmp_path / "figure")]) == 2
    if MPI.COMM_WORLD.rank == 0:
        assert "without mpirun" in capfd.readouterr().err
