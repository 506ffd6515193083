"""Findings of a figure, and the page about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chemomech.paper.figures import SOURCE, Figure
from chemomech.sweeps.folder import write_csv

_DATA = "data"
"""Folder of the tables."""

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """A table, written as CSV, and shown on the page if it is short.

    Args:
        name: Name of the file, without its suffix.
        caption: What it holds.
        header: Names of its columns, with units.
        rows: Its lines; None where there is no value.
        shown: Whether the page shows it.
    """

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    shown: bool = True


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
        rows = [["" if cell is None else cell for cell in row] for row in table.rows]
        write_csv(path.parent / _DATA / f"{table.name}.csv", table.header, rows)
    new = path.with_name(f"{path.stem}.partial{path.suffix}")
    new.write_text(_format(figure, findings, command), encoding="utf-8")
    new.replace(path)


def _format(figure: Figure, findings: Findings, command: str) -> str:
    parts = [
        f"# Figure {figure.name}: {figure.title}",
        f'Made by `{command}`. "The paper" is {SOURCE}.',
        "## What the paper shows",
        figure.shown,
        "## What is computed here",
        findings.computed,
    ]
    for picture in findings.pictures:
        parts += [f"![{picture.caption}]({picture.file})", f"*{picture.caption}*"]
    for table in findings.tables:
        shown = [_format_table(table)] if table.shown else []
        parts += [f"[{table.caption}]({_DATA}/{table.name}.csv)", *shown]
    if findings.films:
        lines = [f"- [{film.caption}]({film.file})" for film in findings.films]
        parts += ["## Films", "\n".join(lines)]
    parts += ["## Where they differ, and why", findings.differs]
    return "\n\n".join(parts) + "\n"


def _format_table(table: Table) -> str:
    lines = [_join(table.header), _join(["---"] * len(table.header))]
    return "\n".join([*lines, *(_join([_write(cell) for cell in row]) for row in table.rows)])


def _join(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _write(cell: Cell) -> str:
    if cell is None or cell != cell:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
