"""Findings of a figure, and the page about them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chemomech.paper.figures import Figure

_SOURCE = (
    "D. A. Santos et al., Bending good beats breaking bad: phase separation patterns in individual "
    "cathode particles upon lithiation and delithiation, Mater. Horiz. 2020, 7, 3275, "
    "doi:10.1039/d0mh01240h"
)
"""What "the paper" is."""

_DATA = "data"
"""Folder of the tables."""


@dataclass(frozen=True)
class Table:
    """A table, written as CSV, and shown on the page if it is short.

    Args:
        name: Name of the file, without its suffix.
        caption: What it holds.
        columns: Cells of each column by its name, with its unit; None where there is no value.
        shown: Whether the page shows it.
    """

    name: str
    caption: str
    columns: Mapping[str, Iterable[object]]
    shown: bool = True

    @property
    def rows(self) -> list[tuple[object, ...]]:
        """Its lines, below the header."""
        return list(zip(*self.columns.values(), strict=True))


@dataclass(frozen=True)
class Picture:
    """A picture or film in the folder of the figure.

    Args:
        file: Its path within the folder.
        caption: What it shows, and what of it is this package's choice.
    """

    file: str
    caption: str


@dataclass(frozen=True)
class Findings:
    """Results computed for a figure.

    Args:
        computed: What was computed and what came out, in paragraphs.
        differs: Where that differs from the paper and why, in paragraphs.
        pictures: What there is to look at.
        films: What moves.
        tables: The numbers behind the pictures.
    """

    computed: str
    differs: str
    pictures: Sequence[Picture]
    films: Sequence[Picture] = field(default=())
    tables: Sequence[Table] = field(default=())


def write_page(path: Path, figure: Figure, findings: Findings, command: str) -> None:
    """Write tables and page; the page last, and in one step.

    Args:
        path: The page; tables go into the folder ``data`` beside it.
        figure: What was made.
        findings: What it came to.
        command: What makes it again.
    """
    (path.parent / _DATA).mkdir(exist_ok=True)
    for table in findings.tables:
        with (path.parent / _DATA / f"{table.name}.csv").open("w", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([table.columns, *table.rows])
    new = path.with_name(f"{path.stem}.partial{path.suffix}")
    new.write_text(_format(figure, findings, command), encoding="utf-8")
    new.replace(path)


def read_table(path: Path) -> list[dict[str, str]]:
    """Read the lines of a table in CSV, each by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _format(figure: Figure, findings: Findings, command: str) -> str:
    parts = [
        f"# Figure {figure.name}: {figure.title}",
        f'Made by `{command}`. "The paper" is {_SOURCE}.',
        "## What the paper shows",
        figure.shown,
        "## What is computed here",
        findings.computed,
    ]
    for picture in findings.pictures:
        parts += [f"![{picture.caption}]({picture.file})", f"*{picture.caption}*"]
    for table in findings.tables:
        parts.append(f"[{table.caption}]({_DATA}/{table.name}.csv)")
        if table.shown:
            lines = [table.columns, ["---"] * len(table.columns), *table.rows]
            parts.append("\n".join(f"| {' | '.join(map(_write, line))} |" for line in lines))
    if findings.films:
        films = "\n".join(f"- [{film.caption}]({film.file})" for film in findings.films)
        parts += ["## Films", films]
    parts += ["## Where they differ, and why", findings.differs]
    return "\n\n".join(parts) + "\n"


def _write(cell: object) -> str:
    if cell is None or cell != cell:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
