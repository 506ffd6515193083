"""Meshes from files: gmsh's own through gmsh, all others through meshio."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import gmsh
import meshio
import numpy as np
import numpy.typing as npt

from chemomech.arrays import IntArray
from chemomech.errors import InputError
from chemomech.geometry.cells import PLANE, VTK_ORDER
from chemomech.geometry.distribution import MeshArrays
from chemomech.geometry.files.mesh_checks import check_cells, require_corners
from chemomech.geometry.files.mesh_parts import require_one_body
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays, require_readable
from chemomech.text_files import require_file

# DOLFINx's names of meshio's cells.
_NAMES = {
    "triangle": "triangle",
    "quad": "quadrilateral",
    "tetra": "tetrahedron",
    "hexahedron": "hexahedron",
}
# Curved cells begin with their corners.
_CORNERS = {"line": [0, 1], **{kind: VTK_ORDER[name] for kind, name in _NAMES.items()}}

# Prefix of what meshio keeps of gmsh's bookkeeping, and its name for physical groups.
_GMSH = "gmsh:"
_PHYSICAL = "gmsh:physical"
# Integers of more values number cells, not groups of them.
_MOST_GROUPS = 1000

# Files that hold a shape for gmsh to mesh.
_GEOMETRY = (".geo", ".geo_unrolled", ".brep", ".step", ".stp", ".iges", ".igs")
_PHYSICAL_NAME = re.compile(rb'^\s*(\d)\s+(\d+)\s+"(.*)"\s*$', re.MULTILINE)
_MESH_BEGINS = (b"$Entities", b"$Nodes")
_SAVED = (
    "gmsh saves only what is in a physical group: put the body itself in one too (Physical Surface "
    "in 2-D, Physical Volume in 3-D), or set Mesh.SaveAll = 1"
)


def read_arrays(path: Path, scale: float) -> MeshArrays:
    """Read a mesh file, ``.msh`` by gmsh, anything else by meshio; only for one rank.

    Coordinates become nm: ``scale`` is nanometres in one unit of the file.

    Raises:
        InputError: The file is missing, empty, unreadable, or holds no sound mesh of one body and
            one supported cell type.
    """
    require_file(path)
    suffix = path.suffix.lower()
    if suffix in _GEOMETRY:
        raise InputError(
            f"is a shape, not yet a mesh; make one of it with 'gmsh -2 {path.name} -o "
            f"{path.stem}.msh' (-3 for a body in 3-D)"
        )
    arrays = check_cells(_read_gmsh(path) if suffix == ".msh" else _read_meshio(path))
    require_one_body(arrays)
    return replace(arrays, points=arrays.points * scale)


def _read_gmsh(path: Path) -> MeshArrays:
    """Read a file with gmsh; physical groups of facets and cells become groups of both."""
    require_readable(path)
    with GmshSession("chemomech_file"):
        gmsh.merge(str(path))
        dim = max((dim for dim, _ in gmsh.model.getEntities()), default=0)
        while dim > 0 and not len(gmsh.model.mesh.getElements(dim)[0]):
            dim -= 1
        _require_body(dim)
        _, points, _ = gmsh.model.mesh.getNodes()
        _check_flat(points.reshape(-1, 3), dim)
        gmsh.model.mesh.setOrder(1)
        names = _read_physical_names(path)
        return extract_arrays(dim, *(_list_entities(of, names) for of in (dim - 1, dim)))


def _list_entities(dim: int, names: dict[tuple[int, int], str]) -> dict[str, list[int]]:
    """Entities of the physical groups of one dimension."""
    groups: dict[str, list[int]] = {}
    for _, tag in gmsh.model.getPhysicalGroups(dim):
        entities = gmsh.model.getEntitiesForPhysicalGroup(dim, tag)
        groups.setdefault(names.get((dim, tag), str(tag)), []).extend(entities)
    return groups


def _read_physical_names(path: Path) -> dict[tuple[int, int], str]:
    """Names of physical groups by dimension and tag; gmsh forgets a name's second tag."""
    head = bytearray()
    with path.open("rb") as file:
        for line in file:
            # They stand before the mesh itself.
            if line.strip() in _MESH_BEGINS:
                break
            head += line
    return {
        (int(dim), int(tag)): name.decode(errors="replace")
        for dim, tag, name in _PHYSICAL_NAME.findall(head)
    }


def _read_meshio(path: Path) -> MeshArrays:
    """Read a file with meshio; named or numbered facets and cells become groups."""
    mesh = load_mesh(path)
    kind, cells = extract_cells(mesh)
    require_corners(mesh.points, cells)
    points = np.zeros((len(mesh.points), 3))
    points[:, : mesh.points.shape[1]] = mesh.points
    used, numbers = np.unique(cells, return_inverse=True)
    dim = 2 if kind in PLANE else 3
    _check_flat(points[used], dim)
    facets = {
        name: np.where(np.isin(rows, used), np.searchsorted(used, rows), -1)
        for name, rows in _collect_facets(mesh, dim).items()
    }
    cells = numbers.reshape(cells.shape).astype(np.int64)
    return MeshArrays(points[used, :dim].copy(), cells, kind, facets, _collect_cells(mesh, dim))


