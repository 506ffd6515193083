"""Tables of numbers in text files, as microscopes and spreadsheets write them."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemomech import text_files
from chemomech.arrays import FloatArray
from chemomech.errors import InputError

_COMMENTS = ("#", "%", "!", "*")
_SEPARATORS = (",", ";", "\t")
# Old control programs write micrometres with the one-byte letter.
_OLD_ENCODING = "latin-1"


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of numbers, shape (rows, columns), and their names, none where the file gives none.

    ``lines`` are those of the file in which each row stands, counted from 1, shape (rows,).
    """

    names: tuple[str, ...]
    numbers: FloatArray
    lines: tuple[int, ...]


def read_text(path: Path) -> str:
    """Read a text file of a microscope, in UTF-8 or an older encoding."""
    return text_files.read_text(path, _OLD_ENCODING)


def read_table(path: Path) -> Table:
    """Read columns of numbers, separated by commas, semicolons, tabs or blanks.

    Lines that begin with ``#``, ``%``, ``!`` or ``*`` are comments. The first other line may name
    the columns. A line with nothing but the number of the rows that follow is left out.
    """
    numbered = enumerate(read_text(path).splitlines(), start=1)
    lines = [
        (number, _split(line))
        for number, line in numbered
        if line.strip() and not line.lstrip().startswith(_COMMENTS)
    ]
    if not lines:
        raise InputError("holds comments only, no numbers", path=str(path))
    names: tuple[str, ...] = ()
    if not _is_number(lines[0][1][0]):
        names = tuple(lines.pop(0)[1])
    elif len(lines) > 1 and lines[0][1] == [str(len(lines) - 1)]:
        lines.pop(0)
    if not lines:
        raise InputError("has a heading, but no numbers", path=str(path))
    rows = [_parse(cells, len(lines[0][1]), number, path) for number, cells in lines]
    if names and len(names) != len(rows[0]):
        raise InputError(
            f"names {len(names)} columns, but the lines hold {len(rows[0])} numbers", path=str(path)
        )
    return Table(names, np.stack(rows), tuple(number for number, _ in lines))


def parse_rows(text: str) -> FloatArray:
    """Parse lines of numbers, separated by commas, semicolons or blanks, shape (lines, numbers)."""
    lines = [line for line in text.splitlines() if line.strip()]
    separator = next((mark for mark in (",", ";") if mark in lines[0]), None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.loadtxt(lines, delimiter=separator, ndmin=2)
        except UserWarning as warning:
            raise ValueError(str(warning)) from warning


def _split(line: str) -> list[str]:
    """Split a line into cells; an empty one between separators stays, to be refused."""
    for separator in _SEPARATORS:
        if separator in line.strip():
            # Several tabs in a row only line columns up.
            strip = line.strip() if separator != "\t" else re.sub(r"\t+", "\t", line.strip())
            return [cell.strip().strip('"') for cell in strip.split(separator)]
    return line.split()


def _parse(cells: list[str], columns: int, number: int, path: Path) -> FloatArray:
    """Parse the numbers of one line."""
    where = f"line {number}"
    if len(cells) != columns:
        raise InputError(
            f"{where} holds {len(cells)} numbers where {columns} are expected", path=str(path)
        )
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError as error:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise InputError(f"{where}: {wrong!r} is no number", path=str(path)) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
