"""Write domain statistics as a file and as a text."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from chemomech.analysis.domains import DomainStatistics
from chemomech.drawing.styles import format_time
from chemomech.output.terminal import render_figures
from chemomech.text_files import create_csv


def write_domain_table(path: Path | str, statistics: DomainStatistics, dimension: int) -> None:
    """Write a line for each domain, units in the names of the columns; on one rank."""
    header = [
        *("domain", f"size_nm{dimension}", "x_nm", "y_nm", "z_nm", "along_nm", "across_nm"),
        *("orientation_deg", "elongation", "spans", "in_bend"),
    ]
    rows: list[list[object]] = [list(header)]
    for number, d in enumerate(statistics.domains, 1):
        numbers = (d.size, *d.centroid, d.along, d.across, d.orientation, d.elongation)
        rows.append([number, *map(float, numbers), int(d.spans), int(d.in_bend)])
    create_csv(Path(path), rows)


def summarise_domains(statistics: DomainStatistics, dimension: int, time_s: float) -> str:
    """Write totals and means of domain statistics as a table in text.

    The dimension, 2 or 3, names the unit of sizes; the time is that of the composition.
    """
    domains = statistics.domains
    unit = f"nm{dimension}"
    rows = [
        ("Li-rich part", f"{statistics.rich_fraction:.3f} of the particle"),
        ("domains", str(statistics.count)),
        ("mean size", _format(statistics.mean_size, unit)),
        ("interface width", _format(statistics.interface_width, "nm")),
    ]
    if statistics.periods is not None:
        periods = statistics.periods
        tilt = np.mean([d.orientation for d in domains]) if domains else math.nan
        in_bend = sum(domain.in_bend for domain in domains)
        rows += [
            ("spanning the wire", f"{statistics.spanning} of {statistics.count}"),
            ("in the bend", f"{in_bend} of {statistics.count}"),
            ("angle to the wire", _format(float(tilt), "degrees, in the mean")),
            ("period along it", _format(periods.whole, "nm")),
            ("  in the bend", _format(periods.bend, "nm")),
            ("  in the legs", _format(periods.legs, "nm")),
        ]
    return render_figures({f"Li-rich domains at {format_time(time_s)}": rows})


def _format(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}" if math.isfinite(value) else "-"
