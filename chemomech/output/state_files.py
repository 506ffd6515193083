"""Write functions into a folder, from which any number of ranks reads them back bit for bit.

For each function space the folder holds ``space_K.bp``, a checkpoint by adios4dolfinx on the input
mesh: it names each cell by its place in the mesh's input, whatever the partition. The function in
it is the number of each unknown. The functions themselves are plain arrays in the order of these
numbers, ``NAME.values``. The mesh is not stored; who reads has made it again.

The library thus writes each file in one go. Where it appends, every rank looks for itself whether
the file exists, and ranks that disagree, as when the folder is removed at that moment, wait for
one another for ever.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from dolfinx import fem, mesh
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.errors import InputError, describe_foreign_error, run_on_root
from chemomech.fenicsx import get_adios2_write_mode, import_adios4dolfinx
from chemomech.output.disk_space import require_space
from chemomech.output.sealed_folders import DamagedError, read_json, write_json

_Table = Mapping[str, tuple[int, ...]]
"""For each function the number of its space, and the sizes that `_describe` gives."""

_TABLE, _NUMBERS = "functions.json", "numbers"
_COLUMNS = 4
#: Bytes beyond the payload: those of each file, and those of each space on each rank.
_SLACK, _SLACK_OF_RANK = 2**18, 4096
#: Cells that each rank has on average, at least: adios4dolfinx fails or waits for ever where a rank
#: has nothing to send or to receive.
_FEWEST_CELLS = 8
#: Numbers that rank 0 gathers at a time.
_PIECE = 2**22
#: Seconds that a rank that failed gives the others to notice.
_PATIENCE = 10.0


def write_functions(path: Path, functions: Mapping[str, fem.Function]) -> None:
    """Write functions on one mesh into a folder, by name; one that exists is replaced; collective.

    Without enough space nothing is begun: ADIOS2 does not survive a full disk, it ends the program
    or, on several ranks, waits for ever.

    Raises:
        InputError: There are too many ranks for so small a mesh; on every rank.
        OSError: The folder cannot be written, e.g. for lack of space; on every rank.
    """
    comm = _share(functions)
    library = import_adios4dolfinx()
    table = _lay_out(functions)
    payload = _compute_payload(table)
    slack = _SLACK + _SLACK_OF_RANK * comm.size * len(table)
    run_on_root(comm, lambda: _make_room_for(path, payload + slack))

    mode = get_adios2_write_mode()
    for number, space in _find_spaces(functions, table).items():
        file, numbers = path / f"space_{number}.bp", _number_unknowns(space)
        _run_together(
            comm,
            partial(library.write_function_on_input_mesh, file, numbers, mode=mode, name=_NUMBERS),
            lambda said: f"{path} cannot be written: {said}",
            path,
        )
    for name, function in functions.items():
        _write_values(path / f"{name}.values", function)
    run_on_root(comm, lambda: _finish(path, payload, table))


def read_functions(path: Path, functions: Mapping[str, fem.Function]) -> None:
    """Fill functions, ghosts included, with the values by name in a folder; collective.

    The folder, which any number of ranks made from the same input mesh, must be whole: ADIOS2 may
    read a file that is cut short for ever.

    Raises:
        InputError: The folder does not hold them, or there are too many ranks for so small a mesh;
            on every rank.
        OSError: The folder cannot be read; on every rank.
    """
    comm = _share(functions)
    stored = run_on_root(comm, lambda: _read_table(path))
    for name, function in functions.items():
        _require_stored(path, stored, name, function)

    for number, space in _find_spaces(functions, stored).items():
        _run_together(
            comm,
            partial(_read_space, path, number, fem.Function(space), functions, stored),
            lambda said: f"{path} cannot be read: {said}",
        )


def _read_space(
    path: Path,
    number: int,
    numbers: fem.Function,
    functions: Mapping[str, fem.Function],
    stored: _Table,
) -> None:
    """Fill those of the functions that are on one space; collective."""
    import_adios4dolfinx().read_function(path / f"space_{number}.bp", numbers, name=_NUMBERS)
    places = numbers.x.array.astype(np.int64)
    for name, function in functions.items():
        if stored[name][0] == number:
            values = np.memmap(path / f"{name}.values", dtype=np.float64, mode="r")
            function.x.array[:] = values[places]


def _find_spaces(
    functions: Mapping[str, fem.Function], table: _Table
) -> dict[int, fem.FunctionSpace]:
    """Find a function space for each number in the table."""
    return {table[name][0]: function.function_space for name, function in functions.items()}


def _number_unknowns(space: fem.FunctionSpace) -> fem.Function:
    """Create a function whose value at each unknown is its number on all ranks."""
    numbers = fem.Function(space)
    index_map, size = space.dofmap.index_map, space.dofmap.index_map_bs
    count = index_map.size_local + index_map.num_ghosts
    nodes = index_map.local_to_global(np.arange(count, dtype=np.int32))
    # A float holds every whole number up to 2^53.
    numbers.x.array[:] = (size * nodes[:, None] + np.arange(size)).reshape(-1)
    return numbers


def _write_values(path: Path, function: fem.Function) -> None:
    """Write what the ranks own into one file, in the order of the unknowns' numbers; collective.

    Rank 0 writes what it gathers in pieces. Ranks that open a file together may wait for ever where
    one of them cannot.
    """
    dofmap, comm = function.function_space.dofmap, function.function_space.mesh.comm
    size = dofmap.index_map_bs
    owned = function.x.array[: size * dofmap.index_map.size_local]
    begins = comm.allgather(size * dofmap.index_map.local_range[0])
    longest, share = comm.allreduce(len(owned), MPI.MAX), _PIECE // comm.size
    run_on_root(comm, path.touch)
    for first in range(0, longest, share):
        pieces = comm.gather(owned[first : first + share])
        run_on_root(comm, partial(_place, path, first, begins, pieces))


def _place(
    path: Path, first: int, begins: Sequence[int], pieces: Sequence[NDArray[np.float64]]
) -> None:
    """Write a piece of each rank's values; only for rank 0."""
    with path.open("r+b") as file:
        for begin, piece in zip(begins, pieces, strict=True):
            file.seek(piece.itemsize * (begin + first))
            file.write(piece.tobytes())


