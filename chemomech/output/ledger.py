"""Write and read the ledger: one line a step, with lithium balance and energies."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.output.context import Context
from chemomech.text_files import format_csv, read_csv

if TYPE_CHECKING:
    from mpi4py import MPI

Columns = Mapping[str, NDArray[np.float64] | NDArray[np.int64]]
"""A ledger's columns by name, each of shape ``(steps,)``."""

#: Columns of every run. Energies are those of the whole particle.
_ALWAYS = (
    *("step", "time_s", "dt_s", "rejected", "newton_iterations", "krylov_iterations"),
    *("lithium_mean", "lithium_balance_error"),
    *("energy_chemical_J", "energy_gradient_J", "energy_elastic_J", "energy_total_J"),
    *("c_min", "c_max", "von_mises_max_Pa", "domains", "wall_s"),
)
#: Further columns of a particle that reacts. The first line of a stage of the schedule tells of
#: its beginning: the drive has been switched, and no lithium has passed yet.
_REACTING = (
    *("cycle", "stage", "mu_res_J_per_mol", "voltage_V", "current_A", "charge_C", "capacity_C"),
    *("state_of_charge", "overpotential_V"),
    *("surface_von_mises_mean_Pa", "surface_hydrostatic_mean_Pa"),
    *("dissipation_W", "surface_power_W"),
)
_EXTENSIVE = ("_J", "_A", "_C", "_W")


def name_column(name: str, dimension: int) -> str:
    """Name a column of the whole particle: in 2-D it is per metre of depth, ``_per_m``."""
    return f"{name}_per_m" if dimension == 2 and name.endswith(_EXTENSIVE) else name


def name_columns(dimension: int, *, reacting: bool = False) -> tuple[str, ...]:
    """Name the columns that the package itself records, each with its unit.

    In 2-D energies are per metre of depth and end in ``_J_per_m``; so do currents, charges and
    powers. Those of reactions need a reservoir that drives them.
    """
    names = (*_ALWAYS, *_REACTING) if reacting else _ALWAYS
    return tuple(name_column(name, dimension) for name in names)


def find_additional(columns: Iterable[str]) -> list[str]:
    """Find those columns that the package does not record by itself, in their order."""
    known = {*name_columns(2, reacting=True), *name_columns(3, reacting=True)}
    return [name for name in columns if name not in known]


class Ledger(Context):
    """A CSV file that grows by one flushed line a step, in full double precision.

    Rank 0 writes; construction and `write` are collective, and a failure to write reaches all
    ranks. With ``keep`` it goes on after so many lines of an earlier run, later ones dropped; None
    creates it.
    """

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str],
        comm: MPI.Comm,
        *,
        keep: int | None = None,
    ) -> None:
        _require_distinct(columns, str(path))
        self._comm = comm
        self._path = Path(path)
        self._file: TextIOWrapper | None = None
        self.lines = keep or 0

        def create() -> None:
            if keep is not None:
                _cut(Path(path), columns, keep)
                self._file = Path(path).open("a", encoding="utf-8", newline="")  # noqa: SIM115
                return
            self._file = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115
            self._put(columns)

        run_on_root(comm, create)

    def write(self, values: Sequence[float]) -> None:
        """Add a line, rank 0's, one value for each column; integers stay integers; collective."""
        words = [_format(value) for value in values]
        run_on_root(self._comm, lambda: self._put(words))
        self.lines += 1

    def synchronise(self) -> None:
        """Make sure that what was written outlives the machine; collective."""
        file = self._file
        run_on_root(self._comm, lambda: None if file is None else os.fsync(file.fileno()))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _put(self, words: Sequence[str]) -> None:
        assert self._file is not None
        self._file.write(format_csv([words]))
        # A run killed by its queue must leave every step it finished.
        self._file.flush()
        if os.fstat(self._file.fileno()).st_nlink == 0:
            # What nobody can find any more would be computed in vain.
            raise FileNotFoundError(
                errno.ENOENT, "was removed while the run wrote to it", str(self._path)
            )


class MemoryLedger:
    """Lines of a ledger kept in memory, for a run that leaves no files."""

    def __init__(self, columns: Sequence[str]) -> None:
        _require_distinct(columns)
        self._columns = columns
        self._lines: list[Sequence[float]] = []

    @property
    def lines(self) -> int:
        """Number of lines."""
        return len(self._lines)

    def write(self, values: Sequence[float]) -> None:
        """Add a line, one value for each column."""
        self._lines.append(values)

    def read(self) -> Columns:
        """Columns by name, as `read_ledger` returns them."""
        values = zip(*self._lines, strict=True) if self._lines else ([] for _ in self._columns)
        return {name: np.array(column) for name, column in zip(self._columns, values, strict=True)}

    def synchronise(self) -> None:
        """Do nothing: what is in memory does not outlive the process."""

    def close(self) -> None:
        """Do nothing."""


def _require_distinct(columns: Sequence[str], path: str | None = None) -> None:
    if twice := [name for name, count in Counter(columns).items() if count > 1]:
        raise InputError(f"would hold two columns named {', '.join(twice)}", path=path)


def _cut(path: Path, columns: Sequence[str], keep: int) -> None:
    """Drop what follows the header and ``keep`` lines, perhaps half a line of a killed run."""
    try:
        with path.open("r+b") as file:
            header = file.readline()
            former = header.decode().strip().split(",")
            if changed := [
                name for name in (*former, *columns) if (name in former) != (name in columns)
            ]:
                raise InputError(
                    f"cannot be continued: {', '.join(changed)} would be recorded only before or "
                    "only from now on; restart with the same observables",
                    path=str(path),
                )
            whole = [file.readline() for _ in range(keep)]
            if former != list(columns) or not all(line.endswith(b"\n") for line in whole):
                raise InputError(
                    f"does not hold the {keep} lines its checkpoint knows of; it was changed",
                    path=str(path),
                )
            file.truncate(len(header) + sum(map(len, whole)))
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be continued: {error}", path=str(path)) from error


def _format(value: float) -> str:
    # NumPy's scalars pass for numbers, but write "np.float64(...)" about themselves.
    return str(int(value)) if isinstance(value, (int, np.integer)) else repr(float(value))


def read_ledger(path: str | Path) -> Columns:
    """Read a ledger, finished or not.

    Returns:
        One array of shape ``(steps,)`` by column name; counts are integers. Columns end in the
        unit: ``energy_total_J`` in 3-D, ``energy_total_J_per_m`` in 2-D. Those of further
        observables follow the package's own.

    Raises:
        InputError: The file is missing or is no ledger.
    """
    header, lines = read_csv(Path(path))
    if tuple(header[: len(_ALWAYS)]) not in (name_columns(2), name_columns(3)):
        raise InputError("is not a ledger: its first line has other columns", path=str(path))
    if any(len(line) != len(header) for line in lines):
        raise InputError("has a line that breaks off", path=str(path))
    table = np.array(lines, dtype=str).reshape(len(lines), len(header))
    try:
        return {name: _parse(words) for name, words in zip(header, table.T, strict=True)}
    except ValueError as error:
        raise InputError(f"has a damaged line: {error}", path=str(path)) from error


def _parse(words: NDArray[np.str_]) -> NDArray[np.float64] | NDArray[np.int64]:
    try:
        return words.astype(np.int64)
    except ValueError:
        return words.astype(np.float64)
