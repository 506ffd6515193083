"""Commands from table to table: stoney, lattice."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi4py import MPI

from chemomech.cli.arguments import add_command, print_once

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add ``stoney`` and ``lattice``."""
    stoney = add_command(
        commands,
        "stoney",
        "compute a film's stress from the bending of its plate",
        example='stoney curvature.csv --film-thickness "50 nm" --positive-side concave',
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
    lattice = add_command(
        commands,
        "lattice",
        "compute volumes and strains of unit cells",
        example="lattice phases.csv --axes bca",
    )
    lattice.add_argument("file", metavar="FILE", type=Path, help="lattice parameters (CSV)")
    lattice.add_argument(
        "--axes", default="abc", help="edges along the wire, across it and out of the image (abc)"
    )
    lattice.add_argument("--reference", metavar="PHASE", help="unstrained; the least lithium")
    for table in (stoney, lattice):
        table.add_argument("--output", metavar="FILE", type=Path, help="new CSV file")
    stoney.set_defaults(execute=_execute_stoney)
    lattice.set_defaults(execute=_execute_lattice)


def _execute_stoney(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.tables.film_stress import stoney

    table = stoney(
        arguments.file,
        film_thickness=arguments.film_thickness,
        young_modulus=arguments.young_modulus,
        poisson_ratio=arguments.poisson_ratio,
        substrate_thickness=arguments.substrate_thickness,
        positive_side=arguments.positive_side,
        output=arguments.output,
        comm=comm,
    )
    print_once(table, comm)


def _execute_lattice(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    from chemomech.tables.unit_cells import lattice

    table = lattice(
        arguments.file,
        axes=arguments.axes,
        reference=arguments.reference,
        output=arguments.output,
        comm=comm,
    )
    print_once(table, comm)
