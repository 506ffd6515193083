"""Outlines in GeoJSON files, with the marks of the edges where the image cut them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from chemomech.errors import InputError
from chemomech.geometry.checks import require_positive
from chemomech.geometry.outline import Outline

_CUT = "cut"


@dataclass(frozen=True, eq=False)
class _Polygon:
    """A polygon of a file and its cut marks."""

    shape: shapely.Polygon
    cut: npt.NDArray[np.bool_] | None


def read_outline_geojson(path: Path | str, unit_m: float, particle: int = 1) -> Outline:
    """Read an outline from the polygons of a GeoJSON file.

    A Feature of one Polygon may have a property ``cut``: true or false for each edge of its outer
    ring, in the file's order (see `Outline.cut`).

    Args:
        path: File with a Polygon or MultiPolygon, or Features or a collection of them.
        unit_m: Length, in m, of one unit of the coordinates.
        particle: Which polygon, by area: 1 is the largest.

    Returns:
        The outline, in m.

    Raises:
        InputError: The file is missing, empty or no GeoJSON, has no such polygon, one that crosses
            itself, or cut marks that do not fit.
    """
    require_positive(unit_m, "geometry.unit")
    try:
        polygons = [
            polygon
            for geometry, cut in _features(_read_text(Path(path)))
            for polygon in _polygons(geometry, cut)
        ]
        chosen = polygons[pick_particle([each.shape.area for each in polygons], particle)]
        exterior, *holes = (
            shapely.get_coordinates(ring)[:-1] * unit_m
            for ring in (chosen.shape.exterior, *chosen.shape.interiors)
        )
        return Outline(exterior, tuple(holes), chosen.cut)
    except InputError as error:
        raise InputError(error.message, key=error.key, path=str(path)) from error


def write_outlines_geojson(
    path: Path | str,
    outlines: Sequence[Outline],
    unit_m: float = 1e-9,
    properties: Mapping[str, str | float | bool] | None = None,
) -> None:
    """Write outlines as the Polygons of a FeatureCollection, in their order; only for one rank.

    Corners keep their order: the outer ring runs counter-clockwise, holes clockwise. The property
    ``cut`` marks the edges of the outer ring that are cuts, so that `read_outline_geojson` gives
    the outline back. A file that exists is replaced.

    Args:
        path: File to write.
        outlines: Outlines, in m.
        unit_m: Length, in m, of one unit of the file's coordinates.
        properties: What each Feature shall say besides, e.g. where the outline came from.

    Raises:
        InputError: There is no outline, a property is named ``cut`` or is no finite number, or the
            file cannot be written.
    """
    require_positive(unit_m, "geometry.unit")
    said = dict(properties or {})
    if not outlines:
        raise InputError("there is no outline to write", path=str(path))
    if _CUT in said:
        raise InputError(f"the property {_CUT!r} is taken by the cut marks", path=str(path))
    features = [
        {
            "type": "Feature",
            "properties": {**said, _CUT: np.asarray(outline.cut).tolist()},
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
        Path(path).write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"cannot be written: {error}", path=str(path)) from error


def pick_particle(areas: Sequence[float], number: int) -> int:
    """Index of the ``number``-th particle by area, the largest being number 1.

    Args:
        areas: Area of each particle.
        number: Which one.

    Raises:
        InputError: There are no particles, or not so many.
    """
    if not len(areas):
        raise InputError("holds no closed curve of any size")
    if not 1 <= number <= len(areas):
        raise InputError(
            f"must be between 1 and {len(areas)}, the particles found; got {number}",
            key="geometry.particle",
        )
    return int(np.argsort(-np.asarray(areas), kind="stable")[number - 1])


def _features(text: str) -> list[tuple[object, object]]:
    """Geometry and cut marks, as the file has them, of each feature."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(f"is no GeoJSON: {error}") from error
    kind = document.get("type") if isinstance(document, dict) else None
    features = document.get("features") if kind == "FeatureCollection" else [document]
    if kind not in ("FeatureCollection", "Feature"):
        return [(document, None)]
    if not (isinstance(features, list) and all(isinstance(each, dict) for each in features)):
        raise InputError("is no GeoJSON: a FeatureCollection needs a list of features")
    said = [each.get("properties") or {} for each in features]
    if not all(isinstance(each, dict) for each in said):
        raise InputError("is no GeoJSON: the properties of a feature must be an object")
    return [
        (each.get("geometry"), known.get(_CUT))
        for each, known in zip(features, said, strict=True)
        if each.get("geometry") is not None
    ]


def _polygons(geometry: object, cut: object) -> list[_Polygon]:
    """Polygons of a geometry; those of a cut one with their marks."""
    try:
        parts = shapely.get_parts(shapely.get_parts(shapely.from_geojson(json.dumps(geometry))))
    except shapely.GEOSException as error:
        raise InputError(f"is no GeoJSON: {error}") from error
    shapes = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    if cut is None:
        return [_Polygon(shape, None) for shape in shapes]
    if not (isinstance(cut, list) and all(isinstance(mark, bool) for mark in cut)):
        raise InputError(f"the property {_CUT!r} must be a list of true and false")
    if len(shapes) != 1:
        raise InputError(f"the property {_CUT!r} suits a feature of one polygon alone")
    edges = len(shapes[0].exterior.coords) - 1
    if len(cut) != edges:
        raise InputError(
            f"the property {_CUT!r} has {len(cut)} marks for the {edges} edges of the outer ring"
        )
    return [_Polygon(shapes[0], np.array(cut, dtype=np.bool_))]


def _read_text(path: Path) -> str:
    """Text of a file."""
    if not path.is_file():
        raise InputError("no such file", path=str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError("is no text file", path=str(path)) from error
    if not text.strip():
        raise InputError("the file is empty", path=str(path))
    return text
