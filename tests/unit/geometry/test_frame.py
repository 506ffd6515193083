"""The direction along the wire."""

import math
import re

import numpy as np
import pytest
import shapely
from dolfinx.mesh import compute_midpoints, meshtags
from mpi4py import MPI
from scipy.spatial.distance import pdist

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.domain import Domain
from chemomech.geometry.frame import create_end_distance, create_wire_tangent, require_clear_ends
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline
from chemomech.geometry.wire_ends import find_wire_ends

COMM = MPI.COMM_WORLD


def _owned(domain, tangent):
    """Midpoints and directions of the cells this rank owns."""
    dim = domain.mesh.geometry.dim
    count = domain.mesh.topology.index_map(domain.mesh.topology.dim).size_local
    cells = np.arange(count, dtype=np.int32)
    midpoints = compute_midpoints(domain.mesh, domain.mesh.topology.dim, cells)
    return midpoints, tangent.x.array[: count * dim].reshape(-1, dim)


def _worst_angle(a, b):
    """Largest angle between directions over all ranks, in degrees."""
    sines = np.linalg.norm(a - b, axis=1)
    return math.degrees(COMM.allreduce(np.max(sines, initial=0.0), op=MPI.MAX))


@pytest.mark.parametrize("thickness", [None, 40e-9])
def test_frame_of_nanowire_is_that_of_its_midline(thickness):
    wire = Nanowire(100e-9, 200e-9, math.pi / 2, (100e-9, 100e-9), thickness)
    domain = create_domain(wire, 20e-9, COMM)
    midpoints, tangent = _owned(domain, create_wire_tangent(domain, wire))
    angle = np.clip(np.arctan2(midpoints[:, 0] - 100.0, 200.0 - midpoints[:, 1]), 0.0, math.pi / 2)
    exact = np.zeros_like(tangent)
    exact[:, 0], exact[:, 1] = np.cos(angle), np.sin(angle)
    assert _worst_angle(tangent, exact) < 1e-9


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_laplace_frame_of_circular_bend_converges_to_the_analytic_one(cell):
    arc = Nanowire(100e-9, 150e-9, math.pi / 2, (0.0, 0.0))
    errors = []
    for size in (10e-9, 5e-9):
        domain = create_domain(arc, size, COMM, cell)
        _, analytic = _owned(domain, create_wire_tangent(domain, arc))
        _, laplace = _owned(domain, create_wire_tangent(domain))
        errors.append(_worst_angle(analytic, laplace))
    assert errors[0] < 4.0
    assert errors[1] < 0.6 * errors[0] or errors[0] < 0.05


def test_box_points_along_x():
    domain = create_domain(Box((100e-9, 40e-9, 30e-9)), 10e-9, COMM)
    _, tangent = _owned(domain, create_wire_tangent(domain))
    assert _worst_angle(tangent, np.broadcast_to([1.0, 0.0, 0.0], tangent.shape)) < 1e-5


@pytest.mark.parametrize("bend", [0.0, math.pi / 2])
def test_free_tips_give_the_direction_away_from_them(bend):
    width = 60.0
    wire = Nanowire(width * 1e-9, 200e-9, bend, (300e-9, 300e-9))
    named = create_domain(wire, 10e-9, COMM, "triangle")
    nameless = Domain(named.mesh, named.facet_tags, {}, named.length_unit)
    midpoints, analytic = _owned(named, create_wire_tangent(named, wire))
    _, laplace = _owned(nameless, create_wire_tangent(nameless))
    assert np.allclose(np.linalg.norm(laplace, axis=1), 1.0)
    # Whether the start is this or the other tip follows from where they lie.
    sign = COMM.allreduce(float(np.sum(analytic * laplace)), op=MPI.SUM)
    end = np.array([300.0 + 200.0 * math.sin(bend), 200.0 * (1.0 - math.cos(bend))])
    end = end + 300.0 * np.array([math.cos(bend), math.sin(bend)])
    if bend == 0.0:
        end = np.array([600.0, 0.0])
    from_start = np.linalg.norm(midpoints[:, :2], axis=1)
    from_end = np.linalg.norm(midpoints[:, :2] - end, axis=1)
    inside = (from_start > 2 * width) & (from_end > 2 * width)
    assert sign > 0.0
    assert _worst_angle(analytic[inside], laplace[inside]) < 6.0


