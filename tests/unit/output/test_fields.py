"""Files of fields: what other programs read in them, at every time and on any number of ranks."""

import fcntl

import dolfinx
import h5py
import numpy as np
import pytest
import pyvista
from dolfinx import fem, mesh
from dolfinx.mesh import CellType
from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
from vtkmodules.vtkIOHDF import vtkHDFReader

from chemomech.output import vtkhdf
from chemomech.output.fields import FieldWriter

needs_adios2 = pytest.mark.skipif(not dolfinx.has_adios2, reason="DOLFINx without ADIOS2")
TIMES = (0.0, 0.5, 2.0)


def read_with_vtk(path):
    """Grids by time, as VTK's own reader makes them, which is ParaView's and PyVista's too.

    Where there is one step, VTK speaks of no time: it is None.
    """
    reader = vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    times = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
    grids = {}
    for time in times or (None,):
        reader.Update() if time is None else reader.UpdateTimeStep(time)
        grids[time] = pyvista.wrap(reader.GetOutputDataObject(0)).copy()
    return grids


def read_bp(path, name):
    """Points and values of all blocks of the last step."""
    adios2 = pytest.importorskip("adios2")
    with adios2.FileReader(str(path)) as file:
        blocks = len(file.all_blocks_info("geometry")[0])
        steps = file.num_steps()
        points, values = [], []
        for block in range(blocks):
            geometry, field = file.inquire_variable("geometry"), file.inquire_variable(name)
            for variable, step, store in ((geometry, 0, points), (field, steps - 1, values)):
                variable.set_block_selection(block)
                variable.set_step_selection([step, 1])
                store.append(np.atleast_2d(file.read(variable)))
        times = file.read("step", step_selection=[0, steps])
    return np.vstack(points), np.vstack(values), np.ravel(times)


@pytest.fixture(params=[CellType.triangle, CellType.quadrilateral], ids=lambda cell: cell.name)
def functions(request, comm):
    """Composition of degree 1 and displacement of degree 2, not yet set."""
    square = mesh.create_unit_square(comm, 5, 4, request.param)
    return (
        fem.Function(fem.functionspace(square, ("Lagrange", 1)), name="composition"),
        fem.Function(fem.functionspace(square, ("Lagrange", 2, (2,))), name="displacement"),
    )


def set_fields(functions, time):
    c, u = functions
    c.interpolate(lambda x: time * (1 + x[0] - 2 * x[1]))
    u.interpolate(lambda x: time * np.array([x[0] * x[1], x[1] ** 2]))


def write(path, functions, times=TIMES):
    with FieldWriter(path, functions) as writer:
        for time in times:
            set_fields(functions, time)
            writer.write(time)


@needs_adios2
def test_bp_holds_every_field_at_every_time(functions, shared_path):
    path = shared_path / "fields.bp"
    write(path, functions)
    functions[0].function_space.mesh.comm.barrier()
    x, c, times = read_bp(path, "composition")
    np.testing.assert_array_equal(times, [0.0, 0.5, 2.0])
    np.testing.assert_allclose(c.ravel(), 2.0 * (1 + x[:, 0] - 2 * x[:, 1]), atol=1e-14)
    x, u, _ = read_bp(path, "displacement")
    expected = 2.0 * np.column_stack([x[:, 0] * x[:, 1], x[:, 1] ** 2, 0 * x[:, 0]])
    np.testing.assert_allclose(u, expected, atol=1e-14)


def assert_fields(grid, time):
    """Composition and displacement as `set_fields` sets them, wherever the points are."""
    x, y, _ = grid.points.T
    np.testing.assert_allclose(grid["composition"], time * (1 + x - 2 * y), atol=1e-14)
    expected = time * np.column_stack([x * y, y**2, 0 * x])
    np.testing.assert_allclose(grid["displacement"], expected, atol=1e-14)


