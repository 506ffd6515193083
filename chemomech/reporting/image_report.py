"""Gather the report of a measurement or of a stress map."""

from __future__ import annotations

import json
from pathlib import Path

from chemomech.analysis.results import StressResults
from chemomech.errors import InputError
from chemomech.output.file_names import CONFIG
from chemomech.output.provenance import PROVENANCE, read_provenance
from chemomech.reporting.contents import (
    Contents,
    Table,
    describe_provenance,
    format_command,
    format_number,
    gather_pictures,
)
from chemomech.reporting.view import create_view
from chemomech.text_files import TEXT_ENCODING, read_csv

_MEGA = 1e6


def gather_stress(results: StressResults) -> Contents:
    """Gather the contents of a stress map's page."""
    folder = results.folder
    header, rows = read_csv(folder / "stress.csv")
    everywhere = next(row for row in rows if row[0] == "von_mises" and row[1] == "all")
    figures = dict(zip(header, everywhere, strict=True))
    facts = [
        ("von Mises, median", f"{float(figures['p50_Pa']) / _MEGA:.1f} MPa"),
        ("von Mises, 95th percentile", f"{float(figures['p95_Pa']) / _MEGA:.1f} MPa"),
        ("mesh", f"{len(results.grid.points)} vertices, {results.grid.cell_name}s"),
    ]
    cells = [[*row[:2], *(format_number(cell, 4) for cell in row[2:])] for row in rows]
    return Contents(
        title=f"Stress map {folder.resolve().name}",
        facts=facts,
        views=[create_view(results)],
        pictures=gather_pictures(folder),
        tables=[Table("Stress by region", header, cells)],
        command=format_command("stress", results),
        config=(folder / CONFIG).read_text(encoding=TEXT_ENCODING),
        provenance=describe_provenance(results.provenance),
    )


def gather_measurement(folder: Path) -> Contents:
    """Gather the contents of a measurement's page.

    Args:
        folder: Folder that ``chemomech measure`` wrote.

    Raises:
        InputError: Something in it is missing or damaged.
    """
    try:
        report = json.loads((folder / "report.json").read_text(encoding=TEXT_ENCODING))
        config = (folder / CONFIG).read_text(encoding=TEXT_ENCODING)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", path=str(folder)) from error
    record = read_provenance(folder / PROVENANCE)
    pictures = gather_pictures(folder)
    return Contents(
        title=f"Measurement {folder.resolve().name}",
        facts=list(_flatten(report)),
        pictures=pictures,
        missing=[] if pictures else ["there are no pictures: it was told to draw none"],
        command=f"chemomech measure {CONFIG}",
        config=config,
        provenance=describe_provenance(record),
    )


def _flatten(value: object, name: str = "") -> list[tuple[str, str]]:
    """List names and values of nested tables; long lists are counted."""
    if isinstance(value, dict):
        return [
            pair
            for key, part in value.items()
            for pair in _flatten(part, f"{name} {key}".strip().replace("_", " "))
        ]
    if isinstance(value, list):
        if len(value) > 8 or any(isinstance(part, (dict, list)) for part in value):
            return [(name, f"{len(value)} entries")]
        return [(name, ", ".join(_format(part) for part in value))]
    return [(name, _format(value))]


def _format(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
