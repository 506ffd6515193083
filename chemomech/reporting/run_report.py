"""Gather the report of a simulation, and the parts common to all reports."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chemomech.analysis.results import FieldResults, RunResults
from chemomech.analysis.run_statistics import analyse_run
from chemomech.drawing.styles import format_time
from chemomech.output.file_names import CONFIG, FILM
from chemomech.reporting.contents import Contents, Media, Table
from chemomech.reporting.curves import create_ledger_curves
from chemomech.reporting.view import create_view
from chemomech.text_files import TEXT_ENCODING

_LARGEST_FILM = 50_000_000
#: Pictures that the page draws anew, to be looked into.
_REDRAWN = ("ledger.png",)


def gather_run(results: RunResults) -> Contents:
    """Gather the contents of a simulation's page.

    Args:
        results: The run, finished or not.
    """
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
        command=write_command("run", results),
        config=(folder / CONFIG).read_text(encoding=TEXT_ENCODING),
        provenance=describe_provenance(results.provenance),
    )


def gather_pictures(folder: Path) -> list[Media]:
    """Take in the pictures of a folder of results, in the order of their names.

    Args:
        folder: The folder; its figure comes first.
    """
    files = [folder / "figure.png", *sorted((folder / "pictures").glob("*.png"))]
    return [
        Media.read(file, file.stem.replace("_", " "))
        for file in files
        if file.exists() and ".partial" not in file.name and file.name not in _REDRAWN
    ]


def write_command(verb: str, results: FieldResults) -> str:
    """Return the command that repeats the work from the configuration on the page.

    Args:
        verb: Name of chemomech's command.
        results: What it left.
    """
    ranks = int(results.provenance.get("ranks", 1))
    start = f"mpirun -n {ranks} " if ranks > 1 else ""
    return f"{start}chemomech {verb} {CONFIG}"


def describe_provenance(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Say where results come from, in lines.

    Args:
        record: What ``provenance.json`` holds.
    """
    versions = record.get("versions") or {}
    shown = {
        "command": shlex.join(record.get("command") or ()),
        "started": record.get("started"),
        "finished": record.get("finished"),
        "ranks": record.get("ranks"),
        "hosts": ", ".join(record.get("hosts") or ()),
        "platform": record.get("platform"),
        "code": record.get("git_description"),
        "configuration (SHA-256)": record.get("config_sha256"),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return [(name, str(value)) for name, value in shown.items() if value]


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
