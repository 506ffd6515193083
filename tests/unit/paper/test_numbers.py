"""The figures' numbers against theory and reference data."""

import csv
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from mpi4py import MPI

from chemomech.analysis.results import open_run
from chemomech.cli import main
from chemomech.materials.lattice import create_v2o5_volumes, read_phases
from chemomech.paper.reproduction import find_configuration
from chemomech.paper.strained_phases import create_fibre, find_phase_line

DEMOS = Path(__file__).resolve().parents[3] / "demos"

alone = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="figures are made by one process")


@pytest.fixture
def make(tmp_path):
    """Return a function that makes a figure and hands over its folder."""

    def run(name, *words):
        folder = tmp_path / name
        assert main(["reproduce", name, "--output", str(folder), *words]) == 0
        assert "None" not in (folder / "page.md").read_text(encoding="utf-8")
        return folder

    return run


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "data" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def is_drawn(path):
    return imread(path)[..., :3].std() > 0.02


def test_phase_lines_end_where_phases_do():
    free = find_phase_line("free", 0.0)
    held = find_phase_line("held", create_fibre(plane_strain=True).chi_shift)
    assert free.chi[0] == pytest.approx(2.0, abs=1e-4)
    assert held.chi[0] == pytest.approx(2.29707, abs=1e-4)
    assert np.all(free.binodal < free.spinodal)
    assert np.interp(2.75, held.chi, held.spinodal) == pytest.approx(0.28515, abs=1e-4)


@alone
def test_figure_4a(make):
    """Spinodal and binodal at chi = 2.75: free, and with the coherency of plane strain."""
    folder = make("4A")
    free, _, held = read(folder, "phases")
    assert float(free["spinodal_poor"]) == pytest.approx(0.238884, abs=1e-6)
    assert float(held["chi_effective"]) == pytest.approx(2.4529, abs=1e-4)
    assert float(held["binodal_poor"]) == pytest.approx(0.15625, abs=1e-5)
    assert float(held["spinodal_rich"]) == pytest.approx(1 - 0.28515, abs=1e-5)
    radii = read(folder, "radii")
    assert radii[0]["radius_plane_stress_nm"] == ""
    assert is_drawn(folder / "figure.png")


@alone
@pytest.mark.slow
def test_figure_4b(make):
    """The slope of width over kappa, and eqn (4) with its barrier from the tie line."""
    walls = read(make("4B", "--short"), "widths")
    kappa, width = np.array(
        [[float(row[name]) for row in walls] for name in ("kappa_J_m2_per_mol", "width_nm")]
    )
    assert np.polyfit(np.log(kappa), np.log(width), 1)[0] == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(width, [5, 10, 20], rtol=0.01)


@alone
@pytest.mark.slow
def test_figure_4c_to_h(make):
    """With kappa walls widen and domains get fewer; the films of all runs are there."""
    folder = make("4C-H", "--short", "--jobs", "2")
    rows = read(folder, "patterns")
    domains = [int(row["domains"]) for row in rows]
    widths = [float(row["interface_width_nm"]) for row in rows]
    assert domains == sorted(domains, reverse=True)
    assert domains[0] > domains[-1]
    assert widths == sorted(widths)
    assert len(list(folder.glob("runs/*/results/movie.mp4"))) == 3
    assert is_drawn(folder / "composition.png")
    assert is_drawn(folder / "von_mises.png")


@alone
@pytest.mark.slow
def test_strips(make):
    """Counts within three standard deviations of an independent finite-volume code's."""
    counts = read(make("4C-H-strips", "--short"), "counts")
    assert [float(row["reference_domains"]) for row in counts] == [10.0, 6.4]
    for row in counts:
        off = float(row["domains"]) - float(row["reference_domains"])
        assert abs(off) < 3 * float(row["reference_deviation"])


@alone
@pytest.mark.slow
def test_figure_1a(make):
    """Stoney's constant for the paper's plate and film; the film's stress is found again."""
    folder = make("1A", "--short")
    assert "6.1024e+08 Pa m" in (folder / "page.md").read_text(encoding="utf-8")
    rows = read(folder, "film")
    found, true = (
        np.array([float(row[n]) for row in rows]) for n in ("stress_Pa", "true_stress_Pa")
    )
    # Noise of 2e-3 1/m is 1.2 MPa.
    assert np.std(found - true) == pytest.approx(1.22e6, rel=0.15)
    assert true.min() < -150e6
    assert is_drawn(folder / "particle.png")


@alone
@pytest.mark.slow
def test_imaged_wire(make):
    folder = make("3", "--short")
    all_over = next(row for row in read(folder, "stress") if row["region"] == "all")
    # The misfit of Dx = 0.2 bounds the stress: E eta Dx / (1 - nu) is 183 MPa.
    assert 10e6 < float(all_over["p95_Pa"]) < 183e6
    assert is_drawn(folder / "chain" / "stress-results" / "figure.png")


