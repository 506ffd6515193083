"""Structured meshes of strips: a nanowire, or a box, as a row of four-sided patches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import gmsh
import numpy as np

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.geometry.box import SIDES, Box
from chemomech.geometry.distribution import MeshArrays
from chemomech.geometry.domain import MESH_LENGTH_UNIT
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.periodicity import pair_sides

_SIMPLICES = ("triangle", "tetrahedron")
_FEWEST_PERIODIC = 3
"""Cells along a periodic axis, at least."""


@dataclass(frozen=True)
class _Strip:
    """A row of four-sided patches between cuts, in mesh units (nm).

    Args:
        right: Ends of the cuts on the right of the direction of travel, shape (cuts, 2).
        left: Ends of the cuts on the left, shape (cuts, 2).
        centres: Centre of the arcs that bound each patch, ``None`` where they are straight.
        along: Mid-line length of each patch.
        height: Extent along z, ``None`` in 2-D.
        names: Facet groups at the first cut, the last cut, the right, the left, and below and
            above.
    """

    right: FloatArray
    left: FloatArray
    centres: tuple[tuple[float, float] | None, ...]
    along: tuple[float, ...]
    height: float | None
    names: tuple[str, str, str, str, str, str]

    @property
    def across(self) -> float:
        """Length of the cuts."""
        return float(np.linalg.norm(self.left[0] - self.right[0]))


def strip_of_nanowire(wire: Nanowire) -> _Strip:
    """Cut a nanowire into legs and two halves of the bend, leaving out what has no length."""
    names = ("start", "end", "outer", "inner", "bottom", "top")
    first, second = (leg / MESH_LENGTH_UNIT for leg in wire.legs)
    half_width = wire.width / MESH_LENGTH_UNIT / 2.0
    height = None if wire.thickness is None else wire.thickness / MESH_LENGTH_UNIT
    if wire.is_straight:
        ends = np.array([[0.0, 0.0], [first + second, 0.0]])
        offset = np.array([0.0, half_width])
        return _Strip(ends - offset, ends + offset, (None,), (first + second,), height, names)
    radius = wire.radius / MESH_LENGTH_UNIT
    centre = (first, radius)
    # gmsh's arcs must be shorter than half a turn: the bend is cut in the middle, which also keeps
    # a wire with equal legs mirror-symmetric.
    angles = np.array([0.0, 0.0, wire.bend_angle / 2.0, wire.bend_angle, wire.bend_angle])
    runs = np.array([-first, 0.0, 0.0, 0.0, second])
    forward = np.column_stack([np.cos(angles), np.sin(angles)])
    outward = np.column_stack([np.sin(angles), -np.cos(angles)])
    middle = np.array(centre) + radius * outward + runs[:, None] * forward
    arc = radius * wire.bend_angle / 2.0
    lengths = np.array([first, arc, arc, second])
    real = lengths > 0.0
    kept = np.append(real, True)
    return _Strip(
        right=(middle + half_width * outward)[kept],
        left=(middle - half_width * outward)[kept],
        centres=tuple(np.array([None, centre, centre, None], dtype=object)[real]),
        along=tuple(float(length) for length in lengths[real]),
        height=height,
        names=names,
    )


def mesh_box(box: Box, size: float, cell: str) -> MeshArrays:
    """Mesh a box as `mesh_strip` does, and pair the points of periodic sides; only for one rank.

    Raises:
        InputError: A periodic axis has fewer than three cells, which would not be told apart by
            their corners, or cells of a type whose facets need not meet.
    """
    if not box.periodic:
        return mesh_strip(_strip_of_box(box), size, cell)
    lengths = [length / MESH_LENGTH_UNIT for length in box.lengths]
    for axis in box.periodic_axes:
        if _count_cells(lengths[axis], size, cell in _SIMPLICES) < _FEWEST_PERIODIC:
            raise InputError(
                f"at most {lengths[axis] / _FEWEST_PERIODIC:.4g} nm make {_FEWEST_PERIODIC} cells "
                f"along the periodic axis {'xyz'[axis]}, got {size:.4g} nm",
                key="mesh.size",
            )
    if cell == "tetrahedron":
        raise InputError(
            "tetrahedra do not meet across periodic sides; use hexahedron", key="mesh.cell"
        )
    arrays = mesh_strip(_strip_of_box(box), size, cell)
    joined = {name for axis in box.periodic_axes for name in SIDES[axis]}
    facets = {name: rows for name, rows in arrays.facets.items() if name not in joined}
    pairs = pair_sides(arrays.points, lengths, box.periodic_axes)
    return replace(arrays, facets=facets, pairs=pairs)


def _strip_of_box(box: Box) -> _Strip:
    """See a box as a strip of one patch along x."""
    lengths = [length / MESH_LENGTH_UNIT for length in box.lengths]
    ends = np.array([[0.0, 0.0], [lengths[0], 0.0]])
    return _Strip(
        right=ends,
        left=ends + np.array([0.0, lengths[1]]),
        centres=(None,),
        along=(lengths[0],),
        height=lengths[2] if box.dimension == 3 else None,
        names=(*SIDES[0], *SIDES[1], *SIDES[2]),
    )


def _count_cells(length: float, size: float, even: bool) -> int:
    """Number of equal cells, each at most ``size`` long, on ``length``.

    It is even if asked, as alternating diagonals need to stay symmetric.
    """
    count = max(1, math.ceil(length / size * (1.0 - 1e-9)))
    return count + count % 2 if even else count


def mesh_strip(strip: _Strip, size: float, cell: str) -> MeshArrays:
    """Mesh a strip in rows and columns; only for one rank.

    Cells are at most ``size`` (nm) long across, upwards and along the mid-line; on the outer side
    of a bend they are longer by 1 + width / (2 radius). They are quadrilaterals or triangles in
    2-D, hexahedra or tetrahedra in 3-D.
    """
    simplices = cell in _SIMPLICES
    across = _count_cells(strip.across, size, simplices)
    along = [_count_cells(length, size, simplices) for length in strip.along]
    with GmshSession("chemomech_strip"):
        patches, curves = _add_patches(strip)
        for cut in curves["cuts"]:
            gmsh.model.geo.mesh.setTransfiniteCurve(cut, across + 1)
        for count, *sides in zip(along, curves["right"], curves["left"], strict=True):
            for side in sides:
                gmsh.model.geo.mesh.setTransfiniteCurve(side, count + 1)
        for patch in patches:
            gmsh.model.geo.mesh.setTransfiniteSurface(patch, "AlternateLeft")
            if not simplices:
                gmsh.model.geo.mesh.setRecombine(2, patch)
        if strip.height is None:
            dim, groups = 2, _group_curves(strip, curves)
        else:
            layers = _count_cells(strip.height, size, simplices)
            dim, groups = 3, _extrude(strip, patches, layers, not simplices)
        gmsh.model.geo.synchronize()
        gmsh.model.mesh.generate(dim)
        return extract_arrays(dim, groups)


def _add_patches(strip: _Strip) -> tuple[list[int], dict[str, list[int]]]:
    """Add the patches to the gmsh model; each loop runs right, next cut, left, this cut."""
    geo = gmsh.model.geo
    right = [geo.addPoint(x, y, 0.0) for x, y in strip.right]
    left = [geo.addPoint(x, y, 0.0) for x, y in strip.left]
    curves: dict[str, list[int]] = {
        "cuts": [geo.addLine(*ends) for ends in zip(right, left, strict=True)],
        "right": [],
        "left": [],
    }
    patches = []
    for i, centre in enumerate(strip.centres):
        for side, points in (("right", right), ("left", left)):
            if centre is None:
                curve = geo.addLine(points[i], points[i + 1])
            else:
                curve = geo.addCircleArc(points[i], geo.addPoint(*centre, 0.0), points[i + 1])
            curves[side].append(curve)
        cuts = curves["cuts"]
        loop = [curves["right"][i], cuts[i + 1], -curves["left"][i], -cuts[i]]
        patches.append(geo.addPlaneSurface([geo.addCurveLoop(loop)]))
    return patches, curves


def _group_curves(strip: _Strip, curves: dict[str, list[int]]) -> dict[str, list[int]]:
    """Facet groups of a strip in 2-D."""
    start, end, right, left, _, _ = strip.names
    return {
        start: curves["cuts"][:1],
        end: curves["cuts"][-1:],
        right: curves["right"],
        left: curves["left"],
    }


def _extrude(
    strip: _Strip, patches: list[int], layers: int, recombine: bool
) -> dict[str, list[int]]:
    """Extrude the patches of a strip along z; facet groups of the result."""
    made = gmsh.model.geo.extrude(
        [(2, patch) for patch in patches],
        0.0,
        0.0,
        strip.height,
        numElements=[layers],
        recombine=recombine,
    )
    tags = [tag for _, tag in made]
    # For each patch gmsh gives its copy, the volume and the sides in the order of the patch's loop.
    tops, _, rights, nexts, lefts, cuts = (tags[position::6] for position in range(6))
    start, end, right, left, below, above = strip.names
    return {
        start: cuts[:1],
        end: nexts[-1:],
        right: rights,
        left: lefts,
        below: patches,
        above: tops,
    }
