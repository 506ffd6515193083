"""Hold a whole mesh in plain arrays, as it is drawn; needs no DOLFINx."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_VTK_TYPE = {"triangle": 5, "quadrilateral": 9, "tetrahedron": 10, "hexahedron": 12}
_EDGES = {
    "triangle": ((0, 1), (1, 2), (2, 0)),
    "quadrilateral": ((0, 1), (1, 2), (2, 3), (3, 0)),
    "tetrahedron": ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)),
    "hexahedron": (
        *((0, 1), (1, 2), (2, 3), (3, 0)),
        *((4, 5), (5, 6), (6, 7), (7, 4)),
        *((0, 4), (1, 5), (2, 6), (3, 7)),
    ),
}


@dataclass(frozen=True)
class SnapshotGrid:
    """A whole linear mesh in plain arrays, in the order of its input whatever the partition.

    Args:
        points: Coordinates in the mesh's unit, shape ``(vertices, 3)``.
        cells: Vertices of each cell in VTK's order, shape ``(cells, vertices per cell)``.
        cell_name: ``triangle``, ``quadrilateral``, ``tetrahedron`` or ``hexahedron``.
    """

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell_name: str

    @property
    def dimension(self) -> int:
        """Topological dimension: 2 or 3."""
        return 2 if self.cell_name in ("triangle", "quadrilateral") else 3

    @property
    def vtk_type(self) -> int:
        """VTK's number of the cell type."""
        return _VTK_TYPE[self.cell_name]

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """Each edge of the mesh once, shape ``(edges, 2)``."""
        pairs = np.sort(self.cells[:, np.array(_EDGES[self.cell_name])].reshape(-1, 2), axis=1)
        # One number a pair: NumPy sorts these much faster than rows.
        count = len(self.points)
        return np.column_stack(np.divmod(np.unique(pairs[:, 0] * count + pairs[:, 1]), count))
