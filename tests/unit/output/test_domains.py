import numpy as np
import pytest

from chemomech.output.domains import DomainCount, count_domains

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
    assert count_domains(edges, np.zeros(column.size)) == DomainCount(0, 0)
    assert count_domains(edges, np.ones(column.size)) == DomainCount(1, 0)


def test_stripes_are_counted_and_span(grid):
    edges, column, row = grid
    stripes = np.where(column % 4 < 2, 0.9, 0.1)
    count = count_domains(edges, stripes, inner=row == ROWS - 1, outer=row == 0)
    assert count == DomainCount(total=3, spanning=3)


def test_regions_at_one_side_do_not_span(grid):
    edges, column, row = grid
    # One full stripe, one half stripe at the inner side, one speck at the outer side.
    rich = (column == 1) | ((column == 5) & (row > 2)) | ((column == 9) & (row == 0))
    count = count_domains(edges, rich.astype(float), inner=row == ROWS - 1, outer=row == 0)
    assert count == DomainCount(total=3, spanning=1)


def test_threshold_is_open(grid):
    edges, column, _ = grid
    values = np.full(column.size, 0.7)
    assert count_domains(edges, values, threshold=0.7).total == 0
    assert count_domains(edges, values, threshold=0.69).total == 1
