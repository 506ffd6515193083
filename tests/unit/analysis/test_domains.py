"""Domains of patterns that are known: stripes, drops and walls on straight and bent wires."""

import math

import numpy as np
import pytest
from mpi4py import MPI
from scipy.integrate import solve_ivp

from chemomech.analysis.domains import analyse_domains, analyse_phases
from chemomech.analysis.measures import compute_percentiles, compute_vertex_volumes
from chemomech.analysis.wire_coordinates import locate_along_wire
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.output.domains import count_domains
from chemomech.output.snapshots import Gatherer

COMM = MPI.COMM_WORLD
pytestmark = pytest.mark.skipif(COMM.rank > 0, reason="arrays of a whole mesh are one rank's")

STRAIGHT = Nanowire(100e-9, None, 0.0, (600e-9, 400e-9))
BENT = Nanowire(100e-9, 300e-9, math.pi / 2, (300e-9, 200e-9))
SOLID = Nanowire(60e-9, 150e-9, math.pi / 2, (60e-9, 60e-9), thickness=40e-9)


def create_wire(shape, size=5e-9, cell=None):
    domain = create_domain(shape, size, MPI.COMM_SELF, *([cell] if cell else []))
    grid = Gatherer(domain.mesh).grid
    return grid, locate_along_wire(grid, shape)


@pytest.fixture(scope="module", params=["straight", "bent", "triangles", "solid"])
def wire(request):
    match request.param:
        case "straight":
            return create_wire(STRAIGHT)
        case "bent":
            return create_wire(BENT)
        case "triangles":
            return create_wire(BENT, cell="triangle")
    return create_wire(SOLID, 6e-9)


def test_coordinates_fill_the_unrolled_wire(wire):
    _, place = wire
    slack = 1e-6 * place.length
    assert place.along.min() == pytest.approx(0.0, abs=slack)
    assert place.along.max() == pytest.approx(place.length, abs=slack)
    assert place.across.min() == pytest.approx(-place.width / 2, abs=slack)
    assert place.across.max() == pytest.approx(place.width / 2, abs=slack)


def test_outer_side_is_the_convex_one():
    grid, place = create_wire(BENT)
    from_centre = np.hypot(grid.points[:, 0] - 300, grid.points[:, 1] - 300)
    inside = place.find_in_bend(place.along)
    np.testing.assert_allclose(place.across[inside], from_centre[inside] - 300, atol=1e-9)


def test_stripes_across_the_wire_are_found(wire):
    grid, place = wire
    # Stripes of 30 nm every 60 nm, the first wall 15 nm from the start.
    phase = (place.along - 15) / 60
    c = 0.5 + 0.4 * np.sin(2 * np.pi * phase)
    found = analyse_domains(grid, c, place)
    expected = math.ceil((place.length - 15) / 60)
    assert found.count == count_domains(grid.edges, c) == expected
    assert found.spanning_fraction == 1.0
    whole = [d for d in found.domains if 15 < d.along < place.length - 30]
    assert [d.along for d in whole] == pytest.approx(
        # Walls are known to half a cell.
        [30 + 60 * i for i in range(len(whole))],
        abs=3.0,
    )
    # Wider than long, where they are: then the long axis lies across the wire.
    assert all(d.orientation > 80 for d in whole)
    assert found.periods.whole == pytest.approx(60, rel=0.08)
    assert found.rich_fraction == pytest.approx(0.5, abs=0.05)
    begin, end = place.bend
    assert [d.in_bend for d in found.domains] == [begin < d.along < end for d in found.domains]


def test_period_in_the_bend_is_told_from_that_in_the_legs():
    grid, place = create_wire(BENT)
    begin, end = place.bend
    local = np.where((place.along > begin) & (place.along < end), 40.0, 100.0)
    c = 0.5 + 0.4 * np.sin(2 * np.pi * (place.along - begin) / local)
    periods = analyse_domains(grid, c, place).periods
    # A wall more or less at either end.
    assert periods.bend == pytest.approx(40, rel=0.1)
    assert periods.legs == pytest.approx(100, rel=0.25)


def test_stripes_along_the_wire_do_not_span_it():
    grid, place = create_wire(BENT)
    found = analyse_domains(grid, 0.5 - 0.01 * place.across - 0.1, place)
    (domain,) = found.domains
    assert not domain.spans
    assert found.spanning == 0
    assert domain.orientation < 5
    assert domain.across < 0
    assert math.isnan(found.periods.whole)


def test_slanted_stripe_has_its_angle():
    grid, place = create_wire(STRAIGHT, 2.5e-9)
    slant = math.radians(60)
    distance = (place.along - 500) * math.sin(slant) - place.across * math.cos(slant)
    (domain,) = analyse_domains(grid, (np.abs(distance) < 8).astype(float), place).domains
    assert domain.orientation == pytest.approx(60, abs=3)
    assert domain.elongation > 3


