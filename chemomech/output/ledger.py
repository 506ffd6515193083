"""The ledger: one line a step, which shows that lithium was kept and energy fell."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.output.closing import Closing

if TYPE_CHECKING:
    from mpi4py import MPI


@dataclass(frozen=True)
class LedgerRow:
    """State after one accepted time step, in SI units.

    Energies are those of the whole particle: joules in 3-D, joules per metre of depth in 2-D.

    Args:
        step: Number of the accepted step; 0 is the initial state.
        time_s: Time reached.
        dt_s: Length of the step.
        rejected: Attempts rejected before this step was accepted.
        newton_iterations: Newton iterations of the step, rejected attempts included.
        krylov_iterations: Krylov iterations of the step, rejected attempts included.
        lithium_mean: Mean composition over the particle, 0 to 1.
        lithium_balance_error: Mean composition less what it began with and what the surface let in.
        energy_chemical_J: Homogeneous chemical energy.
        energy_gradient_J: Energy of the composition's gradient.
        energy_elastic_J: Elastic energy.
        energy_total_J: Sum of the three, less the work of tractions.
        c_min: Smallest composition.
        c_max: Largest composition.
        von_mises_max_Pa: Largest von Mises stress.
        domains: Number of connected Li-rich regions.
        wall_s: Wall time since the run began.
    """

    step: int
    time_s: float
    dt_s: float
    rejected: int
    newton_iterations: int
    krylov_iterations: int
    lithium_mean: float
    lithium_balance_error: float
    energy_chemical_J: float
    energy_gradient_J: float
    energy_elastic_J: float
    energy_total_J: float
    c_min: float
    c_max: float
    von_mises_max_Pa: float
    domains: int
    wall_s: float


_FIELDS = tuple(field.name for field in fields(LedgerRow))
_COUNTS = frozenset(field.name for field in fields(LedgerRow) if field.type == "int")


def name_columns(dimension: int) -> tuple[str, ...]:
    """Name the ledger's columns, each with its unit.

    Args:
        dimension: 2 or 3. In 2-D energies are per metre of depth and end in ``_J_per_m``.
    """
    if dimension == 3:
        return _FIELDS
    return tuple(f"{name}_per_m" if name.endswith("_J") else name for name in _FIELDS)


class Ledger(Closing):
    """A CSV file that grows by one flushed line a step, in full double precision.

    Rank 0 writes; construction and `write` are collective, and a failure to write reaches all
    ranks.

    Args:
        path: File to create.
        dimension: 2 or 3; names the unit of energies.
        comm: Ranks of the run.

    Raises:
        OSError: The file cannot be created; on every rank.
    """

    def __init__(self, path: str | Path, dimension: int, comm: MPI.Comm) -> None:
        self._comm = comm
        self._file: TextIOWrapper | None = None
        columns = name_columns(dimension)

        def create() -> None:
            self._file = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115
            self._put(columns)

        run_on_root(comm, create)

    def write(self, row: LedgerRow) -> None:
        """Add a line; collective. Rank 0's row is the one written.

        Raises:
            OSError: The line cannot be written, e.g. for lack of space; on every rank.
        """
        run_on_root(self._comm, lambda: self._put([_format(row, name) for name in _FIELDS]))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _put(self, words: tuple[str, ...] | list[str]) -> None:
        assert self._file is not None
        csv.writer(self._file, lineterminator="\n").writerow(words)
        # A run killed by its queue must leave every step it finished.
        self._file.flush()


def _format(row: LedgerRow, name: str) -> str:
    # NumPy's scalars pass for numbers, but write "np.float64(...)" about themselves.
    value = getattr(row, name)
    return str(int(value)) if name in _COUNTS else repr(float(value))


Columns = Mapping[str, NDArray[np.float64] | NDArray[np.int64]]
"""A ledger's columns by name, each of shape ``(steps,)``."""


def read_ledger(path: str | Path) -> Columns:
    """Read a ledger.

    Args:
        path: A file written by `Ledger`, finished or not.

    Returns:
        One array of shape ``(steps,)`` by column name; counts are integers. Columns end in the
        unit: ``energy_total_J`` in 3-D, ``energy_total_J_per_m`` in 2-D.

    Raises:
        InputError: The file is missing or is no ledger.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as a ledger: {error}", path=str(path)) from error
    if tuple(header) not in (name_columns(2), name_columns(3)):
        raise InputError("is not a ledger: its first line has other columns", path=str(path))
    if any(len(line) != len(header) for line in lines):
        raise InputError("has a line that breaks off", path=str(path))
    table = np.array(lines, dtype=str).reshape(len(lines), len(header))
    try:
        return {name: _parse(name, words) for name, words in zip(header, table.T, strict=True)}
    except ValueError as error:
        raise InputError(f"has a damaged line: {error}", path=str(path)) from error


def _parse(name: str, words: NDArray[np.str_]) -> NDArray[np.float64] | NDArray[np.int64]:
    return words.astype(np.int64) if name in _COUNTS else words.astype(np.float64)
