"""Percentiles of the stress by region of a particle, their spread over samples, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from ufl.core.expr import Expr

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError, run_on_root
from chemomech.geometry.domain import Domain
from chemomech.problems.cell_stress import CellStress, CellValues
from chemomech.problems.stress_measures import (
    compute_components,
    compute_invariants,
    compute_percentiles,
)
from chemomech.problems.stress_regions import Regions
from chemomech.text_files import format_csv

LEVELS = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)

#: Ends of the band that nine in ten samples lie in, in per cent.
_BAND = (5.0, 95.0)


@dataclass(frozen=True)
class _StressRow:
    """One stress in a region, ``all``, a phase or ``boundaries``: statistics over volume in Pa.

    The volume is in m^3, in 2-D the area in m^2; where it is 0, the rest is NaN. The table has the
    levels of the percentiles; ``principal_1`` is the largest.
    """

    stress: str
    region: str
    volume: float
    mean: float
    minimum: float
    maximum: float
    percentiles: tuple[float, ...]


@dataclass(frozen=True)
class StressTable:
    """Volume-weighted statistics of cell stresses in 2-D or 3-D, a row for each stress and region.

    Levels are the percentiles that each row holds, in per cent.
    """

    rows: tuple[_StressRow, ...]
    levels: tuple[float, ...]
    dimension: int

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the columns of ``values``."""
        return ("mean", "minimum", *(f"p{level:g}" for level in self.levels), "maximum")

    @property
    def values(self) -> FloatArray:
        """All statistics in Pa, shape (rows, statistics)."""
        return np.array([[r.mean, r.minimum, *r.percentiles, r.maximum] for r in self.rows])

    def find(self, stress: str, region: str) -> _StressRow:
        """Return the row of a stress in a region."""
        for row in self.rows:
            if (row.stress, row.region) == (stress, region):
                return row
        raise InputError(f"the table has no stress '{stress}' in a region '{region}'")


class StressStatistics:
    """Statistics of the mean stress of each cell, weighted by volume.

    Each cell counts with its own mean stress tensor, not with the smoothed values at its vertices,
    from which the scalars are computed.

    Args:
        stress: 3 x 3 UFL tensor, read anew at each computation.
        composition: c, continuous and of degree 1; it tells phases and boundaries.
        domain: The mesh.
        scale: Factor from the problem's unit of stress to pascal.
        tangent: Unit vector along the wire, constant in each cell; None leaves its frame out.
        regions: What to look at beside the whole particle.
        excluded: A mark for each owned cell to leave out, such as those near the tips of a wire.
        levels: Percentiles wanted, in per cent.
    """

    def __init__(
        self,
        stress: Expr,
        composition: fem.Function,
        domain: Domain,
        scale: float,
        *,
        tangent: fem.Function | None = None,
        regions: Regions | None = None,
        excluded: BoolArray | None = None,
        levels: Sequence[float] = LEVELS,
    ) -> None:
        if not all(0 <= level <= 100 for level in levels):
            raise InputError("percentiles lie within 0 to 100", key="levels")
        self._comm = domain.mesh.comm
        self._dimension = domain.mesh.topology.dim
        self._levels = tuple(float(level) for level in levels)
        self._regions = regions or Regions()
        self._cells = CellStress(stress, composition, domain, scale, tangent, excluded)

    def compute(self) -> StressTable:
        """Tabulate the present state; collective, the same on all ranks and any number of them."""
        cells = self._cells.gather()

        def tabulate() -> StressTable:
            assert cells is not None
            rows = _create_rows(cells, self._regions, self._levels)
            return StressTable(rows, self._levels, self._dimension)

        return run_on_root(self._comm, tabulate)


