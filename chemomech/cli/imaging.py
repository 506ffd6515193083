"""Commands from images to stress: measure, stress, phantom."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import (
    add_command,
    create_configured,
    create_recorded,
    load_named,
    name_folder,
    naming,
    print_once,
    show_messages,
)

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add ``measure``, ``stress`` and ``phantom``."""
    configured, recorded = create_configured(), create_recorded()
    measure = add_command(
        commands,
        "measure",
        "make a composition map of a microscope stack",
        example="measure measure.toml --output measured",
        parents=[configured, recorded],
    )
    stress = add_command(
        commands,
        "stress",
        "compute the stress of a composition map, or of a stack",
        example="stress stress.toml --samples 20",
        exit_codes=(0, 2, 3, 130),
        parents=[configured, recorded],
    )
    stress.add_argument(
        "--samples", metavar="N", type=int, help="repeat with noise N times: bands on the stress"
    )
    phantom = add_command(
        commands,
        "phantom",
        "make a synthetic stack, its standards and files to measure it with",
        example="phantom wire --seed 1",
    )
    phantom.add_argument("folder", metavar="DIR", type=Path, help="new folder")
    phantom.add_argument("--wire", choices=["delithiated", "lithiated"], default="delithiated")
    phantom.add_argument("--counts", metavar="N", type=float, default=3000.0, help="I0 (3000)")
    phantom.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the noise (0)")
    phantom.add_argument(
        "--leaves-view", action="store_true", help="let the wire leave the image on two sides"
    )
    measure.set_defaults(execute=_execute_measure)
    stress.set_defaults(execute=_execute_stress)
    phantom.set_defaults(execute=_execute_phantom)


def _execute_measure(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.config import MeasurementConfig

    config = load_named(arguments, comm, MeasurementConfig)
    from chemomech.mapping.measure import measure

    show_messages()
    with naming(arguments.file):
        print_once(measure(config, name_folder(arguments), comm), comm)


def _execute_stress(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.config import StressConfig

    samples = arguments.samples
    overrides = [] if samples is None else [f"uncertainty.samples={samples}"]
    config = load_named(arguments, comm, StressConfig, overrides)
    from chemomech.mapping.stress import stress

    show_messages()
    with naming(arguments.file):
        print_once(stress(config, name_folder(arguments), comm), comm)


def _execute_phantom(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.mapping.phantom_files import write_phantom

    phantom = write_phantom(
        arguments.folder,
        arguments.wire,
        arguments.counts,
        arguments.seed,
        comm,
        leaves_view=arguments.leaves_view,
    )
    print_once(phantom, comm)
