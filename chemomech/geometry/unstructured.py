"""Triangle meshes of outlines."""

from __future__ import annotations

from dataclasses import replace

import gmsh
import numpy as np
import numpy.typing as npt
import shapely

from chemomech.arrays import FloatArray, IntArray
from chemomech.errors import InputError
from chemomech.geometry.distribution import SURFACE, MeshArrays
from chemomech.geometry.domain import MESH_LENGTH_UNIT
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays
from chemomech.geometry.outline import Outline
from chemomech.geometry.shape_measure import compute_mean_ratio

_FRONTAL_DELAUNAY = 6
_CORNER_ANGLE = np.deg2rad(40.0)
# Longest edge as a multiple of the size, and shape of the flattest cell, of a sound mesh.
_LONGEST, _FLATTEST = 2.0, 0.1

# Marks of edges: wet, cut across the axes, or cut along one; the sides follow in this order.
_WET, _SLANTED = 0, 1
_SIDES = ("border_left", "border_right", "border_bottom", "border_top")
_OUTWARD = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
# Rollers take a group as plane within 1e-8.
_PARALLEL = 1e-9
# A triangle that fills a tip of this angle has the shape measure 0.43; one of ten degrees, 0.3.
_SHARP = np.deg2rad(15.0)


def mesh_outline(outline: Outline, size: float) -> MeshArrays:
    """Mesh an outline with triangles of uniform size (gmsh's Frontal-Delaunay); only for one rank.

    Cut edges normal to an axis also belong to ``border_left`` (outward normal -x),
    ``border_right``, ``border_bottom`` or ``border_top``: the sides of the image, or of a region
    that is cut along the axes. Slanted cuts are in ``border`` alone. A group without edges does not
    exist.

    Where the outline's corners lie closer together than ``size``, in nm, it is divided anew into
    edges of that size, so that a finely traced contour does not force slivers on the mesh; sharp
    corners and long edges stay. Of corners less than half a cell apart one stays, and cells are
    smaller near edges that remain short. Tips of less than 15 degrees, as where a contour meets the
    image's border at a small angle, end where they are half a cell wide.

    Raises:
        InputError: The size is too coarse for the outline, or gmsh's cells are not as wanted.
    """
    # gmsh's tolerances count from the origin.
    origin = outline.exterior.min(axis=0) / MESH_LENGTH_UNIT
    corners = outline.exterior / MESH_LENGTH_UNIT - origin
    exterior, marks = _fit(corners, _mark_edges(corners, outline.cut), size)
    holes = [_fit_hole(hole / MESH_LENGTH_UNIT - origin, size) for hole in outline.holes]
    if min(map(len, [exterior, *holes])) < 3 or not _is_sound(shapely.Polygon(exterior, holes)):
        raise InputError(
            f"{size:g} nm cells are too coarse for this outline; use smaller ones", key="mesh.size"
        )
    # Where a short cut was joined to its neighbour, the edge no longer runs along the axis.
    marks = _mark_edges(exterior, marks != _WET)
    with GmshSession("chemomech_outline"):
        loop, edges = _add_curve(exterior)
        hole_curves = [_add_curve(hole) for hole in holes]
        gmsh.model.geo.addPlaneSurface([loop, *(hole_loop for hole_loop, _ in hole_curves)])
        gmsh.model.geo.synchronize()
        gmsh.option.setNumber("Mesh.Algorithm", _FRONTAL_DELAUNAY)
        gmsh.model.mesh.setSizeCallback(lambda *given: min(size, given[-1]))
        gmsh.model.mesh.generate(2)
        groups = _group_edges(np.array(edges), marks)
        groups["holes"] = [edge for _, hole_edges in hole_curves for edge in hole_edges]
        groups[SURFACE] = groups["exterior"] + groups["holes"]
        arrays = extract_arrays(2, groups)
    _check_cells(arrays, size, origin)
    return replace(arrays, points=arrays.points + origin)


def _mark_edges(corners: FloatArray, cut: npt.NDArray[np.bool_] | None) -> IntArray:
    """Mark each edge of a counter-clockwise curve: wet, slanted cut, or the side a cut faces."""
    if cut is None:
        return np.full(len(corners), _WET)
    edges = np.roll(corners, -1, axis=0) - corners
    outward = np.column_stack([edges[:, 1], -edges[:, 0]])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    misfit = np.abs(outward[:, None, :] - _OUTWARD).max(axis=2)
    facing = np.where(misfit.min(axis=1) <= _PARALLEL, 2 + misfit.argmin(axis=1), _SLANTED)
    return np.where(cut, facing, _WET)


def _group_edges(edges: IntArray, marks: IntArray) -> dict[str, list[int]]:
    """Edges of the exterior by facet group, from their marks."""
    groups = {name: edges[marks == 2 + side].tolist() for side, name in enumerate(_SIDES)}
    groups["border"] = edges[marks != _WET].tolist()
    groups["exterior"] = edges[marks == _WET].tolist()
    return groups


def _fit(corners: FloatArray, marks: IntArray, size: float) -> tuple[FloatArray, IntArray]:
    """Corners of a closed curve that suit the cells, and the marks of their edges."""
    coarse, coarse_marks = _coarsen(corners, marks, size)
    blunted, blunted_marks = _blunt(coarse, coarse_marks, size)
    if blunted is coarse or len(blunted) < 3:
        return blunted, blunted_marks
    return _coarsen(blunted, blunted_marks, size)


def _fit_hole(corners: FloatArray, size: float) -> FloatArray:
    """Corners of a hole that suit the cells."""
    return _fit(corners, np.full(len(corners), _WET), size)[0]


def _is_sound(polygon: shapely.Polygon) -> bool:
    """Tell if curves neither cross nor touch; gmsh may never end where they do."""
    return bool(polygon.is_valid and polygon.boundary.is_simple)


