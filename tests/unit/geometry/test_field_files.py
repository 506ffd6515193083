"""Fields read back from files: exact values, whatever the format and the number of ranks."""

import shutil

import dolfinx
import h5py
import meshio
import numpy as np
import pytest
import pyvista
from dolfinx import fem, io
from mpi4py import MPI
from vtkmodules.vtkIOHDF import vtkHDFWriter

from chemomech.errors import InputError, run_on_root
from chemomech.geometry.box import Box
from chemomech.geometry.files.fields import create_field_from_file, read_field
from chemomech.geometry.meshing import create_domain
from chemomech.output.context import Context
from chemomech.output.fields import FieldWriter

COMM = MPI.COMM_WORLD
TIMES = (0.0, 0.5, 1e3)
SUFFIXES = [".vtkhdf", *([".bp"] if dolfinx.has_adios2 else []), ".xdmf"]
LENGTHS = {2: (40e-9, 20e-9), 3: (30e-9, 20e-9, 10e-9)}


def _plane(x, time):
    """A function linear in space, which every element holds exactly."""
    return x[0] + 10.0 * x[1] + 100.0 * x[2] + time


class _XdmfWriter(Context):
    """As earlier versions wrote where DOLFINx lacks ADIOS2: XDMF, with values at vertices."""

    def __init__(self, path, functions):
        mesh = functions[0].function_space.mesh
        self._sources = functions
        self._written = [
            fem.Function(fem.functionspace(mesh, ("Lagrange", 1, f.ufl_shape)), name=f.name)
            for f in functions
        ]
        self._file = io.XDMFFile(COMM, path, "w")
        self._file.write_mesh(mesh)

    def write(self, time):
        for source, written in zip(self._sources, self._written, strict=True):
            written.interpolate(source)
            self._file.write_function(written, time)

    def close(self):
        self._file.close()


@pytest.fixture
def write_fields(shared_path):
    """Return a function that writes ``c`` and ``u`` at three times."""

    def write(suffix, cell="triangle", degree=1):
        dim = 3 if cell in ("tetrahedron", "hexahedron") else 2
        mesh = create_domain(Box(LENGTHS[dim]), 10e-9, COMM, cell).mesh
        c = fem.Function(fem.functionspace(mesh, ("Lagrange", degree)), name="c")
        u = fem.Function(fem.functionspace(mesh, ("Lagrange", 1, (dim,))), name="u")
        u.interpolate(lambda x: x[:dim])
        path = shared_path / f"fields{suffix}"
        with _XdmfWriter(path, [c, u]) if suffix == ".xdmf" else FieldWriter(path, [c, u]) as file:
            for time in TIMES:
                c.interpolate(lambda x, time=time: _plane(x, time))
                file.write(time)
        COMM.barrier()
        return path

    return write


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", ["triangle", "quadrilateral", "tetrahedron", "hexahedron"])
def test_field_comes_back_as_function(write_fields, measure, suffix, cell, degree):
    path = write_fields(suffix, cell, degree)
    field = create_field_from_file(path, "c", COMM)
    assert field.time == TIMES[-1]
    assert field.function.name == "c"
    x = field.function.function_space.tabulate_dof_coordinates().T
    assert np.allclose(field.function.x.array, _plane(x, TIMES[-1]), rtol=1e-12, atol=1e-9)
    box = LENGTHS[field.domain.mesh.geometry.dim]
    assert measure(field.domain) == pytest.approx(np.prod(box) * 1e9 ** len(box))
    original = create_domain(Box(box), 10e-9, COMM, cell).quality()
    assert field.domain.quality().vertices == original.vertices
    assert field.domain.quality().worst_shape == pytest.approx(original.worst_shape)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("time", TIMES)
def test_field_at_a_chosen_time(write_fields, suffix, time):
    path = write_fields(suffix)
    field = run_on_root(COMM, lambda: read_field(path, "c", time))
    assert field.time == time
    x = np.pad(field.points, ((0, 0), (0, 1))).T
    assert np.allclose(field.values, _plane(x, time), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_vector_field(write_fields, suffix):
    field = create_field_from_file(write_fields(suffix), "u", COMM)
    x = field.function.function_space.tabulate_dof_coordinates()
    assert np.allclose(field.function.x.array.reshape(-1, 3), x, atol=1e-9)


def test_vtu_of_another_program_in_its_own_unit(write_shared, measure):
    points = np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0], [9, 9, 0]], dtype=float)
    cells = [("triangle", [[0, 1, 2], [0, 2, 3]])]
    values = {"lithium": points[:, 0], "other": np.ones(5)}
    path = write_shared("field.vtu", meshio.Mesh(points, cells, values).write)
    field = create_field_from_file(path, "lithium", COMM, unit_m=1e-6)
    x = field.function.function_space.tabulate_dof_coordinates()
    assert np.allclose(field.function.x.array, x[:, 0] / 1000.0)
    assert measure(field.domain) == pytest.approx(2e6)
    assert field.time is None
    assert set(field.domain.groups) == {"surface"}


