"""Write VTKHDF files: a mesh and fields over time, as VTK, ParaView and PyVista read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from dolfinx import fem
from dolfinx.plot import vtk_mesh
from numpy.typing import NDArray

from chemomech.errors import run_on_root
from chemomech.output.disk_space import require_space

_Rows = Callable[[slice], NDArray[np.generic]]

#: The first version with steps in time: no newer one is asked of who reads.
_VERSION = (2, 0)
#: Bytes that rank 0 gathers at a time, and those of a dataset's chunks at most.
_PIECE, _CHUNK = 2**25, 2**26
#: Bytes beyond the numbers, at most, of the file's layout and of one step.
_SLACK = 2**16


class VtkHdfFile:
    """Write functions over time into one unstructured grid of a VTKHDF file.

    Points are the nodes of one Lagrange space, in DOLFINx's global numbers, so that each is there
    once whatever the number of ranks. Rank 0 writes alone what it gathers in pieces of bounded
    size: any build of h5py will do, and a failure is raised on all ranks. Between two calls the
    file is closed and whole: a program that is killed leaves the times until then, others may read
    the file meanwhile, and nothing has to be closed at the end.

    Args:
        path: File to create; replaced where it exists. The call is collective.
        space: Scalar continuous Lagrange space on the mesh.
        functions: Functions of its degree, each with a name of its own, read at every `write`;
            none writes the mesh alone.
    """

    def __init__(
        self, path: Path, space: fem.FunctionSpace, functions: Sequence[fem.Function] = ()
    ) -> None:
        self._path, self._comm = path, space.mesh.comm
        self._fields = [_Field(function, space) for function in functions]
        self._points = space.dofmap.index_map.size_global
        self._nodes = space.dofmap.index_map.size_local
        self._steps = 0
        self._write_mesh(space)

    def write(self, time: float) -> None:
        """Write the functions' present values at a time in seconds; collective."""
        columns = {f"PointData/{field.name}": field.collect for field in self._fields}
        size = self._points * sum(field.width for field in self._fields)
        with self._opened("r+", size, self._grow):
            self._write_rows(columns, self._steps * self._points, self._nodes)
            run_on_root(self._comm, lambda: self._count_step(time))
        self._steps += 1

    def _write_mesh(self, space: fem.FunctionSpace) -> None:
        nodes, topology = space.dofmap.index_map, space.mesh.topology
        cells = topology.index_map(topology.dim)
        corners = space.dofmap.dof_layout.num_dofs
        rows, types, points = vtk_mesh(space)
        # A row of VTK's cells begins with its length.
        own = rows.reshape(-1, 1 + corners)[:, 1:].ravel()
        arrays = {
            "Points": points[: nodes.size_local].astype(np.float64),
            "Connectivity": nodes.local_to_global(own),
            "Offsets": corners * np.arange(*cells.local_range, dtype=np.int64),
            "Types": types.astype(np.uint8),
        }
        size = 24 * self._points + (8 * corners + 9) * cells.size_global
        with self._opened("w", size, lambda: self._create(cells.size_global, corners)):
            for name, array in arrays.items():
                self._write_rows({name: array.__getitem__}, 0, len(array))

    def _create(self, cells: int, corners: int) -> None:
        """Create the datasets of the mesh; only for rank 0."""
        group = self._file.create_group("VTKHDF")
        group.attrs["Version"] = np.array(_VERSION)
        group.attrs["Type"] = np.bytes_("UnstructuredGrid")
        group["NumberOfPoints"] = np.array([self._points])
        group["NumberOfCells"] = np.array([cells])
        group["NumberOfConnectivityIds"] = np.array([cells * corners])
        group.create_dataset("Points", (self._points, 3), np.float64)
        group.create_dataset("Connectivity", (cells * corners,), np.int64)
        group.create_dataset("Types", (cells,), np.uint8)
        group.create_dataset("Offsets", (cells + 1,), np.int64)[-1] = cells * corners
        if self._fields:
            self._create_series(group)

    def _create_series(self, group: h5py.Group) -> None:
        """Create datasets that grow by the step; what is the same for several is there once."""
        data = group.create_group("PointData", track_order=True)
        for field in self._fields:
            pieces = math.ceil(self._points * field.width / _CHUNK)
            rows = math.ceil(self._points / pieces)
            _create_growing(data, field.name, np.float64, rows, field.shape)
        steps = group.create_group("Steps")
        steps.attrs["NSteps"] = 0
        _create_growing(steps, "Values", np.float64)
        _create_growing(steps, "NumberOfParts", np.int64)
        # The mesh stays: its parts begin where they did at each step.
        steps["PointOffsets"] = _create_growing(steps, "PartOffsets", np.int64)
        steps["ConnectivityIdOffsets"] = _create_growing(steps, "CellOffsets", np.int64, shape=(1,))
        first, *others = self._fields
        offsets = steps.create_group("PointDataOffsets")
        shared = _create_growing(offsets, first.name, np.int64)
        for field in others:
            offsets[field.name] = shared

    def _grow(self) -> None:
        """Make room for a step, which does not count yet; only for rank 0."""
        for dataset in self._file["VTKHDF/PointData"].values():
            dataset.resize((self._steps + 1) * self._points, axis=0)

    def _count_step(self, time: float) -> None:
        """Count a step, which readers then see; only for rank 0."""
        rows = {
            "Values": time,
            "NumberOfParts": 1,
            "PartOffsets": 0,
            "CellOffsets": 0,
            f"PointDataOffsets/{self._fields[0].name}": self._steps * self._points,
        }
        steps = self._file["VTKHDF/Steps"]
        for name, value in rows.items():
            steps[name].resize(self._steps + 1, axis=0)
            steps[name][self._steps] = value
        steps.attrs["NSteps"] = self._steps + 1

    def _write_rows(self, columns: Mapping[str, _Rows], start: int, count: int) -> None:
        """Write what the ranks hold of datasets, in their order, from a row on; collective.

        Each column gives some of this rank's ``count`` rows of a dataset.
        """
        counts = self._comm.allgather(count)
        starts = start + np.cumsum([0, *counts[:-1]])
        samples = [collect(slice(0)) for collect in columns.values()]
        width = sum(sample.itemsize * math.prod(sample.shape[1:]) for sample in samples)
        share = max(1, _PIECE // (width * self._comm.size))
        for first in range(0, max(counts), share):
            rows = slice(first, first + share)
            pieces = self._comm.gather([collect(rows) for collect in columns.values()])
            run_on_root(self._comm, partial(self._place, list(columns), starts + first, pieces))

    def _place(
        self,
        names: Sequence[str],
        starts: NDArray[np.int64],
        pieces: Sequence[Sequence[NDArray[np.generic]]],
    ) -> None:
        """Write the ranks' pieces of datasets; only for rank 0."""
        for column, name in enumerate(names):
            dataset = self._file["VTKHDF"][name]
            for start, piece in zip(starts, pieces, strict=True):
                if len(piece[column]):
                    dataset[start : start + len(piece[column])] = piece[column]

    @contextmanager
    def _opened(self, mode: str, size: int, prepare: Callable[[], None]) -> Iterator[None]:
        """Open the file on rank 0, if there is room for so many bytes; collective."""

        def open_file() -> None:
            require_space(self._path, size + _SLACK)
            # Locks would keep others from looking, and stop the run while they look.
            self._file = h5py.File(self._path, mode, locking=False)

        run_on_root(self._comm, open_file)
        try:
            run_on_root(self._comm, prepare)
            yield
        finally:
            run_on_root(self._comm, lambda: self._file.close())


class _Field:
    """A function as rows of a file: vectors have three columns, tensors nine."""

    def __init__(self, function: fem.Function, space: fem.FunctionSpace) -> None:
        self._function = function
        self.name = function.name
        rank = len(function.ufl_shape)
        self.shape: tuple[int, ...] = (3**rank,) if rank else ()
        self.width = 8 * 3**rank
        own, nodes = function.function_space.dofmap, space.dofmap
        # Spaces of equal nodes need not number them alike.
        dofs = np.empty(nodes.index_map.size_local + nodes.index_map.num_ghosts, dtype=np.int32)
        dofs[nodes.list] = own.list
        self._dofs = dofs[: nodes.index_map.size_local]

    def collect(self, rows: slice) -> NDArray[np.float64]:
        """Collect values at some of this rank's own nodes, shape ``(nodes, *shape)``."""
        function = self._function
        values = function.x.array.reshape(-1, *function.ufl_shape)[self._dofs[rows]]
        missing = [(0, 0), *((0, 3 - extent) for extent in function.ufl_shape)]
        return np.pad(values, missing).reshape(len(values), *self.shape).astype(np.float64)


def _create_growing(
    group: h5py.Group,
    name: str,
    kind: type[np.generic],
    rows: int = 64,
    shape: tuple[int, ...] = (),
) -> h5py.Dataset:
    """Create an empty dataset without limit, stored so many rows at a time."""
    return group.create_dataset(
        name, (0, *shape), kind, maxshape=(None, *shape), chunks=(rows, *shape)
    )
