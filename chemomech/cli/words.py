"""What several commands have in common: words of the command line, messages, names in errors."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.errors import InputError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def create_configured() -> argparse.ArgumentParser:
    """Words of commands that read a configuration."""
    configured = argparse.ArgumentParser(add_help=False)
    configured.add_argument("file", metavar="FILE", type=Path, help="configuration (TOML)")
    configured.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help='change one key, such as --set "time.end=10 s"; replaces what the file states in its '
        "place (kappa, interface_width); may be repeated",
    )  # fmt: skip
    configured.add_argument(
        "--unset", metavar="KEY", action="append", default=[],
        help="take one key or table out of the file, such as --unset mechanics; may be repeated",
    )  # fmt: skip
    return configured


def create_recorded() -> argparse.ArgumentParser:
    """Words of commands that write a folder of results."""
    recorded = argparse.ArgumentParser(add_help=False)
    recorded.add_argument(
        "--output", metavar="DIR", type=Path, help='new folder; default: FILE\'s name + "-results"'
    )
    return recorded


def name_folder(arguments: argparse.Namespace) -> Path:
    """Folder that a command with `create_recorded` writes."""
    named: Path | None = arguments.output
    return named or Path(f"{arguments.file.stem}-results")


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Name the configuration in errors about its keys."""
    try:
        yield
    except InputError as error:
        if error.path is None and error.key and not error.key.startswith("--"):
            error.path = str(file)
        raise


def show_messages() -> None:
    """Let people read what the package has to say beside its results."""
    logger = logging.getLogger("chemomech")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("chemomech: %(message)s"))
    # In place of an earlier call's, whose stream may be closed.
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


def print_once(text: str, comm: MPI.Comm) -> None:
    """Write a text to standard output, on rank 0 alone."""
    if comm.rank == 0:
        sys.stdout.write(text.rstrip("\n") + "\n")


def parse_count(text: str) -> int:
    """A whole number of one or more, as a word of the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
