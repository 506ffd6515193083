"""Outlines in GeoJSON files, with the marks of the edges where the image cut them."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError, naming
from chemomech.geometry.checks import require_positive
from chemomech.geometry.outline import Outline, find_edges_on
from chemomech.text_files import read_text

_log = logging.getLogger(__name__)

_CUT = "cut"
_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
# Corners closer together than this, as a share of the ring's extent, are one; so are areas.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class _Polygon:
    """A polygon of a file: its place there, open rings with the outer one first, and cut marks."""

    place: str
    rings: list[FloatArray]
    cut: BoolArray | None
    repaired: bool = False

    @property
    def shape(self) -> shapely.Polygon:
        """The polygon, perhaps not valid."""
        return shapely.Polygon(self.rings[0], self.rings[1:])


def read_outline_geojson(path: Path | str, unit_m: float, particle: int = 1) -> Outline:
    """Read an outline from the polygons of a GeoJSON file, in Features or a collection or alone.

    A Feature of one Polygon may have a property ``cut``: true or false for each edge of its outer
    ring, in the file's order (see `Outline.cut`). Rings that are not closed are closed; corners
    written twice in a row and spikes without width are left out. ``unit_m`` is the length, in m, of
    one unit of the coordinates; of several polygons, particle 1 is the largest.

    Raises:
        InputError: The file is missing, empty or no GeoJSON, has no such polygon, one whose rings
            cross, overlap or touch, or cut marks that do not fit.
    """
    require_positive(unit_m, "geometry.unit")
    with naming(path=path):
        polygons = [
            _repair(polygon)
            for place, geometry, cut in _features(read_text(Path(path)))
            for polygon in _polygons(place, geometry, cut)
        ]
        chosen = polygons[pick_particle([each.shape.area for each in polygons], particle)]
        if chosen.repaired:
            _log.warning("%s: %s: parts without width are left out", path, chosen.place)
        exterior, *holes = (ring * unit_m for ring in chosen.rings)
        try:
            return Outline(exterior, tuple(holes), chosen.cut)
        except InputError as error:
            raise InputError(f"{chosen.place}: {error.message}", key=error.key) from error


def write_outlines_geojson(
    path: Path | str, outlines: Sequence[Outline], unit_m: float = 1e-9
) -> None:
    """Write outlines as the Polygons of a FeatureCollection, in their order; only for one rank.

    Corners keep their order: the outer ring runs counter-clockwise, holes clockwise. The property
    ``cut`` marks the edges of the outer ring that are cuts, so that `read_outline_geojson` gives
    the outline back. ``unit_m`` is the length, in m, of one unit of the file's coordinates. A file
    that exists is replaced.
    """
    require_positive(unit_m, "geometry.unit")
    if not outlines:
        raise InputError("there is no outline to write", path=str(path))
    features = [
        {
            "type": "Feature",
            "properties": {_CUT: np.asarray(outline.cut).tolist()},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    (np.vstack([curve, curve[:1]]) / unit_m).tolist()
                    for curve in (outline.exterior, *outline.holes)
                ],
            },
        }
        for outline in outlines
    ]
    document = {"type": "FeatureCollection", "features": features}
    try:
        Path(path).write_text(json.dumps(document) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error}", path=str(path)) from error


def pick_particle(areas: Sequence[float], number: int) -> int:
    """Index of the ``number``-th particle by area, the largest being number 1."""
    if not len(areas):
        raise InputError("holds no closed curve of any size")
    if not 1 <= number <= len(areas):
        raise InputError(
            f"must be between 1 and {len(areas)}, the particles found; got {number}",
            key="geometry.particle",
        )
    return int(np.argsort(-np.asarray(areas), kind="stable")[number - 1])


def _features(text: str) -> list[tuple[str, object, object]]:
    """Place in the file, geometry and cut marks, as the file has them, of each feature."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(f"is no GeoJSON: {error}") from error
    kind = document.get("type") if isinstance(document, dict) else None
    features = document.get("features") if kind == "FeatureCollection" else [document]
    if kind not in ("FeatureCollection", "Feature"):
        return [("the geometry", document, None)]
    if not (isinstance(features, list) and all(isinstance(each, dict) for each in features)):
        raise InputError("is no GeoJSON: a FeatureCollection needs a list of features")
    said = [each.get("properties") or {} for each in features]
    if not all(isinstance(each, dict) for each in said):
        raise InputError("is no GeoJSON: the properties of a feature must be an object")
    return [
        (f"feature {number}", each.get("geometry"), known.get(_CUT))
        for number, (each, known) in enumerate(zip(features, said, strict=True), start=1)
        if each.get("geometry") is not None
    ]


