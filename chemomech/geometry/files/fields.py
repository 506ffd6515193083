"""Fields from files: what a run wrote, or another program, as plain arrays or as a function."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import numpy.typing as npt
from dolfinx import fem
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming, suggest
from chemomech.fenicsx import get_cell_nodes
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.checks import require_positive
from chemomech.geometry.distribution import MeshArrays, distribute
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.files.field_data import FieldData, keep_corners
from chemomech.geometry.files.mesh_checks import check_cells
from chemomech.geometry.files.meshes import extract_cells, load_mesh
from chemomech.geometry.files.vtkhdf import list_vtkhdf, read_vtkhdf
from chemomech.geometry.files.vtx import list_vtx, read_vtx
from chemomech.text_files import require_file

_SAME_TIME = 1e-6
_SERIES = {".vtkhdf": (list_vtkhdf, read_vtkhdf), ".bp": (list_vtx, read_vtx)}

_Element = ElementTree.Element


def read_field(path: Path | str, name: str, time: float | None = None) -> FieldData:
    """Read a field at the vertices of its mesh, in the file's unit (nm in the package's own).

    Files are those of `chemomech.output.fields.FieldWriter`, VTKHDF (``.vtkhdf``) or VTX (``.bp``),
    written on any number of ranks, XDMF as DOLFINx writes it (``.xdmf`` beside its ``.h5``), and
    whatever meshio reads (``.vtu`` and others), which knows no times. Of fields of higher degree
    the values at the vertices are read. The time is one of those in the file, in s; None for the
    last. Only for one rank.

    Raises:
        InputError: The file is missing, empty or broken, or has no such field or time.
    """
    file = Path(path)
    with naming(path=path):
        if not file.exists():
            raise InputError("no such file")
        if file.suffix in _SERIES:
            list_series, read_step = _SERIES[file.suffix]
            names, times = list_series(file)
            _require_name(name, names)
            return read_step(file, name, _find_time(times, time))
        require_file(file)
        read = _read_xdmf if file.suffix == ".xdmf" else _read_meshio
        return read(file, name, time)


def list_fields(path: Path | str) -> tuple[list[str], FloatArray]:
    """List the fields in a file, and its times in s; only for one rank.

    The file is ``.vtkhdf``, ``.bp`` or ``.xdmf``, and names come in its own order.
    """
    file = Path(path)
    with naming(path=path):
        if not file.exists():
            raise InputError("no such file")
        if file.suffix in _SERIES:
            return _SERIES[file.suffix][0](file)
        with _naming_damage():
            series = _parse_series(file)[1]
            if not series:
                raise InputError("has no fields")
            return list(series), _list_times(next(iter(series.values())))


@dataclass(frozen=True, eq=False)
class _Field:
    """A field at a time in s, if known, as a function.

    Its mesh is in nm with the one facet group ``surface``, the whole boundary; the function is
    continuous and linear (on quadrilaterals and hexahedra multilinear).
    """

    domain: Domain
    function: fem.Function
    time: float | None


def create_field_from_file(
    path: Path | str,
    name: str,
    comm: MPI.Comm,
    unit_m: float = MESH_LENGTH_UNIT,
    time: float | None = None,
) -> _Field:
    """Read a field and make a distributed mesh, in nm, and a function of it; collective.

    The file is one that `read_field` reads, ``unit_m`` the length of its unit in m, the time in s,
    None for the last. The mesh has no facet group but ``surface``, and cells that `check_cells`
    passes.
    """
    require_positive(unit_m, "mesh.unit")
    field: FieldData | None = None

    def build() -> MeshArrays:
        nonlocal field
        field = read_field(path, name, time)
        arrays = check_cells(MeshArrays(field.points, field.cells, field.cell, {}))
        return replace(arrays, points=arrays.points * (unit_m / MESH_LENGTH_UNIT))

    with naming(path=path):
        domain = distribute(comm, build)
    shape, known = comm.bcast(None if field is None else (field.values.shape[1:], field.time))
    # Each rank asks rank 0 for the values at its own nodes, by their number in the file.
    wanted = comm.gather(domain.mesh.geometry.input_global_indices)
    answers = None if field is None else [field.values[numbers] for numbers in wanted or []]
    values = comm.scatter(answers)
    element = ("Lagrange", 1, shape) if shape else ("Lagrange", 1)
    function = fem.Function(fem.functionspace(domain.mesh, element), name=name)
    size = domain.mesh.topology.index_map(domain.mesh.topology.dim)
    cells = size.size_local + size.num_ghosts
    # Linear functions and straight cells have the same corners in the same order.
    dofs = function.function_space.dofmap.list[:cells]
    nodes = get_cell_nodes(domain.mesh.geometry)[:cells]
    function.x.array.reshape(-1, *shape)[dofs.reshape(-1)] = values[nodes.reshape(-1)]
    function.x.scatter_forward()
    return _Field(domain, function, known)


def _require_name(name: str, known: Sequence[str]) -> None:
    """Refuse a name that is not among the known ones."""
    if name in known:
        return
    names = ", ".join(sorted(known)) or "none"
    raise InputError(f"has no field {name!r}{suggest(name, known)} (fields: {names})")


def _find_time(times: FloatArray, wanted: float | None) -> int:
    """Index of a time; the last one by default."""
    if len(times) == 0:
        raise InputError("has no times")
    if wanted is None:
        return len(times) - 1
    nearest = int(np.argmin(np.abs(times - wanted)))
    if abs(times[nearest] - wanted) > _SAME_TIME * max(abs(wanted), abs(times[nearest])):
        raise InputError(
            f"has no time {wanted:g} s; the nearest of {len(times)} from {times[0]:g} s to "
            f"{times[-1]:g} s is {times[nearest]:.9g} s"
        )
    return nearest


def _read_xdmf(path: Path, name: str, time: float | None) -> FieldData:
    """Read an XDMF file of DOLFINx: a mesh, then a series of grids for each field."""
    with _naming_damage():
        grids, series = _parse_series(path)
        _require_name(name, list(series))
        times = _list_times(series[name])
        step = _find_time(times, time)
        topology = _find(grids[0], "Topology")
        cell = topology.get("TopologyType", "").lower()
        if cell not in VTK_ORDER:
            raise InputError(f"cells of type {cell!r} are not supported")
        corners = _load(path, _find(topology, "DataItem")).astype(np.int64)
        points = _load(path, _find(grids[0], "Geometry/DataItem")).astype(np.float64)
        values = _load(path, _find(series[name][step], "Attribute/DataItem"))
    return keep_corners(points, corners[:, VTK_ORDER[cell]], cell, values, float(times[step]))


def _parse_series(path: Path) -> tuple[list[_Element], dict[str, list[_Element]]]:
    """Grids of an XDMF file: all of them, the mesh first, and those over time by field."""
    grids = ElementTree.parse(path).getroot().findall("./Domain/Grid")
    series = {
        grid.get("Name", ""): grid.findall("Grid")
        for grid in grids
        if grid.get("CollectionType") == "Temporal"
    }
    return grids, series


def _list_times(series: Sequence[_Element]) -> FloatArray:
    return np.array([float(_find(grid, "Time").get("Value", "")) for grid in series])


@contextmanager
def _naming_damage() -> Iterator[None]:
    """Say what an XDMF file lacks that breaks off or is another program's."""
    try:
        yield
    except (ElementTree.ParseError, LookupError, OSError, TypeError, ValueError) as error:
        raise InputError(f"is no complete XDMF file of this package: {error}") from error


def _find(element: _Element, tag: str) -> _Element:
    """Find the first element of this tag below another one."""
    found = element.find(tag)
    if found is None:
        raise InputError(f"is no complete XDMF file of this package: it lacks a {tag}")
    return found


def _load(path: Path, item: _Element) -> npt.NDArray[np.generic]:
    """Array that a data item names as ``file.h5:/where/it/is``."""
    name, _, place = (item.text or "").strip().partition(":")
    with h5py.File(path.parent / name, "r") as file:
        array: npt.NDArray[np.generic] = file[place][()]
    return array


def _read_meshio(path: Path, name: str, time: float | None) -> FieldData:
    """Read a file with meshio."""
    if time is not None:
        raise InputError(f"{path.suffix or 'such'} files know no times; leave the time out")
    mesh = load_mesh(path)
    _require_name(name, list(mesh.point_data))
    cell, cells = extract_cells(mesh)
    points: FloatArray = np.zeros((len(mesh.points), 3))
    points[:, : mesh.points.shape[1]] = mesh.points
    return keep_corners(points, cells, cell, mesh.point_data[name])
