"""The command init: a commented configuration to start from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import add_command
from chemomech.errors import run_on_root
from chemomech.text_files import create_text

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands
    from chemomech.config.templates import Subject


def add_commands(commands: Commands) -> None:
    """Add ``init``."""
    init = add_command(
        commands,
        "init",
        "write a commented configuration to start from",
        example="init wire.toml",
    )
    init.add_argument("file", metavar="FILE", type=Path, nargs="?")
    init.add_argument(
        "--for", dest="subject", choices=["simulation", "measurement", "stress", "sweep"],
        default="simulation", help="what the configuration is for (simulation)",
    )  # fmt: skip
    init.set_defaults(execute=_execute)


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    run_on_root(comm, lambda: _write_template(arguments.file, arguments.subject))


def _write_template(file: Path | None, subject: Subject) -> None:
    from chemomech.config.templates import create_template

    path = file or Path(f"{subject}.toml")
    create_text(path, create_template(subject))
    command = "run" if subject == "simulation" else subject.replace("measurement", "measure")
    sys.stdout.write(f"{path} written; next: chemomech {command} {quote(str(path))}\n")
