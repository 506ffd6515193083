"""Fields from ADIOS2's VTX files (``.bp``), as the package writes them if asked to."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, describe_foreign_error
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.files.field_data import VTK_CELLS, FieldData, keep_corners

if TYPE_CHECKING:
    from adios2 import Stream


_OF_THE_MESH = ("NumberOfEntities", "NumberOfNodes", "connectivity", "geometry", "step", "types")


def list_vtx(path: Path) -> tuple[list[str], FloatArray]:
    """List the fields of a ``.bp`` file, and its times in s; only for one rank."""
    with _open(path) as file:
        return _names(file), _times(file)


def read_vtx(path: Path, name: str, step: int) -> FieldData:
    """Read a field at one of the times of a ``.bp`` file, by its index; only for one rank.

    Each rank that wrote gave a block of its own, with copies of its neighbours' points; points are
    joined by the numbers they bear in the whole mesh. Of fields of higher degree only the values at
    the vertices are read.
    """
    with _open(path) as file:
        time = float(_times(file)[step])
        kind = int(np.ravel(file.read("types", step_selection=[0, 1]))[0])
        if kind not in VTK_CELLS:
            raise InputError(f"cells of VTK's type {kind} are not supported")
        cell = VTK_CELLS[kind]
        blocks = range(len(file.engine.blocks_info("geometry", 0)))
        numbers = [_block(file, "vtkOriginalPointIds", step, block).ravel() for block in blocks]
        points = np.concatenate([_block(file, "geometry", 0, block) for block in blocks])
        values = np.concatenate([_block(file, name, step, block) for block in blocks])
        # A row of the connectivity begins with its length.
        order = 1 + np.array(VTK_ORDER[cell])
        cells = np.concatenate(
            [
                own[_block(file, "connectivity", 0, block)[:, order]]
                for own, block in zip(numbers, blocks, strict=True)
            ]
        )
    known, first = np.unique(np.concatenate(numbers), return_index=True)
    cells = np.searchsorted(known, cells)
    return keep_corners(points[first], cells, cell, values[first], time)


@contextmanager
def _open(path: Path) -> Iterator[Stream]:
    """Open a file; what ADIOS2 says of a broken one is passed on."""
    adios2 = _import_adios2()
    try:
        # Its MPI build wants a communicator, its serial build takes none.
        given = (MPI.COMM_SELF,) if adios2.is_built_with_mpi else ()
        settings = adios2.Adios(*given).declare_io("chemomech")
        # By the default, POSIX, a file that is cut short is read for ever.
        settings.add_transport("File", {"Library": "stdio"})
        # For metadata that its index promises and the file does not hold; five seconds by default.
        settings.set_parameters({"OpenTimeoutSecs": "0.5"})
        with adios2.Stream(settings, str(path), "rra", *given) as file:
            missing = [name for name in _OF_THE_MESH if name not in file.available_variables()]
            if missing:
                raise InputError(f"is no VTX file: it has no {', '.join(missing)}")
            yield file
    except (LookupError, RuntimeError, TypeError, ValueError, OSError) as error:
        raise InputError(f"ADIOS2 cannot read it: {describe_foreign_error(error)}") from error


def _import_adios2() -> ModuleType:
    # Whichever of its two builds is installed: `chemomech.fenicsx` has it look for both.
    try:
        return importlib.import_module("adios2")
    except ImportError as error:
        raise InputError(
            "reading .bp files needs ADIOS2's Python module (python3-adios2, or adios2 on "
            "conda-forge); .vtkhdf, .xdmf and .vtu files need nothing more"
        ) from error


def _names(file: Stream) -> list[str]:
    """Fields in a file: what ADIOS2 holds besides the mesh."""
    return [
        name
        for name in file.available_variables()
        if name not in _OF_THE_MESH and not name.startswith("vtk")
    ]


def _times(file: Stream) -> FloatArray:
    """Times in a file, in s."""
    times: FloatArray = np.ravel(file.read("step", step_selection=[0, file.num_steps()]))
    return times


def _block(file: Stream, name: str, step: int, block: int) -> npt.NDArray[np.generic]:
    """Read the block of one variable that one of the writing ranks wrote."""
    array: npt.NDArray[np.generic] = file.read(name, block_id=block, step_selection=[step, 1])
    return array
