"""Write domain statistics as a file and as a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich import box
from rich.table import Table

from chemomech.analysis.domains import DomainStatistics
from chemomech.drawing.styles import format_time
from chemomech.output.terminal import render
from chemomech.text_files import create_csv


def write_domain_table(
    path: Path | str, phases: Sequence[DomainStatistics], dimension: int
) -> None:
    """Write a line for each domain of each phase, units in the names of columns; on one rank."""
    header = [
        *("phase", "domain", f"size_nm{dimension}", "x_nm", "y_nm", "z_nm", "along_nm"),
        *("across_nm", "orientation_deg", "elongation", "spans", "in_bend"),
    ]
    rows: list[list[object]] = [list(header)]
    for statistics in phases:
        for number, d in enumerate(statistics.domains, 1):
            numbers = (d.size, *d.centroid, d.along, d.across, d.orientation, d.elongation)
            line = [number, *map(float, numbers), int(d.spans), int(d.in_bend)]
            rows.append([statistics.phase, *line])
    create_csv(Path(path), rows)


def summarise_domains(phases: Sequence[DomainStatistics], dimension: int, time_s: float) -> str:
    """Write totals and means of the domains of each phase as a table in text.

    The dimension, 2 or 3, names the unit of sizes; the time is that of the composition.
    """
    columns = [dict(_describe(statistics, dimension)) for statistics in phases]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"Domains at {format_time(time_s)}")
    for statistics in phases:
        table.add_column(statistics.phase)
    for label in columns[0]:
        table.add_row(f"  {label}", *(column[label] for column in columns))
    return render(table)


def _describe(statistics: DomainStatistics, dimension: int) -> list[tuple[str, str]]:
    """List names and values of one phase."""
    domains = statistics.domains
    unit = f"nm{dimension}"
    rows = [
        ("part of the particle", f"{statistics.rich_fraction:.3f}"),
        ("domains", str(statistics.count)),
        ("mean size", _format(statistics.mean_size, unit)),
        ("interface width", _format(statistics.interface_width, "nm")),
    ]
    if statistics.periods is None:
        return rows
    periods = statistics.periods
    tilt = np.mean([d.orientation for d in domains]) if domains else math.nan
    in_bend = sum(domain.in_bend for domain in domains)
    return [
        *rows,
        ("spanning the wire", f"{statistics.spanning} of {statistics.count}"),
        ("in the bend", f"{in_bend} of {statistics.count}"),
        ("mean angle to the wire", _format(float(tilt), "degrees")),
        ("period along it", _format(periods.whole, "nm")),
        ("  in the bend", _format(periods.bend, "nm")),
        ("  in the legs", _format(periods.legs, "nm")),
    ]


def _format(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}" if math.isfinite(value) else "-"
