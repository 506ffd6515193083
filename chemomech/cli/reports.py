"""The command report: results as one HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import add_command, print_once
from chemomech.errors import run_on_root

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add ``report``."""
    report = add_command(
        commands,
        "report",
        "write one HTML page about a run, a sweep, a measurement or a stress map",
        example="report wire-results",
    )
    report.add_argument("folder", metavar="FOLDER", type=Path, help="folder of results")
    report.add_argument(
        "--output", metavar="FILE", type=Path, help="page to write; default: FOLDER/report.html"
    )
    report.add_argument("--force", action="store_true", help="replace a page that is there")
    report.set_defaults(execute=_execute)


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    def write() -> str:
        from chemomech.reporting.writing import write_report

        path = write_report(arguments.folder, arguments.output, replace=arguments.force)
        return f"{path}: {path.stat().st_size / 1e6:.1f} MB, opens without a network"

    # Results are read by one process, however many there are.
    print_once(run_on_root(comm, write), comm)
