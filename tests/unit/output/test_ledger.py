import re
from pathlib import Path

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.output.ledger import Ledger, find_additional, name_columns, read_ledger

COLUMNS = name_columns(3)
LINE = (
    *(1, 0.1, 1 / 3, 2, 4, 40, 0.5, -1.2345678901234567e-16),
    *(2e-12 / 3, 1e-13, 1e-14, 7.8e-13, 0.01, 0.99, 1e9, 3, 1.5),
)
HEADER_3D = (
    "step,time_s,dt_s,rejected,newton_iterations,krylov_iterations,lithium_mean,"
    "lithium_balance_error,energy_chemical_J,energy_gradient_J,energy_elastic_J,energy_total_J,"
    "c_min,c_max,von_mises_max_Pa,domains,wall_s"
)
HEADER_REACTING = (
    "cycle,stage,mu_res_J_per_mol,voltage_V,current_A,charge_C,capacity_C,state_of_charge,"
    "overpotential_V,surface_von_mises_mean_Pa,surface_hydrostatic_mean_Pa,dissipation_W,"
    "surface_power_W"
)


def test_columns_are_those_agreed():
    assert ",".join(name_columns(3)) == HEADER_3D
    assert ",".join(name_columns(2)) == HEADER_3D.replace("_J,", "_J_per_m,")
    whole = f"{HEADER_3D},{HEADER_REACTING}"
    assert ",".join(name_columns(3, reacting=True)) == whole
    per_depth = {"energy_chemical_J", "energy_gradient_J", "energy_elastic_J", "energy_total_J"}
    per_depth |= {"current_A", "charge_C", "capacity_C", "dissipation_W", "surface_power_W"}
    flat = [f"{name}_per_m" if name in per_depth else name for name in whole.split(",")]
    assert list(name_columns(2, reacting=True)) == flat


def test_documentation_names_each_column_once():
    docs = Path(__file__).parents[3] / "docs"
    found = []
    for page, heading in (("results.md", "## The ledger"), ("cycles.md", "## What is recorded")):
        text = (docs / page).read_text(encoding="utf-8").split(heading)[1].split("\n## ")[0]
        cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        found += [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(found) == sorted(name_columns(3, reacting=True))


def test_numbers_come_back_bit_for_bit(shared_path, comm):
    path = shared_path / "ledger.csv"
    with Ledger(path, COLUMNS, comm) as ledger:
        ledger.write(LINE)
        ledger.write((2, *LINE[1:]))
    columns = read_ledger(path)
    np.testing.assert_array_equal(columns["step"], [1, 2])
    whole = ["step", "rejected", "newton_iterations", "krylov_iterations", "domains"]
    assert [name for name in COLUMNS if columns[name].dtype == np.int64] == whole
    assert [columns[name][0] for name in COLUMNS] == list(LINE)


def test_scalars_of_numpy_are_written_as_numbers(shared_path, comm):
    path = shared_path / "ledger.csv"
    with Ledger(path, COLUMNS, comm) as ledger:
        ledger.write((np.int64(2), np.float64(0.1), np.float32(0.5), *LINE[3:]))
    assert "np." not in path.read_text()
    assert path.read_text().splitlines()[1].startswith("2,0.1,0.5,")


def test_each_line_is_there_at_once(shared_path, comm):
    path = shared_path / "ledger.csv"
    ledger = Ledger(path, name_columns(2), comm)
    assert read_ledger(path)["step"].size == 0
    comm.barrier()
    ledger.write(LINE)
    assert read_ledger(path)["energy_total_J_per_m"] == [7.8e-13]
    comm.barrier()
    ledger.close()


def test_unwritable_ledger_fails_on_all_ranks(shared_path, comm):
    with pytest.raises(FileNotFoundError):
        Ledger(shared_path / "nowhere" / "ledger.csv", COLUMNS, comm)


def test_further_columns_are_read_and_told_apart(shared_path, comm):
    path = shared_path / "ledger.csv"
    with Ledger(path, (*COLUMNS, "pores", "roughness_m"), comm) as ledger:
        ledger.write((*LINE, 4, np.nan))
        ledger.write((*LINE, 5, 1e-9))
    columns = read_ledger(path)
    assert find_additional(columns) == ["pores", "roughness_m"]
    assert columns["pores"].tolist() == [4, 5]
    np.testing.assert_array_equal(columns["roughness_m"], [np.nan, 1e-9])


def test_two_columns_of_one_name_are_refused(shared_path, comm):
    with pytest.raises(InputError, match="two columns named c_max"):
        Ledger(shared_path / "ledger.csv", (*COLUMNS, "c_max"), comm)


def test_other_observables_do_not_continue_a_ledger(shared_path, comm):
    path = shared_path / "ledger.csv"
    with Ledger(path, (*COLUMNS, "pores"), comm) as ledger:
        ledger.write((*LINE, 4))
    with pytest.raises(InputError, match="continued: pores, cracks would"):
        Ledger(path, (*COLUMNS, "cracks"), comm, keep=1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("step,time_s\n", "other columns"),
        (HEADER_3D + "\n1,2,3\n", "breaks off"),
        (HEADER_3D + "\n" + ",".join(["x"] * 17) + "\n", "damaged"),
    ],
)
def test_what_is_no_ledger_is_refused(tmp_path, text, problem):
    path = tmp_path / "ledger.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_ledger(path)


def test_missing_ledger_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_ledger(tmp_path / "ledger.csv")