def _polygons(place: str, geometry: object, cut: object) -> list[_Polygon]:
    """Polygons of a geometry; those of a cut one with their marks."""
    found = [rings for rings in _find_rings(place, geometry) if rings]
    if cut is not None:
        if not (isinstance(cut, list) and all(isinstance(mark, bool) for mark in cut)):
            raise InputError(f"{place}: the property {_CUT!r} must be a list of true and false")
        if len(found) != 1:
            raise InputError(f"{place}: the property {_CUT!r} suits a feature of one polygon alone")
    polygons = []
    for number, (outer, *holes) in enumerate(found, start=1):
        name = place if len(found) == 1 else f"{place}, polygon {number}"
        exterior, marks = _open(f"{name}, {_name_ring(0)}", outer, cut)
        inner = [
            _open(f"{name}, {_name_ring(k)}", hole)[0] for k, hole in enumerate(holes, start=1)
        ]
        polygons.append(_Polygon(name, [exterior, *inner], marks))
    return polygons


def _find_rings(place: str, geometry: object) -> list[list[object]]:
    """Find the rings, as the file has them, of each polygon of a geometry."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in _GEOMETRIES:
        raise InputError(f"is no GeoJSON: {place} has the type {kind!r}")
    assert isinstance(geometry, dict)
    parts = geometry.get("geometries" if kind == "GeometryCollection" else "coordinates")
    if not isinstance(parts, list):
        raise InputError(f"is no GeoJSON: {place} has no list of parts")
    if kind == "GeometryCollection":
        return [rings for part in parts for rings in _find_rings(place, part)]
    polygons = {"Polygon": [parts], "MultiPolygon": parts}.get(kind, [])
    if not all(isinstance(rings, list) for rings in polygons):
        raise InputError(f"is no GeoJSON: {place} has a polygon without a list of rings")
    return polygons


def _open(
    name: str, ring: object, cut: list[bool] | None = None
) -> tuple[FloatArray, BoolArray | None]:
    """Corners of a ring, none repeated, and the marks of its edges."""
    try:
        # A third number is a height.
        corners = np.array([corner[:2] for corner in ring], dtype=np.float64)  # type: ignore[attr-defined]
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{name} is no list of corners [x, y]: {error}") from error
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise InputError(f"{name} is no list of corners [x, y]")
    if len(corners) > 1 and np.array_equal(corners[0], corners[-1]):
        corners = corners[:-1]
    if cut is not None and len(cut) != len(corners):
        raise InputError(
            f"{name}: the property {_CUT!r} has {len(cut)} marks for the {len(corners)} edges"
        )
    steps = np.abs(np.roll(corners, -1, axis=0) - corners).max(axis=1)
    apart = steps > _SAME * np.ptp(corners, axis=0).max()
    if np.count_nonzero(apart) < 3:
        raise InputError(f"{name} needs at least three different corners")
    return corners[apart], None if cut is None else np.array(cut, dtype=np.bool_)[apart]


def _name_ring(number: int) -> str:
    return f"hole {number}" if number else "outer ring"


def _repair(polygon: _Polygon) -> _Polygon:
    """Leave out spikes and slits without width; refuse rings that cross or overlap."""
    shape = polygon.shape
    if shape.is_valid:
        return polygon
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape)))
    areas = [part for part in parts if part.geom_type == "Polygon"]
    if len(areas) != 1 or not math.isclose(areas[0].area, shape.area, rel_tol=_SAME):
        sound = [shapely.Polygon(ring).is_valid for ring in polygon.rings]
        wrong = [_name_ring(number) for number, is_sound in enumerate(sound) if not is_sound]
        what = f"{wrong[0]} crosses or touches itself" if wrong else "rings cross or overlap"
        reason = shapely.is_valid_reason(shape)
        raise InputError(f"{polygon.place}: {what}: {reason}, in the file's units")
    curves = (areas[0].exterior, *areas[0].interiors)
    rings = [shapely.get_coordinates(curve)[:-1] for curve in curves]
    cut = None
    if polygon.cut is not None:
        old = polygon.rings[0]
        edges = np.stack([old, np.roll(old, -1, axis=0)], axis=1)[polygon.cut]
        width = _SAME * np.ptp(old, axis=0).max()
        cut = find_edges_on(rings[0], shapely.multilinestrings(shapely.linestrings(edges)), width)
    return _Polygon(polygon.place, rings, cut, repaired=True)
