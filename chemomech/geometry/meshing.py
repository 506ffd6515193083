"""Mesh a shape, or read a mesh file, with named groups of facets and cells."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from mpi4py import MPI

from chemomech.errors import InputError, naming
from chemomech.geometry.box import Box
from chemomech.geometry.checks import require_positive
from chemomech.geometry.distribution import MeshArrays, distribute
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline
from chemomech.geometry.partition import Owners

Shape = Nanowire | Box | Outline
_CellName = Literal["auto", "quadrilateral", "triangle", "hexahedron", "tetrahedron"]


def create_domain(
    shape: Shape,
    size_m: float,
    comm: MPI.Comm,
    cell: _CellName = "auto",
    owners: Owners | None = None,
) -> Domain:
    """Mesh a shape.

    Nanowires and boxes get rows of cells along the wire, at most ``size_m`` long across it and
    along its mid-line (on the outer side of a bend longer by 1 + width / (2 bend_radius)), so that
    an interface sees the same mesh wherever it lies. Their simplices have alternating diagonals,
    for the same reason. Outlines get triangles of uniform size.

    Groups: ``start``, ``end``, ``inner``, ``outer`` (3-D: ``bottom``, ``top``) of a nanowire;
    ``left``, ``right``, ``bottom``, ``top`` (3-D: ``back``, ``front``) of a box, but for periodic
    axes; ``exterior``,
    ``holes``, ``border`` and its sides ``border_left``, ``border_right``, ``border_bottom``,
    ``border_top`` of an outline, as far as it has them; and ``surface`` for all that the
    electrolyte wets.

    Args:
        shape: What to mesh, in m.
        size_m: Cell size, in m.
        comm: Communicator of the mesh; the call is collective.
        cell: Cell type; ``auto`` is ``quadrilateral``, ``hexahedron`` or, for outlines,
            ``triangle``.
        owners: Rank of each cell, looked at on rank 0; see `distribute`.

    Returns:
        The mesh, in nm, with its facet groups.

    Raises:
        InputError: The size is not positive, the cell type does not suit the shape, gmsh fails, or
            the owners do not suit the mesh; on all ranks.
    """
    require_positive(size_m, "mesh.size")
    name = _choose_cell(shape, cell)
    return distribute(comm, lambda: _mesh(shape, size_m / MESH_LENGTH_UNIT, name), owners)


def read_domain(
    path: Path | str, comm: MPI.Comm, unit_m: float, owners: Owners | None = None
) -> Domain:
    """Read a mesh from a file, gmsh's ``.msh`` or any format meshio reads, and distribute it in nm.

    Groups of facets and of cells are gmsh's physical groups, meshio's cell sets, or integer cell
    data (named by ``field_data`` if it has names, by their number otherwise). Unless the file names
    a group ``surface``, that is the whole boundary. Curved cells are read as straight ones.

    Args:
        path: File to read.
        comm: Communicator of the mesh; the call is collective.
        unit_m: Length, in m, of one unit of the file's coordinates.
        owners: Rank of each cell, looked at on rank 0; see `distribute`.

    Raises:
        InputError: The file cannot be read, holds no mesh of one supported cell type, or one that
            the owners do not suit; on all ranks.
    """
    require_positive(unit_m, "mesh.unit")
    scale = unit_m / MESH_LENGTH_UNIT
    with naming(path=path):
        return distribute(comm, lambda: _read(Path(path), scale), owners)


def _mesh(shape: Shape, size: float, cell: str) -> MeshArrays:
    # Here: gmsh takes a while to load, and rank 0 alone has a use for it.
    from chemomech.geometry.structured import mesh_box, mesh_strip, strip_of_nanowire
    from chemomech.geometry.unstructured import mesh_outline

    match shape:
        case Outline():
            return mesh_outline(shape, size)
        case Nanowire():
            return mesh_strip(strip_of_nanowire(shape), size, cell)
        case Box():
            return mesh_box(shape, size, cell)


def _read(path: Path, scale: float) -> MeshArrays:
    # Here: as above, and so does meshio.
    from chemomech.geometry.files.meshes import read_arrays

    return read_arrays(path, scale)


def _choose_cell(shape: Shape, cell: _CellName) -> str:
    """Choose the cell type for ``shape``, or raise an error that names those that suit it."""
    if cell not in get_args(_CellName):
        raise InputError(
            f"must be one of {', '.join(get_args(_CellName))}, got {cell!r}", key="mesh.cell"
        )
    suitable: tuple[str, ...]
    if isinstance(shape, Outline):
        suitable = ("triangle",)
    elif shape.dimension == 2:
        suitable = ("quadrilateral", "triangle")
    else:
        suitable = ("hexahedron", "tetrahedron")
    if cell == "auto":
        return suitable[0]
    if cell not in suitable:
        raise InputError(
            f"{cell} cells do not suit this {shape.dimension}-D {type(shape).__name__}; "
            f"use {' or '.join(suitable)}",
            key="mesh.cell",
        )
    return cell
