"""Write meshes: gmsh's own files with named groups, and the formats of ParaView and FEniCSx."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import dolfinx.mesh
import gmsh
import meshio
import numpy as np
from dolfinx import fem, io

from chemomech.arrays import IntArray
from chemomech.errors import InputError, run_on_root
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.domain import Domain
from chemomech.geometry.gmsh_session import GmshSession
from chemomech.geometry.partition import gather_by_cell
from chemomech.geometry.periodicity import unfold
from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.output.snapshots import Gatherer
from chemomech.output.vtkhdf import VtkHdfFile

_MESHIO_CELLS = {
    "triangle": ("triangle", "line"),
    "quadrilateral": ("quad", "line"),
    "tetrahedron": ("tetra", "triangle"),
    "hexahedron": ("hexahedron", "quad"),
}
_GMSH_TYPES = {"line": 1, "triangle": 2, "quad": 3, "tetra": 4, "hexahedron": 5}

_Rows = Mapping[int, IntArray]
"""Corners of facets or cells in VTK's order, shape (n, corners), by tag."""


def write_mesh_file(domain: Domain, path: Path) -> None:
    """Write a mesh, in nanometres, to a file that appears under its name when it is complete.

    What becomes of the groups of facets and cells depends on the format:

    - ``.msh``: named physical groups, overlaps included; ``read_domain`` gets the same back. Cells
      of no group are in one without a name or, where no cells have names, in ``particle``.
    - ``.xdmf`` with its ``.h5``: as DOLFINx writes and reads them, tags under ``facet_tags`` and
      ``cell_tags``.
    - ``.vtu``: facets beside the cells, with their ``facet_tag`` (0 on cells); of named cells their
      ``cell_tag`` (0 on facets).
    - ``.vtkhdf``, ``.bp``: no groups; for looking at large meshes in ParaView.

    Raises:
        InputError: The suffix is none of these, or a file is in the way.
        OSError: The file cannot be written; on every rank.
    """
    writers: dict[str, Callable[[Domain, Path], None]] = {
        ".msh": _write_gathered,
        ".vtu": _write_gathered,
        ".xdmf": _write_xdmf,
        ".vtkhdf": _write_vtkhdf,
        ".bp": _write_bp,
    }
    if path.suffix not in writers:
        raise InputError(f"{path} is no mesh file; use {', '.join(writers)}", key="--output")
    comm = domain.mesh.comm
    workplace = path.parent / f".{path.name}.partial"
    run_on_root(comm, lambda: _prepare(path, workplace))
    try:
        writers[path.suffix](domain, workplace / path.name)
        comm.barrier()
        run_on_root(comm, lambda: _publish(path, workplace))
    finally:
        if comm.rank == 0:
            shutil.rmtree(workplace, ignore_errors=True)


def _companion(path: Path) -> Path:
    """Name the file that holds the numbers of an ``.xdmf`` file."""
    return path.with_suffix(".h5")


def _prepare(path: Path, workplace: Path) -> None:
    for file in (path, *([_companion(path)] if path.suffix == ".xdmf" else [])):
        if file.exists():
            raise InputError(f"{file} exists already and is left as it is", key="--output")
    # What an interrupted attempt left.
    shutil.rmtree(workplace, ignore_errors=True)
    workplace.mkdir()


def _publish(path: Path, workplace: Path) -> None:
    # Numbers first: whoever finds the file that names them finds them too.
    if path.suffix == ".xdmf":
        _companion(workplace / path.name).rename(_companion(path))
    (workplace / path.name).rename(path)
    # Here, not only afterwards: all ranks wait for this, and then see one finished file.
    shutil.rmtree(workplace, ignore_errors=True)


def _write_xdmf(domain: Domain, path: Path) -> None:
    mesh = domain.mesh
    mesh.topology.create_connectivity(mesh.topology.dim - 1, mesh.topology.dim)
    with io.XDMFFile(mesh.comm, path, "w") as file:
        file.write_mesh(mesh)
        file.write_meshtags(domain.facet_tags, mesh.geometry)
        if domain.cell_tags is not None:
            file.write_meshtags(domain.cell_tags, mesh.geometry)


def _write_vtkhdf(domain: Domain, path: Path) -> None:
    VtkHdfFile(path, fem.functionspace(unfold(domain.mesh), ("Lagrange", 1)))


