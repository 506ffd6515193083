"""Tables of results: their lines for a file, and a summary as text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Tabulation:
    """A table of results.

    Args:
        rows: Its lines, the header first.
        summary: The most telling numbers, as text.
    """

    rows: Sequence[Sequence[object]]
    summary: str


def create_table(*header: str, caption: str | None = None) -> Table:
    """Create an empty table whose first column is text, and the others numbers."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_header=bool(header),
        caption=caption,
        caption_justify="left",
    )
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left")
    return table


def list_figures(title: str, figures: dict[str, str]) -> Table:
    """Create a table of names and values, under a title."""
    table = create_table()
    table.add_row(f"[bold]{title}[/bold]", "")
    for name, value in figures.items():
        table.add_row(f"  {name}", value)
    return table


def render(*tables: Table) -> str:
    """Write tables as plain text, one below the other, without blanks at the ends of lines."""
    text = io.StringIO()
    console = Console(file=text, width=100, color_system=None)
    for table in tables:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