def test_vtk_reads_every_field_at_every_time(functions, shared_path, comm):
    path = shared_path / "fields.vtkhdf"
    write(path, functions)
    topology = functions[0].function_space.mesh.topology
    cells = topology.index_map(2).size_global
    points = functions[1].function_space.dofmap.index_map.size_global
    if comm.rank == 0:
        grids = read_with_vtk(path)
        assert tuple(grids) == TIMES
        for time, grid in grids.items():
            # Each point once, whatever the number of ranks, and no gap between cells.
            assert (grid.n_points, grid.n_cells) == (points, cells)
            assert grid.compute_cell_sizes()["Area"].sum() == pytest.approx(1.0)
            assert list(grid.point_data) == ["composition", "displacement"]
            assert_fields(grid, time)
        assert_fields(pyvista.read(path), TIMES[0])


@pytest.mark.parametrize("cell", [CellType.tetrahedron, CellType.hexahedron], ids=lambda c: c.name)
def test_vtk_reads_vectors_and_tensors_in_space(shared_path, comm, cell):
    cube = mesh.create_unit_cube(comm, 3, 2, 2, cell)
    u = fem.Function(fem.functionspace(cube, ("Lagrange", 2, (3,))), name="u")
    stress = fem.Function(fem.functionspace(cube, ("Lagrange", 1, (3, 3))), name="stress")
    u.interpolate(lambda x: x**2)
    stress.interpolate(lambda x: np.vstack([x + row for row in range(3)]))
    path = shared_path / "fields.vtkhdf"
    with FieldWriter(path, [u, stress]) as writer:
        writer.write(3.0)
    if comm.rank == 0:
        grid = read_with_vtk(path)[None]
        x = grid.points
        assert grid.compute_cell_sizes()["Volume"].sum() == pytest.approx(1.0)
        np.testing.assert_allclose(grid["u"], x**2, atol=1e-14)
        expected = np.hstack([x + row for row in range(3)])
        np.testing.assert_allclose(grid["stress"], expected, atol=1e-14)


def test_plane_tensors_keep_their_rows(shared_path, comm):
    square = mesh.create_unit_square(comm, 3, 2)
    stress = fem.Function(fem.functionspace(square, ("Lagrange", 1, (2, 2))), name="stress")
    stress.interpolate(lambda x: np.vstack([0 * x[0] + number for number in (1, 2, 3, 4)]))
    with FieldWriter(shared_path / "fields.vtkhdf", [stress]) as writer:
        writer.write(0.0)
    if comm.rank == 0:
        rows = read_with_vtk(shared_path / "fields.vtkhdf")[None]["stress"]
        np.testing.assert_array_equal(rows, np.tile([1, 2, 0, 3, 4, 0, 0, 0, 0], (len(rows), 1)))


def test_small_pieces_make_the_same_file(functions, shared_path, comm, monkeypatch):
    """What rank 0 gathers at a time, and how the file is cut up, is not seen in it."""
    write(shared_path / "whole.vtkhdf", functions)
    monkeypatch.setattr(vtkhdf, "_PIECE", 100)
    monkeypatch.setattr(vtkhdf, "_CHUNK", 300)
    write(shared_path / "pieces.vtkhdf", functions)
    if comm.rank == 0:
        whole, pieces = (
            read_with_vtk(shared_path / f"{name}.vtkhdf") for name in ("whole", "pieces")
        )
        assert tuple(whole) == tuple(pieces) == TIMES
        assert all(whole[time] == pieces[time] for time in TIMES)


def test_mesh_is_stored_once(functions, shared_path, comm):
    write(shared_path / "fields.vtkhdf", functions, np.arange(20.0))
    points = functions[1].function_space.dofmap.index_map.size_global
    if comm.rank == 0:
        with h5py.File(shared_path / "fields.vtkhdf") as file:
            assert len(file["VTKHDF/Points"]) == points
            assert len(file["VTKHDF/PointData/composition"]) == 20 * points