def test_field_on_cells_written_twice(write_shared, measure):
    points = np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0]], dtype=float)
    mesh = meshio.Mesh(
        points, [("triangle", [[0, 1, 2], [0, 2, 3], [1, 2, 0]])], {"c": points[:, 0]}
    )
    field = create_field_from_file(write_shared("twice.vtu", mesh.write), "c", COMM)
    assert measure(field.domain) == pytest.approx(2.0)
    x = field.function.function_space.tabulate_dof_coordinates()
    assert np.allclose(field.function.x.array, x[:, 0])


def test_field_on_flat_cells_is_refused_by_name_and_place(write_shared):
    points = np.array([[0, 0, 0], [2, 0, 0], [4, 0, 0], [0, 1, 0]], dtype=float)
    mesh = meshio.Mesh(points, [("triangle", [[0, 1, 3], [0, 1, 2]])], {"c": points[:, 0]})
    path = write_shared("flat.vtu", mesh.write)
    with pytest.raises(InputError, match=r"flat\.vtu: 1 of 2 cells are flat.* about \(2, 0\)"):
        create_field_from_file(path, "c", COMM)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("name", "time", "message"),
    [
        ("cc", None, r"no field 'cc'; did you mean 'c'\? \(fields: c, u\)"),
        ("c", 0.6, r"no time 0\.6 s; the nearest of 3 from 0 s to 1000 s is 0\.5 s"),
    ],
)
def test_what_is_not_there_is_refused_on_all_ranks(write_fields, suffix, name, time, message):
    path = write_fields(suffix)
    with pytest.raises(InputError, match=rf"fields\{suffix}: .*{message}"):
        create_field_from_file(path, name, COMM, time=time)


@pytest.mark.parametrize(
    "name",
    ["none.vtkhdf", "none.bp", "none.xdmf", "none.vtu", "empty.vtkhdf", "empty.xdmf", "empty.vtu"],
)
def test_missing_and_empty_files_are_refused_by_name(write_shared, name):
    path = write_shared(name, lambda path: path.touch() if name.startswith("empty") else None)
    with pytest.raises(InputError, match=name):
        create_field_from_file(path, "c", COMM)


@pytest.mark.parametrize("name", ["text.vtkhdf", "text.bp", "text.xdmf", "text.vtu"])
def test_files_of_something_else_are_refused_by_name(write_shared, name):
    path = write_shared(name, lambda path: path.write_text("no field"))
    with pytest.raises(InputError, match=name):
        create_field_from_file(path, "c", COMM)


@pytest.mark.parametrize(
    ("suffix", "victim"),
    [
        (".vtkhdf", "fields.vtkhdf"),
        (".xdmf", "fields.xdmf"),
        (".xdmf", "fields.h5"),
        (".bp", "fields.bp/data.0"),
        (".bp", "fields.bp/md.0"),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.45, None])
def test_truncated_files_are_refused_by_name(write_fields, suffix, victim, share):
    if suffix not in SUFFIXES:
        pytest.skip("this DOLFINx has no ADIOS2")
    path = write_fields(suffix)

    def damage():
        broken = path.parent / victim
        if share is None:
            broken.unlink()
        else:
            content = broken.read_bytes()
            broken.write_bytes(content[: int(share * len(content))])

    run_on_root(COMM, damage)
    with pytest.raises(InputError, match=path.name):
        create_field_from_file(path, "c", COMM)
    run_on_root(COMM, lambda: shutil.rmtree(path) if path.is_dir() else None)


def _save_with_vtk(grid, path):
    writer = vtkHDFWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(grid)
    writer.Write()


def test_vtkhdf_of_another_program(write_shared, measure):
    """VTK's own writer, which is ParaView's, knows no time where there is but one."""
    points = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0], [0, 0, 2]], dtype=float)
    grid = pyvista.UnstructuredGrid({10: np.array([[0, 1, 2, 4], [0, 2, 3, 4]])}, points)
    grid["lithium"] = points[:, 0]
    path = write_shared("field.vtkhdf", lambda path: _save_with_vtk(grid, path))
    field = create_field_from_file(path, "lithium", COMM)
    x = field.function.function_space.tabulate_dof_coordinates()
    assert np.allclose(field.function.x.array, x[:, 0])
    assert measure(field.domain) == pytest.approx(8.0 / 3.0)


def _mix(path):
    cells = {5: np.array([[0, 1, 2]]), 9: np.array([[1, 3, 4, 2]])}
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0]], dtype=float)
    grid = pyvista.UnstructuredGrid(cells, points)
    grid["c"] = points[:, 0]
    _save_with_vtk(grid, path)


def _part(path):
    _mix(path)
    with h5py.File(path, "r+") as file:
        for name in ("Points", "Cells", "ConnectivityIds"):
            count = file[f"VTKHDF/NumberOf{name}"]
            counts = np.repeat(count[:], 2)
            del file[f"VTKHDF/NumberOf{name}"]
            file[f"VTKHDF/NumberOf{name}"] = counts


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_mix, r"cells of VTK's types \[5, 9\] are not supported"),
        (_part, "is in 2 parts"),
        (lambda path: _save_with_vtk(pyvista.Plane(), path), "PolyData"),
    ],
    ids=["mixed cells", "parts", "surface"],
)
def test_vtkhdf_that_is_no_field_on_one_grid_is_refused(write_shared, write, message):
    path = write_shared("field.vtkhdf", write)
    with pytest.raises(InputError, match=rf"field\.vtkhdf: .*{message}"):
        create_field_from_file(path, "c", COMM)