def test_frame_of_outline_does_not_depend_on_the_partition(circle):
    ellipse = Outline(circle(100e-9) * np.array([3.0, 0.5]))
    sums = []
    for comm in (COMM, MPI.COMM_SELF):
        domain = create_domain(ellipse, 20e-9, comm)
        _, tangent = _owned(domain, create_wire_tangent(domain, ellipse))
        sums.append(comm.allreduce(tangent.sum(axis=0), op=MPI.SUM))
    assert sums[0] == pytest.approx(sums[1], rel=1e-6, abs=1e-4)
    assert sums[0][0] > 0.0


def _arc(radius_in, radius_out, count=400):
    """Quarter annulus whose square ends lie on the axes, cut there."""
    angle = np.linspace(0.0, np.pi / 2, count)
    ray = np.column_stack([np.cos(angle), np.sin(angle)])
    corners = 1e-9 * np.vstack([radius_out * ray, radius_in * ray[::-1]])
    cut = np.zeros(len(corners), dtype=bool)
    cut[[count - 1, -1]] = True
    return Outline(corners, (), cut)


def _bar(cut):
    """Bar of 400 nm x 50 nm; edges run below, right, above, left."""
    corners = 1e-9 * np.array([[0.0, 0.0], [400.0, 0.0], [400.0, 50.0], [0.0, 50.0]])
    return Outline(corners, (), cut)


def test_straight_wire_through_the_image_is_exact():
    outline = _bar(np.array([False, True, False, True]))
    domain = create_domain(outline, 10e-9, COMM)
    _, tangent = _owned(domain, create_wire_tangent(domain, outline))
    # phi is linear: exact but for the linear solver's tolerance of 1e-10.
    assert _worst_angle(tangent, np.broadcast_to([1.0, 0.0], tangent.shape)) < 1e-4


def test_arc_between_two_borders_converges_to_its_circle():
    errors = []
    for size in (10e-9, 5e-9):
        domain = create_domain(_arc(100.0, 200.0), size, COMM)
        midpoints, tangent = _owned(domain, create_wire_tangent(domain))
        exact = np.column_stack([midpoints[:, 1], -midpoints[:, 0]])
        # The start is the end further left, on the y axis.
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
        squares = COMM.allreduce(np.sum((tangent - exact) ** 2), op=MPI.SUM)
        count = COMM.allreduce(len(tangent), op=MPI.SUM)
        errors.append(math.degrees(math.sqrt(squares / count)))
    assert errors[0] < 1.5
    # The gradient of linear elements is of first order.
    assert errors[1] < 0.65 * errors[0]


def test_wire_that_leaves_twice_through_one_side_has_two_ends():
    # A hairpin open to the left: its legs point to the right at the start, then back.
    corners = [[0, 0], [300, 0], [300, 150], [0, 150], [0, 100], [250, 100], [250, 50], [0, 50]]
    cut = np.array([False, False, False, True, False, False, False, True])
    domain = create_domain(Outline(1e-9 * np.array(corners, dtype=float), (), cut), 10e-9, COMM)
    midpoints, tangent = _owned(domain, create_wire_tangent(domain))
    lower = (midpoints[:, 1] < 50.0) & (midpoints[:, 0] < 150.0)
    upper = (midpoints[:, 1] > 100.0) & (midpoints[:, 0] < 150.0)
    assert np.all(tangent[lower, 0] > 0.999)
    assert np.all(tangent[upper, 0] < -0.999)


@pytest.mark.parametrize("side", [1, 3])
def test_one_border_and_the_tip_farthest_from_it(side):
    cut = np.arange(4) == side
    domain = create_domain(_bar(cut), 10e-9, COMM)
    midpoints, tangent = _owned(domain, create_wire_tangent(domain))
    inside = (midpoints[:, 0] > 100.0) & (midpoints[:, 0] < 300.0)
    assert np.all(tangent[inside, 0] > math.cos(math.radians(1.0)))


def test_distance_from_the_ends_is_in_widths():
    outline = _bar(np.array([False, True, False, True]))
    domain = create_domain(outline, 10e-9, COMM)
    distance = create_end_distance(domain)
    midpoints, _ = _owned(domain, create_wire_tangent(domain))
    x = midpoints[:, 0]
    exact = np.minimum(x, 400.0 - x) / 50.0
    # From the nearest corner or middle of a facet: at most a quarter of a facet sideways.
    found = distance.x.array[: len(x)]
    assert np.all(found >= exact * (1 - 1e-9))
    assert np.allclose(found, exact, atol=0.05)


