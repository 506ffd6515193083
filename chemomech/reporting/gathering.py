"""Gather the contents of a report from the folder it is about."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chemomech.analysis.domains import LI_RICH, DomainStatistics
from chemomech.analysis.results import (
    FieldResults,
    RunResults,
    StressResults,
    open_run,
    open_stress,
)
from chemomech.analysis.run_statistics import analyse_run_phases
from chemomech.drawing.styles import format_time
from chemomech.errors import InputError
from chemomech.output.file_names import CONFIG, FILM
from chemomech.output.provenance import PROVENANCE, read_provenance
from chemomech.reporting.contents import Contents, Media, Table, View
from chemomech.reporting.curves import create_ledger_curves
from chemomech.reporting.view import MOST_POINTS, create_view
from chemomech.sweeps.folder import CASES, DEFINITION, OVERVIEW, RESULTS, SUMMARY, Status
from chemomech.text_files import read_csv, read_text

_MEGA = 1e6
_LARGEST_FILM = 50_000_000
#: Pictures that the page draws anew, to be looked into.
_REDRAWN = ("ledger.png",)
#: No more cases than this can be turned; a page has to stay small enough to be sent.
_MOST_VIEWS = 24
#: Of each case; all fields of all cases would make a page too large.
_FIELDS = ("composition", "von_mises")


def gather_contents(folder: Path) -> Contents:
    """Gather what a page says of a folder, whatever it holds."""
    if not folder.is_dir():
        raise InputError("no such folder", path=str(folder))
    if (folder / CASES).exists():
        return _gather_sweep(folder)
    if (folder / "stress.csv").exists():
        return _gather_stress(open_stress(folder))
    if (folder / "measurement.h5").exists():
        return _gather_measurement(folder)
    return _gather_run(open_run(folder))


def _gather_run(results: RunResults) -> Contents:
    """Gather the contents of the page of a simulation, finished or not."""
    folder, ledger = results.folder, results.ledger
    film, gaps = _find_film(folder)
    if not results.is_finished:
        gaps.insert(0, "the run has not ended: this is what it had written so far")
    pictures = _gather_pictures(folder)
    if not pictures:
        gaps.append("there are no pictures: the run was told to draw none, or has not ended")
    last = {name: column[-1] for name, column in ledger.items()}
    name = folder.resolve().name
    phases = analyse_run_phases(results)
    shares = ", ".join(f"{phase.phase} {phase.rich_fraction:.3f}" for phase in phases)
    facts = [
        ("ended", str(results.provenance.get("ended", "not yet"))),
        ("time simulated", format_time(float(last["time_s"]))),
        ("steps", f"{int(last['step'])}"),
        ("wall time", f"{float(last['wall_s']):.0f} s on {results.provenance['ranks']} rank(s)"),
        ("mesh", f"{len(results.grid.points)} vertices, {results.grid.cell_name}s"),
        ("mean composition", f"{float(last['lithium_mean']):.6g}"),
        ("parts of the particle", shares),
        ("lithium out of balance", f"{np.abs(ledger['lithium_balance_error']).max():.1e}, at most"),
    ]
    return Contents(
        title=f"Simulation {name}",
        facts=facts,
        film=film,
        views=[create_view(results)],
        curves=[("The ledger over time", create_ledger_curves(ledger))],
        pictures=pictures,
        tables=[_tabulate_domains(results, phases)],
        missing=gaps,
        command=_format_command("run", results),
        config=read_text(folder / CONFIG),
        provenance=_describe_provenance(results.provenance),
    )


def _find_film(folder: Path) -> tuple[Media | None, list[str]]:
    path = folder / FILM
    if not path.exists():
        return None, ["there is no film: the run was told to make none, or has not ended"]
    if path.stat().st_size > _LARGEST_FILM:
        size = path.stat().st_size / 1e6
        return None, [f"the film, {path.name}, is too large for a page ({size:.0f} MB)"]
    return Media.read(path, "Composition over time"), []


def _tabulate_domains(results: RunResults, phases: Sequence[DomainStatistics]) -> Table:
    unit = f"nm{results.grid.dimension}"
    rows = [
        [
            statistics.phase,
            str(number),
            f"{d.size:.4g}",
            _format_length(d.along),
            _format_length(d.across),
            f"{d.orientation:.0f}",
            f"{d.elongation:.2f}",
            "yes" if d.spans else "no",
            "yes" if d.in_bend else "no",
        ]
        for statistics in phases
        for number, d in enumerate(statistics.domains, 1)
    ]
    header = [
        *("phase", "domain", f"size ({unit})", "along wire (nm)", "across (nm)"),
        *("angle to wire (deg)", "elongation", "spans", "in bend"),
    ]
    limits = ", ".join(f"{limit:g}" for limit in results.config.material.phase_limits)
    if phases[0].phase == LI_RICH:
        return Table(f"Li-rich domains at the end (c > {limits})", header, rows)
    return Table(f"Domains of each phase at the end, parted at c = {limits}", header, rows)


def _format_length(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "–"


def _gather_stress(results: StressResults) -> Contents:
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
    cells = [[*row[:2], *(_format_number(cell, 4) for cell in row[2:])] for row in rows]
    return Contents(
        title=f"Stress map {folder.resolve().name}",
        facts=facts,
        views=[create_view(results)],
        pictures=_gather_pictures(folder),
        tables=[Table("Stress by region", header, cells)],
        command=_format_command("stress", results),
        config=read_text(folder / CONFIG),
        provenance=_describe_provenance(results.provenance),
    )


def _gather_measurement(folder: Path) -> Contents:
    """Gather the contents of the page of a measurement."""
    try:
        report = json.loads(read_text(folder / "report.json"))
    except ValueError as error:
        raise InputError(f"cannot be read: {error}", path=str(folder)) from error
    pictures = _gather_pictures(folder)
    return Contents(
        title=f"Measurement {folder.resolve().name}",
        facts=list(_flatten(report)),
        pictures=pictures,
        missing=[] if pictures else ["there are no pictures: it was told to draw none"],
        command=f"chemomech measure {CONFIG}",
        config=read_text(folder / CONFIG),
        provenance=_describe_provenance(read_provenance(folder / PROVENANCE)),
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
        return [(name, ", ".join(_say(part) for part in value))]
    return [(name, _say(value))]


def _say(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _gather_sweep(folder: Path) -> Contents:
    """Gather the contents of the page of a sweep."""
    cases = _read_table(folder / CASES, "How far each case has come")
    status = cases.header.index("status")
    counts = Counter(row[status] for row in cases.rows)
    tables, gaps = [cases], []
    if (folder / SUMMARY).exists():
        tables.insert(0, _read_table(folder / SUMMARY, "What came of the finished cases"))
    else:
        gaps.append("there is no summary: no case has ended yet")
    picture = folder / OVERVIEW
    if not picture.exists():
        gaps.append("there is no overview: no case has ended yet, or it could not be drawn")
    unfinished = sum(number for name, number in counts.items() if name != "done")
    if unfinished:
        gaps.insert(0, f"{unfinished} of {len(cases.rows)} cases are not done")
    done = [row[0] for row in cases.rows if row[status] == Status.DONE]
    views, lacking = _create_views(folder, done)
    return Contents(
        title=f"Sweep {folder.resolve().name}",
        facts=[("cases", str(len(cases.rows))), *((k, str(n)) for k, n in counts.items())],
        views=views,
        pictures=[Media.read(picture, "The ends of all cases")] if picture.exists() else [],
        tables=tables,
        missing=[*gaps, *lacking],
        command=f"chemomech sweep {DEFINITION}                     # all of it\n"
        f"chemomech run {shlex.quote(cases.rows[0][0])}/{CONFIG}    # one of its cases",
        config=read_text(folder / DEFINITION),
        config_name=DEFINITION,
    )


def _create_views(folder: Path, names: Sequence[str]) -> tuple[list[View], list[str]]:
    """Create views of the first cases, and what cannot be seen of them."""
    views, gaps = [], []
    shown = names[:_MOST_VIEWS]
    if len(names) > len(shown):
        gaps.append(f"of {len(names)} cases the view has the first {len(shown)}")
    for name in shown:
        try:
            run = open_run(folder / name / RESULTS)
        except InputError as error:
            gaps.append(f"{name} is not in the view: {error.message}")
            continue
        views.append(create_view(run, name, MOST_POINTS // len(shown), _FIELDS))
    return views, gaps


def _read_table(path: Path, caption: str) -> Table:
    header, rows = read_csv(path)
    return Table(
        caption,
        header,
        [[cell if len(cell) <= 7 else _format_number(cell, 5) for cell in row] for row in rows],
    )


def _gather_pictures(folder: Path) -> list[Media]:
    """Take in the pictures of a folder of results by name; its figure comes first."""
    files = [folder / "figure.png", *sorted((folder / "pictures").glob("*.png"))]
    return [
        Media.read(file, file.stem.replace("_", " "))
        for file in files
        if file.exists() and ".partial" not in file.name and file.name not in _REDRAWN
    ]


def _format_command(verb: str, results: FieldResults) -> str:
    """Return the command that repeats the work from the configuration on the page."""
    ranks = int(results.provenance.get("ranks", 1))
    start = f"mpirun -n {ranks} " if ranks > 1 else ""
    return f"{start}chemomech {verb} {CONFIG}"


def _describe_provenance(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Say where results come from, in lines; the record is what ``provenance.json`` holds."""
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


def _format_number(text: str, digits: int) -> str:
    """Round a number to so many digits; leave other text as it is."""
    try:
        return f"{float(text):.{digits}g}"
    except ValueError:
        return text
