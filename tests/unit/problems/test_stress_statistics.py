"""Percentiles, regions and tables of cell stresses."""

import csv
import math

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.phases import Phase
from chemomech.problems.stress_measures import compute_percentiles
from chemomech.problems.stress_regions import Regions
from chemomech.problems.stress_statistics import (
    StressStatistics,
    StressTable,
    _StressRow,
    create_stress_bands,
    write_stress_bands,
    write_stress_table,
)

COMM = MPI.COMM_WORLD
TWO = (Phase("rich", 0.6, 1.0), Phase("poor", 0.0, 0.4))


@pytest.fixture
def strip():
    """A strip of 80 nm x 20 nm in cells of 10 nm, c = x / length, and its mesh."""
    domain = create_domain(Box((80e-9, 20e-9)), 10e-9, COMM)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c.interpolate(lambda x: x[0] / 80)
    return domain, c


def uniaxial(value):
    return ufl.as_matrix([[value, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_stress_of_cells_is_their_mean(strip):
    """sigma_xx = x: its cell means are the columns' middles, 5 nm to 75 nm."""
    domain, c = strip
    x = ufl.SpatialCoordinate(domain.mesh)
    table = StressStatistics(uniaxial(x[0]), c, domain, 2.0).compute()
    row = table.find("principal_1", "all")
    assert row.volume == pytest.approx(80e-9 * 20e-9)
    assert (row.minimum, row.maximum) == pytest.approx((10.0, 150.0))
    assert row.mean == pytest.approx(80.0)
    # Eight columns of equal weight, linear between their middles.
    assert row.percentiles == pytest.approx([10, 10, 40, 80, 120, 150, 150])
    assert table.find("hydrostatic", "all").mean == pytest.approx(80.0 / 3)
    assert table.find("von_mises", "all").mean == pytest.approx(80.0)
    with pytest.raises(InputError, match="stress_along"):
        table.find("stress_along", "all")


@pytest.mark.parametrize(
    ("shift", "distance", "expected"),
    [
        # c = 0.5, the middle of the gap, is crossed within the column from 30 to 40 nm.
        (0.01, 0.0, (35, 35)),
        # At x = 40 nm, columns whose middles are 5 and 15 nm away lie within 15.5 nm.
        (0.0, 15.5e-9, (25, 55)),
        (0.0, 14.5e-9, (35, 45)),
    ],
)
def test_phases_and_boundaries(strip, shift, distance, expected):
    domain, c = strip
    c.x.array[:] += shift
    stress = uniaxial(ufl.SpatialCoordinate(domain.mesh)[0])
    regions = Regions(TWO, distance)
    table = StressStatistics(stress, c, domain, 1.0, regions=regions).compute()
    names = [row.region for row in table.rows[:4]]
    assert names == ["all", "poor", "rich", "boundaries"]
    poor, rich, walls = (table.find("von_mises", name) for name in names[1:])
    # Columns at 5, 15, 25 (c up to 0.32) and at 55, 65, 75 (c from 0.69).
    assert (poor.minimum, poor.maximum, poor.mean) == pytest.approx((5, 25, 15))
    assert (rich.minimum, rich.maximum, rich.mean) == pytest.approx((55, 75, 65))
    assert (walls.minimum, walls.maximum) == pytest.approx(expected)


def test_cells_can_be_left_out(strip):
    domain, c = strip
    x = ufl.SpatialCoordinate(domain.mesh)
    owned = domain.mesh.topology.index_map(2).size_local
    tips = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    tips.interpolate(lambda x: np.where(np.abs(x[0] - 40) > 30, 1.0, 0.0))
    marks = tips.x.array[tips.function_space.dofmap.list[:owned, 0]] > 0.5
    table = StressStatistics(uniaxial(x[0]), c, domain, 1.0, excluded=marks).compute()
    row = table.find("von_mises", "all")
    assert (row.minimum, row.maximum) == pytest.approx((15, 65))
    assert row.volume == pytest.approx(60e-9 * 20e-9)


def test_frame_of_the_wire(strip):
    """sigma = s e e^T with e at 30 degrees to the wire: s cos^2, s sin^2, s sin cos."""
    domain, c = strip
    angle, along = np.pi / 6, np.pi / 4
    e = ufl.as_vector([np.cos(along + angle), np.sin(along + angle), 0])
    tangent = fem.Function(fem.functionspace(domain.mesh, ("DG", 0, (2,))))
    tangent.interpolate(lambda x: np.full((2, x.shape[1]), np.sqrt(0.5)))
    table = StressStatistics(7.0 * ufl.outer(e, e), c, domain, 1.0, tangent=tangent).compute()
    expected = {
        "stress_along": 7 * np.cos(angle) ** 2,
        "stress_normal": 7 * np.sin(angle) ** 2,
        "stress_shear": 7 * np.sin(angle) * np.cos(angle),
        "principal_1": 7,
        "principal_2": 0,
        "principal_3": 0,
    }
    for name, value in expected.items():
        assert table.find(name, "all").mean == pytest.approx(value, abs=1e-12)


def test_region_without_cells_is_not_a_zero(strip, tmp_path):
    domain, c = strip
    regions = Regions((Phase("beyond", 2.0, math.inf), *TWO))
    table = StressStatistics(uniaxial(1.0), c, domain, 1.0, regions=regions).compute()
    row = table.find("von_mises", "beyond")
    assert row.volume == 0.0
    assert np.isnan([row.mean, row.minimum, row.maximum, *row.percentiles]).all()


def test_weighted_percentiles_are_those_of_repeated_values():
    rng = np.random.default_rng(1)
    values, counts = rng.normal(size=300), rng.integers(1, 6, 300)
    levels = (1, 5, 25, 50, 75, 95, 99)
    weighted = compute_percentiles(values, counts.astype(float), levels)
    repeated = np.sort(np.repeat(values, counts))
    # A value of weight w stands in the middle of its w copies: the ranks differ by w / 2 at most.
    middle = np.array(levels) / 100 * len(repeated)
    low = repeated[np.clip(np.floor(middle - 3.5), 0, len(repeated) - 1).astype(int)]
    high = repeated[np.clip(np.ceil(middle + 3.5), 0, len(repeated) - 1).astype(int)]
    assert ((low <= weighted) & (weighted <= high)).all()
    np.testing.assert_allclose(compute_percentiles(values, np.ones(300), (50,)), np.median(values))


def test_bands_over_samples():
    def table(value, volume=1.0):
        row = _StressRow("von_mises", "all", 1.0, value, value - 1, value + 1, (value,))
        part = _StressRow("von_mises", "rich", volume, *(value, value, value), (value,))
        return StressTable((row, part), (50.0,), 2)

    numbers = np.arange(21.0)
    tables = [table(n, volume=float(n < 10)) for n in numbers]
    bands = create_stress_bands(tables)
    assert [row.statistic for row in bands.rows[:4]] == ["mean", "minimum", "p50", "maximum"]
    first = bands.rows[0]
    assert (first.samples, first.mean, first.low, first.high) == pytest.approx((21, 10, 1, 19))
    assert first.deviation == pytest.approx(numbers.std(ddof=1))
    rich = bands.rows[4]
    assert (rich.region, rich.samples, rich.mean) == ("rich", 10, pytest.approx(4.5))
    alone = create_stress_bands([table(1.0)]).rows[0]
    assert alone.mean == 1.0
    assert math.isnan(alone.deviation)
    for wrong in ([], [table(1.0), StressTable((), (50.0,), 2)]):
        with pytest.raises(InputError, match="same stresses"):
            create_stress_bands(wrong)


def test_files(strip, tmp_path):
    domain, c = strip
    folder = COMM.bcast(tmp_path)
    x = ufl.SpatialCoordinate(domain.mesh)
    statistics = StressStatistics(uniaxial(x[0]), c, domain, 1.0, regions=Regions(TWO))
    table = statistics.compute()
    write_stress_table(folder / "table.csv", table, COMM)
    write_stress_bands(folder / "bands.csv", create_stress_bands([table, table]), COMM)
    COMM.barrier()
    with (folder / "table.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0])[:5] == ["stress", "region", "area_m2", "mean_Pa", "minimum_Pa"]
    assert len(lines) == len(table.rows)
    assert float(lines[0]["p95_Pa"]) == table.rows[0].percentiles[5]
    with (folder / "bands.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert float(lines[0]["mean_Pa"]) == table.rows[0].mean
    assert float(lines[0]["standard_deviation_Pa"]) == 0.0
    with pytest.raises(OSError, match="missing"):
        write_stress_table(folder / "missing" / "table.csv", table, COMM)


def test_three_dimensions():
    domain = create_domain(Box((20e-9, 20e-9, 20e-9)), 10e-9, COMM)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c.interpolate(lambda x: x[2] / 20)
    x = ufl.SpatialCoordinate(domain.mesh)
    regions = Regions((Phase("low", 0, 0.4), Phase("high", 0.4, 1)), 0.0)
    table = StressStatistics(uniaxial(x[2]), c, domain, 1.0, regions=regions).compute()
    assert table.find("von_mises", "all").volume == pytest.approx(20e-9**3)
    walls = table.find("von_mises", "boundaries")
    assert (walls.minimum, walls.maximum) == pytest.approx((5, 5))


@pytest.mark.parametrize(
    ("phases", "distance", "message"),
    [
        ((Phase("a", 0, 0.5), Phase("b", 0.4, 1)), None, "overlap"),
        ((Phase("a", 0, 0.5), Phase("a", 0.6, 1)), None, "same name"),
        ((Phase("all", 0, 1),), None, "cannot be called 'all'"),
        ((Phase("a", 0, 0.5),), 1e-9, "at least two"),
        (TWO, -1e-9, "zero or positive"),
    ],
)
def test_regions_that_make_no_sense(phases, distance, message):
    with pytest.raises(InputError, match=message):
        Regions(phases, distance)


@pytest.mark.parametrize("wrong", [("a", 1.0, 0.0), ("a", math.nan, 1.0), ("", 0.0, 1.0)])
def test_phases_that_make_no_sense(wrong):
    with pytest.raises(InputError, match="phase"):
        Phase(*wrong)


def test_statistics_refuse_what_they_cannot_use(strip):
    domain, c = strip
    rough = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    with pytest.raises(InputError, match="degree 1"):
        StressStatistics(uniaxial(1.0), rough, domain, 1.0)
    with pytest.raises(InputError, match="one mark"):
        StressStatistics(uniaxial(1.0), c, domain, 1.0, excluded=np.zeros(10**4, bool))
    with pytest.raises(InputError, match="0 to 100"):
        StressStatistics(uniaxial(1.0), c, domain, 1.0, levels=(101,))
