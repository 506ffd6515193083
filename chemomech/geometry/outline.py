"""The outline of a particle: one closed curve and the holes in it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import shapely

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError

# shapely compares coordinates near 1 more safely than near 1e-7.
_NANOMETRE = 1e-9


@dataclass(frozen=True, eq=False)
class Outline:
    """A plane particle bounded by closed curves of straight edges.

    Facet groups of its mesh: ``exterior`` and ``holes``, ``border`` for edges where the particle is
    cut off by the end of the image or of the region looked at, and ``surface`` for ``exterior`` and
    ``holes`` together: no electrolyte wets a cut. Cuts along an axis are in ``border_left``,
    ``border_right``, ``border_bottom`` or ``border_top`` as well, by the side they face; a region
    cut along the axes has such sides too.

    Args:
        exterior: Corners of the outer curve in m, shape (n, 2), y upwards, the first not repeated.
            Kept counter-clockwise.
        holes: Corners of each hole, likewise; kept clockwise.
        cut: Whether the edge from corner i to corner i + 1 of ``exterior`` is a cut, shape (n,);
            ``None`` for none.

    Raises:
        InputError: A curve has fewer than three corners, crosses or touches itself or another, or a
            hole lies outside.
    """

    exterior: FloatArray
    holes: tuple[FloatArray, ...] = ()
    cut: BoolArray | None = None

    def __post_init__(self) -> None:
        exterior = _check_curve(self.exterior, "exterior")
        holes = tuple(_check_curve(hole, f"hole {i + 1}") for i, hole in enumerate(self.holes))
        cut: BoolArray = np.zeros(len(exterior), dtype=np.bool_)
        if self.cut is not None:
            cut = np.asarray(self.cut, dtype=np.bool_)
            if cut.shape != (len(exterior),):
                raise InputError("needs one cut mark for each edge", key="geometry.file")
        polygon = shapely.Polygon(exterior / _NANOMETRE, [hole / _NANOMETRE for hole in holes])
        if not polygon.is_valid:
            reason = shapely.is_valid_reason(polygon)
            raise InputError(
                f"the outline must not cross or touch itself: {reason} (nm)",
                key="geometry.file",
            )
        _refuse_touch(polygon)
        if not shapely.LinearRing(exterior).is_ccw:
            # Reversed, the edge between two corners is found under the number of its other end.
            exterior, cut = exterior[::-1], np.roll(cut[::-1], -1)
        holes = tuple(hole[::-1] if shapely.LinearRing(hole).is_ccw else hole for hole in holes)
        object.__setattr__(self, "exterior", np.ascontiguousarray(exterior))
        object.__setattr__(self, "holes", holes)
        object.__setattr__(self, "cut", cut)

    @property
    def dimension(self) -> int:
        """Dimension of space, 2."""
        return 2

    @property
    def area(self) -> float:
        """Area without the holes, in m^2."""
        return float(shapely.Polygon(self.exterior, self.holes).area)


def find_edges_on(corners: FloatArray, line: shapely.Geometry, tolerance: float) -> BoolArray:
    """Mark the edges, from corner i to i + 1, of a closed curve (n, 2) that lie on a line."""
    edges = shapely.linestrings(np.stack([corners, np.roll(corners, -1, axis=0)], axis=1))
    return np.asarray(shapely.covers(line.buffer(tolerance), edges))


def _refuse_touch(polygon: shapely.Polygon) -> None:
    """Refuse curves that share a point: no mesh has cells on both sides of it."""
    if polygon.boundary.is_simple:
        return
    names = ["the exterior", *(f"hole {i + 1}" for i in range(len(polygon.interiors)))]
    curves = zip(names, (polygon.exterior, *polygon.interiors), strict=True)
    for (first, one), (second, other) in itertools.combinations(curves, 2):
        if one.intersects(other):
            point = shapely.get_coordinates(one.intersection(other))[0]
            raise InputError(
                f"{second} touches {first} at ({point[0]:.6g}, {point[1]:.6g}) nm; leave some "
                "material between them, or open the hole",
                key="geometry.file",
            )


def _check_curve(corners: FloatArray, name: str) -> FloatArray:
    """Return the corners of one curve without repeated ones."""
    points = np.asarray(corners, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(
            f"{name} needs corners of shape (n, 2), got {points.shape}", key="geometry.file"
        )
    if not np.isfinite(points).all():
        raise InputError(f"{name} has a corner that is not finite", key="geometry.file")
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    if len(points) < 3:
        raise InputError(
            f"{name} needs at least three corners, got {len(points)}", key="geometry.file"
        )
    if not (points != np.roll(points, -1, axis=0)).any(axis=1).all():
        raise InputError(f"{name} has the same corner twice in a row", key="geometry.file")
    return points
