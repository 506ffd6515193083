"""Shape, composition and thickness of the phantom's wires."""

import numpy as np
import pytest
import shapely

from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.phantom_truth import place_wire

EXTENT = (79 * 35e-9, 79 * 35e-9)
WIDTH = 280e-9
ENERGIES = np.array([510.0, 518.0])


def create_truth(wire, **changes):
    return create_phantom(wire=wire, seed=1, energies=ENERGIES, **changes).truth


def ride(wire, along, across):
    """Points at s and n, by bisection-free construction: first the arc, then the leg."""
    half = wire.bend_angle / 2.0
    angle = np.clip(along / wire.bend_radius, -half, half)
    rest = along - wire.bend_radius * angle
    radius = wire.bend_radius + across
    turned = angle - wire.rotation
    x = wire.centre[0] + radius * np.sin(turned) + rest * np.cos(turned)
    y = wire.centre[1] + radius * np.cos(turned) - rest * np.sin(turned)
    return np.stack([x, y], axis=-1)


def test_position_along_and_across_the_wire():
    wire = place_wire(EXTENT, WIDTH, leaves_view=False)
    end = wire.bend_radius * wire.bend_angle / 2.0 + wire.leg
    rng = np.random.default_rng(1)
    along = rng.uniform(-end, end, 500)
    across = rng.uniform(-WIDTH / 2.0, WIDTH / 2.0, 500)
    points = ride(wire, along, across)
    found = wire.measure(points)
    assert found[0] == pytest.approx(along, abs=1e-15)
    assert found[1] == pytest.approx(across, abs=1e-15)
    assert wire.signed_distance(points) == pytest.approx(np.abs(across) - WIDTH / 2.0, abs=1e-15)


def test_outline_bounds_the_wire():
    wire = place_wire(EXTENT, WIDTH, leaves_view=False)
    corners = wire.trace(EXTENT)
    ring = shapely.LinearRing(corners * 1e9)
    assert ring.is_ccw
    assert ring.is_simple
    assert not np.array_equal(corners[0], corners[-1])
    assert wire.signed_distance(corners) == pytest.approx(0.0, abs=1e-14)
    length = wire.bend_radius * wire.bend_angle + 2.0 * wire.leg
    area = (length * WIDTH + np.pi * WIDTH**2 / 4.0) * 1e18
    assert shapely.Polygon(ring).area == pytest.approx(area, rel=1e-3)
    points = np.random.default_rng(2).uniform(0.0, EXTENT[0], (2000, 2))
    spots = shapely.points(points * 1e9)
    distance = shapely.distance(ring, spots)
    distance[shapely.contains(shapely.Polygon(ring), spots)] *= -1.0
    # The edges lie within 0.03 nm of the curve.
    assert wire.signed_distance(points) * 1e9 == pytest.approx(distance, abs=0.03)


def test_free_tips_keep_a_tenth_of_the_view_away_from_its_borders():
    for extent in (EXTENT, (3e-6, 2.5e-6), (2.5e-6, 5e-6)):
        corners = place_wire(extent, WIDTH, leaves_view=False).trace(extent)
        assert (corners.min(axis=0) > 0.0999 * np.array(extent)).all()
        assert (corners.max(axis=0) < 0.9001 * np.array(extent)).all()
        middle = (corners.min(axis=0) + corners.max(axis=0)) / 2.0
        assert middle == pytest.approx(np.array(extent) / 2.0, rel=1e-3)