def test_strain_tables_are_those_of_the_laws():
    tables = {path.stem: read_phases(path) for path in find_configuration("5").parent.glob("*.csv")}
    lithium, volumes = create_v2o5_volumes()
    expected = {
        "strain_none": ([0, 1], [0, 0]),
        "strain_one_omega": ([0, 1], [0, 2.415e-6 * 18500 / 3]),
        "strain_volumes": (lithium, (volumes / volumes[0] - 1) / 3),
    }
    for name, (x, strain) in expected.items():
        assert [cell.x for cell in tables[name]] == pytest.approx(x)
        found = np.array([cell.eigenstrain(tables[name][0]) for cell in tables[name]])
        np.testing.assert_allclose(found, np.multiply.outer(strain, np.eye(3)), atol=6e-7)
    alpha, epsilon, *_, delta = tables["strain_cells"]
    for phase, edges in (epsilon, (-0.0089, -0.0011, 0.0325)), (delta, (-0.0228, 0.0101, 0.1344)):
        np.testing.assert_allclose(phase.eigenstrain(alpha), np.diag(edges), atol=5e-5)


@alone
@pytest.mark.slow
def test_lithiated_wire_beside_a_delithiated_one(make):
    """Misfits, and what they forbid: epsilon and delta cannot separate if strained alike."""
    folder = make("5", "--short")
    ends = {(row["wire"], row["law"]): row for row in read(folder, "wires")}
    law = "volumes V(x)"
    poor, rich = ends["delithiated", law], ends["lithiated", law]
    assert float(rich["misfit_along"]) == pytest.approx(0.0330, abs=1e-4)
    # E m^2 / (8 RTC), beyond twice the barrier of 0.0099.
    assert float(rich["coherent_cost_RTC"]) == pytest.approx(937.62 * 0.0330**2 / 8, rel=0.01)
    assert poor["outcome"] == "separates"
    assert rich["outcome"] != "separates"
    # The contrast of lithium is the same in both wires, and with one Omega so is the misfit.
    ratios = {row["law"]: row["ratio"] for row in read(folder, "ratios")}
    assert float(ratios["one Omega"]) == pytest.approx(1.0, abs=0.3)
    assert is_drawn(folder / "composition.png")


@alone
@pytest.mark.slow
def test_order_of_magnitude(make):
    folder = make("3-5", "--short")
    ratios = {row["reading"]: float(row["ratio"]) for row in read(folder, "readings")}
    assert len(ratios) == 8
    # Contrast alone: the same in both wires, whose patterns differ a little.
    assert ratios["normalised, free, constant Ω"] == pytest.approx(1.0, abs=0.3)
    # Ten times the swelling lies between epsilon and delta.
    assert ratios["normalised, free, V(x)"] > 3.0
    # Held at both ends, a wire feels all of its lithium, 0.8 against 0.2.
    assert ratios["normalised, rollers, constant Ω"] > 3.0
    assert is_drawn(folder / "figure.png")


@alone
@pytest.mark.slow
def test_tight_bend_sorts_the_lithium(make):
    """Below the radius at which the bend decides, the tensile side is rich; far above, neither."""
    tight, wide = read(make("bending", "--short"), "ends")
    assert float(tight["outer_half"]) - float(tight["inner_half"]) > 0.6
    assert abs(float(wide["outer_half"]) - float(wide["inner_half"])) < 0.2


@alone
@pytest.mark.slow
def test_eased_by_compression_the_inner_edge_fills_first(make):
    """Driven hard; driven gently, the tensile side is the richer one whatever the diffusion."""
    ends = read(make("lithiation", "--short"), "ends")
    gentle, gentle_eased, hard, hard_eased = (
        float(end["outer_half"]) - float(end["inner_half"]) for end in ends
    )
    assert gentle > 0.1
    assert gentle_eased > 0.1
    # D differs fourfold between the edges, and with it what diffuses in, by a factor of two.
    assert hard_eased < hard - 0.05
    assert hard_eased < -0.05


@alone
@pytest.mark.slow
def test_walls_lie_where_the_crystal_fits(make):
    """Along the wire, if its layers are stacked across it; across it, if strains are equal."""
    equal, _, stacked = read(make("anisotropy", "--short"), "ends")
    assert float(equal["orientation_deg"]) > 60.0
    assert float(stacked["orientation_deg"]) < 30.0


@alone
@pytest.mark.slow
def test_outlined_particle(make):
    """The energy of misfit is positive: while modes grow by themselves, all grow slower with it."""
    folder = make("particle", "--base", str(DEMOS / "outlined_particle.toml"), "--short")
    assert [row["run"] for row in read(folder, "ends")] == ["stress drives lithium", "it does not"]
    ledgers = [
        open_run(folder / "runs" / f"stress_in_bulk-{coupled}" / "results").ledger
        for coupled in (True, False)
    ]
    coupled, alone = (
        np.interp([0.25, 0.5], ledger["time_s"], ledger["c_max"] - ledger["c_min"])
        for ledger in ledgers
    )
    assert np.all(coupled < alone)
    assert alone[1] < 0.5
    assert is_drawn(folder / "composition.png")


@alone
@pytest.mark.slow
def test_solid_wires(make):
    folder = make("solids", "--short")
    assert [row["run"] for row in read(folder, "ends")] == ["40 nm by 30 nm", "40 nm by 10 nm"]
    assert is_drawn(folder / "composition.png")
