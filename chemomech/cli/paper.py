"""The command reproduce: the figures of the paper."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import (
    ALL_EXIT_CODES,
    add_command,
    parse_count,
    print_once,
    show_messages,
)
from chemomech.errors import InputError

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add ``reproduce``."""
    paper = add_command(
        commands,
        "reproduce",
        "make a figure of the source paper, its data and a page about both",
        example="reproduce 4B --short",
        exit_codes=ALL_EXIT_CODES,
        note="A second call with the same folder goes on where the first stopped.",
    )
    paper.add_argument("figure", metavar="FIG", nargs="?", help="such as 4B; see --list")
    paper.add_argument("--list", action="store_true", help="list the figures")
    paper.add_argument(
        "--output", metavar="DIR", type=Path,
        help="new folder, or an unfinished one to go on in; default: figure-FIG",
    )  # fmt: skip
    paper.add_argument(
        "--base", metavar="FILE", type=Path,
        help="particle only: your configuration, with the outline from your micrograph",
    )  # fmt: skip
    paper.add_argument("--short", action="store_true", help="a smaller case, to look at the way")
    paper.add_argument("--jobs", type=parse_count, help="cases at a time; default: as cores allow")
    paper.add_argument("--ranks", type=parse_count, help="MPI ranks of each case")
    paper.set_defaults(execute=_execute)


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    if arguments.list:
        print_once(_list_figures(), comm)
        return
    if arguments.figure is None:
        raise InputError("name a figure, or give --list", key="FIG")
    from chemomech.paper.figures import find_figure

    figure = find_figure(arguments.figure)
    if comm.size > 1:
        raise InputError("starts its own MPI jobs; call it without mpirun and give --ranks")
    folder = arguments.output or Path(f"figure-{figure.name}")
    show_messages()
    from chemomech.paper.reproduction import Reproduction, reproduce

    work = Reproduction(
        figure, folder, arguments.short, arguments.jobs, arguments.ranks, arguments.base
    )
    print_once(reproduce(work), comm)


def _list_figures() -> str:
    from rich.table import Table

    from chemomech.output.terminal import render
    from chemomech.paper.figures import FIGURES

    table = Table("Figure", "About", "On two cores", "--short", box=None)
    for figure in FIGURES:
        table.add_row(figure.name, figure.title, *figure.wall_time)
    return render(table)
