"""The command ``chemomech``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import metadata, resources
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.errors import ChemoMechError, InputError, run_on_root

if TYPE_CHECKING:
    from chemomech.config import Config

_MESH_FORMATS = (".msh", ".xdmf", ".bp", ".vtu")
_SECONDS_TO_AGREE = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on all ranks of the world communicator.

    Args:
        arguments: Words after the command's name; ``sys.argv`` if None.

    Returns:
        Exit code: 0 done, 2 bad input, 3 no convergence, 130 interrupted.
    """
    comm = MPI.COMM_WORLD
    if comm.size > 1:
        _abort_all_on_traceback(comm)
    # A communicator of its own: a rank that fails alone must not be taken for a partner elsewhere.
    failures = comm.Dup()
    try:
        _execute(_parse_arguments(arguments, comm), comm)
    except ChemoMechError as error:
        return _report(str(error), error.exit_code, failures)
    except OSError as error:
        return _report(_describe_os_error(error), InputError.exit_code, failures)
    except KeyboardInterrupt:
        return 130
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
        description="Phase separation and stress in battery particles (Cahn-Hilliard, elasticity).",
        epilog="Exit codes: 0 done, 2 bad input, 3 no convergence.",
    )
    parser.add_argument("--version", action="version", version=f"chemomech {_find_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="write a commented configuration to start from")
    init.add_argument("file", metavar="FILE", type=Path, nargs="?", default=Path("simulation.toml"))

    configured = argparse.ArgumentParser(add_help=False)
    configured.add_argument("file", metavar="FILE", type=Path, help="configuration (TOML)")
    configured.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help='change one key, such as --set "time.end=10 s"; may be repeated',
    )  # fmt: skip
    configured.add_argument(
        "--petsc", metavar='"NAME VALUE"', action="append", default=[],
        help='set one PETSc option, such as --petsc "ksp_rtol 1e-9"; may be repeated',
    )  # fmt: skip

    commands.add_parser(
        "validate", parents=[configured], help="check a configuration; print what follows from it"
    )
    mesh = commands.add_parser("mesh", parents=[configured], help="write the mesh only")
    mesh.add_argument("--output", metavar="FILE", type=Path, required=True, help=".msh, .xdmf, ...")
    run = commands.add_parser("run", parents=[configured], help="simulate")
    run.add_argument(
        "--output", metavar="DIR", type=Path, help='new folder; default: FILE\'s name + "-results"'
    )
    run.add_argument("--quiet", action="store_true", help="no progress line")
    return parser


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    if arguments.command == "init":
        run_on_root(comm, lambda: _write_template(arguments.file))
        return
    # Here, not above: help, templates and complaints about the file need not wait for these.
    from chemomech.config import load_config

    overrides = [*arguments.overrides, *map(_petsc_override, arguments.petsc)]
    config = load_config(arguments.file, comm, overrides)
    if arguments.command == "mesh":
        run_on_root(comm, lambda: _check_mesh_file(arguments.output))

    try:
        _carry_out(arguments, config, comm)
    except InputError as error:
        if error.path is None and error.key and not error.key.startswith("--"):
            error.path = str(arguments.file)
        raise


def _carry_out(arguments: argparse.Namespace, config: Config, comm: MPI.Comm) -> None:
    from chemomech import run

    match arguments.command:
        case "validate":
            summary = run.validate(config, comm)
            if comm.rank == 0:
                sys.stdout.write(summary.rstrip("\n") + "\n")
        case "mesh":
            run.write_mesh(config, arguments.output, comm)
        case "run":
            folder = arguments.output or Path(f"{arguments.file.stem}-results")
            run.simulate(config, folder, comm, quiet=arguments.quiet)


def _write_template(path: Path) -> None:
    template = resources.files("chemomech").joinpath("template.toml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template)
    except FileExistsError as error:
        raise InputError(
            "exists already and is left as it is; name another", path=str(path)
        ) from error
    sys.stdout.write(f"{path} written; next: chemomech run {path}\n")


def _petsc_override(option: str) -> str:
    name, _, value = option.strip().partition(" ")
    if "=" in name or "." in name:
        raise InputError(f'{option!r} is no option; write "name value"', key="--petsc")
    # A mere flag has the empty text as its value; quotes let TOML see it.
    text = value.strip() or '""'
    return f"solver.petsc.{name.removeprefix('-')}={text}"


def _check_mesh_file(path: Path) -> None:
    if path.suffix not in _MESH_FORMATS:
        known = ", ".join(_MESH_FORMATS)
        raise InputError(f"{path} is no mesh file; its name must end in {known}", key="--output")
    if path.exists():
        raise InputError(f"{path} exists already and is left as it is", key="--output")


def _find_version() -> str:
    try:
        return metadata.version("chemomech")
    except metadata.PackageNotFoundError:
        return "(not installed)"


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