def test_drops_have_their_size_and_roundness():
    grid, place = create_wire(STRAIGHT, 2e-9)
    c = np.zeros(len(grid.points))
    for centre in (200, 700):
        c[np.hypot(place.along - centre, place.across) < 30] = 1.0
    found = analyse_domains(grid, c, place)
    assert found.count == 2
    for domain, centre in zip(found.domains, (200, 700), strict=True):
        assert domain.size == pytest.approx(math.pi * 30**2, rel=0.05)
        assert domain.centroid == pytest.approx((centre, 0, 0), abs=1)
        assert domain.elongation == pytest.approx(1.0, abs=0.05)


def test_without_a_wire_domains_are_sorted_by_size():
    grid, place = create_wire(STRAIGHT)
    c = (place.along < 50) | (place.along > 800)
    found = analyse_domains(grid, c.astype(float))
    assert [d.size > 10_000 for d in found.domains] == [True, False]
    assert found.periods is None
    assert math.isnan(found.domains[0].along)


def test_uniform_composition_has_no_wall():
    grid, place = create_wire(STRAIGHT)
    for value, count in ((0.2, 0), (0.8, 1)):
        found = analyse_domains(grid, np.full(len(grid.points), value), place)
        assert found.count == count
        assert math.isnan(found.interface_width)
        assert math.isnan(found.periods.whole)


def test_planar_wall_has_the_width_of_eqn_4():
    """Profile of chi = 2.75 with s = 10 nm, integrated from kappa c'^2 / 2 = RT (g(c) - g(ca))."""
    chi, rich = 2.75, 1 - 0.0995075

    def g(c):
        return c * np.log(c) + (1 - c) * np.log(1 - c) + chi * c * (1 - c)

    barrier = g(0.5) - g(rich)
    steepness = (2 * rich - 1) / 10.0 / math.sqrt(barrier)
    solution = solve_ivp(
        lambda _, c: steepness * np.sqrt(np.maximum(g(c) - g(rich), 0)),
        (0, 60), [0.5], dense_output=True, rtol=1e-9, atol=1e-12,
    )  # fmt: skip
    grid, place = create_wire(STRAIGHT, 1.25e-9)
    distance = place.along - 500.3
    half = solution.sol(np.minimum(np.abs(distance), 60))[0] - 0.5
    width = analyse_domains(grid, 0.5 + np.sign(distance) * half, place).interface_width
    assert width == pytest.approx(10.0, rel=0.01)


def test_vertex_volumes_fill_the_particle(wire):
    grid, place = wire
    section = place.width * (np.ptp(place.height) or 1.0)
    # Chords of the bend's arcs cut a little off.
    assert compute_vertex_volumes(grid).sum() == pytest.approx(section * place.length, rel=2e-3)


def test_percentiles_are_those_of_the_area():
    grid, place = create_wire(STRAIGHT, 4e-9)
    levels = (5.0, 50.0, 95.0)
    found = compute_percentiles(grid, place.along, levels)
    np.testing.assert_allclose(found, np.array(levels) * 10, atol=5)


def test_each_of_three_phases_has_its_domains():
    """Two fronts on a straight wire, of tanh walls 20 nm wide: their places give all shares."""
    grid, place = create_wire(STRAIGHT)
    fronts = [np.tanh((place.along - x) / 10) for x in (302.5, 697.5)]
    c = 0.8 - 0.15 * fronts[0] - 0.3 * fronts[1]
    poor, middle, rich = analyse_phases(grid, c, place, ("a", "b", "c"), (0.65, 1.1))
    assert [phase.phase for phase in (poor, middle, rich)] == ["a", "b", "c"]
    shares = [phase.rich_fraction for phase in (poor, middle, rich)]
    # Walls lie midway between vertices.
    assert shares == pytest.approx([0.3025, 0.395, 0.3025], abs=1e-6)
    assert [phase.count for phase in (poor, middle, rich)] == [1, 1, 1]
    assert [phase.domains[0].along for phase in (poor, middle, rich)] == pytest.approx(
        [848.75, 500, 151.25], abs=0.1
    )
    # Jumps of 0.6 and 0.3, each over the slope of a tanh; over a cell that is 2 % less.
    assert np.isnan(poor.interface_width)
    assert [middle.interface_width, rich.interface_width] == pytest.approx([20, 20], rel=0.05)
    # Each wall bounds two phases, and a period has two walls.
    periods = [phase.periods.whole for phase in (poor, middle, rich)]
    assert periods == pytest.approx([2000, 1000, 2000])
