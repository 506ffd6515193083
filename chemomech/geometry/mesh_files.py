"""Meshes from files: gmsh's own through gmsh, all others through meshio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gmsh
import meshio
import numpy as np
import numpy.typing as npt

from chemomech.errors import InputError
from chemomech.geometry.distribution import MeshArrays
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays

IntArray = npt.NDArray[np.int64]

# meshio's (VTK's) corner order, read in DOLFINx's; curved cells begin with their corners.
_TO_DOLFINX = {
    "line": [0, 1],
    "triangle": [0, 1, 2],
    "quad": [0, 1, 3, 2],
    "tetra": [0, 1, 2, 3],
    "hexahedron": [0, 1, 3, 2, 4, 5, 7, 6],
}
_DOLFINX_NAME = {
    "triangle": "triangle",
    "quad": "quadrilateral",
    "tetra": "tetrahedron",
    "hexahedron": "hexahedron",
}
DIMENSION = {"triangle": 2, "quadrilateral": 2, "tetrahedron": 3, "hexahedron": 3}
"""Dimension of each cell type."""

_SHAPES = sorted(_TO_DOLFINX, key=len, reverse=True)


def read_arrays(path: Path, scale: float) -> MeshArrays:
    """Read a mesh file; only for one rank.

    Args:
        path: ``.msh`` for gmsh, anything else for meshio.
        scale: Nanometres in one unit of the file's coordinates.

    Returns:
        The mesh, in nm.

    Raises:
        InputError: The file is missing, empty, unreadable, or holds no mesh of one supported cell
            type.
    """
    if not path.is_file():
        raise InputError("no such file")
    if path.stat().st_size == 0:
        raise InputError("the file is empty")
    arrays = _read_gmsh(path) if path.suffix == ".msh" else _read_meshio(path)
    return replace(arrays, points=arrays.points * scale)


def _read_gmsh(path: Path) -> MeshArrays:
    """Read a file with gmsh; physical groups of facets become facet groups."""
    with GmshSession("chemomech_file"):
        gmsh.merge(str(path))
        dim = max((dim for dim, _ in gmsh.model.getEntities()), default=0)
        while dim > 0 and not len(gmsh.model.mesh.getElements(dim)[0]):
            dim -= 1
        if dim < 2:
            raise InputError("holds no triangles, quadrilaterals, tetrahedra or hexahedra")
        _, points, _ = gmsh.model.mesh.getNodes()
        _check_flat(points.reshape(-1, 3), dim)
        gmsh.model.mesh.setOrder(1)
        groups: dict[str, list[int]] = {}
        for _, tag in gmsh.model.getPhysicalGroups(dim - 1):
            name = gmsh.model.getPhysicalName(dim - 1, tag) or str(tag)
            groups[name] = list(gmsh.model.getEntitiesForPhysicalGroup(dim - 1, tag))
        return extract_arrays(dim, groups)


def _read_meshio(path: Path) -> MeshArrays:
    """Read a file with meshio; named or numbered blocks of facets become facet groups."""
    mesh = load_mesh(path)
    kind, cells = extract_cells(mesh)
    points = np.zeros((len(mesh.points), 3))
    points[:, : mesh.points.shape[1]] = mesh.points
    used, numbers = np.unique(cells, return_inverse=True)
    dim = DIMENSION[kind]
    _check_flat(points[used], dim)
    facets = {
        name: np.where(np.isin(rows, used), np.searchsorted(used, rows), -1)
        for name, rows in _facet_groups(mesh, dim).items()
    }
    cells = numbers.reshape(cells.shape).astype(np.int64)
    return MeshArrays(points[used, :dim].copy(), cells, kind, facets)


def extract_cells(mesh: meshio.Mesh) -> tuple[str, IntArray]:
    """Name of the cell type, and corners in DOLFINx's order, of the cells of highest dimension.

    Raises:
        InputError: There are none, or they are of several types or of one not supported.
    """
    dim = max((block.dim for block in mesh.cells if len(block.data)), default=0)
    kinds = {_shape_of(block.type) for block in mesh.cells if block.dim == dim and len(block.data)}
    if dim < 2:
        raise InputError("holds no triangles, quadrilaterals, tetrahedra or hexahedra")
    if len(kinds) != 1 or (kind := kinds.pop()) not in _DOLFINX_NAME:
        raise InputError(f"needs cells of one type, found {', '.join(sorted(kinds)) or kind}")
    cells = np.concatenate([_corners(block) for block in mesh.cells if block.dim == dim])
    return _DOLFINX_NAME[kind], cells


def load_mesh(path: Path) -> meshio.Mesh:
    """Read a file with meshio, whose readers fail in as many ways as there are broken files.

    Raises:
        InputError: No reader takes the file, or it is broken.
    """
    try:
        return meshio.read(path)
    except meshio.ReadError as error:
        raise InputError(f"meshio cannot read it: {error}") from error
    except SystemExit as error:
        # meshio ends the program when none of its readers wants the file.
        raise InputError("no reader of meshio takes this file") from error
    except (
        ArithmeticError,
        AttributeError,
        AssertionError,
        LookupError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(f"meshio cannot read it: {type(error).__name__}: {error}") from error


def _facet_groups(mesh: meshio.Mesh, dim: int) -> dict[str, IntArray]:
    """Facets of each cell set, then of each value of the integer cell data."""
    blocks = [index for index, block in enumerate(mesh.cells) if block.dim == dim - 1]
    parts: dict[str, list[IntArray]] = {}
    for name, members in mesh.cell_sets.items():
        for index in blocks:
            chosen = members[index]
            if chosen is not None and len(chosen):
                parts.setdefault(name, []).append(_corners(mesh.cells[index])[chosen])
    if not parts:
        names = {int(tag): name for name, (tag, of) in mesh.field_data.items() if of == dim - 1}
        for index in blocks:
            for data in mesh.cell_data.values():
                if not np.issubdtype(data[index].dtype, np.integer):
                    continue
                for tag in np.unique(data[index]):
                    rows = _corners(mesh.cells[index])[data[index] == tag]
                    parts.setdefault(names.get(int(tag), str(tag)), []).append(rows)
    return {name: np.concatenate(rows) for name, rows in parts.items()}


def _shape_of(kind: str) -> str:
    """Shape of a meshio cell type without its order: ``triangle`` of ``triangle6``."""
    return next((shape for shape in _SHAPES if kind.rstrip("0123456789") == shape), kind)


def _corners(block: meshio.CellBlock) -> IntArray:
    """Corners of a block's cells in DOLFINx's order, shape (cells, corners)."""
    shape = _shape_of(block.type)
    if shape not in _TO_DOLFINX:
        raise InputError(f"cells of type {block.type} are not supported")
    return np.asarray(block.data, dtype=np.int64)[:, _TO_DOLFINX[shape]]


def _check_flat(points: npt.NDArray[np.float64], dim: int) -> None:
    """Refuse a surface mesh that leaves the plane z = constant."""
    if dim == 3 or len(points) == 0:
        return
    extent = np.ptp(points, axis=0)
    if extent[2] > 1e-9 * max(extent[:2]):
        raise InputError("a mesh of triangles or quadrilaterals must lie in the x-y plane")