def extract_cells(mesh: meshio.Mesh) -> tuple[str, IntArray]:
    """Name of the cell type, and corners in DOLFINx's order, of the cells of highest dimension."""
    dim = max((block.dim for block in mesh.cells if len(block.data)), default=0)
    kinds = {_shape_of(block.type) for block in mesh.cells if block.dim == dim and len(block.data)}
    _require_body(dim)
    if len(kinds) != 1 or (kind := kinds.pop()) not in _NAMES:
        raise InputError(f"needs cells of one type, found {', '.join(sorted(kinds)) or kind}")
    cells = np.concatenate([_corners(block) for block in mesh.cells if block.dim == dim])
    return _NAMES[kind], cells


def load_mesh(path: Path) -> meshio.Mesh:
    """Read a file with meshio, whose readers fail in as many ways as there are broken files."""
    try:
        return meshio.read(path)
    except meshio.ReadError as error:
        raise InputError(f"meshio cannot read it: {error}") from error
    except SystemExit as error:
        # meshio ends the program when none of its readers wants the file.
        raise InputError("no reader of meshio takes this file") from error
    except Exception as error:
        raise InputError(f"meshio cannot read it: {type(error).__name__}: {error}") from error


def _collect_facets(mesh: meshio.Mesh, dim: int) -> dict[str, IntArray]:
    """Corners of the facets of each group."""
    return {
        name: np.concatenate([_corners(mesh.cells[index])[rows] for index, rows in parts])
        for name, parts in _find_groups(mesh, dim - 1).items()
    }


def _collect_cells(mesh: meshio.Mesh, dim: int) -> dict[str, IntArray]:
    """Rows, among all cells of dimension ``dim``, of those of each group."""
    counts = [len(block.data) if block.dim == dim else 0 for block in mesh.cells]
    begins = np.cumsum([0, *counts])
    return {
        name: np.concatenate([begins[index] + rows for index, rows in parts])
        for name, parts in _find_groups(mesh, dim).items()
    }


def _find_groups(mesh: meshio.Mesh, dim: int) -> dict[str, list[tuple[int, IntArray]]]:
    """Blocks and rows of each cell set, or else of each value of the integer cell data."""
    blocks = [index for index, block in enumerate(mesh.cells) if block.dim == dim]
    parts: dict[str, list[tuple[int, IntArray]]] = {}
    for name, members in mesh.cell_sets.items():
        for index in blocks:
            chosen = members[index]
            if not name.startswith(_GMSH) and chosen is not None and len(chosen):
                parts.setdefault(name, []).append((index, np.asarray(chosen, dtype=np.int64)))
    if not parts:
        names = {int(tag): name for name, (tag, of) in mesh.field_data.items() if of == dim}
        for prefix, tags in _choose_numbers(mesh, blocks).items():
            for index in blocks:
                values = np.unique(tags[index])
                for tag in values if len(values) <= _MOST_GROUPS else ():
                    name = prefix + names.get(int(tag), str(tag))
                    parts.setdefault(name, []).append((index, np.flatnonzero(tags[index] == tag)))
    if _PHYSICAL in mesh.cell_data:
        # What converters write for entities in no physical group.
        parts.pop("0", None)
    return parts


def _choose_numbers(mesh: meshio.Mesh, blocks: list[int]) -> dict[str, list[IntArray]]:
    """Integer cell data that number groups, by what their names begin with.

    Those of a converted gmsh file are its physical groups alone: the numbers of its geometrical
    entities beside them are others. Of several arrays each names its groups ``array:number``.
    """
    found = {
        name: data
        for name, data in mesh.cell_data.items()
        if all(_are_numbers(data[index]) for index in blocks)
    }
    if _PHYSICAL in found:
        return {"": found[_PHYSICAL]}
    found = {name: data for name, data in found.items() if _GMSH not in name}
    return {f"{name}:" if len(found) > 1 else "": data for name, data in found.items()}


def _are_numbers(data: npt.NDArray[np.generic]) -> bool:
    return data.ndim == 1 and np.issubdtype(data.dtype, np.integer)


def _shape_of(kind: str) -> str:
    """Shape of a meshio cell type without its order: ``triangle`` of ``triangle6``."""
    shape = kind.rstrip("0123456789")
    return shape if shape in _CORNERS else kind


def _corners(block: meshio.CellBlock) -> IntArray:
    """Corners of a block's cells in DOLFINx's order, shape (cells, corners)."""
    shape = _shape_of(block.type)
    if shape not in _CORNERS:
        raise InputError(f"cells of type {block.type} are not supported")
    return np.asarray(block.data, dtype=np.int64)[:, _CORNERS[shape]]


def _check_flat(points: npt.NDArray[np.float64], dim: int) -> None:
    """Refuse a surface mesh that leaves the plane z = constant."""
    if dim == 3 or len(points) == 0:
        return
    extent = np.ptp(points, axis=0)
    if extent[2] > 1e-9 * max(extent[:2]):
        raise InputError(
            "a mesh of triangles or quadrilaterals must lie in the x-y plane; if they are the "
            f"surface of a body, its volume is missing. {_SAVED}"
        )


def _require_body(dim: int) -> None:
    """Refuse a mesh whose cells are of a lower dimension than 2."""
    if dim < 2:
        raise InputError(f"holds no triangles, quadrilaterals, tetrahedra or hexahedra. {_SAVED}")
