"""Gather the report of a sweep."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from chemomech.analysis.results import open_run
from chemomech.errors import InputError
from chemomech.output.file_names import CONFIG
from chemomech.reporting.contents import Contents, Media, Table, View, format_number
from chemomech.reporting.view import MOST_POINTS, create_view
from chemomech.sweeps.folder import CASES, DEFINITION, OVERVIEW, RESULTS, SUMMARY, Status
from chemomech.text_files import read_csv, read_text

#: No more cases than this can be turned; a page has to stay small enough to be sent.
_MOST_VIEWS = 24
#: Of each case; all fields of all cases would make a page too large.
_FIELDS = ("composition", "von_mises")


def gather_sweep(folder: Path) -> Contents:
    """Gather the contents of a sweep's page.

    Args:
        folder: Folder that ``chemomech sweep`` wrote.

    Raises:
        InputError: Its tables are missing or damaged.
    """
    cases = _read(folder / CASES, "How far each case has come")
    status = cases.header.index("status")
    counts = Counter(row[status] for row in cases.rows)
    tables, gaps = [cases], []
    if (folder / SUMMARY).exists():
        tables.insert(0, _read(folder / SUMMARY, "What came of the finished cases"))
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


def _read(path: Path, caption: str) -> Table:
    header, rows = read_csv(path)
    return Table(
        caption,
        header,
        [[cell if len(cell) <= 7 else format_number(cell, 5) for cell in row] for row in rows],
    )
