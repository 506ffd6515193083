"""Tables of stress statistics as CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mpi4py import MPI

from chemomech.errors import run_on_root
from chemomech.problems.stress_statistics import StressBands, StressTable
from chemomech.text_files import format_csv


def write_stress_table(path: str | Path, table: StressTable, comm: MPI.Comm | None = None) -> None:
    """Write a table: a line for each stress and region, units in the names of the columns.

    Args:
        path: File to write.
        table: Statistics; rank 0's are written.
        comm: Ranks of the run; the call is collective. None where only one rank calls.

    Raises:
        OSError: The file cannot be written; on every rank.
    """
    size = "volume_m3" if table.dimension == 3 else "area_m2"
    header = ["stress", "region", size, *(f"{name}_Pa" for name in table.statistics)]
    lines = [
        [row.stress, row.region, *(repr(float(value)) for value in (row.volume, *values))]
        for row, values in zip(table.rows, table.values, strict=True)
    ]
    _write(path, header, lines, comm)


def write_stress_bands(path: str | Path, bands: StressBands, comm: MPI.Comm | None = None) -> None:
    """Write the spread over samples: a line for each stress, region and statistic.

    Args:
        path: File to write.
        bands: Spread; rank 0's is written.
        comm: Ranks of the run; the call is collective. None where only one rank calls.

    Raises:
        OSError: The file cannot be written; on every rank.
    """
    header = ["stress", "region", "statistic", "samples"]
    header += ["mean_Pa", "standard_deviation_Pa", "p5_Pa", "p95_Pa"]
    lines = [
        [r.stress, r.region, r.statistic, str(r.samples)]
        + [repr(value) for value in (r.mean, r.deviation, r.low, r.high)]
        for r in bands.rows
    ]
    _write(path, header, lines, comm)


def _write(
    path: str | Path,
    header: Sequence[str],
    lines: Sequence[Sequence[str]],
    comm: MPI.Comm | None,
) -> None:
    text = format_csv([header, *lines])
    run_on_root(comm or MPI.COMM_SELF, lambda: Path(path).write_text(text, encoding="utf-8"))