def test_legs_leave_through_the_right_and_the_lower_border():
    wire = place_wire(EXTENT, WIDTH, leaves_view=True)
    corners = wire.trace(EXTENT)
    ring = shapely.LinearRing(corners * 1e9)
    assert ring.is_ccw
    assert ring.is_simple
    right = np.isclose(corners[:, 0], EXTENT[0], rtol=1e-9)
    low = np.isclose(corners[:, 1], 0.0, atol=1e-15)
    assert np.count_nonzero(right) == np.count_nonzero(low) == 2
    assert not (right & low).any()
    rest = ~(right | low)
    assert wire.signed_distance(corners[rest]) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize(
    ("wire", "low", "high"), [("delithiated", 0.1, 0.3), ("lithiated", 0.7, 0.9)]
)
def test_two_phases_fill_the_wire_but_for_its_walls(wire, low, high):
    truth = create_truth(wire, size=(240, 240), pixel_size=11.6e-9, spot=10e-9)
    x = truth.composition_map.values[truth.mask]
    # To the last digits: low + (high - low) rounds.
    assert x.min() == pytest.approx(low, abs=1e-15)
    assert x.max() == pytest.approx(high, abs=1e-15)
    for content in (low, high):
        assert np.mean(np.isclose(x, content, rtol=0.0, atol=1e-12)) > 0.1
    assert np.mean((x > low + 1e-12) & (x < high - 1e-12)) < 0.2
    assert truth.standards.lithium == pytest.approx([low, high])


def test_five_stripes_of_epsilon_cross_the_bend():
    truth = create_truth("delithiated")
    wire = truth.wire
    along = np.arange(-1200.0, 1200.0) * 1e-9 + 0.5e-9
    profiles = [truth.composition(ride(wire, along, across)) for across in (-100e-9, 0.0, 100e-9)]
    assert np.ptp(profiles, axis=0) == pytest.approx(0.0, abs=1e-6)
    rich = profiles[1] > 0.2
    edges = along[1:][np.diff(rich.astype(int)) != 0] - 0.5e-9
    assert edges == pytest.approx(np.arange(-675.0, 676.0, 150.0) * 1e-9, abs=1.01e-9)
    assert rich[1200]
    assert not rich[0]
    # No steeper than the quintic across 40 nm, whose slope is at most 15/8 of the mean one.
    assert np.abs(np.diff(profiles[1])).max() < 1.001 * 15.0 / 8.0 * 0.2 / 40.0


def test_domains_of_the_lithiated_wire_are_broad():
    truth = create_truth("lithiated")
    wire = truth.wire
    end = wire.bend_radius * wire.bend_angle / 2.0 + wire.leg
    along = np.array([0.0, 0.0, -0.9 * end, 0.7 * end, end])
    across = np.array([0.4, -0.4, 0.0, 0.0, 0.0]) * WIDTH
    expected = [0.7, 0.9, 0.9, 0.9, 0.7]
    assert truth.composition(ride(wire, along, across)) == pytest.approx(expected, abs=1e-12)
    poor = truth.composition_map.values[truth.mask] < 0.8
    assert 0.15 < np.mean(poor) < 0.5


def test_thickness_is_a_wedge_of_fifteen_per_cent():
    truth = create_truth("delithiated", size=(80, 101))
    corners = np.array([[0.0, 0.0], [50 * 35e-9, 1e-6], [100 * 35e-9, 0.0]])
    assert truth.thickness(corners) == pytest.approx([85e-9, 100e-9, 115e-9])


@pytest.mark.parametrize("wire", ["delithiated", "lithiated"])
def test_maps_are_the_functions_at_the_centres_of_pixels(wire):
    truth = create_truth(wire, size=(70, 80))
    for row, column in ((12, 40), (20, 25), (69, 0)):
        point = np.array([[column * 35e-9, (69 - row) * 35e-9]])
        values = truth.composition_map.values[row, column], truth.thickness_map[row, column]
        assert values[0] == pytest.approx(truth.composition(point)[0], abs=1e-12)
        assert values[1] == pytest.approx(truth.thickness(point)[0])
        assert truth.mask[row, column] == truth.contains(point)[0]
    assert np.array_equal(truth.composition_map.trusted, truth.mask)
    area = shapely.Polygon(truth.outline * 1e9).area
    # Pixels on the outline count whole or not at all: about 0.3 sqrt(their number) of error.
    assert np.count_nonzero(truth.mask) * 35.0**2 == pytest.approx(area, rel=0.02)
    assert truth.grid == PixelGrid(70, 80, 35e-9, 35e-9)
    assert truth.wire.width == WIDTH
