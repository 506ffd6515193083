"""The command sweep: one configuration, many values."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import (
    ALL_EXIT_CODES,
    add_code,
    add_command,
    create_recorded,
    name_folder,
    parse_count,
    print_once,
    show_messages,
)
from chemomech.errors import InputError

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands
    from chemomech.sweeps.cases import Sweep


def add_commands(commands: Commands) -> None:
    """Add ``sweep``."""
    sweep = add_command(
        commands,
        "sweep",
        "run a configuration with many values; goes on where it stopped",
        example="sweep sweep.toml --jobs 2",
        exit_codes=ALL_EXIT_CODES,
        parents=[create_recorded()],
    )
    sweep.add_argument("file", metavar="FILE", type=Path, help="sweep (TOML)")
    add_code(sweep)
    sweep.add_argument(
        "--jobs", type=parse_count, help="cases at a time; default: as the cores allow"
    )
    sweep.add_argument(
        "--ranks", type=parse_count, help="MPI ranks of each case; default: 1 or more"
    )
    what = sweep.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="list cases and cost; run nothing")
    what.add_argument("--retry", action="store_true", help="run failed cases again as well")
    what.add_argument("--slurm", action="store_true", help="print a batch script for an array")
    what.add_argument("--case", metavar="N", type=int, help="run one case, counted from 0")
    what.add_argument("--collect", action="store_true", help="write tables and overview only")
    sweep.set_defaults(execute=_execute)


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    if comm.size > 1:
        raise InputError("starts its own MPI jobs; call it without mpirun and give --ranks")
    from chemomech.sweeps.cases import read_sweep
    from chemomech.sweeps.sweeping import JobLayout, run_case, run_sweep

    sweep = read_sweep(arguments.file, allow_code=arguments.allow_code)
    output = name_folder(arguments)
    layout = JobLayout.choose(len(sweep.cases), arguments.jobs, arguments.ranks)
    show_messages()
    if arguments.slurm:
        from chemomech.sweeps.slurm import create_batch_script

        text = create_batch_script(sweep, output, arguments.ranks or 1)
    elif arguments.dry_run:
        from chemomech.sweeps.estimate import describe_cases
        from chemomech.sweeps.folder import SweepFolder

        folder = SweepFolder(output, sweep)
        folder.check()
        text = describe_cases(folder, layout.ranks, layout.jobs)
    elif arguments.collect:
        text = _collect(sweep, output)
    elif arguments.case is not None:
        text = run_case(sweep, output, arguments.case, arguments.ranks or 1)
    else:
        text = run_sweep(sweep, output, layout, retry=arguments.retry)
    print_once(text, comm)


def _collect(sweep: Sweep, output: Path) -> str:
    from chemomech.output.folder_lock import FolderLock
    from chemomech.sweeps.folder import SUMMARY, SweepFolder
    from chemomech.sweeps.sweeping import collect

    folder = SweepFolder(output, sweep)
    if not output.is_dir():
        raise InputError("no such folder", key="--output", path=str(output))
    with FolderLock(output, MPI.COMM_SELF):
        folder.check()
        finished = collect(folder)
    return f"{output / SUMMARY}: {finished} of {len(sweep.cases)} cases"
