"""Commands about a simulation: validate, mesh, run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import (
    ALL_EXIT_CODES,
    add_command,
    create_configured,
    create_recorded,
    load_named,
    name_folder,
    naming,
    print_once,
    show_messages,
)
from chemomech.errors import InputError, run_on_root

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands

_MESH_FORMATS = (".msh", ".xdmf", ".vtkhdf", ".bp", ".vtu")


def add_commands(commands: Commands) -> None:
    """Add ``validate``, ``mesh`` and ``run``."""
    configured, recorded = create_configured(), create_recorded()
    solved = argparse.ArgumentParser(add_help=False)
    solved.add_argument(
        "--petsc", metavar='"NAME VALUE"', action="append", default=[],
        help='set one PETSc option, such as --petsc "ksp_rtol 1e-9"; may be repeated',
    )  # fmt: skip
    validate = add_command(
        commands,
        "validate",
        "check a configuration and print its phases, mesh, size and memory",
        example="validate wire.toml",
        exit_codes=(0, 2, 3, 130),
        parents=[configured, solved],
    )
    mesh = add_command(
        commands,
        "mesh",
        "write the mesh of a configuration, without a simulation",
        example="mesh wire.toml --output wire.msh",
        exit_codes=(0, 2, 3, 130),
        parents=[configured, solved],
    )
    mesh.add_argument("--output", metavar="FILE", type=Path, required=True, help=".msh, .xdmf, ...")
    run = add_command(
        commands,
        "run",
        "simulate a particle and record its fields, ledger, pictures and film",
        example="run wire.toml --output wire-results",
        exit_codes=ALL_EXIT_CODES,
        parents=[configured, solved, recorded],
        note="Ctrl-C, SIGTERM, SIGUSR1 and checkpoint.wall_limit stop a run after the present "
        "time step, with a checkpoint; --restart goes on. Send SIGUSR1 to mpirun: at Ctrl-C and "
        "SIGTERM it kills its ranks before they can save much.",
    )
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
    for parser in (validate, mesh, run):
        parser.set_defaults(execute=_execute)


def _execute(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.config import Config

    options = [_petsc_override(option) for option in arguments.petsc]
    config = load_named(arguments, comm, Config, options)
    if arguments.command == "run" and arguments.accept_changes and not arguments.restart:
        raise InputError("has a meaning with --restart only", key="--accept-changes")
    if arguments.command == "mesh":
        run_on_root(comm, lambda: _check_mesh_file(arguments.output))
    import chemomech

    show_messages()
    with naming(arguments.file):
        match arguments.command:
            case "validate":
                print_once(chemomech.validate(config, comm), comm)
            case "mesh":
                chemomech.write_mesh(config, arguments.output, comm)
            case "run":
                chemomech.simulate(
                    config,
                    name_folder(arguments),
                    comm,
                    quiet=arguments.quiet,
                    restart=arguments.restart,
                    accept_changes=arguments.accept_changes,
                )


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
