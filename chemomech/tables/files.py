"""Write the tables of this folder's commands as new files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chemomech.errors import InputError
from chemomech.text_files import format_csv


def write_new_table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write a table as CSV.

    Args:
        path: File to create.
        rows: Its lines, the header first.

    Raises:
        InputError: The file exists.
        OSError: It cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(format_csv(rows))
    except FileExistsError as error:
        raise InputError(f"{path} exists already and is left as it is", key="--output") from error