def test_distance_from_the_ends_in_three_dimensions():
    domain = create_domain(Box((400e-9, 40e-9, 40e-9)), 10e-9, COMM)
    distance = create_end_distance(domain)
    midpoints, _ = _owned(domain, create_wire_tangent(domain))
    found = distance.x.array[: len(midpoints)]
    exact = np.minimum(midpoints[:, 0], 400.0 - midpoints[:, 0]) / 40.0
    assert np.allclose(found, exact, atol=0.01)


def test_free_tips_are_told_from_the_wire():
    domain = create_domain(_bar(np.zeros(4, dtype=bool)), 10e-9, COMM)
    distance = create_end_distance(domain)
    midpoints, tangent = _owned(domain, create_wire_tangent(domain))
    clear = distance.x.array[: len(midpoints)] > 1.0
    assert COMM.allreduce(np.count_nonzero(clear)) > 0
    # The mode of longest reach that a tip excites falls by exp(-pi) over a width: below 0.05.
    assert np.all(tangent[clear, 0] > math.cos(0.05))


def _strips(*lines, width=40.0, cap="flat"):
    """Outline of strips about lines in nm, joined."""
    strips = [shapely.LineString(line).buffer(width / 2, cap_style=cap) for line in lines]
    corners = np.array(shapely.union_all(strips).normalize().exterior.coords)[:0:-1]
    return Outline(1e-9 * corners)


Y = ([[-200, 0], [20, 0]], [[0, 0], [100, 160]], [[0, 0], [100, -160]])
U = ([[0, 0], [200, 0], [200, 120], [0, 120]],)


@pytest.mark.parametrize("lines", [Y, U], ids=["Y", "U"])
def test_frame_of_a_shape_whose_ends_are_not_clear_asks_for_them(lines):
    outline = _strips(*lines)
    domain = create_domain(outline, 8e-9, COMM)
    pieces = r"about \(([^,]*), ([^)]*)\) nm .*Which ends are meant\? .*'start' and 'end'"
    with pytest.raises(InputError, match=pieces) as caught:
        require_clear_ends(domain)
    place = shapely.Point(*map(float, re.search(pieces, str(caught.value)).groups()))
    assert shapely.Polygon(np.divide(outline.exterior, 1e-9)).contains(place)


def test_named_ends_of_a_y_are_taken():
    domain = create_domain(_strips(*Y), 8e-9, COMM)
    # Any two facets by themselves are ends once they are named.
    facets, tags = domain.facet_tags.indices, domain.facet_tags.values.copy()
    middles = compute_midpoints(domain.mesh, 1, facets)
    tags[middles[:, 0] < -199.0] = 101
    tags[(middles[:, 1] > 0.0) & (middles @ [100, 160, 0] > 188.0 * 188.0)] = 102
    tagged = meshtags(domain.mesh, 1, facets, tags)
    named = Domain(domain.mesh, tagged, {"start": (101,), "end": (102,)}, domain.length_unit)
    require_clear_ends(named)
    midpoints, tangent = _owned(named, create_wire_tangent(named))
    leg, arm = midpoints[:, 0] < -50.0, midpoints[:, 1] > 60.0
    assert np.all(tangent[leg, 0] > 0.99)
    assert np.all(tangent[arm] @ np.array([100.0, 160.0]) > 0.99 * 188.0)


@pytest.mark.parametrize(
    "outline",
    [
        _strips([[-200, 0], [200, 0]], cap="round"),
        _strips([[0, 0], [200, 0], [200, 200]]),
        _strips([[-200, 0], [200, 0]], [[0, 0], [0, 40]]),
        Outline(1e-9 * np.array([[0, -5], [500, -40], [500, 40], [0, 5]])),
        Outline(1e-9 * np.array([[0, 0], [200, 0], [100, 173]])),
    ],
    ids=["rod", "corner", "knob", "wedge", "triangle"],
)
def test_ends_of_plain_shapes_are_clear(outline):
    """They are the two farthest points, to within a facet at each."""
    domain = create_domain(outline, 8e-9, COMM)
    require_clear_ends(domain)
    apart = np.linalg.norm(np.diff(find_wire_ends(domain).middles, axis=0))
    assert apart == pytest.approx(pdist(1e9 * outline.exterior).max(), abs=16.0)
