import numpy as np
import pytest
from dolfinx import fem
from dolfinx.mesh import CellType, create_unit_cube, create_unit_square

from chemomech.output.domains import DomainCounter, count_domains
from chemomech.output.snapshots import Gatherer

COLUMNS, ROWS = 12, 5


@pytest.fixture
def grid():
    """Edges of a lattice, its column and row numbers."""
    number = np.arange(COLUMNS * ROWS).reshape(ROWS, COLUMNS)
    across = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    upward = np.column_stack([number[:-1].ravel(), number[1:].ravel()])
    row, column = np.divmod(np.arange(COLUMNS * ROWS), COLUMNS)
    return np.vstack([across, upward]), column, row


def test_poor_and_rich_particles_have_no_and_one_region(grid):
    edges, column, _ = grid
    assert count_domains(edges, np.zeros(column.size)) == 0
    assert count_domains(edges, np.ones(column.size)) == 1


def test_stripes_and_specks_are_counted(grid):
    edges, column, row = grid
    assert count_domains(edges, np.where(column % 4 < 2, 0.9, 0.1)) == 3
    # One full stripe, one half stripe, one speck.
    rich = (column == 1) | ((column == 5) & (row > 2)) | ((column == 9) & (row == 0))
    assert count_domains(edges, rich.astype(float)) == 3


def test_threshold_is_open(grid):
    edges, column, _ = grid
    values = np.full(column.size, 0.7)
    assert count_domains(edges, values, threshold=0.7) == 0
    assert count_domains(edges, values, threshold=0.69) == 1


@pytest.fixture(params=["triangle", "quadrilateral", "tetrahedron", "hexahedron"])
def mesh(request, comm):
    cell = CellType[request.param]
    if request.param in ("triangle", "quadrilateral"):
        return create_unit_square(comm, 23, 17, cell)
    return create_unit_cube(comm, 9, 8, 7, cell)


@pytest.mark.parametrize("degree", [1, 2])
def test_ranks_count_what_the_whole_mesh_has(mesh, degree, comm):
    """Random fields from specks to one region that winds through all parts."""
    field = fem.Function(fem.functionspace(mesh, ("Lagrange", degree)))
    counter, gatherer = DomainCounter(field), Gatherer(mesh)
    # As good as random from 0 to 1, and the same wherever a point lies.
    field.interpolate(lambda x: np.abs(np.modf(1e4 * np.sin([12.9, 78.2, 37.7] @ x + 1))[0]))
    field.x.scatter_forward()
    values = gatherer.gather(field)
    counts = []
    for level in (0.3, 0.5, 0.7, 0.9):
        whole = None if values is None else count_domains(gatherer.grid.edges, values, level)
        counts.append(counter.count(level))
        assert counts[-1] == comm.bcast(whole)
    assert max(counts) > 4 * min(counts)


def test_one_winding_stripe_is_one_region(comm):
    """A spiral that ends in a ring crosses the border between two ranks many times."""
    mesh = create_unit_square(comm, 60, 60)
    field = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))

    def wind(x):
        r, angle = np.hypot(x[0] - 0.5, x[1] - 0.5), np.arctan2(x[1] - 0.5, x[0] - 0.5)
        spiral = np.cos(10 * np.pi * r - angle)
        return np.where(r < 0.4, spiral, np.where(r < 0.45, 1.0, -1.0))

    field.interpolate(wind)
    field.x.scatter_forward()
    assert DomainCounter(field).count(0.0) == 1