def test_file_of_a_run_that_goes_on_is_whole_and_free(functions, shared_path, comm):
    """What was written is read before the end, and whoever has it open does not stop the run."""
    path = shared_path / "fields.vtkhdf"
    writer, locks = FieldWriter(path, functions), []
    for number, time in enumerate(TIMES, 1):
        set_fields(functions, time)
        writer.write(time)
        if comm.rank == 0:
            assert tuple(read_with_vtk(path)) == (TIMES[:number] if number > 1 else (None,))
            # As HDF5 locks what another program looks at.
            looking = path.open("rb")
            fcntl.flock(looking, fcntl.LOCK_SH)
            locks.append(looking)
    for looking in locks:
        looking.close()
    if comm.rank == 0:
        assert_fields(read_with_vtk(path)[TIMES[-1]], TIMES[-1])


def test_earlier_file_is_replaced(functions, shared_path, comm):
    path = shared_path / "fields.vtkhdf"
    write(path, functions)
    write(path, functions, (1.0, 4.0))
    if comm.rank == 0:
        assert tuple(read_with_vtk(path)) == (1.0, 4.0)


def test_full_disk_is_an_error_of_all_ranks_and_loses_nothing(functions, small_disk, comm):
    path = small_disk("512k") / "fields.vtkhdf"
    writer = FieldWriter(path, functions)
    set_fields(functions, 2.0)
    writer.write(2.0)
    if comm.rank == 0:
        (path.parent / "ballast").write_bytes(bytes(440 * 1024))
    comm.barrier()
    with pytest.raises(OSError, match=r"fields\.vtkhdf cannot be written: No space left"):
        writer.write(3.0)
    if comm.rank == 0:
        assert sorted(file.name for file in path.parent.iterdir()) == ["ballast", path.name]
        (path.parent / "ballast").unlink()
        grids = read_with_vtk(path)
        assert tuple(grids) == (None,)
        assert_fields(grids[None], 2.0)
    comm.barrier()
    set_fields(functions, 3.0)
    writer.write(3.0)
    if comm.rank == 0:
        assert_fields(read_with_vtk(path)[3.0], 3.0)


def test_folder_removed_under_the_writer_is_an_error_of_all_ranks(functions, shared_path, comm):
    folder = shared_path / "results"
    if comm.rank == 0:
        folder.mkdir()
    comm.barrier()
    writer = FieldWriter(folder / "fields.vtkhdf", functions)
    comm.barrier()
    if comm.rank == 0:
        (folder / "fields.vtkhdf").unlink()
        folder.rmdir()
    comm.barrier()
    with pytest.raises(OSError, match="No such file or directory"):
        writer.write(0.0)


def test_fields_that_cannot_be_written_are_refused(comm, tmp_path):
    square = mesh.create_unit_square(comm, 2, 2)
    cellwise = fem.Function(fem.functionspace(square, ("DG", 0)), name="stress")
    nodal = fem.Function(fem.functionspace(square, ("Lagrange", 1)), name="c")
    with pytest.raises(ValueError, match="stress is not continuous"):
        FieldWriter(tmp_path / "fields.vtkhdf", [cellwise])
    with pytest.raises(ValueError, match="one name each"):
        FieldWriter(tmp_path / "fields.vtkhdf", [nodal, nodal])
    with pytest.raises(ValueError, match=r"not in '\.vtu'"):
        FieldWriter(tmp_path / "fields.vtu", [nodal])


@needs_adios2
def test_what_adios2_says_of_a_full_disk_reaches_logs_and_tables_without_its_colours(
    functions, shared_path, monkeypatch
):
    def fail(self, time):
        raise RuntimeError("\x1b[1;34m[ADIOS2 EXCEPTION]\x1b[0m <FileStdio>\n: No space left\n")

    with FieldWriter(shared_path / "fields.bp", functions) as writer:
        monkeypatch.setattr(writer._file, "write", fail.__get__(writer._file))
        with pytest.raises(OSError, match="cannot be written") as caught:
            writer.write(0.0)
        monkeypatch.undo()
        writer.write(0.0)
    assert str(caught.value) == (
        "fields cannot be written: [ADIOS2 EXCEPTION] <FileStdio> : No space left"
    )
