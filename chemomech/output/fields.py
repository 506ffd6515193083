"""Fields for ParaView: every field and time of a run in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dolfinx
from dolfinx import fem, io

from chemomech.errors import describe_foreign_error
from chemomech.output.closing import Closing

SUFFIX = ".bp" if dolfinx.has_adios2 else ".xdmf"
"""Suffix of field files: ADIOS2 where DOLFINx has it, XDMF otherwise."""


class FieldWriter(Closing):
    """Write functions over time into one file that ParaView opens.

    With ADIOS2 the file is a VTX ``.bp``. VTX wants one element for all that is in a file, so
    functions are interpolated into Lagrange spaces of the highest degree among them; scalars,
    vectors and tensors may be mixed, and interpolation upwards loses nothing. Without ADIOS2 the
    file is an ``.xdmf`` with its ``.h5``, which holds values at the mesh's vertices only. Vectors
    have three components in the file, tensors nine, as ParaView expects. Coordinates are the
    mesh's, times are seconds, values are as given.

    Args:
        path: File to create, ending in `SUFFIX` or in either of the two.
        functions: Continuous Lagrange functions on one mesh, each with a name of its own. They are
            read at every `write`.

    Raises:
        ValueError: A function is not continuous Lagrange, two bear one name, or the suffix is
            neither of the two.
    """

    def __init__(self, path: str | Path, functions: Sequence[fem.Function]) -> None:
        file = Path(path)
        _check(functions)
        mesh = functions[0].function_space.mesh
        vertices_only = file.suffix == ".xdmf"
        highest = max(f.function_space.ufl_element().degree for f in functions)
        degree = 1 if vertices_only else highest
        self._sources = tuple(functions)
        self._written = tuple(_create_output(f, degree) for f in functions)
        self._vtx: io.VTXWriter | None = None
        self._xdmf: io.XDMFFile | None = None
        if file.suffix == ".bp":
            self._vtx = io.VTXWriter(
                mesh.comm,
                file,
                list(self._written),
                engine="BP4",
                mesh_policy=io.VTXMeshPolicy.reuse,
            )
        elif vertices_only:
            self._xdmf = io.XDMFFile(mesh.comm, file, "w")
            self._xdmf.write_mesh(mesh)
        else:
            raise ValueError(f"Field files end in .bp or .xdmf, not in {file.suffix!r}.")

    def write(self, time: float) -> None:
        """Write the functions' present values; collective.

        Args:
            time: Time they belong to, in seconds.

        Raises:
            OSError: They cannot be written; perhaps on some ranks only.
        """
        for source, written in zip(self._sources, self._written, strict=True):
            written.interpolate(source)
        with _naming_failure():
            if self._vtx is not None:
                self._vtx.write(time)
            if self._xdmf is not None:
                for written in self._written:
                    self._xdmf.write_function(written, time)

    def close(self) -> None:
        """Close the file; collective.

        Raises:
            OSError: It cannot be completed; perhaps on some ranks only.
        """
        with _naming_failure():
            if self._vtx is not None:
                self._vtx.close()
            if self._xdmf is not None:
                self._xdmf.close()


@contextmanager
def _naming_failure() -> Iterator[None]:
    """Say what ADIOS2 and HDF5 mean where a disk is full or gone."""
    try:
        yield
    except RuntimeError as error:
        raise OSError(f"fields cannot be written: {describe_foreign_error(error)}") from error


def _check(functions: Sequence[fem.Function]) -> None:
    names = [function.name for function in functions]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"Fields need one name each, not {names}.")
    for function in functions:
        element = function.function_space.ufl_element()
        if element.discontinuous or element.degree < 1:
            raise ValueError(f"{function.name} is not continuous; project it before writing.")


def _create_output(function: fem.Function, degree: int) -> fem.Function:
    space = function.function_space
    shape = function.ufl_shape
    element = ("Lagrange", degree, shape) if shape else ("Lagrange", degree)
    return fem.Function(fem.functionspace(space.mesh, element), name=function.name)