def _share(functions: Mapping[str, fem.Function]) -> MPI.Comm:
    """Return the ranks that share the functions' mesh, each of which must have some of it."""
    domain = next(iter(functions.values())).function_space.mesh
    require_cells(domain)
    return domain.comm


def require_cells(domain: mesh.Mesh) -> None:
    """Refuse, on every rank, too many ranks for so small a mesh; collective."""
    comm: MPI.Comm = domain.comm
    cells = domain.topology.index_map(domain.topology.dim)
    fewest = comm.allreduce(cells.size_local, op=MPI.MIN)
    if comm.size > 1 and (fewest == 0 or cells.size_global < _FEWEST_CELLS * comm.size):
        raise InputError(
            f"a mesh of {cells.size_global} cells is too small for checkpoints of {comm.size} "
            f"ranks; use at most {max(1, cells.size_global // _FEWEST_CELLS)}"
        )


def _describe(function: fem.Function) -> tuple[int, int, int]:
    """Count cells, all unknowns, and the unknowns of one cell."""
    space = function.function_space
    topology, dofmap = space.mesh.topology, space.dofmap
    return (
        topology.index_map(topology.dim).size_global,
        dofmap.index_map.size_global * dofmap.index_map_bs,
        dofmap.list.shape[1] * dofmap.bs,
    )


def _lay_out(functions: Mapping[str, fem.Function]) -> _Table:
    """Number the spaces of the functions."""
    spaces: dict[int, int] = {}
    table = {}
    for name, function in functions.items():
        space = spaces.setdefault(id(function.function_space), len(spaces))
        table[name] = (space, *_describe(function))
    return table


def _compute_payload(table: _Table) -> int:
    """Count the bytes of the numbers in a folder, without anything about them."""
    total = 0
    spaces = set()
    for space, cells, unknowns, of_cell in table.values():
        total += 8 * unknowns
        if space not in spaces:
            total += 8 * (unknowns + cells * of_cell + cells + 1) + 4 * cells
        spaces.add(space)
    return total


def _make_room_for(path: Path, size: int) -> None:
    """Make a folder where there is room for it, or fail while failing is harmless; for one rank."""
    if path.exists():
        shutil.rmtree(path)
    require_space(path, size)
    path.mkdir()


def _read_table(path: Path) -> _Table:
    """Read the table of what is stored in a folder; only for one rank."""
    try:
        table = read_json(path / _TABLE)
    except (OSError, DamagedError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise OSError(f"{path} cannot be read: {words}") from error
    if not isinstance(table, dict):
        raise InputError("holds no table of functions", path=str(path))
    return {name: tuple(row) for name, row in table.items()}


def _finish(path: Path, payload: int, table: _Table) -> None:
    """Write the table, unless the folder lost some of what was written, as when it was removed."""
    size = sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    if size < payload:
        raise OSError(f"{path} cannot be written: {size} bytes arrived of {payload}")
    write_json(path / _TABLE, {name: list(row) for name, row in table.items()})


def _require_stored(path: Path, stored: _Table, name: str, function: fem.Function) -> None:
    """Refuse to read what was not stored, or not on such a mesh and space."""
    if name not in stored or len(stored[name]) != _COLUMNS:
        known = ", ".join(sorted(stored)) or "none"
        raise InputError(f"holds no function {name!r} (known functions: {known})", path=str(path))
    there, here = stored[name][1:], _describe(function)
    if there != here:
        raise InputError(
            f"{name!r} has {there[1]} unknowns on {there[0]} cells, {there[2]} to each, but the "
            f"function to read has {here[1]} on {here[0]}, {here[2]} to each",
            path=str(path),
        )


def _run_together(
    comm: MPI.Comm,
    action: Callable[[], object],
    describe: Callable[[str], str],
    written: Path | None = None,
) -> None:
    """Run a collective action of ADIOS2 and raise the failure of any rank on all of them.

    Where others still wait inside the action for a rank that failed, that rank raises alone, after
    some time, and can end the program.
    """
    said = ""
    # Of its own, for others may be at any place inside the action.
    meeting_place = comm.Dup()
    try:
        action()
    except Exception as error:  # noqa: BLE001 - ADIOS2 raises what it likes; raised on every rank
        said = describe_foreign_error(error)
        if written is not None:
            _empty(written)
    failures = [words for words in _gather(meeting_place, said, describe) if words]
    meeting_place.Free()
    if failures:
        raise OSError(describe(failures[0]))


def _empty(path: Path) -> None:
    """Empty what was written in vain: ADIOS2 ends the program if it cannot put an end to it."""
    for part in path.rglob("data.*"):
        with suppress(OSError):
            os.truncate(part, 0)


def _gather(comm: MPI.Comm, said: str, describe: Callable[[str], str]) -> list[str]:
    """Gather what each rank says; a rank that failed does not wait for ever for the others."""
    mine, worst = np.array([bool(said)]), np.array([False])
    meeting = comm.Iallreduce(mine, worst, MPI.LOR)
    deadline = time.monotonic() + _PATIENCE
    while said and not meeting.Test():
        if time.monotonic() > deadline:
            raise OSError(describe(said))
        time.sleep(0.01)
    meeting.Wait()
    return comm.allgather(said) if worst[0] else []
