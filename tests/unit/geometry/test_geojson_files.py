"""Outlines written to GeoJSON and read back."""

import json

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.geometry.files.geojson import read_outline_geojson, write_outlines_geojson
from chemomech.geometry.outline import Outline

SQUARE = [[0, 0], [60, 0], [60, 60], [0, 60], [0, 0]]


@pytest.fixture
def outline(circle):
    square = 1e-9 * np.array([[0.0, 0.0], [300.0, 0.0], [300.0, 200.0], [0.0, 210.0]])
    hole = circle(30e-9, 7, (100e-9, 90e-9))
    return Outline(square, (hole,), np.array([True, False, True, False]))


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1.0])
def test_outline_survives_the_round_trip(tmp_path, outline, unit):
    path = tmp_path / "outline.geojson"
    write_outlines_geojson(path, [outline], unit)
    again = read_outline_geojson(path, unit)
    assert np.allclose(again.exterior, outline.exterior, rtol=1e-14, atol=0.0)
    assert np.allclose(again.holes[0], outline.holes[0], rtol=1e-14, atol=0.0)
    assert again.cut.tolist() == outline.cut.tolist()


def test_particles_keep_their_order_and_cuts(tmp_path, outline, circle):
    path = tmp_path / "outlines.geojson"
    small = Outline(circle(10e-9, 5))
    write_outlines_geojson(path, [small, outline])
    features = json.loads(path.read_text())["features"]
    assert [len(each["properties"]["cut"]) for each in features] == [5, 4]
    assert not read_outline_geojson(path, 1e-9, particle=2).cut.any()
    assert read_outline_geojson(path, 1e-9).cut.sum() == 2


def test_cut_marks_follow_a_clockwise_ring(tmp_path):
    ring = [[0, 0], [0, 2], [3, 2], [3, 0], [0, 0]]
    feature = {
        "type": "Feature",
        "properties": {"cut": [True, False, False, False]},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    path = tmp_path / "clockwise.geojson"
    path.write_text(json.dumps(feature))
    outline = read_outline_geojson(path, 1.0)
    ends = np.stack([outline.exterior, np.roll(outline.exterior, -1, axis=0)], axis=1)[outline.cut]
    assert ends.shape == (1, 2, 2)
    assert np.all(ends[..., 0] == 0.0)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ([True], "1 marks for the 3 edges"),
        ([1, 0, 1], "true and false"),
        ("yes", "true and false"),
    ],
)
def test_wrong_cut_marks_are_refused(tmp_path, cut, message):
    geometry = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 1], [0, 0]]]}
    path = tmp_path / "wrong.geojson"
    path.write_text(
        json.dumps({"type": "Feature", "properties": {"cut": cut}, "geometry": geometry})
    )
    with pytest.raises(InputError, match=rf"wrong\.geojson: .*{message}"):
        read_outline_geojson(path, 1.0)


@pytest.mark.parametrize(
    "document",
    [
        {"type": "FeatureCollection", "features": 3},
        {"type": "FeatureCollection", "features": [1]},
        {"type": "Feature", "properties": [1], "geometry": None},
        {"type": "Feature", "properties": None, "geometry": None},
        [1, 2],
    ],
)
def test_what_is_no_geojson_is_refused(tmp_path, document):
    path = tmp_path / "wrong.geojson"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"wrong\.geojson"):
        read_outline_geojson(path, 1.0)


def test_what_cannot_be_written_is_refused(tmp_path, outline):
    path = tmp_path / "outline.geojson"
    with pytest.raises(InputError, match="no outline"):
        write_outlines_geojson(path, [])
    with pytest.raises(InputError, match="cannot be written"):
        write_outlines_geojson(tmp_path / "nowhere" / "a.geojson", [outline])


