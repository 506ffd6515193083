"""Commands about finished results: plot, analyse."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import add_command, print_once
from chemomech.errors import InputError, run_on_root

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add ``plot`` and ``analyse``."""
    opened = argparse.ArgumentParser(add_help=False)
    opened.add_argument("folder", metavar="FOLDER", type=Path, help="folder of results")
    opened.add_argument(
        "--time", help='time, such as "10 s": the nearest snapshot; default: the last'
    )
    plot = add_command(
        commands,
        "plot",
        "draw one field at one time",
        example='plot wire-results --field von_mises --time "10 s"',
        parents=[opened],
    )
    plot.add_argument(
        "--field", default="composition", help="name of the field; default: composition"
    )
    plot.add_argument(
        "--output", metavar="FILE", type=Path, help=".png, .svg or .pdf; default: FIELD.png"
    )
    analyse = add_command(
        commands,
        "analyse",
        "measure the domains of a run's phases",
        example="analyse wire-results --output domains.csv",
        parents=[opened],
    )
    analyse.add_argument("--output", metavar="FILE", type=Path, help="CSV, a line for each domain")
    for parser in (plot, analyse):
        parser.set_defaults(execute=_execute)


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    work = _plot if arguments.command == "plot" else _analyse
    # Results are read and drawn by one process, however many there are.
    print_once(run_on_root(comm, lambda: work(arguments)), comm)


def _plot(arguments: argparse.Namespace) -> str:
    time = _parse_time(arguments.time)
    path = arguments.output or Path(f"{arguments.field}.png")
    from chemomech.analysis.plotting import check_picture, plot_field
    from chemomech.analysis.results import open_results
    from chemomech.drawing.styles import format_time

    check_picture(path)
    results = open_results(arguments.folder)
    found = plot_field(results, arguments.field, path, time)
    at = f" at {format_time(found)}" if len(results.times) > 1 else ""
    return f"{path}: {arguments.field}{at}"


def _analyse(arguments: argparse.Namespace) -> str:
    time = _parse_time(arguments.time)
    path = arguments.output
    if path is not None and path.exists():
        raise InputError(f"{path} exists already and is left as it is", key="--output")
    from chemomech.analysis.results import open_run
    from chemomech.analysis.run_statistics import analyse_run_phases
    from chemomech.analysis.tables import summarise_domains, write_domain_table

    results = open_run(arguments.folder)
    phases, found = analyse_run_phases(results, time), results.find_time(time)
    dimension = results.grid.dimension
    if path is not None:
        write_domain_table(path, phases, dimension)
    return summarise_domains(phases, dimension, found)


def _parse_time(text: str | None) -> float | None:
    if text is None:
        return None
    from chemomech.units import TIME

    # The beginning is a snapshot too, though no duration.
    if text.split() in (["0"], ["0", "s"]):
        return 0.0
    try:
        return TIME.parse(text)
    except ValueError as error:
        raise InputError(str(error), key="--time") from error
