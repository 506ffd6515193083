"""Particles with a thickness: a plane mesh drawn out into layers of tetrahedra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpi4py import MPI

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.geometry.checks import require_positive
from chemomech.geometry.distribution import SURFACE, MeshArrays, distribute
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.outline import Outline
from chemomech.geometry.unstructured import mesh_outline

Thickness = float | Callable[[FloatArray], FloatArray]

_FACES = ("faces_bottom", "faces_top")
"""Groups of the two faces, at z = -t/2 and z = t/2."""

# A prism has corners 0, 1, 2 below and 3, 4, 5 above them. With 0 < 1 < 2 by number in the plane
# mesh, the diagonal of each side leaves the lower corner of the smaller number, so that neighbours
# cut their common side alike.
_TETRAHEDRA = np.array([[0, 1, 2, 5], [0, 1, 4, 5], [0, 3, 4, 5]])
_TRIANGLES = np.array([[0, 1, 3], [0, 2, 3]])  # likewise on a side: 0, 1 below and 2, 3 above


def create_extruded_domain(
    outline: Outline, size_m: float, thickness: Thickness, layers: int, comm: MPI.Comm
) -> Domain:
    """Mesh an outline of given thickness with tetrahedra, in nm, symmetric about the plane z = 0.

    Groups: those of the outline (see `create_domain`), now its sides; ``faces_bottom`` and
    ``faces_top`` at z = -t/2 and z = t/2; ``surface``, all that the electrolyte wets, takes in both
    faces. The thickness t, in m, may be a function that gives it, shape (n,), at points (x, y) in
    m, shape (n, 2), called on rank 0 alone. The call is collective.

    Raises:
        InputError: A size or a thickness is not positive and finite, there is no layer, or gmsh
            fails; on all ranks.
    """
    require_positive(size_m, "mesh.size")

    def build() -> MeshArrays:
        plane = mesh_outline(outline, size_m / MESH_LENGTH_UNIT)
        given = thickness(plane.points * MESH_LENGTH_UNIT) if callable(thickness) else thickness
        heights: FloatArray = np.divide(given, MESH_LENGTH_UNIT)
        return _extrude(plane, heights, layers)

    return distribute(comm, build)


def _extrude(plane: MeshArrays, thickness: float | FloatArray, layers: int) -> MeshArrays:
    """Draw a mesh of triangles out along z, symmetric about z = 0; only for one rank.

    Each layer is of prisms, cut into three tetrahedra; diagonals alternate from layer to layer.
    Facet groups become sides and keep their names; ``faces_bottom`` and ``faces_top`` are added,
    and belong to ``surface`` if the plane mesh names one. All is in nm, the thickness one for all
    points or one for each, shape (points,).
    """
    heights = _check(plane, thickness, layers)
    count = len(plane.points)
    levels = np.linspace(-0.5, 0.5, layers + 1)
    z = np.outer(levels, heights).ravel()
    points = np.column_stack([np.tile(plane.points, (layers + 1, 1)), z])
    cells = _stack(np.sort(plane.cells, axis=1), _TETRAHEDRA, count, layers)
    facets = {
        name: _stack(np.sort(edges, axis=1), _TRIANGLES, count, layers)
        for name, edges in plane.facets.items()
    }
    bottom, top = plane.cells, plane.cells + layers * count
    facets |= dict(zip(_FACES, (bottom, top), strict=True))
    if SURFACE in facets:
        facets[SURFACE] = np.concatenate([facets[SURFACE], bottom, top])
    return MeshArrays(points, cells, "tetrahedron", facets)


def _check(plane: MeshArrays, thickness: float | FloatArray, layers: int) -> FloatArray:
    """Check the thickness at each point, and return it."""
    if plane.cell != "triangle":
        raise InputError(f"only meshes of triangles can be extruded, got {plane.cell} cells")
    if layers < 1:
        raise InputError(f"needs at least one layer, got {layers}", key="mesh.layers")
    heights = np.asarray(thickness, dtype=np.float64)
    if heights.shape not in ((), (len(plane.points),)):
        raise InputError(
            f"needs one thickness, or one for each of {len(plane.points)} points; got an array of "
            f"shape {heights.shape}",
            key="geometry.thickness",
        )
    wrong = ~(np.isfinite(heights) & (heights > 0.0))
    if wrong.any():
        raise InputError(
            f"must be positive and finite everywhere, got {heights[wrong].ravel()[0]:g} nm at "
            f"{np.count_nonzero(wrong)} of {heights.size} points",
            key="geometry.thickness",
        )
    return np.broadcast_to(heights, len(plane.points))


def _stack(rows: IntArray, pieces: IntArray, count: int, layers: int) -> IntArray:
    """Simplices of the prisms, or sides of prisms, over simplices of the plane.

    Args:
        rows: Corners in the plane, ascending in each row, shape (n, k).
        pieces: Simplices of one prism whose corners are the k below, then the k above.
        count: Points on each level.
        layers: Number of layers; corners have the shape (layers * n * pieces, k + 1).
    """
    below, above = rows, rows + count
    # Turned upside down, every other layer mirrors the one before it.
    prisms = [
        np.hstack([below, above] if layer % 2 == 0 else [above, below]) + layer * count
        for layer in range(layers)
    ]
    return np.concatenate(prisms)[:, pieces].reshape(-1, pieces.shape[1])
