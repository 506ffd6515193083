"""Give functions to PyVista."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dolfinx import fem

from chemomech.output.snapshots import Gatherer

if TYPE_CHECKING:
    import pyvista


def create_grid(functions: Iterable[fem.Function]) -> pyvista.UnstructuredGrid | None:
    """Bring functions and their mesh to rank 0 as a PyVista grid; collective.

    Args:
        functions: Continuous functions on one mesh of linear cells, with names of their own.

    Returns:
        The grid, in the mesh's unit of length (nm), with the functions' values at its points; None
        on other ranks.

    Raises:
        ValueError: A function has no one value at a vertex, or the mesh is curved.
    """
    # Here: a run need not wait for what draws.
    from chemomech.drawing.scene import create_pyvista_grid

    given = list(functions)
    gatherer = Gatherer(given[0].function_space.mesh)
    fields = {str(function.name): gatherer.gather(function) for function in given}
    return None if gatherer.grid is None else create_pyvista_grid(gatherer.grid, fields)