def _check_cells(arrays: MeshArrays, size: float, origin: FloatArray) -> None:
    """Refuse cells that are far too long or almost flat."""
    triangles = arrays.points[arrays.cells]
    lengths = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2)
    if lengths.max() > _LONGEST * size:
        raise InputError(
            f"gmsh made edges of {lengths.max():.3g} nm where {size:g} nm are wanted",
            key="mesh.size",
        )
    shapes = compute_mean_ratio(triangles)
    if shapes.min() < _FLATTEST:
        x, y = triangles[np.argmin(shapes)].mean(axis=0) + origin
        raise InputError(
            f"{size:g} nm cells are too coarse near ({x:.6g}, {y:.6g}) nm, where the outline "
            "almost meets itself; use smaller ones, or mend the outline there",
            key="mesh.size",
        )


def _coarsen(corners: FloatArray, marks: IntArray, size: float) -> tuple[FloatArray, IntArray]:
    """Divide runs of short edges of a closed curve into equal edges of about ``size``.

    Where the mark of the edges that leave the corners changes, the corner stays, unless it lies
    within half of ``size`` of another such corner.
    """
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(edges, axis=1)
    heading = np.arctan2(edges[:, 1], edges[:, 0])
    turn = np.abs(np.angle(np.exp(1j * (heading - np.roll(heading, 1)))))
    changes = marks != np.roll(marks, 1)
    kept = (turn > _CORNER_ANGLE) | changes
    kept |= np.minimum(lengths, np.roll(lengths, 1)) >= size
    # No turn outweighs a change of mark.
    kept = _thin_out(kept, turn + 10.0 * changes, lengths, size)
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
    return new, np.repeat(_main_marks(marks, lengths, kept), counts)


def _blunt(corners: FloatArray, marks: IntArray, size: float) -> tuple[FloatArray, IntArray]:
    """Cut off tips of less than 15 degrees where they are half a cell wide.

    The particle lies on the left of the closed curve (n, 2). Each edge bears the mark of the corner
    it leaves; the end of a tip gets the lower mark of its two sides. Nothing is left of a curve
    that is nowhere that wide.
    """
    while len(corners) >= 3:
        angles = _find_angles(corners)
        tip = int(np.argmin(angles))
        if angles[tip] >= _SHARP:
            break
        corners, marks = _cut_tip(np.roll(corners, -tip, axis=0), np.roll(marks, -tip), size)
    return corners, marks


def _find_angles(corners: FloatArray) -> FloatArray:
    """Angle of the particle at each corner, in (0, 2 pi)."""
    edges = (np.roll(corners, -1, axis=0) - corners) @ [1.0, 1j]
    return np.asarray(np.pi - np.angle(edges / np.roll(edges, 1)), dtype=np.float64)


def _cut_tip(corners: FloatArray, marks: IntArray, size: float) -> tuple[FloatArray, IntArray]:
    """Cut off the tip at the first corner, with as much of one side as of the other."""
    closed = np.vstack([corners, corners[:1]])
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    lengths = np.arange(1.0, 4.0 * arc[-1] / size) * size / 8.0
    ahead, behind = (
        np.column_stack([np.interp(position, arc, closed[:, axis]) for axis in (0, 1)])
        for position in (lengths, arc[-1] - lengths)
    )
    wide = np.linalg.norm(ahead - behind, axis=1) >= size / 2.0
    if not wide.any():
        return corners[:0], marks[:0]
    cut = int(np.argmax(wide))
    stays = (arc[:-1] > lengths[cut]) & (arc[:-1] < arc[-1] - lengths[cut])
    first = marks[np.searchsorted(arc, lengths[cut], side="right") - 1]
    return (
        np.vstack([ahead[cut], corners[stays], behind[cut]]),
        np.concatenate([[first], marks[stays], [min(marks[0], marks[-1])]]),
    )


def _main_marks(marks: IntArray, lengths: FloatArray, kept: npt.NDArray[np.bool_]) -> IntArray:
    """Find the mark with the greatest length on each run from one kept corner to the next."""
    names = np.unique(marks)
    shares = [np.where(marks == name, lengths, 0.0) for name in names]
    sums = np.add.reduceat(np.array(shares), np.flatnonzero(kept), axis=1)
    return names[np.argmax(sums, axis=0)]


def _thin_out(
    kept: npt.NDArray[np.bool_], weights: FloatArray, lengths: FloatArray, size: float
) -> npt.NDArray[np.bool_]:
    """Drop corners that lie within half of ``size`` of a weightier one, the lightest first.

    Returns:
        The corners that stay, of those ``kept``, shape (n,).
    """
    arc = np.concatenate([[0.0], np.cumsum(lengths)])
    perimeter = arc[-1]
    chosen = np.flatnonzero(kept)
    # Weightiest first, so that a corner has only to look at those that stay already.
    order = chosen[np.argsort(-weights[chosen], kind="stable")]
    staying: list[int] = []
    for corner in order:
        gap = np.abs(arc[staying] - arc[corner])
        if not (np.minimum(gap, perimeter - gap) < size / 2.0).any():
            staying.append(int(corner))
    result = np.zeros(len(kept), dtype=np.bool_)
    result[staying] = True
    return result


def _add_curve(corners: FloatArray) -> tuple[int, list[int]]:
    """Add a closed polygon to the gmsh model: its loop and its edges."""
    points = [gmsh.model.geo.addPoint(x, y, 0.0) for x, y in corners]
    following = points[1:] + points[:1]
    edges = [gmsh.model.geo.addLine(*ends) for ends in zip(points, following, strict=True)]
    return gmsh.model.geo.addCurveLoop(edges), edges
