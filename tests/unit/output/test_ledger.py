from dataclasses import replace

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.output.ledger import Ledger, LedgerRow, name_columns, read_ledger

ROW = LedgerRow(
    step=1,
    time_s=0.1,
    dt_s=1 / 3,
    rejected=2,
    newton_iterations=4,
    krylov_iterations=40,
    lithium_mean=0.5,
    lithium_balance_error=-1.2345678901234567e-16,
    energy_chemical_J=2e-12 / 3,
    energy_gradient_J=1e-13,
    energy_elastic_J=1e-14,
    energy_total_J=7.8e-13,
    c_min=0.01,
    c_max=0.99,
    von_mises_max_Pa=1e9,
    domains=3,
    wall_s=1.5,
)
HEADER_3D = (
    "step,time_s,dt_s,rejected,newton_iterations,krylov_iterations,lithium_mean,"
    "lithium_balance_error,energy_chemical_J,energy_gradient_J,energy_elastic_J,energy_total_J,"
    "c_min,c_max,von_mises_max_Pa,domains,wall_s"
)


def test_columns_are_those_agreed():
    assert ",".join(name_columns(3)) == HEADER_3D
    assert ",".join(name_columns(2)) == HEADER_3D.replace("_J,", "_J_per_m,")


def test_numbers_come_back_bit_for_bit(shared_path, comm):
    path = shared_path / "ledger.csv"
    with Ledger(path, 3, comm) as ledger:
        ledger.write(ROW)
        ledger.write(replace(ROW, step=2))
    columns = read_ledger(path)
    np.testing.assert_array_equal(columns["step"], [1, 2])
    assert columns["step"].dtype == np.int64
    for name in name_columns(3)[1:]:
        assert columns[name][0] == getattr(ROW, name)


def test_scalars_of_numpy_are_written_as_numbers(shared_path, comm):
    path = shared_path / "ledger.csv"
    row = replace(ROW, step=np.int64(2), dt_s=np.float64(0.1), c_max=np.float32(0.5))
    with Ledger(path, 3, comm) as ledger:
        ledger.write(row)
    assert "np." not in path.read_text()
    assert path.read_text().splitlines()[1].startswith("2,0.1,0.1,")


def test_each_line_is_there_at_once(shared_path, comm):
    path = shared_path / "ledger.csv"
    ledger = Ledger(path, 2, comm)
    assert read_ledger(path)["step"].size == 0
    comm.barrier()
    ledger.write(ROW)
    assert read_ledger(path)["energy_total_J_per_m"] == [ROW.energy_total_J]
    comm.barrier()
    ledger.close()


def test_unwritable_ledger_fails_on_all_ranks(shared_path, comm):
    with pytest.raises(FileNotFoundError):
        Ledger(shared_path / "nowhere" / "ledger.csv", 2, comm)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "other columns"),
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
