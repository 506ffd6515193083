"""Read text files with or without a byte-order mark; write tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chemomech.errors import InputError

TEXT_ENCODING = "utf-8-sig"
"""UTF-8; a byte-order mark, which spreadsheets and some editors put first, is left out."""


def read_text(path: Path, fallback: str | None = None) -> str:
    """Read a text file in UTF-8, or in a fallback encoding if there is one.

    Raises:
        InputError: The file is missing, empty, cannot be opened or is no such text.
    """
    data = read_bytes(path)
    if b"\0" in data:
        raise InputError("is no text file in UTF-8", path=str(path))
    try:
        text = data.decode(TEXT_ENCODING)
    except UnicodeDecodeError as error:
        if fallback is None:
            raise InputError(f"is no text file in UTF-8: {error}", path=str(path)) from error
        text = data.decode(fallback)
    if not text.strip():
        raise InputError("the file is empty", path=str(path))
    # As files opened as text give them.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(path: Path) -> bytes:
    """Read all of a file."""
    require_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=str(path)) from error


def format_csv(rows: Iterable[Sequence[object]]) -> str:
    """Format a table, its header first, as CSV; Python's floats keep all their digits."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def create_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a table, its header first, as a new CSV file.

    Raises:
        InputError: The file exists.
        OSError: It cannot be written.
    """
    create_text(path, format_csv(rows))


def create_text(path: Path, text: str) -> None:
    """Write a text as a new file.

    Raises:
        InputError: The file exists.
        OSError: It cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InputError(
            "exists already and is left as it is; name another", path=str(path)
        ) from error


def read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read header and lines of a table that the package wrote."""
    try:
        with path.open(encoding=TEXT_ENCODING, newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", path=str(path)) from error
    if not rows:
        raise InputError("the file is empty", path=str(path))
    return rows[0], rows[1:]


def read_columns(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read columns of numbers by the names in the header of a CSV file."""
    header, _, body = read_text(path).partition("\n")
    names = [word.strip() for word in header.split(",")]
    if not body.strip():
        raise InputError("holds no line of numbers below a header", path=str(path))
    try:
        table = np.loadtxt(body.splitlines(), delimiter=",", ndmin=2, comments=None)
    except ValueError as error:
        raise InputError(f"is no table of numbers: {error}", path=str(path)) from error
    if table.shape[1] != len(names) or len(set(names)) != len(names):
        raise InputError(
            f"has {table.shape[1]} columns under the header {header.strip()!r}", path=str(path)
        )
    return dict(zip(names, table.T, strict=True))


def require_file(path: Path) -> None:
    """Refuse a path that names no file, or an empty one."""
    if not path.is_file():
        raise InputError("no such file", path=str(path))
    if path.stat().st_size == 0:
        raise InputError("the file is empty", path=str(path))