@dataclass(frozen=True)
class _BandRow:
    """Spread of one number of a table over the samples in which the region has cells, in Pa.

    The statistic is ``mean``, ``minimum``, ``maximum`` or a percentile such as ``p95``; low and
    high are the 5th and 95th percentile over the samples. NaN without any, the deviation also with
    one.
    """

    stress: str
    region: str
    statistic: str
    samples: int
    mean: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class StressBands:
    """Spread of each statistic in each stress and region over samples of a composition."""

    rows: tuple[_BandRow, ...]


def create_stress_bands(tables: Sequence[StressTable]) -> StressBands:
    """Gather tables of samples, all of one kind, into mean, deviation and 5 to 95 % bands."""
    labels = {tuple((r.stress, r.region) for r in table.rows) for table in tables}
    levels = {table.levels for table in tables}
    if len(labels) != 1 or len(levels) != 1:
        raise InputError("bands need tables of the same stresses, regions and percentiles")
    values = np.array([table.values for table in tables])
    present = np.array([[row.volume > 0 for row in table.rows] for table in tables])
    rows = [
        _BandRow(stress, region, statistic, *_spread(values[present[:, i], i, j]))
        for i, (stress, region) in enumerate(labels.pop())
        for j, statistic in enumerate(tables[0].statistics)
    ]
    return StressBands(tuple(rows))


def _spread(values: FloatArray) -> tuple[int, float, float, float, float]:
    """Number, mean, standard deviation and band of values, shape (samples,)."""
    count = len(values)
    if count == 0:
        return 0, np.nan, np.nan, np.nan, np.nan
    deviation = float(values.std(ddof=1)) if count > 1 else np.nan
    low, high = np.percentile(values, _BAND)
    return count, float(values.mean()), deviation, float(low), float(high)


def _create_rows(
    cells: CellValues, regions: Regions, levels: tuple[float, ...]
) -> tuple[_StressRow, ...]:
    invariants = compute_invariants(cells.stress)
    scalars = invariants | compute_components(cells.stress, cells.tangent, principal=True)
    marks = regions.find(cells)
    return tuple(
        _create_row(stress, region, values[inside], cells.volumes[inside], levels)
        for stress, values in scalars.items()
        for region, inside in marks.items()
    )


def _create_row(
    stress: str, region: str, values: FloatArray, volumes: FloatArray, levels: tuple[float, ...]
) -> _StressRow:
    if len(values) == 0:
        return _StressRow(stress, region, 0.0, np.nan, np.nan, np.nan, (np.nan,) * len(levels))
    volume = float(volumes.sum())
    return _StressRow(
        stress=stress,
        region=region,
        volume=volume,
        mean=float(values @ volumes) / volume,
        minimum=float(values.min()),
        maximum=float(values.max()),
        percentiles=tuple(map(float, compute_percentiles(values, volumes, levels))),
    )


def write_stress_table(path: Path, table: StressTable, comm: MPI.Comm) -> None:
    """Write rank 0's table, a line for each stress and region, as a CSV file; collective."""
    size = "volume_m3" if table.dimension == 3 else "area_m2"
    header = ["stress", "region", size, *(f"{name}_Pa" for name in table.statistics)]
    lines = [
        [row.stress, row.region, *(repr(float(value)) for value in (row.volume, *values))]
        for row, values in zip(table.rows, table.values, strict=True)
    ]
    _write(path, [header, *lines], comm)


def write_stress_bands(path: Path, bands: StressBands, comm: MPI.Comm) -> None:
    """Write rank 0's spread, a line for each stress, region and statistic; collective."""
    header = ["stress", "region", "statistic", "samples"]
    header += ["mean_Pa", "standard_deviation_Pa", "p5_Pa", "p95_Pa"]
    lines = [
        [r.stress, r.region, r.statistic, str(r.samples)]
        + [repr(value) for value in (r.mean, r.deviation, r.low, r.high)]
        for r in bands.rows
    ]
    _write(path, [header, *lines], comm)


def _write(path: Path, rows: Sequence[Sequence[str]], comm: MPI.Comm) -> None:
    run_on_root(comm, lambda: path.write_text(format_csv(rows), encoding="utf-8"))
