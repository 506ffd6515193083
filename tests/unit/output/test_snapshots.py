import numpy as np
import pytest
from dolfinx import fem, mesh
from dolfinx.mesh import CellType
from mpi4py import MPI

from chemomech.output.snapshots import Gatherer

CELLS = {
    CellType.triangle: 2 * 4 * 3,
    CellType.quadrilateral: 4 * 3,
    CellType.tetrahedron: 6 * 4 * 3 * 2,
    CellType.hexahedron: 4 * 3 * 2,
}


def create_block(comm, cell):
    if cell in (CellType.triangle, CellType.quadrilateral):
        return mesh.create_rectangle(comm, [(0, 0), (2, 1)], (4, 3), cell)
    return mesh.create_box(comm, [(0, 0, 0), (2, 1, 1)], (4, 3, 2), cell)


@pytest.fixture(params=CELLS, ids=lambda cell: cell.name)
def domain(request, comm):
    return create_block(comm, request.param)


def measure(grid):
    """Area or volume by PyVista, which tells a wrong order of vertices."""
    pyvista = pytest.importorskip("pyvista")
    cells = np.column_stack([np.full(len(grid.cells), grid.cells.shape[1]), grid.cells])
    types = np.full(len(grid.cells), grid.vtk_type)
    sizes = pyvista.UnstructuredGrid(cells.ravel(), types, grid.points).compute_cell_sizes()
    return np.abs(sizes["Area" if grid.dimension == 2 else "Volume"])


def test_whole_mesh_arrives_once(domain, comm):
    grid = Gatherer(domain).grid
    if comm.rank > 0:
        assert grid is None
        return
    assert len(grid.cells) == CELLS[domain.topology.cell_type]
    assert len(np.unique(grid.points.round(9), axis=0)) == len(grid.points)
    np.testing.assert_allclose(measure(grid).sum(), 2.0)
    np.testing.assert_allclose(measure(grid), 2.0 / len(grid.cells))


def test_euler_characteristic_of_edges(domain, comm):
    grid = Gatherer(domain).grid
    if comm.rank == 0 and grid.dimension == 2:
        assert len(grid.points) - len(grid.edges) + len(grid.cells) == 1


def test_partition_does_not_show(domain, comm):
    spread = Gatherer(domain).grid
    whole = Gatherer(create_block(MPI.COMM_SELF, domain.topology.cell_type)).grid
    if comm.rank == 0:
        np.testing.assert_array_equal(spread.points, whole.points)
        np.testing.assert_array_equal(spread.cells, whole.cells)


@pytest.mark.parametrize("degree", [1, 2])
def test_nodal_values_arrive_at_their_points(domain, comm, degree):
    gatherer = Gatherer(domain)
    c = fem.Function(fem.functionspace(domain, ("Lagrange", degree)))
    u = fem.Function(fem.functionspace(domain, ("Lagrange", degree, (2,))))
    c.interpolate(lambda x: x[0] + 10 * x[1] + 100 * x[2])
    u.interpolate(lambda x: np.array([x[0], -x[1]]))
    scalar, vector = gatherer.gather(c), gatherer.gather(u)
    if comm.rank == 0:
        x = gatherer.grid.points
        np.testing.assert_allclose(scalar, x @ [1, 10, 100], atol=1e-12)
        np.testing.assert_allclose(vector, x[:, :2] * [1, -1], atol=1e-12)
    else:
        assert scalar is None
        assert vector is None


def test_values_without_a_vertex_are_refused(comm):
    square = mesh.create_unit_square(comm, 2, 2)
    cellwise = fem.Function(fem.functionspace(square, ("DG", 0)))
    with pytest.raises(ValueError, match="not continuous"):
        Gatherer(square).gather(cellwise)
