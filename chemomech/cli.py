"""The command ``chemomech``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.errors import (
    ChemoMechError,
    InputError,
    RecordsLostError,
    StoppedEarly,
    run_on_root,
)

if TYPE_CHECKING:
    from chemomech.templates import Subject

    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_MESH_FORMATS = (".msh", ".xdmf", ".bp", ".vtu")
_SECONDS_TO_AGREE = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on all ranks of the world communicator.

    Args:
        arguments: Words after the command's name; ``sys.argv`` if None.

    Returns:
        Exit code: 0 done, 2 bad input, 3 no convergence, 4 stopped early, 130 interrupted.
    """
    comm = MPI.COMM_WORLD
    if comm.size > 1:
        _abort_all_on_traceback(comm)
    # A communicator of its own: a rank that fails alone must not be taken for a partner elsewhere.
    failures = comm.Dup()
    try:
        _execute(_parse_arguments(arguments, comm), comm)
    except StoppedEarly as stop:
        # No error, and all ranks have agreed on it.
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
        description="Battery particles: lithium maps from X-ray microscopy, their stress, and "
        "simulations of phase separation (Cahn-Hilliard, elasticity).",
        epilog="Exit codes: 0 done, 2 bad input, 3 no convergence, 4 stopped early with a "
        "checkpoint (--restart continues).",
    )
    parser.add_argument("--version", action="version", version=f"chemomech {_find_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="write a commented configuration to start from")
    init.add_argument("file", metavar="FILE", type=Path, nargs="?")
    init.add_argument(
        "--for", dest="subject", choices=["simulation", "measurement", "stress"],
        default="simulation", help="what the configuration is for (simulation)",
    )  # fmt: skip

    configured = argparse.ArgumentParser(add_help=False)
    configured.add_argument("file", metavar="FILE", type=Path, help="configuration (TOML)")
    configured.add_argument(
        "--set", metavar="KEY=VALUE", dest="overrides", action="append", default=[],
        help='change one key, such as --set "time.end=10 s"; may be repeated',
    )  # fmt: skip
    solved = argparse.ArgumentParser(add_help=False)
    solved.add_argument(
        "--petsc", metavar='"NAME VALUE"', action="append", default=[],
        help='set one PETSc option, such as --petsc "ksp_rtol 1e-9"; may be repeated',
    )  # fmt: skip
    recorded = argparse.ArgumentParser(add_help=False)
    recorded.add_argument(
        "--output", metavar="DIR", type=Path, help='new folder; default: FILE\'s name + "-results"'
    )

    commands.add_parser(
        "validate",
        parents=[configured, solved],
        help="check a configuration; print what follows from it",
    )
    mesh = commands.add_parser("mesh", parents=[configured, solved], help="write the mesh only")
    mesh.add_argument("--output", metavar="FILE", type=Path, required=True, help=".msh, .xdmf, ...")
    run = commands.add_parser("run", parents=[configured, solved, recorded], help="simulate")
    run.add_argument("--quiet", action="store_true", help="no progress line")
    run.add_argument(
        "--restart", action="store_true",
        help="go on from the last good checkpoint in the folder; begin where there is nothing yet; "
        "do nothing where the run has ended",
    )  # fmt: skip
    run.add_argument(
        "--accept-changes", action="store_true",
        help="restart although the configuration has changed since the run began",
    )  # fmt: skip
    commands.add_parser(
        "measure",
        parents=[configured, recorded],
        help="make a composition map of a microscope stack",
    )
    stress = commands.add_parser(
        "stress",
        parents=[configured, recorded],
        help="compute the stress of a composition map, or of a stack",
    )
    stress.add_argument(
        "--samples", metavar="N", type=int, help="repeat with noise N times: bands on the stress"
    )
    phantom = commands.add_parser(
        "phantom", help="make a synthetic stack, its standards and files to measure it with"
    )
    phantom.add_argument("folder", metavar="DIR", type=Path, help="new folder")
    phantom.add_argument("--wire", choices=["delithiated", "lithiated"], default="delithiated")
    phantom.add_argument("--counts", metavar="N", type=float, default=3000.0, help="I0 (3000)")
    phantom.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the noise (0)")
    phantom.add_argument(
        "--leaves-view", action="store_true", help="let the wire leave the image on two sides"
    )
    _add_tables(commands)
    return parser


def _add_tables(commands: _Commands) -> None:
    stoney = commands.add_parser(
        "stoney", help="compute a film's stress from the bending of its plate"
    )
    stoney.add_argument("file", metavar="FILE", type=Path, help="curvature over time (CSV)")
    stoney.add_argument("--film-thickness", metavar="LENGTH", required=True, help='as "50 nm"')
    stoney.add_argument(
        "--positive-side", choices=["concave", "convex"], required=True,
        help="how the film's side looks where the curvature of the file is positive",
    )  # fmt: skip
    stoney.add_argument("--young-modulus", default="203 GPa", help="of the plate (203 GPa)")
    stoney.add_argument("--poisson-ratio", type=float, default=0.29, help="of the plate (0.29)")
    stoney.add_argument("--substrate-thickness", default="0.736 mm", help="(0.736 mm)")
    lattice = commands.add_parser("lattice", help="compute volumes and strains of unit cells")
    lattice.add_argument("file", metavar="FILE", type=Path, help="lattice parameters (CSV)")
    lattice.add_argument(
        "--axes", default="abc", help="edges along the wire, across it and out of the image (abc)"
    )
    lattice.add_argument("--reference", metavar="PHASE", help="unstrained; the least lithium")
    for table in (stoney, lattice):
        table.add_argument("--output", metavar="FILE", type=Path, help="new CSV file")


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    # Imports wait until here: help and complaints about a file need no finite elements.
    match arguments.command:
        case "init":
            run_on_root(comm, lambda: _write_template(arguments.file, arguments.subject))
        case "phantom":
            from chemomech.mapping.phantom_files import write_phantom

            phantom = write_phantom(
                arguments.folder,
                arguments.wire,
                arguments.counts,
                arguments.seed,
                comm,
                leaves_view=arguments.leaves_view,
            )
            _print(phantom, comm)
        case "stoney" | "lattice":
            _print(_make_table(arguments, comm), comm)
        case "measure" | "stress":
            _execute_imaging(arguments, comm)
        case _:
            _execute_simulation(arguments, comm)


def _make_table(arguments: argparse.Namespace, comm: MPI.Comm) -> str:
    from chemomech.table_commands import lattice, stoney

    if arguments.command == "lattice":
        return lattice(
            arguments.file,
            axes=arguments.axes,
            reference=arguments.reference,
            output=arguments.output,
            comm=comm,
        )
    return stoney(
        arguments.file,
        film_thickness=arguments.film_thickness,
        young_modulus=arguments.young_modulus,
        poisson_ratio=arguments.poisson_ratio,
        substrate_thickness=arguments.substrate_thickness,
        positive_side=arguments.positive_side,
        output=arguments.output,
        comm=comm,
    )


def _execute_imaging(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.config import MeasurementConfig, StressConfig, load_config

    folder = arguments.output or Path(f"{arguments.file.stem}-results")
    if arguments.command == "measure":
        measurement = load_config(
            arguments.file, comm, arguments.overrides, model=MeasurementConfig
        )
        from chemomech.mapping.measure import measure

        with _naming(arguments.file):
            _print(measure(measurement, folder, comm), comm)
        return
    overrides = arguments.overrides
    if arguments.samples is not None:
        overrides = [*overrides, f"uncertainty.samples={arguments.samples}"]
    config = load_config(arguments.file, comm, overrides, model=StressConfig)
    from chemomech.mapping.stress import stress

    with _naming(arguments.file):
        _print(stress(config, folder, comm), comm)


def _execute_simulation(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.config import load_config

    overrides = [*arguments.overrides, *map(_petsc_override, arguments.petsc)]
    config = load_config(arguments.file, comm, overrides)
    if arguments.command == "run" and arguments.accept_changes and not arguments.restart:
        raise InputError("has a meaning with --restart only", key="--accept-changes")
    if arguments.command == "mesh":
        run_on_root(comm, lambda: _check_mesh_file(arguments.output))
    from chemomech import run

    with _naming(arguments.file):
        match arguments.command:
            case "validate":
                _print(run.validate(config, comm), comm)
            case "mesh":
                run.write_mesh(config, arguments.output, comm)
            case "run":
                folder = arguments.output or Path(f"{arguments.file.stem}-results")
                _show_messages()
                run.simulate(
                    config,
                    folder,
                    comm,
                    quiet=arguments.quiet,
                    restart=arguments.restart,
                    accept_changes=arguments.accept_changes,
                )


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Name the configuration in errors about its keys."""
    try:
        yield
    except InputError as error:
        if error.path is None and error.key and not error.key.startswith("--"):
            error.path = str(file)
        raise


def _show_messages() -> None:
    """Let people read what the package has to say beside its results."""
    logger = logging.getLogger("chemomech")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("chemomech: %(message)s"))
    # In place of an earlier call's, whose stream may be closed.
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


def _print(text: str, comm: MPI.Comm) -> None:
    if comm.rank == 0:
        sys.stdout.write(text.rstrip("\n") + "\n")


def _write_template(file: Path | None, subject: Subject) -> None:
    from chemomech.templates import create_template

    path = file or Path(f"{subject}.toml")
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(create_template(subject))
    except FileExistsError as error:
        raise InputError(
            "exists already and is left as it is; name another", path=str(path)
        ) from error
    command = {"simulation": "run", "measurement": "measure", "stress": "stress"}[subject]
    sys.stdout.write(f"{path} written; next: chemomech {command} {path}\n")


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
