"""Triangle meshes of outlines."""

from __future__ import annotations

import gmsh
import numpy as np
import numpy.typing as npt
import shapely

from chemomech.errors import InputError
from chemomech.geometry.distribution import SURFACE, MeshArrays
from chemomech.geometry.domain import MESH_LENGTH_UNIT
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays
from chemomech.geometry.outline import Outline

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_FRONTAL_DELAUNAY = 6
_CORNER_ANGLE = np.deg2rad(40.0)


def mesh_outline(outline: Outline, size: float) -> MeshArrays:
    """Mesh an outline with triangles of uniform size (gmsh's Frontal-Delaunay); only for one rank.

    Where the outline's corners lie closer together than ``size``, it is divided anew into edges of
    that size, so that a finely traced contour does not force slivers on the mesh; sharp corners and
    long edges stay.

    Args:
        outline: Shape, in m.
        size: Edge length, in nm.

    Returns:
        The mesh with its facet groups.

    Raises:
        InputError: The size is too coarse for the outline.
    """
    exterior, cut = coarsen(np.divide(outline.exterior, MESH_LENGTH_UNIT), outline.cut, size)
    holes = [coarsen(np.divide(hole, MESH_LENGTH_UNIT), None, size)[0] for hole in outline.holes]
    if min(map(len, [exterior, *holes])) < 3 or not shapely.Polygon(exterior, holes).is_valid:
        raise InputError(
            f"{size:g} nm cells are too coarse for this outline; use smaller ones", key="mesh.size"
        )
    with GmshSession("chemomech_outline"):
        loop, edges = _add_curve(exterior)
        hole_curves = [_add_curve(hole) for hole in holes]
        gmsh.model.geo.addPlaneSurface([loop, *(hole_loop for hole_loop, _ in hole_curves)])
        gmsh.model.geo.synchronize()
        gmsh.option.setNumber("Mesh.Algorithm", _FRONTAL_DELAUNAY)
        gmsh.model.mesh.setSizeCallback(lambda *_: size)
        gmsh.model.mesh.generate(2)
        groups = {
            "exterior": [edge for edge, is_cut in zip(edges, cut, strict=True) if not is_cut],
            "border": [edge for edge, is_cut in zip(edges, cut, strict=True) if is_cut],
            "holes": [edge for _, hole_edges in hole_curves for edge in hole_edges],
        }
        groups[SURFACE] = groups["exterior"] + groups["holes"]
        return extract_arrays(2, groups)


def coarsen(
    corners: FloatArray, cut: BoolArray | None, size: float
) -> tuple[FloatArray, BoolArray]:
    """Divide runs of short edges of a closed curve into equal edges of about ``size``.

    Args:
        corners: Closed curve, shape (n, 2), the first corner not repeated.
        cut: Mark of the edge that leaves each corner, shape (n,); where it changes, the corner
            stays.
        size: Edge length wanted.

    Returns:
        The new corners and the marks of their edges.
    """
    marks = np.zeros(len(corners), dtype=np.bool_) if cut is None else cut
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(edges, axis=1)
    heading = np.arctan2(edges[:, 1], edges[:, 0])
    turn = np.abs(np.angle(np.exp(1j * (heading - np.roll(heading, 1)))))
    kept = (turn > _CORNER_ANGLE) | (marks != np.roll(marks, 1))
    kept |= np.minimum(lengths, np.roll(lengths, 1)) >= size
    kept[0] |= not kept.any()
    # Begin at a corner that stays; then each run between such corners is divided by itself.
    first = int(np.argmax(kept))
    corners, lengths, kept, marks = (
        np.roll(values, -first, axis=0) for values in (corners, lengths, kept, marks)
    )
    arc = np.concatenate([[0.0], np.cumsum(lengths)])
    ends = np.append(arc[:-1][kept], arc[-1])
    counts = np.maximum(1, np.rint(np.diff(ends) / size)).astype(int)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    position = np.repeat(ends[:-1], counts) + within * np.repeat(np.diff(ends) / counts, counts)
    closed = np.vstack([corners, corners[:1]])
    new = np.column_stack([np.interp(position, arc, closed[:, axis]) for axis in (0, 1)])
    return new, np.repeat(marks[kept], counts)


def _add_curve(corners: FloatArray) -> tuple[int, list[int]]:
    """Add a closed polygon to the gmsh model: its loop and its edges."""
    points = [gmsh.model.geo.addPoint(x, y, 0.0) for x, y in corners]
    following = points[1:] + points[:1]
    edges = [gmsh.model.geo.addLine(*ends) for ends in zip(points, following, strict=True)]
    return gmsh.model.geo.addCurveLoop(edges), edges
