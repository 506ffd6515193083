"""Run the command ``chemomech``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from types import TracebackType

from chemomech.cli.surroundings import complete_surroundings, outlive_readers

complete_surroundings()  # MPI starts when it is imported

from mpi4py import MPI  # noqa: E402

from chemomech.cli import (  # noqa: E402
    imaging,
    paper,
    reports,
    results,
    simulation,
    sweeps,
    tables,
    templates,
)
from chemomech.errors import (  # noqa: E402
    ChemoMechError,
    InputError,
    InterruptedRunError,
    RecordsLostError,
    StoppedEarly,
)

_SECONDS_TO_AGREE = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on all ranks of the world communicator.

    Args:
        arguments: Words after the command's name; ``sys.argv`` if None.

    Returns:
        Exit code: 0 done, 2 bad input, 3 no convergence, 4 stopped early, 130 interrupted.
    """
    comm = MPI.COMM_WORLD
    outlive_readers()
    if comm.size > 1:
        _abort_all_on_traceback(comm)
    # A communicator of its own: a rank that fails alone must not be taken for a partner elsewhere.
    failures = comm.Dup()
    try:
        parsed = _parse_arguments(arguments, comm)
        parsed.execute(parsed, comm)
        sys.stdout.flush()
    except StoppedEarly as stop:
        # No error, and all ranks have agreed on it.
        _say(str(stop), comm)
        return stop.exit_code
    except ChemoMechError as error:
        return _report(str(error), error.exit_code, failures)
    except RecordsLostError as error:
        code = _report(_describe_os_error(error), InputError.exit_code, failures)
        sys.stdout.flush()
        os._exit(code)
    except OSError as error:
        return _report(_describe_os_error(error), InputError.exit_code, failures)
    except KeyboardInterrupt:
        _say("interrupted", comm)
        return InterruptedRunError.exit_code
    except SystemExit as stop:
        return int(stop.code or 0)
    failures.Free()
    return 0


def _parse_arguments(arguments: Sequence[str] | None, comm: MPI.Comm) -> argparse.Namespace:
    """Parse on rank 0, which alone prints help and complaints, and share what came of it."""
    outcome: argparse.Namespace | int = 0
    if comm.rank == 0:
        try:
            outcome = _create_parser().parse_args(arguments)
        except SystemExit as stop:
            outcome = int(stop.code or 0)
    outcome = comm.bcast(outcome, root=0)
    if isinstance(outcome, int):
        raise SystemExit(outcome)
    return outcome


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chemomech",
        description="Battery particles: lithium maps from X-ray microscopy, their stress, and "
        "simulations of phase separation (Cahn-Hilliard, elasticity).",
        epilog="Exit codes: 0 done, 2 bad input, 3 no convergence, 4 stopped early with a "
        "checkpoint, 130 interrupted (run --restart continues, and the same sweep does).",
    )
    parser.add_argument("--version", action="version", version=f"chemomech {_find_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    # Their modules import what they need when a command is carried out: help and complaints about a
    # file need no finite elements.
    for module in (templates, simulation, sweeps, results, imaging, tables, paper, reports):
        module.add_commands(commands)
    return parser


def _find_version() -> str:
    try:
        return metadata.version("chemomech")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _say(message: str, comm: MPI.Comm) -> None:
    if comm.rank == 0:
        sys.stderr.write(f"chemomech: {message}\n")


def _describe_os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _report(message: str, exit_code: int, failures: MPI.Comm) -> int:
    """Print one message for all ranks that failed alike, and end ranks that did not fail."""
    if failures.rank == 0:
        sys.stderr.write(f"chemomech: error: {message}\n")
        sys.stderr.flush()
    meeting = failures.Ibarrier()
    deadline = time.monotonic() + _SECONDS_TO_AGREE
    while not meeting.Test():
        if time.monotonic() > deadline:
            # The other ranks wait for this one in a call it will never make.
            if failures.rank != 0:
                sys.stderr.write(f"chemomech: error on rank {failures.rank}: {message}\n")
                sys.stderr.flush()
            failures.Abort(exit_code)
        time.sleep(0.01)
    return exit_code


def _abort_all_on_traceback(comm: MPI.Comm) -> None:
    """Let an unforeseen exception on one rank end all ranks instead of leaving them waiting."""

    def show_and_abort(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        sys.__excepthook__(kind, error, trace)
        sys.stderr.flush()
        comm.Abort(1)

    sys.excepthook = show_and_abort
