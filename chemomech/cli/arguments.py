"""Arguments, messages and error locations that several commands share."""

from __future__ import annotations

import argparse
import logging
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.errors import InputError

if TYPE_CHECKING:
    from chemomech.config.loading import Model

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EXIT_CODES = {
    0: "done",
    2: "bad input",
    3: "no convergence",
    4: "stopped early with a checkpoint",
    130: "interrupted",
}
#: Exit codes of a command that may end early and be continued by another call.
ALL_EXIT_CODES = tuple(_EXIT_CODES)
_WIDTH = 79


def add_command(
    commands: Commands,
    name: str,
    purpose: str,
    *,
    example: str,
    exit_codes: Sequence[int] = (0, 2, 130),
    note: str = "",
    parents: Sequence[argparse.ArgumentParser] = (),
) -> argparse.ArgumentParser:
    """Add a command whose help says what it does, how it exits, and how it is called.

    The purpose has no full stop; the example begins with the command's name; the note is what else
    is to be known; parents hold arguments shared with other commands.
    """
    codes = ", ".join(f"{code} {_EXIT_CODES[code]}" for code in exit_codes)
    parts = [f"Exit codes: {codes}.", note]
    paragraphs = [textwrap.fill(part, _WIDTH) for part in parts if part]
    return commands.add_parser(
        name,
        parents=list(parents),
        help=purpose,
        description=textwrap.fill(f"{purpose[0].upper()}{purpose[1:]}.", _WIDTH),
        epilog="\n\n".join([*paragraphs, f"Example:\n  chemomech {example}"]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def create_configured() -> argparse.ArgumentParser:
    """Arguments of commands that read a configuration."""
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
    add_code(configured)
    return configured


def add_code(parser: argparse.ArgumentParser) -> None:
    """Add the flag that lets a configuration run code."""
    parser.add_argument(
        "--allow-code", action="store_true",
        help="run the Python modules beside FILE that it names for laws of its own; they may do "
        "anything, so read files of other people first",
    )  # fmt: skip


def create_recorded() -> argparse.ArgumentParser:
    """Arguments of commands that write a folder of results."""
    recorded = argparse.ArgumentParser(add_help=False)
    recorded.add_argument(
        "--output", metavar="DIR", type=Path, help='new folder; default: FILE\'s name + "-results"'
    )
    return recorded


def name_folder(arguments: argparse.Namespace) -> Path:
    """Return the folder that a command with `create_recorded` writes."""
    named: Path | None = arguments.output
    return named or Path(f"{arguments.file.stem}-results")


def load_named(
    arguments: argparse.Namespace,
    comm: MPI.Comm,
    model: type[Model],
    overrides: Sequence[str] = (),
) -> Model:
    """Load the configuration that the arguments of `create_configured` name.

    The ``overrides`` are further keys to set, after those of the arguments.
    """
    # Here: help and complaints about arguments need no schema.
    from chemomech.config import load_config

    return load_config(
        arguments.file,
        comm,
        [*arguments.overrides, *overrides],
        unset=arguments.unset,
        allow_code=arguments.allow_code,
        model=model,
    )


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
    """Print the package's log messages on standard error."""
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
    """Parse a whole number of one or more from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
