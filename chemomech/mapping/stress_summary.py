"""Summarise a stress map for the terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table

from chemomech.output.terminal import render
from chemomech.problems.stress_statistics import StressBands, StressTable

_MEGA = 1e6
_LABELS = {
    "von_mises": "von Mises",
    "hydrostatic": "hydrostatic",
    "stress_along": "along the wire (tt)",
    "stress_normal": "across the wire (nn)",
    "stress_shear": "shear (tn)",
    "principal_1": "largest principal",
    "principal_2": "middle principal",
    "principal_3": "smallest principal",
}


def summarise_stress(table: StressTable, bands: StressBands | None) -> str:
    """Write percentiles of each stress over the whole particle, and of von Mises by region.

    Args:
        table: Statistics of the measured composition.
        bands: Their spread over samples of its uncertainty, if there were any.

    Returns:
        A table as text, stresses in MPa, tension positive; +- one standard deviation.
    """
    columns = [name for name in table.statistics if name not in ("minimum", "maximum")]
    spread = {}
    if bands is not None:
        spread = {(r.stress, r.region, r.statistic): r.deviation for r in bands.rows}
    lines = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    lines.add_column("Stress (MPa)")
    for name in columns:
        lines.add_column(name, justify="right")
    for row, values in zip(table.rows, table.values, strict=True):
        if row.region != "all" and row.stress != "von_mises":
            continue
        label = _LABELS[row.stress] + ("" if row.region == "all" else f", {row.region}")
        cells = []
        for name, value in zip(table.statistics, values, strict=True):
            if name in columns:
                deviation = spread.get((row.stress, row.region, name))
                tail = "" if deviation is None else f"±{deviation / _MEGA:.2g}"
                cells.append(f"{value / _MEGA:.3g}{tail}")
        lines.add_row(label, *cells)
    return render(lines, width=140)