def _write_bp(domain: Domain, path: Path) -> None:
    with io.VTXWriter(domain.mesh.comm, path, domain.mesh, engine="BP4") as file:
        file.write(0.0)


def _write_gathered(domain: Domain, path: Path) -> None:
    """Write from rank 0, which must hold the whole mesh."""
    grid, facets = Gatherer(domain.mesh).grid, _gather_facets(domain)
    cell_tags = _gather_cell_tags(domain)

    def write() -> None:
        assert grid is not None
        if path.suffix == ".vtu":
            _write_vtu(grid, facets, cell_tags if domain.cell_groups else None, path)
            return
        cells = {int(tag): grid.cells[cell_tags == tag] for tag in np.unique(cell_tags)}
        _write_msh(grid, {grid.dimension: cells, grid.dimension - 1: facets}, domain, path)

    run_on_root(domain.mesh.comm, write)


def _gather_facets(domain: Domain) -> _Rows:
    """Gather all tagged facets on rank 0, numbered as in a `SnapshotGrid`; empty elsewhere."""
    mesh, tags = domain.mesh, domain.facet_tags
    dim = mesh.topology.dim - 1
    mesh.topology.create_connectivity(dim, mesh.topology.dim)
    owned = tags.indices < mesh.topology.index_map(dim).size_local
    nodes = dolfinx.mesh.entities_to_geometry(mesh, dim, tags.indices[owned])
    corners = np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)[nodes]
    gathered = mesh.comm.gather((corners, tags.values[owned]))
    if gathered is None:
        return {}
    rows = np.concatenate([rows for rows, _ in gathered])
    values = np.concatenate([values for _, values in gathered])
    rows = rows[:, VTK_ORDER["quadrilateral"]] if rows.shape[1] == 4 else rows
    return {int(tag): rows[values == tag] for tag in np.unique(values)}


def _gather_cell_tags(domain: Domain) -> IntArray:
    """Gather the tag of each cell, 0 for none, on rank 0 in the order of a `SnapshotGrid`."""
    topology = domain.mesh.topology
    tags = np.zeros(topology.index_map(topology.dim).size_local, dtype=np.int64)
    if domain.cell_tags is not None:
        owned = domain.cell_tags.indices < len(tags)
        tags[domain.cell_tags.indices[owned]] = domain.cell_tags.values[owned]
    gathered = gather_by_cell(domain.mesh, tags)
    return tags if gathered is None else gathered


def _write_vtu(grid: SnapshotGrid, facets: _Rows, cell_tags: IntArray | None, path: Path) -> None:
    cell, facet = _MESHIO_CELLS[grid.cell_name]
    blocks = [(cell, grid.cells), *((facet, rows) for rows in facets.values())]
    tags = [np.full(len(rows), tag) for tag, (_, rows) in zip((0, *facets), blocks, strict=True)]
    data: dict[str, list[IntArray]] = {"facet_tag": list(tags)}
    if cell_tags is not None:
        data["cell_tag"] = [cell_tags, *(np.zeros_like(each) for each in tags[1:])]
    meshio.Mesh(grid.points, blocks, cell_data=data).write(path)


def _write_msh(
    grid: SnapshotGrid, entities: Mapping[int, _Rows], domain: Domain, path: Path
) -> None:
    """Write facets and cells, by dimension and tag, as physical groups."""
    dim = grid.dimension
    with GmshSession("chemomech_written"):
        # gmsh's entities count from one, the tags of cells from zero.
        for of, shape in zip((dim, dim - 1), _MESHIO_CELLS[grid.cell_name], strict=True):
            for tag, rows in entities[of].items():
                gmsh.model.addDiscreteEntity(of, tag + 1)
                if not gmsh.model.mesh.getMaxNodeTag():
                    nodes = np.arange(1, len(grid.points) + 1)
                    gmsh.model.mesh.addNodes(of, tag + 1, nodes, grid.points.ravel())
                corners = (rows + 1).ravel()
                gmsh.model.mesh.addElementsByType(tag + 1, _GMSH_TYPES[shape], [], corners)
        for of, groups in ((dim, domain.cell_groups), (dim - 1, domain.groups)):
            for name, tags in groups.items():
                gmsh.model.addPhysicalGroup(of, [tag + 1 for tag in tags], name=name)
        if 0 in entities[dim]:
            # gmsh writes only what is in a group.
            name = "" if domain.cell_groups else "particle"
            gmsh.model.addPhysicalGroup(dim, [1], name=name)
        gmsh.write(str(path))
