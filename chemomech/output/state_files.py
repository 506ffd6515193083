"""Functions in one file, which any number of ranks reads back bit for bit.

The file is one of adios4dolfinx's checkpoints on the input mesh: it names each cell by its place in
the mesh's input, whatever the partition. The mesh is not in it; who reads has made it again.

Functions on one space are stored as one function at several times, so that the numbers of its
unknowns are stored once: ``space_0`` at time 2.0 is ``functions_NAME = [0, 2, ...]``.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError, run_on_root
from chemomech.fenicsx import import_adios4dolfinx

T = TypeVar("T")
Table = Mapping[str, tuple[int, ...]]
"""For each function its space, its time, and what `_describe` says of it."""

_TABLE, _COLUMNS = "functions", 5
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: Bytes beyond the payload: those of each file, and those of each function of each rank.
_SLACK, _SLACK_OF_RANK = 2**18, 4096
#: Cells that each rank has on average, at least: adios4dolfinx fails or waits for ever where a rank
#: has nothing to send or to receive.
_FEWEST_CELLS = 8
#: Seconds that a rank that failed gives the others to notice.
_PATIENCE = 10.0


def write_functions(path: Path, functions: Mapping[str, fem.Function]) -> None:
    """Write functions into a file; collective.

    Without enough space nothing is begun: ADIOS2 does not survive a full disk, it ends the program
    or, on several ranks, waits for ever.

    Args:
        path: File, a folder indeed; replaced where it exists.
        functions: Functions on one mesh, by the names under which they are stored.

    Raises:
        InputError: There are too many ranks for so small a mesh; on every rank.
        OSError: The file cannot be written, e.g. for lack of space; on every rank.
    """
    comm = _share(functions)
    library = import_adios4dolfinx()
    table = _lay_out(functions)
    payload = _compute_payload(table)
    slack = _SLACK + _SLACK_OF_RANK * comm.size * len(functions)
    run_on_root(comm, lambda: _reserve(path, payload + slack))

    def write() -> None:
        rows = {name: np.array(row, dtype=np.int64) for name, row in table.items()}
        library.write_attributes(path, comm, _TABLE, rows)
        for name, function in functions.items():
            space, moment = table[name][:2]
            library.write_function_on_input_mesh(
                path, function, time=float(moment), name=f"space_{space}"
            )

    _run_together(comm, write, lambda said: f"{path} cannot be written: {said}", path)
    run_on_root(comm, lambda: _require_size(path, payload))


def read_functions(path: Path, functions: Mapping[str, fem.Function]) -> None:
    """Fill functions, ghosts included, with the values in a file; collective.

    The file must be whole: ADIOS2 may read one that is cut short for ever.

    Args:
        path: File `write_functions` made, on any number of ranks.
        functions: Functions, by the names under which they were stored, on a mesh made from the
            same input; some of those stored or all.

    Raises:
        InputError: The file does not hold them, or there are too many ranks for so small a mesh;
            on every rank.
        OSError: The file cannot be read; on every rank.
    """
    comm = _share(functions)
    library = import_adios4dolfinx()

    def describe(said: str) -> str:
        return f"{path} cannot be read: {said}"

    rows = _run_together(comm, lambda: library.read_attributes(path, comm, _TABLE), describe)
    stored = {name: tuple(int(number) for number in row) for name, row in rows.items()}
    for name, function in functions.items():
        _require_stored(path, stored, name, function)

    def read() -> None:
        for name, function in functions.items():
            space, moment = stored[name][:2]
            library.read_function(path, function, time=float(moment), name=f"space_{space}")

    _run_together(comm, read, describe)


def _share(functions: Mapping[str, fem.Function]) -> MPI.Comm:
    """The ranks that share the functions' mesh, each of which must have some of it."""
    mesh = next(iter(functions.values())).function_space.mesh
    comm: MPI.Comm = mesh.comm
    cells = mesh.topology.index_map(mesh.topology.dim)
    fewest = comm.allreduce(cells.size_local, op=MPI.MIN)
    if comm.size > 1 and (fewest == 0 or cells.size_global < _FEWEST_CELLS * comm.size):
        raise InputError(
            f"a mesh of {cells.size_global} cells is too small for checkpoints of {comm.size} "
            f"ranks; use at most {max(1, cells.size_global // _FEWEST_CELLS)}"
        )
    return comm


