import importlib

import dolfinx
import numpy as np
import pytest
from dolfinx import fem, mesh
from dolfinx.mesh import CellType

from chemomech.output.fields import FieldWriter

needs_adios2 = pytest.mark.skipif(not dolfinx.has_adios2, reason="DOLFINx without ADIOS2")


def import_h5py():
    """The h5py built for MPI, which Debian keeps under a name of its own."""
    try:
        return importlib.import_module("h5py._debian_h5py_mpi")
    except ImportError:
        return pytest.importorskip("h5py")


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


@needs_adios2
def test_one_file_holds_every_field_at_every_time(functions, shared_path):
    path = shared_path / "fields.bp"
    with FieldWriter(path, functions) as writer:
        for time in (0.0, 0.5, 2.0):
            set_fields(functions, time)
            writer.write(time)
    functions[0].function_space.mesh.comm.barrier()
    x, c, times = read_bp(path, "composition")
    np.testing.assert_array_equal(times, [0.0, 0.5, 2.0])
    np.testing.assert_allclose(c.ravel(), 2.0 * (1 + x[:, 0] - 2 * x[:, 1]), atol=1e-14)
    x, u, _ = read_bp(path, "displacement")
    expected = 2.0 * np.column_stack([x[:, 0] * x[:, 1], x[:, 1] ** 2, 0 * x[:, 0]])
    np.testing.assert_allclose(u, expected, atol=1e-14)


def test_without_adios2_xdmf_holds_vertex_values(functions, shared_path, comm):
    path = shared_path / "fields.xdmf"
    with FieldWriter(path, functions) as writer:
        set_fields(functions, 2.0)
        writer.write(2.0)
    comm.barrier()
    if comm.rank == 0:
        with import_h5py().File(path.with_suffix(".h5"), "r") as file:
            x = file["Mesh/mesh/geometry"][:]
            c = file["Function/composition/2"][:]
            u = file["Function/displacement/2"][:]
        expected = 2.0 * (1 + x[:, 0] - 2 * x[:, 1])
        np.testing.assert_allclose(c.ravel(), expected, atol=1e-14)
        expected = 2.0 * np.column_stack([x[:, 0] * x[:, 1], x[:, 1] ** 2, 0 * x[:, 0]])
        np.testing.assert_allclose(u, expected, atol=1e-14)


def test_fields_that_cannot_be_written_are_refused(comm, tmp_path):
    square = mesh.create_unit_square(comm, 2, 2)
    cellwise = fem.Function(fem.functionspace(square, ("DG", 0)), name="stress")
    nodal = fem.Function(fem.functionspace(square, ("Lagrange", 1)), name="c")
    with pytest.raises(ValueError, match="stress is not continuous"):
        FieldWriter(tmp_path / "fields.bp", [cellwise])
    with pytest.raises(ValueError, match="one name each"):
        FieldWriter(tmp_path / "fields.bp", [nodal, nodal])
    with pytest.raises(ValueError, match=r"not in '\.vtu'"):
        FieldWriter(tmp_path / "fields.vtu", [nodal])


@needs_adios2
def test_what_adios2_says_of_a_full_disk_reaches_logs_and_tables_without_its_colours(
    functions, shared_path, monkeypatch
):
    def fail(self, time):
        raise RuntimeError("\x1b[1;34m[ADIOS2 EXCEPTION]\x1b[0m <FileStdio>\n: No space left\n")

    with FieldWriter(shared_path / "fields.bp", functions) as writer:
        monkeypatch.setattr(writer._vtx, "write", fail.__get__(writer._vtx))
        with pytest.raises(OSError, match="cannot be written") as caught:
            writer.write(0.0)
        monkeypatch.undo()
        writer.write(0.0)
    assert str(caught.value) == (
        "fields cannot be written: [ADIOS2 EXCEPTION] <FileStdio> : No space left"
    )
