"""The table of stresses for the terminal."""

import pytest

from chemomech.mapping.stress import _summarise_stress
from chemomech.problems.stress_statistics import StressBands, StressTable, _BandRow, _StressRow

STRESSES = (
    *("von_mises", "hydrostatic", "stress_along", "stress_normal", "stress_shear"),
    *("principal_1", "principal_2", "principal_3"),
)


@pytest.fixture
def table():
    rows = [
        _StressRow(stress, region, 1e-13, 12e6, -77e6, 88e6, (4.5e6, 31e6))
        for stress in STRESSES
        for region in ("all", "rich")
    ]
    return StressTable(tuple(rows), (50.0, 95.0), 2)


def test_megapascals_of_every_stress_but_regions_of_one(table):
    lines = _summarise_stress(table, None).splitlines()
    header = next(line for line in lines if "MPa" in line)
    assert header.split()[-3:] == ["mean", "p50", "p95"]
    numbered = [line for line in lines if line.split()[-3:] == ["12", "4.5", "31"]]
    assert len(numbered) == len(STRESSES) + 1
    assert sum("rich" in line for line in numbered) == 1
    assert any(line.strip().startswith("von Mises, rich") for line in numbered)
    # Extremes depend on the mesh, and stay in the file.
    assert not any("77" in line or "88" in line for line in lines)
    assert "±" not in "".join(lines)


def test_spread_stands_behind_the_number_it_belongs_to(table):
    row = _BandRow("von_mises", "all", "p95", 9, 31.5e6, 1.25e6, 30e6, 33e6)
    lines = _summarise_stress(table, StressBands((row,))).splitlines()
    (spread,) = [line for line in lines if "±" in line]
    assert spread.strip().startswith("von Mises ")
    assert spread.split()[-1] == "31±1.2"


def test_a_region_without_cells_does_not_fail(table):
    nan = float("nan")
    empty = _StressRow("von_mises", "poor", 0.0, nan, nan, nan, (nan, nan))
    text = _summarise_stress(StressTable((*table.rows, empty), table.levels, 2), None)
    assert any("poor" in line and "nan" in line for line in text.splitlines())