def _describe(function: fem.Function) -> tuple[int, int, int]:
    """Number of cells, of all unknowns, and of the unknowns of one cell."""
    space = function.function_space
    topology, dofmap = space.mesh.topology, space.dofmap
    return (
        topology.index_map(topology.dim).size_global,
        dofmap.index_map.size_global * dofmap.index_map_bs,
        dofmap.list.shape[1] * dofmap.bs,
    )


def _lay_out(functions: Mapping[str, fem.Function]) -> Table:
    """Give each function a time of its own among those on its space."""
    spaces: dict[int, int] = {}
    counts: dict[int, int] = {}
    table = {}
    for name, function in functions.items():
        space = spaces.setdefault(id(function.function_space), len(spaces))
        moment = counts.get(space, 0)
        counts[space] = moment + 1
        table[name] = (space, moment, *_describe(function))
    return table


def _compute_payload(table: Table) -> int:
    """Bytes of the numbers in a file, without anything about them."""
    total = 0
    for space, moment, cells, unknowns, of_cell in table.values():
        total += 8 * unknowns
        if moment == 0:
            total += 8 * (cells * of_cell + cells + 1)
        if space == moment == 0:
            total += 4 * cells
    return total


def _reserve(path: Path, size: int) -> None:
    """Make room for a file, or fail while failing is harmless; only for one rank."""
    if path.exists():
        shutil.rmtree(path)
    trial = path.with_name(path.name + ".reserve")
    try:
        with trial.open("wb") as file:
            _allocate(file.fileno(), size, trial.parent)
    except OSError as error:
        words = error.strerror or str(error)
        raise OSError(f"{path} cannot be written: {words} ({size} bytes needed)") from error
    finally:
        with suppress(OSError):
            trial.unlink()


def _allocate(descriptor: int, size: int, folder: Path) -> None:
    """Take space from the disk, which unlike a look at what is free knows of quotas."""
    allocate = getattr(os, "posix_fallocate", None)  # not on every system
    try:
        if allocate is not None:
            allocate(descriptor, 0, size)
            return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    if shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _require_size(path: Path, payload: int) -> None:
    """Refuse a file that lost some of what was written, as when its folder was removed."""
    size = sum(part.stat().st_size for part in path.iterdir())
    if size < payload:
        raise OSError(f"{path} cannot be written: {size} bytes arrived of {payload}")


def _require_stored(path: Path, stored: Table, name: str, function: fem.Function) -> None:
    """Refuse to read what was not stored, or not on such a mesh and space."""
    if name not in stored or len(stored[name]) != _COLUMNS:
        known = ", ".join(sorted(stored)) or "none"
        raise InputError(f"holds no function {name!r} (known functions: {known})", path=str(path))
    there, here = stored[name][2:], _describe(function)
    if there != here:
        raise InputError(
            f"{name!r} has {there[1]} unknowns on {there[0]} cells, {there[2]} to each, but the "
            f"function to read has {here[1]} on {here[0]}, {here[2]} to each",
            path=str(path),
        )


def _run_together(
    comm: MPI.Comm,
    action: Callable[[], T],
    describe: Callable[[str], str],
    written: Path | None = None,
) -> T:
    """Run a collective action of ADIOS2 and raise the failure of any rank on all of them.

    Where others still wait inside the action for a rank that failed, that rank raises alone, after
    some time, and can end the program.
    """
    said, result = "", None
    # Of its own, for others may be at any place inside the action.
    meeting_place = comm.Dup()
    try:
        result = action()
    except Exception as error:  # noqa: BLE001 - ADIOS2 raises what it likes; raised on every rank
        said = " ".join(_COLOURS.sub("", str(error)).split()) or type(error).__name__
        if written is not None:
            _make_room(written)
    failures = [words for words in _gather(meeting_place, said, describe) if words]
    meeting_place.Free()
    if failures:
        raise OSError(describe(failures[0]))
    return result  # type: ignore[return-value]


def _make_room(path: Path) -> None:
    """Empty what was written in vain: ADIOS2 ends the program if it cannot put an end to it."""
    for part in path.glob("data.*"):
        with suppress(OSError):
            os.truncate(part, 0)


def _gather(comm: MPI.Comm, said: str, describe: Callable[[str], str]) -> list[str]:
    """What each rank says; a rank that failed does not wait for ever for the others."""
    mine, worst = np.array([bool(said)]), np.array([False])
    meeting = comm.Iallreduce(mine, worst, MPI.LOR)
    deadline = time.monotonic() + _PATIENCE
    while said and not meeting.Test():
        if time.monotonic() > deadline:
            raise OSError(describe(said))
        time.sleep(0.01)
    meeting.Wait()
    return comm.allgather(said) if worst[0] else []
