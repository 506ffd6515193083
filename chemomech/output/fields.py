"""Write fields for ParaView and others: every field and time of a run in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import dolfinx
from dolfinx import fem, io
from dolfinx.mesh import Mesh

from chemomech.errors import InputError, describe_foreign_error
from chemomech.geometry.periodicity import unfold
from chemomech.output.context import Context
from chemomech.output.vtkhdf import VtkHdfFile

SUFFIXES = (".vtkhdf", ".bp")
"""Suffixes of the files that `FieldWriter` writes."""


def name_field_file(stem: str, kind: Literal["vtkhdf", "bp"]) -> str:
    """Name a file of fields: ``vtkhdf``, or ``bp`` for ADIOS2's VTX.

    Raises:
        InputError: DOLFINx was built without the library of this format.
    """
    if kind == "bp" and not dolfinx.has_adios2:
        raise InputError(
            'is "bp", but this DOLFINx was built without ADIOS2; use "vtkhdf"',
            key="output.field_format",
        )
    return f"{stem}.{kind}"


class FieldWriter(Context):
    """Write continuous Lagrange functions on one mesh over time into one file of `SUFFIXES`.

    A ``.vtkhdf`` is read by VTK, ParaView and PyVista as they are, see `VtkHdfFile`; a ``.bp``, of
    ADIOS2's VTX, is written by all ranks at once and read by a ParaView built with ADIOS2. Both
    want one element for all that is in a file, so functions are interpolated into Lagrange spaces
    of the highest degree among them; scalars, vectors and tensors may be mixed, and interpolation
    upwards loses nothing. Vectors have three components in the file, tensors nine, as ParaView
    expects. Coordinates are the mesh's, with the sides of a periodic one apart; times are seconds,
    values are as given at every `write`.
    """

    def __init__(self, path: str | Path, functions: Sequence[fem.Function]) -> None:
        file = Path(path)
        _check(functions)
        mesh = functions[0].function_space.mesh
        degree = max(f.function_space.ufl_element().degree for f in functions)
        self._sources = tuple(functions)
        self._raised = tuple(_create_output(f, mesh, degree) for f in functions)
        plain = unfold(mesh)
        self._written = self._raised
        if plain is not mesh:
            self._written = tuple(_create_output(f, plain, degree) for f in functions)
        self._file: VtkHdfFile | io.VTXWriter
        if file.suffix == ".vtkhdf":
            nodes = fem.functionspace(plain, ("Lagrange", degree))
            self._file = VtkHdfFile(file, nodes, self._written)
        elif file.suffix == ".bp":
            self._file = io.VTXWriter(
                mesh.comm,
                file,
                list(self._written),
                engine="BP4",
                mesh_policy=io.VTXMeshPolicy.reuse,
            )
        else:
            raise ValueError(f"Field files end in .vtkhdf or .bp, not in {file.suffix!r}.")

    def write(self, time: float) -> None:
        """Write the functions' present values at a time in seconds; collective.

        Raises:
            OSError: They cannot be written; of ``.bp`` perhaps on some ranks only.
        """
        steps = zip(self._sources, self._raised, self._written, strict=True)
        for source, raised, written in steps:
            raised.interpolate(source)
            if written is not raised:
                _copy_by_cell(raised, written)
        with _naming_failure():
            self._file.write(time)

    def close(self) -> None:
        """Close the file; collective.

        Raises:
            OSError: It cannot be completed; perhaps on some ranks only.
        """
        if isinstance(self._file, io.VTXWriter):
            with _naming_failure():
                self._file.close()


@contextmanager
def _naming_failure() -> Iterator[None]:
    """Translate the error that ADIOS2 raises where a disk is full or gone."""
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


def _create_output(function: fem.Function, mesh: Mesh, degree: int) -> fem.Function:
    shape = function.ufl_shape
    element = ("Lagrange", degree, shape) if shape else ("Lagrange", degree)
    return fem.Function(fem.functionspace(mesh, element), name=function.name)


def _copy_by_cell(source: fem.Function, target: fem.Function) -> None:
    """Copy values between spaces of one element on meshes with the same cells, ghosts included."""
    given, wanted = source.function_space.dofmap, target.function_space.dofmap
    values = target.x.array.reshape(-1, wanted.bs)
    values[wanted.list] = source.x.array.reshape(-1, given.bs)[given.list]
    target.x.scatter_forward()
