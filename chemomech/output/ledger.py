"""The ledger: one line a step, which shows that lithium was kept and energy fell."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.output.closing import Closing
from chemomech.text_files import TEXT_ENCODING

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


@dataclass(frozen=True)
class ReactionRow:
    """What a particle that reacts has beside the columns of every ledger, in SI units.

    Currents, charges and powers are those of the whole particle, per metre of depth in 2-D. The
    first line of a stage of the schedule tells of its beginning: the drive has been switched, and
    no lithium has passed yet.

    Args:
        cycle: Number of the cycle, from 1.
        stage: Number of the schedule's step within the cycle, from 1.
        mu_res_J_per_mol: Chemical potential of the reservoir.
        voltage_V: Voltage against Li/Li+; NaN where no reference was stated.
        current_A: Current; positive takes lithium out, which charges a cathode.
        charge_C: Charge of the lithium that has left since the run began.
        capacity_C: Magnitude of the charge passed since the stage began.
        state_of_charge: That of a cathode, 1 - mean composition.
        overpotential_V: Voltage less the mean equilibrium voltage of the surface.
        surface_von_mises_mean_Pa: Mean von Mises stress over the reacting surface.
        surface_hydrostatic_mean_Pa: Mean hydrostatic stress over it, tension positive.
        dissipation_W: Free energy that diffusion turns into heat, C oint M |grad mu|^2 dV.
        surface_power_W: Free energy that leaves with the lithium, C oint mu J dS.
    """

    cycle: int
    stage: int
    mu_res_J_per_mol: float
    voltage_V: float
    current_A: float
    charge_C: float
    capacity_C: float
    state_of_charge: float
    overpotential_V: float
    surface_von_mises_mean_Pa: float
    surface_hydrostatic_mean_Pa: float
    dissipation_W: float
    surface_power_W: float


_ALWAYS = fields(LedgerRow)
_REACTING = (*_ALWAYS, *fields(ReactionRow))
_COUNTS = frozenset(field.name for field in _REACTING if field.type == "int")
_EXTENSIVE = ("_J", "_A", "_C", "_W")


def name_columns(dimension: int, *, reacting: bool = False) -> tuple[str, ...]:
    """Name the ledger's columns, each with its unit.

    Args:
        dimension: 2 or 3. In 2-D energies are per metre of depth and end in ``_J_per_m``; so do
            currents, charges and powers.
        reacting: Whether a reservoir drives reactions at the surface.
    """
    names = [field.name for field in (_REACTING if reacting else _ALWAYS)]
    if dimension == 3:
        return tuple(names)
    return tuple(f"{name}_per_m" if name.endswith(_EXTENSIVE) else name for name in names)


class Ledger(Closing):
    """A CSV file that grows by one flushed line a step, in full double precision.

    Rank 0 writes; construction and `write` are collective, and a failure to write reaches all
    ranks.

    Args:
        path: File to create, or to go on with.
        dimension: 2 or 3; names the unit of energies.
        comm: Ranks of the run.
        reacting: Whether lines have the columns of `ReactionRow` as well.
        keep: Number of lines of an earlier run to go on after; later ones are dropped. None
            creates the file.

    Attributes:
        lines: Number of lines written, the header not counted.

    Raises:
        InputError: The file does not hold the lines to go on after; on every rank.
        OSError: The file cannot be opened; on every rank.
    """

    def __init__(
        self,
        path: str | Path,
        dimension: int,
        comm: MPI.Comm,
        *,
        reacting: bool = False,
        keep: int | None = None,
    ) -> None:
        self._comm = comm
        self._path = Path(path)
        self._file: TextIOWrapper | None = None
        self.lines = keep or 0
        columns = name_columns(dimension, reacting=reacting)

        def create() -> None:
            if keep is not None:
                _cut(Path(path), columns, keep)
                self._file = Path(path).open("a", encoding="utf-8", newline="")  # noqa: SIM115
                return
            self._file = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115
            self._put(columns)

        run_on_root(comm, create)

    def write(self, row: LedgerRow, reaction: ReactionRow | None = None) -> None:
        """Add a line; collective. Rank 0's row is the one written.

        Args:
            row: What every ledger holds.
            reaction: The columns of a particle that reacts.

        Raises:
            OSError: The line cannot be written, e.g. for lack of space; on every rank.
        """
        parts: list[LedgerRow | ReactionRow] = [row] if reaction is None else [row, reaction]
        words = [_format(part, field.name) for part in parts for field in fields(part)]
        run_on_root(self._comm, lambda: self._put(words))
        self.lines += 1

    def synchronise(self) -> None:
        """Make sure that what was written outlives the machine; collective.

        Raises:
            OSError: The disk refuses; on every rank.
        """
        run_on_root(self._comm, self._synchronise)

    def _synchronise(self) -> None:
        assert self._file is not None
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _put(self, words: tuple[str, ...] | list[str]) -> None:
        assert self._file is not None
        csv.writer(self._file, lineterminator="\n").writerow(words)
        # A run killed by its queue must leave every step it finished.
        self._file.flush()
        if os.fstat(self._file.fileno()).st_nlink == 0:
            # What nobody can find any more would be computed in vain.
            raise FileNotFoundError(
                errno.ENOENT, "was removed while the run wrote to it", str(self._path)
            )


def _cut(path: Path, columns: tuple[str, ...], keep: int) -> None:
    """Drop what follows the header and ``keep`` lines, perhaps half a line of a killed run."""
    try:
        with path.open("r+b") as file:
            header = file.readline()
            whole = [file.readline() for _ in range(keep)]
            if header.decode().strip().split(",") != list(columns) or not all(
                line.endswith(b"\n") for line in whole
            ):
                raise InputError(
                    f"does not hold the {keep} lines its checkpoint knows of; it was changed",
                    path=str(path),
                )
            file.truncate(len(header) + sum(map(len, whole)))
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be continued: {error}", path=str(path)) from error


def _format(row: LedgerRow | ReactionRow, name: str) -> str:
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
        with Path(path).open(encoding=TEXT_ENCODING, newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as a ledger: {error}", path=str(path)) from error
    known = [name_columns(d, reacting=reacting) for d in (2, 3) for reacting in (False, True)]
    if tuple(header) not in known:
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
