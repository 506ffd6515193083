"""Keep checkpoints on disk, so that a complete one exists at every instant."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dolfinx import fem
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.output.sealed_folders import (
    DamagedError,
    check_folder,
    read_array,
    read_json,
    seal_folder,
    synchronise,
    write_array,
    write_json,
)
from chemomech.output.state_files import read_functions, write_functions

if TYPE_CHECKING:
    from mpi4py import MPI

_log = logging.getLogger(__name__)

_FUNCTIONS, _RECORD = "functions", "record.json"
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_]+")
# A state that makes way for another of its number counts until the other is there.
_ENTRY = re.compile(r"([0-9]{8,18})(\.former)?")
_FORMER, _PARTIAL, _DISCARDED = ".former", ".partial", ".discarded"
_LEFTOVER = re.compile(r"[0-9]{8,18}(\.former)?(\.partial|\.discarded)")


@dataclass(frozen=True, eq=False)
class StoredState:
    """A state in a store that was found whole: its folder, and the values written with it."""

    number: int
    path: Path
    comm: MPI.Comm
    record: Mapping[str, Any]

    def read_functions(self, functions: Mapping[str, fem.Function]) -> None:
        """Fill functions, ghosts included, bit for bit as they were; collective.

        They are some of those written or all, by the names they were written under, on the same
        mesh whatever its partition.
        """
        read_functions(self.path / _FUNCTIONS, functions)

    def read_arrays(self) -> dict[str, NDArray[Any]]:
        """Read the arrays, of plain numbers, by name on rank 0, none elsewhere; collective."""
        arrays = {}

        def read() -> None:
            for path in sorted(self.path.glob("*.npy")):
                try:
                    arrays[path.stem] = read_array(path)
                except DamagedError as error:
                    raise InputError(f"{path.name} {error}", path=str(self.path)) from error

        run_on_root(self.comm, read)
        return arrays


class CheckpointStore:
    """A folder of states, each in a subfolder named by its number; every method is collective.

    A state is written beside the others under another name, with a manifest that holds size and
    hash of every file. It gets its name when all of it has reached the disk, and only then do older
    ones go, but so many as are kept, all with None. What a killed run left half-written is never
    taken for a state, and goes with the next write.
    """

    def __init__(self, folder: Path, comm: MPI.Comm, keep: int | None = 2) -> None:
        if keep is not None and keep < 1:
            raise ValueError(f"At least one state must be kept, not {keep}.")
        self._folder = Path(folder)
        self._comm = comm
        self._keep = keep

    def write(
        self,
        number: int,
        functions: Mapping[str, fem.Function],
        record: Mapping[str, object],
        arrays: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Write a state; one of the same number is replaced.

        Args:
            number: Its number, 0 or more, which tells the newest.
            functions: Functions on one mesh, by names of one's choice.
            record: Values that JSON can hold; floats come back as they are. Looked at on rank 0.
            arrays: Arrays of plain numbers, by names of letters and digits; looked at on rank 0.

        Raises:
            InputError: There are too many ranks for so small a mesh; on every rank.
            OSError: It cannot be written, e.g. for lack of space; those written before are as they
                were. On every rank.
        """
        partial = self._folder / (_name(number) + _PARTIAL)
        try:
            run_on_root(self._comm, lambda: self._begin(partial, record, arrays or {}))
            write_functions(partial / _FUNCTIONS, functions)
            run_on_root(self._comm, lambda: self._finish(partial, number))
        except Exception as error:
            # Without the other ranks, which may still wait for one that failed.
            if self._comm.rank == 0:
                shutil.rmtree(partial, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            where = f"{error.filename}: " if error.filename else ""
            words = f"{where}{error.strerror or error}"
            raise OSError(f"checkpoint {number} was not written: {words}") from error
        run_on_root(self._comm, lambda: self._remove_replaced(number))

    def numbers(self) -> list[int]:
        """List the numbers of states under their final name, ascending, damaged ones included."""
        return run_on_root(self._comm, lambda: sorted(self._entries()))

    def find_latest(self) -> StoredState | None:
        """Find the state with the greatest number that is whole; None where there is none.

        Those that are not are named in the log, with what is wrong.
        """

        def search() -> tuple[int, Path, Mapping[str, Any]] | None:
            for number, path in sorted(self._entries().items(), reverse=True):
                try:
                    return number, path, _check(path)
                except (DamagedError, OSError) as error:
                    _log.warning("%s is damaged and passed over: %s", path, error)
            return None

        found = run_on_root(self._comm, search)
        return None if found is None else StoredState(found[0], found[1], self._comm, found[2])

    def get(self, number: int) -> StoredState:
        """Get the state of a number."""

        def look() -> tuple[Path, Mapping[str, Any]]:
            path = self._entries().get(number)
            if path is None:
                raise InputError(f"holds no state {number}", path=str(self._folder))
            try:
                return path, _check(path)
            except (DamagedError, OSError) as error:
                raise InputError(f"is damaged: {error}", path=str(path)) from error

        path, record = run_on_root(self._comm, look)
        return StoredState(number, path, self._comm, record)

    def discard_after(self, number: int) -> None:
        """Remove the states with a greater number, as when a run goes back."""

        def discard() -> None:
            for each, path in sorted(self._entries().items(), reverse=True):
                if each > number:
                    _remove(path)

        run_on_root(self._comm, discard)

    def _entries(self) -> dict[int, Path]:
        """Find folders of states by number; like all that follows, only for one rank."""
        entries: dict[int, Path] = {}
        if not self._folder.is_dir():
            return entries
        # Of 00000001 and 00000001.former the first one comes last, and prevails.
        for path in sorted(self._folder.iterdir(), reverse=True):
            match = _ENTRY.fullmatch(path.name)
            if match and _name(int(match[1])) == match[1] and _is_own_folder(path):
                entries[int(match[1])] = path
        return entries

    def _begin(
        self, partial: Path, record: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]
    ) -> None:
        """Remove what killed runs left, and write what is small."""
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True)
            synchronise(self._folder.parent)
        kept = set(self._entries().values())
        for path in self._folder.iterdir():
            is_former = path.name.endswith(_FORMER) and _ENTRY.fullmatch(path.name)
            if _LEFTOVER.fullmatch(path.name) or (is_former and path not in kept):
                shutil.rmtree(path) if _is_own_folder(path) else path.unlink()
        partial.mkdir()
        write_json(partial / _RECORD, record)
        for name, array in arrays.items():
            if not _ARRAY_NAME.fullmatch(name):
                raise ValueError(f"An array cannot be stored under the name {name!r}.")
            write_array(partial / f"{name}.npy", array)

    def _finish(self, partial: Path, number: int) -> None:
        """Flush a state to the disk and give it its name."""
        seal_folder(partial)
        final = self._folder / _name(number)
        if final.is_dir():
            final.rename(final.with_name(final.name + _FORMER))
        partial.rename(final)
        synchronise(self._folder)

    def _remove_replaced(self, number: int) -> None:
        """Remove what a state that was just written replaces; failure harms nothing."""
        older = [path for each, path in sorted(self._entries().items()) if each < number]
        surplus = [] if self._keep is None else older[: max(0, len(older) - self._keep + 1)]
        former = self._folder / (_name(number) + _FORMER)
        for path in ([former] if former.is_dir() else []) + surplus:
            try:
                _remove(path)
            except OSError as error:
                _log.warning("%s cannot be removed: %s", path, error.strerror)


def _name(number: int) -> str:
    if number < 0:
        raise ValueError(f"States are numbered from 0, not {number}.")
    return f"{number:08d}"


def _is_own_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    """Remove a state at once, not file by file."""
    doomed = path.with_name(path.name + _DISCARDED)
    if doomed.is_dir():
        shutil.rmtree(doomed)
    path.rename(doomed)
    shutil.rmtree(doomed)


def _check(path: Path) -> Mapping[str, Any]:
    """Return the record of a state; DamagedError where it is not complete."""
    check_folder(path)
    record = read_json(path / _RECORD)
    if not isinstance(record, dict):
        raise DamagedError(f"{_RECORD} holds no table")
    return record