def _feature(rings, cut=None):
    properties = {} if cut is None else {"cut": cut}
    geometry = {"type": "Polygon", "coordinates": rings}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_byte_order_mark_does_not_matter(tmp_path):
    path = tmp_path / "saved_by_an_editor.geojson"
    path.write_text(json.dumps(_feature([SQUARE])), encoding="utf-8-sig")
    assert read_outline_geojson(path, 1.0).area == pytest.approx(3600.0)


@pytest.mark.parametrize(
    ("ring", "cut"),
    [
        (SQUARE[:-1], [False, False, True, False]),
        ([*SQUARE[:2], [60, 0], *SQUARE[2:]], [False, True, False, True, False]),
        ([*SQUARE[:2], [60, 30], [90, 30], [60, 30], *SQUARE[2:]], [*6 * [False], True, False][1:]),
        ([*SQUARE[:2], [60, 30], [20, 30], [60, 30], *SQUARE[2:]], [*6 * [False], True, False][1:]),
    ],
    ids=["not closed", "doubled corner", "spike", "slit"],
)
def test_small_faults_of_a_drawn_square_are_mended(tmp_path, ring, cut):
    path = tmp_path / "square.geojson"
    path.write_text(json.dumps(_feature([ring], cut)))
    outline = read_outline_geojson(path, 1.0)
    assert outline.area == pytest.approx(3600.0, rel=1e-12)
    ends = np.stack([outline.exterior, np.roll(outline.exterior, -1, axis=0)], axis=1)[outline.cut]
    assert ends.tolist() == [[[60.0, 60.0], [0.0, 60.0]]]


@pytest.mark.parametrize("mark", [True, False])
def test_spike_of_a_square_of_one_kind_of_edge(tmp_path, caplog, mark):
    path = tmp_path / "square.geojson"
    ring = [*SQUARE[:2], [60, 30], [90, 30], [60, 30], *SQUARE[2:]]
    path.write_text(json.dumps(_feature([ring], [mark] * 7)))
    outline = read_outline_geojson(path, 1.0)
    assert (outline.cut == mark).all()
    assert "square.geojson: feature 1: parts without width" in caplog.text.replace(
        str(tmp_path), ""
    )


@pytest.mark.parametrize(
    ("rings", "message"),
    [
        ([SQUARE, [[30, 0], [40, 20], [20, 20]]], r"hole 1 touches the exterior at \(30, 0\)"),
        ([SQUARE, [[0, 0], [40, 20], [20, 40]]], r"hole 1 touches the exterior at \(0, 0\)"),
        (
            [SQUARE, [[10, 10], [20, 10], [20, 20]], [[20, 20], [30, 20], [30, 30]]],
            r"hole 2 touches hole 1 at \(20, 20\)",
        ),
        ([SQUARE, [[50, 10], [70, 10], [50, 20]]], "rings cross or overlap"),
        ([[[0, 0], [60, 60], [60, 0], [0, 60]]], r"outer ring crosses .*30 30"),
        ([SQUARE, [[10, 10], [30, 30], [30, 10], [10, 30]]], "hole 1 crosses"),
        ([SQUARE, [[10, 10], [30, 30]]], "hole 1 needs at least three different corners"),
        ([SQUARE, [[10, 10], [30, "x"], [30, 10]]], "hole 1 is no list of corners"),
        ([SQUARE, [[10, 10], 7, [30, 10]]], "hole 1 is no list of corners"),
        ([SQUARE, [{"x": 10}, [30, 20], [30, 10]]], "hole 1 is no list of corners"),
        ([SQUARE, []], "hole 1 is no list of corners"),
    ],
)
def test_refusal_names_file_feature_and_ring(tmp_path, rings, message):
    path = tmp_path / "drawn.geojson"
    small = _feature([[[100, 0], [101, 0], [100, 1]]])
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [small, _feature(rings)]}))
    with pytest.raises(InputError, match=rf"drawn\.geojson: .*feature 2.*{message}"):
        read_outline_geojson(path, 1e-9)
