"""Nanowire, Box and Outline: what they accept and what they say of themselves."""

import math

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline

SQUARE = np.array([[0.0, 0.0], [1e-7, 0.0], [1e-7, 1e-7], [0.0, 1e-7]])


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"width": 0.0}, "geometry.width"),
        ({"width": math.nan}, "geometry.width"),
        ({"bend_radius": 50e-9}, "geometry.bend_radius"),
        ({"bend_radius": -1e-7}, "geometry.bend_radius"),
        ({"bend_radius": None}, "geometry.bend_radius"),
        ({"bend_angle": -0.1}, "geometry.bend_angle"),
        ({"bend_angle": 3.2}, "geometry.bend_angle"),
        ({"legs": (-1e-9, 0.0)}, "geometry.legs"),
        ({"legs": (1e-7,)}, "geometry.legs"),
        ({"thickness": 0.0}, "geometry.thickness"),
        ({"bend_angle": 0.0, "legs": (0.0, 0.0)}, "geometry.legs"),
    ],
)
def test_impossible_nanowire_is_refused_with_its_key(changes, key):
    good = {"width": 1e-7, "bend_radius": 2e-7, "bend_angle": 1.0, "legs": (1e-7, 1e-7)}
    with pytest.raises(InputError) as caught:
        Nanowire(**{**good, **changes})
    assert caught.value.key == key


def test_midline_length():
    bent = Nanowire(1e-7, 2e-7, math.pi / 2, (3e-7, 1e-7))
    assert bent.midline_length == pytest.approx(4e-7 + 1e-7 * math.pi)
    straight = Nanowire(1e-7, None, 0.0, (3e-7, 1e-7))
    assert straight.midline_length == pytest.approx(4e-7)


@pytest.mark.parametrize("angle", [0.3, math.pi / 2, math.pi])
def test_tangent_turns_from_x_to_the_bend_angle(angle):
    radius, leg = 2e-7, 3e-7
    wire = Nanowire(1e-7, radius, angle, (leg, leg))
    end = np.array([leg + radius * math.sin(angle), radius * (1.0 - math.cos(angle))])
    direction = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-direction[1], direction[0]])
    half = np.array([leg + radius * math.sin(angle / 2), radius * (1.0 - math.cos(angle / 2))])
    points = np.column_stack(
        [[0.0, 4e-8], [leg / 2, -4e-8], half, end + leg * direction + 4e-8 * across]
    )
    expected = np.array([0.0, 0.0, angle / 2, angle])
    tangent = wire.tangent(points)
    assert np.allclose(tangent, [np.cos(expected), np.sin(expected)], atol=1e-12)


def test_tangent_has_the_dimension_of_the_wire():
    wire = Nanowire(1e-7, 2e-7, 1.0, (1e-7, 1e-7), thickness=5e-8)
    tangent = wire.tangent(np.full((3, 4), 1e-8))
    assert tangent.shape == (3, 4)
    assert np.allclose(tangent[2], 0.0)


@pytest.mark.parametrize("lengths", [(), (1e-7,), (1e-7, 0.0), (1e-7,) * 4, (1e-7, math.inf)])
def test_impossible_box_is_refused(lengths):
    with pytest.raises(InputError):
        Box(lengths)


def test_outline_normalises_its_curves():
    hole = SQUARE * 0.2 + 4e-8
    outline = Outline(np.vstack([SQUARE[::-1], SQUARE[-1:]]), (hole,))
    assert len(outline.exterior) == 4
    assert outline.area == pytest.approx(1e-14 * (1.0 - 0.04))
    x, y = outline.exterior.T
    assert np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0.0


def test_reversed_outline_keeps_its_cut_edge():
    cut = np.array([True, False, False, False])
    for corners, marks in ((SQUARE, cut), (SQUARE[::-1], np.roll(cut[::-1], -1))):
        outline = Outline(corners, (), marks)
        start = outline.exterior[outline.cut]
        end = np.roll(outline.exterior, -1, axis=0)[outline.cut]
        assert np.allclose(start, [[0.0, 0.0]])
        assert np.allclose(end, [[1e-7, 0.0]])


@pytest.mark.parametrize(
    ("exterior", "holes", "message"),
    [
        (SQUARE[[0, 2, 1, 3]], (), "cross"),
        (SQUARE[:2], (), "three corners"),
        (SQUARE, (SQUARE + 5e-8,), "cross"),
        (SQUARE, (SQUARE * 0.1 + 5e-7,), "cross"),
        (SQUARE, (1e-8 * np.array([[0, 0], [5, 2], [2, 5]]),), "hole 1 touches the exterior"),
        (SQUARE * math.nan, (), "finite"),
        (SQUARE[[0, 1, 1, 2, 3]], (), "twice"),
        (np.zeros(4), (), "shape"),
    ],
)
def test_impossible_outline_is_refused(exterior, holes, message):
    with pytest.raises(InputError, match=message):
        Outline(exterior, holes)
