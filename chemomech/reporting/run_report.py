"""Gather the report of a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chemomech.analysis.results import RunResults
from chemomech.analysis.run_statistics import analyse_run
from chemomech.drawing.styles import format_time
from chemomech.output.file_names import CONFIG, FILM
from chemomech.reporting.contents import (
    Contents,
    Media,
    Table,
    describe_provenance,
    format_command,
    gather_pictures,
)
from chemomech.reporting.curves import create_ledger_curves
from chemomech.reporting.view import create_view
from chemomech.text_files import TEXT_ENCODING

_LARGEST_FILM = 50_000_000


def gather_run(results: RunResults) -> Contents:
    """Gather the contents of the page of a simulation, finished or not."""
    folder, ledger = results.folder, results.ledger
    film, gaps = _find_film(folder)
    if not results.is_finished:
        gaps.insert(0, "the run has not ended: this is what it had written so far")
    pictures = gather_pictures(folder)
    if not pictures:
        gaps.append("there are no pictures: the run was told to draw none, or has not ended")
    last = {name: column[-1] for name, column in ledger.items()}
    name = folder.resolve().name
    facts = [
        ("ended", str(results.provenance.get("ended", "not yet"))),
        ("time simulated", format_time(float(last["time_s"]))),
        ("steps", f"{int(last['step'])}"),
        ("wall time", f"{float(last['wall_s']):.0f} s on {results.provenance['ranks']} rank(s)"),
        ("mesh", f"{len(results.grid.points)} vertices, {results.grid.cell_name}s"),
        ("mean composition", f"{float(last['lithium_mean']):.6g}"),
        ("lithium out of balance", f"{np.abs(ledger['lithium_balance_error']).max():.1e}, at most"),
    ]
    return Contents(
        title=f"Simulation {name}",
        facts=facts,
        film=film,
        views=[create_view(results)],
        curves=[("The ledger over time", create_ledger_curves(ledger))],
        pictures=pictures,
        tables=[_tabulate_domains(results)],
        missing=gaps,
        command=format_command("run", results),
        config=(folder / CONFIG).read_text(encoding=TEXT_ENCODING),
        provenance=describe_provenance(results.provenance),
    )


def _find_film(folder: Path) -> tuple[Media | None, list[str]]:
    path = folder / FILM
    if not path.exists():
        return None, ["there is no film: the run was told to make none, or has not ended"]
    if path.stat().st_size > _LARGEST_FILM:
        size = path.stat().st_size / 1e6
        return None, [f"the film, {path.name}, is too large for a page ({size:.0f} MB)"]
    return Media.read(path, "Composition over time"), []


def _tabulate_domains(results: RunResults) -> Table:
    domains: Sequence[Any] = analyse_run(results).domains
    unit = f"nm{results.grid.dimension}"
    rows = [
        [
            str(number),
            f"{d.size:.4g}",
            _write(d.along),
            _write(d.across),
            f"{d.orientation:.0f}",
            f"{d.elongation:.2f}",
            "yes" if d.spans else "no",
            "yes" if d.in_bend else "no",
        ]
        for number, d in enumerate(domains, 1)
    ]
    header = [
        *("domain", f"size ({unit})", "along wire (nm)", "across (nm)", "angle to wire (deg)"),
        *("elongation", "spans", "in bend"),
    ]
    return Table("Li-rich domains at the end (c > 0.5)", header, rows)


def _write(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "–"
