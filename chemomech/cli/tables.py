"""Commands from table to table: stoney, lattice."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mpi4py import MPI

from chemomech.cli.arguments import add_command, print_once
from chemomech.errors import InputError, run_on_root
from chemomech.text_files import create_csv

if TYPE_CHECKING:
    from chemomech.cli.arguments import Commands
    from chemomech.tables.summary import Tabulation
    from chemomech.units import QuantityKind

# Options by the names of what they give.
_OPTIONS = {
    "axes": "--axes",
    "film_thickness": "--film-thickness",
    "poisson_ratio": "--poisson-ratio",
    "positive_side": "--positive-side",
    "reference": "--reference",
    "thickness": "--substrate-thickness",
    "young_modulus": "--young-modulus",
}


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


def _stoney(
    file: Path,
    *,
    film_thickness: str,
    young_modulus: str,
    poisson_ratio: float,
    substrate_thickness: str,
    positive_side: Literal["concave", "convex"],
    output: Path | None = None,
    comm: MPI.Comm,
) -> str:
    """Compute the stress of a film from a record of its plate's curvature; collective.

    ``positive_side`` is how the film's side looks where the file's curvatures are positive. The
    table is returned as text, the same on all ranks.
    """
    from chemomech import StoneySubstrate
    from chemomech.tables.film_stress import tabulate_film_stress
    from chemomech.units import MODULUS, POSITIVE_LENGTH

    def tabulate() -> Tabulation:
        plate = StoneySubstrate(
            _parse(MODULUS, young_modulus, "young_modulus"),
            poisson_ratio,
            _parse(POSITIVE_LENGTH, substrate_thickness, "thickness"),
        )
        film = _parse(POSITIVE_LENGTH, film_thickness, "film_thickness")
        return tabulate_film_stress(file, plate, film, positive_side)

    return _tabulate(tabulate, output, comm)


def _lattice(
    file: Path,
    *,
    axes: str = "abc",
    reference: str | None = None,
    output: Path | None = None,
    comm: MPI.Comm,
) -> str:
    """Compute volumes and strains of a table of unit cells; collective.

    ``axes`` are the edges along the wire, across it and out of the image; the ``reference``, the
    phase with the least lithium if None, is free of strain. Two tables are returned as text.
    """
    from chemomech.tables.unit_cells import tabulate_unit_cells

    return _tabulate(lambda: tabulate_unit_cells(file, axes, reference), output, comm)


def _tabulate(tabulate: Callable[[], Tabulation], output: Path | None, comm: MPI.Comm) -> str:
    """Make a table on rank 0, write it where asked to, and return its summary on all ranks."""

    def work() -> str:
        try:
            table = tabulate()
        except InputError as error:
            error.key = _OPTIONS.get(error.key or "", error.key)
            raise
        if output is not None:
            create_csv(output, table.rows)
        return table.summary

    return run_on_root(comm, work)


def _parse(kind: QuantityKind, text: str, name: str) -> float:
    try:
        return kind.parse(text)
    except ValueError as error:
        raise InputError(str(error), key=name) from error


def _execute_stoney(arguments: argparse.Namespace, comm: MPI.Comm) -> None:
    table = _stoney(
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
    table = _lattice(
        arguments.file,
        axes=arguments.axes,
        reference=arguments.reference,
        output=arguments.output,
        comm=comm,
    )
    print_once(table, comm)
