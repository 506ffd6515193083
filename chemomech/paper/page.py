"""Findings of a figure, and the page about them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from chemomech.paper.figures import Figure


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
class Film:
    """A film in the folder of the figure.

    Args:
        file: Its path within the folder.
        caption: What it shows.
    """

    file: str
    caption: str


@dataclass(frozen=True)
class Findings:
    """Results computed for a figure.

    Args:
        values: What the sentences of the page name, see ``pages/FIGURE.md.j2``.
        tables: The numbers behind the pictures.
        films: What moves.
    """

    values: Mapping[str, object]
    tables: Sequence[Table]
    films: Sequence[Film] = field(default=())


def write_page(path: Path, figure: Figure, findings: Findings, command: str) -> None:
    """Write tables and page; the page last, and in one step.

    Args:
        path: The page; tables go into the folder ``data`` beside it.
        figure: What was made.
        findings: What it came to.
        command: What makes it again.
    """
    data = path.parent / "data"
    data.mkdir(exist_ok=True)
    for table in findings.tables:
        with (data / f"{table.name}.csv").open("w", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([table.columns, *table.rows])
    environment = Environment(
        loader=PackageLoader("chemomech.paper", "pages"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters |= {"f": format, "cell": _format_cell}
    text = environment.get_template(f"{figure.name}.md.j2").render(
        **findings.values,
        figure=figure,
        folder=path.parent,
        command=command,
        tables=findings.tables,
        films=findings.films,
    )
    new = path.with_name(f"{path.stem}.partial{path.suffix}")
    new.write_text(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", encoding="utf-8")
    new.replace(path)


def read_table(path: Path) -> list[dict[str, str]]:
    """Read the lines of a table in CSV, each by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _format_cell(cell: object) -> str:
    if cell is None or cell != cell:
        return "–"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
