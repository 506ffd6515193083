"""Film stresses of records of curvature and strains of tables of unit cells, and their files."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.cli.tables import _lattice, _stoney
from chemomech.errors import InputError
from chemomech.materials.lattice import create_lattice_eigenstrain, read_phases

COMM = MPI.COMM_WORLD
DEMOS = Path(__file__).resolve().parents[3] / "demos"
AVOGADRO = 6.02214076e23
# The source paper's plate and film, and its constant by hand, in Pa m.
PLATE = {
    "film_thickness": "42.3 um",
    "young_modulus": "203 GPa",
    "poisson_ratio": 0.29,
    "substrate_thickness": "0.736 mm",
}
CONSTANT = 203e9 * 0.736e-3**2 / (6 * 42.3e-6 * 0.71)
HEADER = "name,x,a_angstrom,b_angstrom,c_angstrom,formula_units\n"
POOR, RICH = "poor,0,10,4,5,2\n", "rich,0.5,9.9,4,5.3,2\n"


@pytest.fixture
def folder(tmp_path):
    """One folder for all ranks."""
    yield COMM.bcast(tmp_path, root=0)
    COMM.barrier()


def write(path, text):
    if COMM.rank == 0:
        path.write_text(text, encoding="utf-8")
    COMM.barrier()
    return path


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


def tensor(row):
    names = [["tt", "tn", "tz"], ["tn", "nn", "nz"], ["tz", "nz", "zz"]]
    return np.array([[float(row[f"strain_{name}"]) for name in line] for line in names])


def run_stoney(file, *, positive_side="concave", output=None, **changes):
    return _stoney(
        file, **{**PLATE, **changes}, positive_side=positive_side, output=output, comm=COMM
    )


def test_each_row_gets_its_stress(folder):
    file = write(folder / "curvature.csv", "time_min,curvature_1/m\n0,0.5\n1,0.6\n2,0.2\n")
    text = run_stoney(file, output=folder / "stress.csv")
    rows = read(folder / "stress.csv")
    assert list(rows[0]) == ["time_s", "curvature_1/m", "curvature_change_1/m", "film_stress_Pa"]
    np.testing.assert_allclose(column(rows, "time_s"), [0, 60, 120])
    np.testing.assert_allclose(column(rows, "curvature_1/m"), [0.5, 0.6, 0.2])
    np.testing.assert_allclose(column(rows, "curvature_change_1/m"), [0, 0.1, -0.3], atol=1e-15)
    stresses = CONSTANT * np.array([0, 0.1, -0.3])
    np.testing.assert_allclose(column(rows, "film_stress_Pa"), stresses, atol=1e-6)
    assert "6.1024e+08 Pa m" in text
    assert "0.0016387 1/m" in text
    assert "+61.02 MPa at 60 s" in text
    assert "-183.1 MPa at 120 s" in text
    assert "+ tension, - compression" in text


def test_the_other_sign_convention_turns_the_stress(folder):
    file = write(folder / "radius.csv", "voltage_mV,radius_km\n3400,inf\n2800,-4\n")
    text = run_stoney(file, positive_side="convex", output=folder / "stress.csv")
    rows = read(folder / "stress.csv")
    np.testing.assert_allclose(column(rows, "voltage_V"), [3.4, 2.8])
    np.testing.assert_allclose(column(rows, "film_stress_Pa"), [0, CONSTANT / 4000])
    assert rows[0]["curvature_1/m"] == "0.0"
    assert "at 2.8 V" in text
    assert "where the film's side is convex" in text


def test_nothing_is_written_unless_asked(folder):
    file = write(folder / "curvature.csv", "time_s,curvature_1/m\n0,0.5\n")
    assert "+0 MPa at 0 s" in run_stoney(file)
    COMM.barrier()
    assert [path.name for path in folder.iterdir()] == ["curvature.csv"]


def test_demo_film_has_the_misfit_stress_it_was_made_for(folder):
    """-E eta Dc / (1 - nu) with eta = Omega C / 3 at a fifth of lithium per formula unit."""
    run_stoney(DEMOS / "curvature.csv", output=folder / "stress.csv")
    stress = column(read(folder / "stress.csv"), "film_stress_Pa")
    misfit = -43e9 * (2.415e-6 * 18500 / 3) * 0.2 / 0.7
    # Curvatures are given to four decimals.
    assert stress.min() == pytest.approx(misfit, abs=1e-4 * CONSTANT)
    assert stress[0] == stress[-1] == 0.0


@pytest.mark.parametrize(
    ("changes", "key", "match"),
    [
        ({"film_thickness": "42.3"}, "--film-thickness", "has no unit"),
        ({"film_thickness": "42.3 GPa"}, "--film-thickness", "a length"),
        ({"film_thickness": "-1 um"}, "--film-thickness", "greater than zero"),
        ({"film_thickness": "0.736 mm"}, "--film-thickness", "much thinner"),
        ({"young_modulus": "203 furlongs"}, "--young-modulus", "a modulus"),
        ({"young_modulus": "much"}, "--young-modulus", "begin with a number"),
        ({"poisson_ratio": 0.5}, "--poisson-ratio", "between -1 and 1/2"),
        ({"poisson_ratio": math.nan}, "--poisson-ratio", "between -1 and 1/2"),
        ({"substrate_thickness": "0 mm"}, "--substrate-thickness", "greater than zero"),
        ({"positive_side": "up"}, "--positive-side", "concave or convex"),
    ],
)
def test_bad_plates_are_refused_by_the_name_of_their_option(folder, changes, key, match):
    file = write(folder / "curvature.csv", "time_s,curvature_1/m\n0,0.5\n")
    with pytest.raises(InputError, match=match) as caught:
        run_stoney(file, output=folder / "stress.csv", **changes)
    assert (caught.value.key, caught.value.path) == (key, None)
    assert not (folder / "stress.csv").exists()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "the file is empty"),
        ("time_s,curvature\n0,1\n", "needs one column of"),
        ("time_s,curvature_1/m\n0,none\n", "no table of numbers"),
        ("time_s,curvature_1/m\n0,nan\n", "finite"),
        ("time_s,curvature_1/m\n0,0\n1,4000\n", "radius smaller than the plate is thick"),
        ("time_s,curvature_1/m\n0,1e308\n1,-1e308\n", "radius smaller than the plate is thick"),
    ],
)
def test_bad_records_are_refused(folder, text, match):
    file = write(folder / "curvature.csv", text)
    with pytest.raises(InputError, match=match) as caught:
        run_stoney(file, output=folder / "stress.csv")
    assert caught.value.path == str(file)
    assert not (folder / "stress.csv").exists()


def test_files_are_never_overwritten(folder):
    curvature = write(folder / "curvature.csv", "time_s,curvature_1/m\n0,0.5\n")
    cells = write(folder / "phases.csv", HEADER + POOR + RICH)
    mine = write(folder / "mine.csv", "mine")
    with pytest.raises(InputError, match="exists already") as caught:
        run_stoney(curvature, output=mine)
    assert caught.value.path == str(mine)
    with pytest.raises(InputError, match="exists already"):
        _lattice(cells, output=mine, comm=COMM)
    with pytest.raises(InputError, match="exists already"):
        _lattice(cells, output=folder, comm=COMM)
    assert mine.read_text() == "mine"


def test_folders_that_are_not_there_are_named_on_all_ranks(folder):
    cells = write(folder / "phases.csv", HEADER + POOR + RICH)
    with pytest.raises(FileNotFoundError) as caught:
        _lattice(cells, output=folder / "none" / "strains.csv", comm=COMM)
    assert str(caught.value.filename).endswith("strains.csv")
    with pytest.raises(InputError, match="no such file"):
        _lattice(folder / "none.csv", comm=COMM)


def test_volumes_and_partial_molar_volumes(folder):
    """alpha-V2O5 has 89.61 A^3 and 18 531 sites per m^3 and mole."""
    alpha, swollen = "alpha,0,11.512,3.564,4.368,2\n", "swollen,0.5,11.512,3.564,4.5,2\n"
    file = write(folder / "phases.csv", HEADER + swollen + alpha)
    text = _lattice(file, output=folder / "strains.csv", comm=COMM)
    first, second = read(folder / "strains.csv")
    assert (first["name"], second["name"]) == ("alpha", "swollen")
    assert float(first["volume_angstrom3"]) == pytest.approx(89.61, abs=0.005)
    volumes = np.array([4.368, 4.5]) * 11.512 * 3.564 / 2
    for row, volume in zip((first, second), volumes, strict=True):
        assert float(row["molar_volume_m3/mol"]) == pytest.approx(volume * 1e-30 * AVOGADRO)
        assert float(row["site_concentration_mol/m3"]) == pytest.approx(
            1e30 / volume / AVOGADRO, rel=1e-12
        )
    assert first["partial_molar_volume_m3/mol"] == ""
    omega = (volumes[1] - volumes[0]) / 0.5 * 1e-30 * AVOGADRO
    assert float(second["partial_molar_volume_m3/mol"]) == pytest.approx(omega, rel=1e-9)
    assert "18531" in text
    assert f"{omega:.4e}" in text


def test_strains_lie_in_the_wires_frame(folder):
    output = folder / "strains.csv"
    text = _lattice(DEMOS / "fictitious_phases.csv", axes="bca", output=output, comm=COMM)
    poor, medium, rich = map(tensor, read(output))
    np.testing.assert_array_equal(poor, np.zeros((3, 3)))
    np.testing.assert_allclose(medium, np.diag([0.0, 0.02, -0.005]), atol=1e-12)
    # Stretch squared is the ratio of the metrics; a and c enclose 91 degrees, b is along the wire.
    metric = np.diag([1.01**2, 1.06**2, 0.99**2])
    metric[1, 2] = metric[2, 1] = 1.06 * 0.99 * math.cos(math.radians(91.0))
    np.testing.assert_allclose((np.eye(3) + rich) @ (np.eye(3) + rich), metric, atol=1e-11)
    assert "Relative to fictitious poor" in text
    assert "-0.00000" not in text


def test_strains_are_those_of_the_stress_of_maps(folder):
    file = DEMOS / "fictitious_phases.csv"
    _lattice(file, axes="cab", output=folder / "strains.csv", comm=COMM)
    law = create_lattice_eigenstrain(read_phases(file), 0.0, "cab")
    strains = [tensor(row) for row in read(folder / "strains.csv")]
    np.testing.assert_allclose(strains, law.strains, atol=1e-12)


def test_any_phase_can_be_the_one_without_strain(folder):
    file = write(folder / "phases.csv", HEADER + POOR + RICH)
    text = _lattice(file, reference="rich", output=folder / "strains.csv", comm=COMM)
    poor, rich = map(tensor, read(folder / "strains.csv"))
    np.testing.assert_allclose(poor, np.diag([10 / 9.9 - 1, 0, 5 / 5.3 - 1]), atol=1e-12)
    np.testing.assert_array_equal(rich, np.zeros((3, 3)))
    assert "Relative to rich" in text


def test_names_are_shown_as_they_are_written(folder):
    file = write(folder / "phases.csv", HEADER + "[red]α[/],0,10,4,5,2\n" + RICH)
    text = _lattice(file, output=folder / "strains.csv", comm=COMM)
    assert text.count("[red]α[/]") == 3
    assert read(folder / "strains.csv")[0]["name"] == "[red]α[/]"


@pytest.mark.parametrize(
    ("text", "match", "key"),
    [
        ("", "empty", None),
        (HEADER, "no phase", None),
        (HEADER + POOR, "two or more phases", None),
        (HEADER + POOR + "other,0,10,4,5,2\n", "two or more phases by rising", None),
        (HEADER + POOR + "rich,0.5,long,4,5,2\n", "no number", "line 3"),
        (HEADER + POOR + "rich,0.5,-1,4,5,2\n", "must be positive", "line 3"),
        (HEADER + POOR + "rich,0.5,10,4,10,4\n", "do not correspond", None),
        (HEADER + POOR + "rich,0.5,1.0,0.4,0.5,2\n", "outside the accepted range", None),
        (HEADER.replace("angstrom", "nm") + POOR + RICH, "outside the accepted range", None),
        (HEADER + POOR + "rich,0.5,1e200,1e200,5,2\n", "outside the accepted range", None),
        (HEADER + POOR + "rich,0.5,1e200,1e-200,5,2\n", "outside the accepted range", None),
        ("name,x\npoor,0\n", "header must be", None),
    ],
)
def test_bad_tables_of_phases_are_refused(folder, text, match, key):
    file = write(folder / "phases.csv", text)
    with pytest.raises(InputError, match=match) as caught:
        _lattice(file, output=folder / "strains.csv", comm=COMM)
    assert (caught.value.path, caught.value.key) == (str(file), key)
    assert not (folder / "strains.csv").exists()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ({"axes": "ab"}, "--axes"),
        ({"axes": "aab"}, "--axes"),
        ({"axes": "BCA"}, "--axes"),
        ({"reference": "none"}, "--reference"),
    ],
)
def test_bad_words_are_refused(folder, words, key):
    file = write(folder / "phases.csv", HEADER + POOR + RICH)
    with pytest.raises(InputError, match="must name") as caught:
        _lattice(file, **words, comm=COMM)
    assert (caught.value.key, caught.value.path) == (key, None)


def test_a_name_given_twice_is_no_reference(folder):
    file = write(folder / "phases.csv", HEADER + POOR + RICH + "rich,0.7,9.9,4,5.4,2\n")
    with pytest.raises(InputError, match="must name one phase"):
        _lattice(file, reference="rich", comm=COMM)
