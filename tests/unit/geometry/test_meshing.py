"""Meshes of shapes: sizes against exact ones, groups, symmetry, quality."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline

COMM = MPI.COMM_WORLD
RIGHT_ANGLE = Nanowire(100e-9, 200e-9, math.pi / 2, (300e-9, 300e-9))
U_3D = Nanowire(100e-9, 200e-9, math.pi, (0.0, 300e-9), thickness=50e-9)


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_area_of_bent_wire_converges_with_second_order(measure, cell):
    exact = 100.0 * (600.0 + 100.0 * math.pi)
    errors = [
        exact - measure(create_domain(RIGHT_ANGLE, size, COMM, cell)) for size in (20e-9, 10e-9)
    ]
    assert errors[0] > 0.0
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("cell", ["auto", "triangle"])
def test_facet_groups_of_bent_wire(measure, cell):
    domain = create_domain(RIGHT_ANGLE, 5e-9, COMM, cell)
    # Chords instead of arcs: short by one part in 24 (angle of a cell)^2.
    assert measure(domain, "start") == pytest.approx(100.0)
    assert measure(domain, "end") == pytest.approx(100.0)
    assert measure(domain, "inner") == pytest.approx(600.0 + 75.0 * math.pi, rel=1e-4)
    assert measure(domain, "outer") == pytest.approx(600.0 + 125.0 * math.pi, rel=1e-4)
    parts = sum(measure(domain, name) for name in ("start", "end", "inner", "outer"))
    assert measure(domain, "surface") == pytest.approx(parts)
    assert domain.length_unit == 1e-9


@pytest.mark.parametrize("cell", ["hexahedron", "tetrahedron"])
def test_sizes_of_3d_u_with_one_leg(measure, cell):
    domain = create_domain(U_3D, 10e-9, COMM, cell)
    area = 100.0 * (300.0 + 200.0 * math.pi)
    assert measure(domain) == pytest.approx(50.0 * area, rel=5e-4)
    assert measure(domain, "top") == pytest.approx(area, rel=5e-4)
    assert measure(domain, "bottom") == pytest.approx(area, rel=5e-4)
    assert measure(domain, "start") == pytest.approx(5000.0)
    assert measure(domain, "end") == pytest.approx(5000.0)
    assert measure(domain, "inner") == pytest.approx(50.0 * (300.0 + 150.0 * math.pi), rel=5e-4)
    assert measure(domain, "outer") == pytest.approx(50.0 * (300.0 + 250.0 * math.pi), rel=5e-4)
    names = ("start", "end", "inner", "outer", "top", "bottom")
    assert measure(domain, "surface") == pytest.approx(sum(measure(domain, n) for n in names))


def test_bent_wire_lies_where_its_docstring_says():
    x = create_domain(RIGHT_ANGLE, 20e-9, COMM).mesh.geometry.x
    lower, upper = np.empty(3), np.empty(3)
    COMM.Allreduce(np.min(x, axis=0, initial=np.inf), lower, op=MPI.MIN)
    COMM.Allreduce(np.max(x, axis=0, initial=-np.inf), upper, op=MPI.MAX)
    assert np.allclose(lower, [0.0, -50.0, 0.0], atol=1e-6)
    assert np.allclose(upper, [550.0, 500.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_mesh_of_symmetric_wire_is_symmetric(cell):
    domain = create_domain(RIGHT_ANGLE, 20e-9, MPI.COMM_SELF, cell)
    points = domain.mesh.geometry.x[:, :2]
    # The mirror through the bend's middle swaps the distances along the legs: (x, y) -> (500 - y,
    # 500 - x).
    mirrored = 500.0 - points[:, ::-1]
    distances = np.linalg.norm(points[:, None] - mirrored[None], axis=2).min(axis=1)
    assert distances.max() < 1e-6


@pytest.mark.parametrize(
    ("shape", "cell", "cells"),
    [
        (Nanowire(100e-9, None, 0.0, (150e-9, 150e-9)), "quadrilateral", 5 * 15),
        (Nanowire(100e-9, None, 0.0, (150e-9, 150e-9)), "triangle", 2 * 6 * 16),
        (Box((200e-9, 100e-9)), "quadrilateral", 10 * 5),
        (Box((200e-9, 100e-9, 50e-9)), "hexahedron", 10 * 5 * 3),
        (RIGHT_ANGLE, "quadrilateral", 5 * (15 + 8 + 8 + 15)),
    ],
)
def test_cells_fit_the_size_asked_for(shape, cell, cells):
    quality = create_domain(shape, 20e-9, COMM, cell).quality()
    assert quality.cells == cells


def test_diagonals_alternate():
    domain = create_domain(Box((80e-9, 80e-9)), 20e-9, MPI.COMM_SELF, "triangle")
    x = domain.mesh.geometry.x
    domain.mesh.topology.create_connectivity(1, 0)
    ends = domain.mesh.topology.connectivity(1, 0).array.reshape(-1, 2)
    edges = x[ends[:, 1]] - x[ends[:, 0]]
    slanted = edges[np.abs(edges[:, 0] * edges[:, 1]) > 1.0]
    rising = np.count_nonzero(slanted[:, 0] * slanted[:, 1] > 0.0)
    assert len(slanted) == 16
    assert rising == 8


@pytest.mark.parametrize("cell", ["auto", "triangle", "hexahedron", "tetrahedron"])
def test_box_groups(measure, cell):
    lengths = (80e-9, 60e-9) if cell in ("auto", "triangle") else (80e-9, 60e-9, 40e-9)
    domain = create_domain(Box(lengths), 20e-9, COMM, cell)
    depth = 1.0 if len(lengths) == 2 else 40.0
    assert measure(domain) == pytest.approx(4800.0 * depth)
    for name, exact in {"left": 60, "right": 60, "bottom": 80, "top": 80}.items():
        assert measure(domain, name) == pytest.approx(exact * depth)
    assert ("front" in domain.groups) == (len(lengths) == 3)


def test_unknown_group_is_refused_with_a_suggestion():
    domain = create_domain(Box((80e-9, 60e-9)), 20e-9, COMM)
    with pytest.raises(InputError, match=r"did you mean 'left'.*known groups: bottom, left"):
        domain.facets("lefft")


def test_facets_lie_where_the_group_says():
    domain = create_domain(Box((80e-9, 60e-9)), 20e-9, COMM)
    from dolfinx.mesh import compute_midpoints

    facets = domain.facets("right")
    assert COMM.allreduce(len(facets)) >= 3
    assert np.allclose(compute_midpoints(domain.mesh, 1, facets)[:, 0], 80.0)


def test_outline_with_hole(measure, circle):
    outline = Outline(circle(100e-9, 400), (circle(40e-9, 200),))
    domain = create_domain(outline, 5e-9, COMM)
    assert measure(domain) == pytest.approx(math.pi * (100.0**2 - 40.0**2), rel=2e-3)
    assert measure(domain, "exterior") == pytest.approx(200.0 * math.pi, rel=1e-3)
    assert measure(domain, "holes") == pytest.approx(80.0 * math.pi, rel=1e-2)
    quality = domain.quality()
    assert quality.h_max < 2.0 * 5.0
    assert quality.worst_shape > 0.5


def test_cut_edges_are_border_and_not_surface(measure):
    square = np.array([[0.0, 0.0], [1e-7, 0.0], [1e-7, 1e-7], [0.0, 1e-7]])
    outline = Outline(square, (), np.array([True, False, False, False]))
    domain = create_domain(outline, 20e-9, COMM)
    assert measure(domain, "border") == pytest.approx(100.0)
    assert measure(domain, "exterior") == pytest.approx(300.0)
    assert measure(domain, "surface") == pytest.approx(300.0)


def test_sharp_corners_survive_a_fine_contour(measure):
    side = np.linspace(0.0, 1.0, 100, endpoint=False)
    low, high = np.zeros(100), np.ones(100)
    x = np.concatenate([side, high, 1.0 - side, low])
    y = np.concatenate([low, side, high, 1.0 - side])
    domain = create_domain(Outline(1e-7 * np.column_stack([x, y])), 10e-9, COMM)
    assert measure(domain) == pytest.approx(1e4)
    assert domain.quality().h_min > 5.0


@pytest.mark.parametrize(
    ("shape", "size", "cell"),
    [
        (RIGHT_ANGLE, 0.0, "auto"),
        (RIGHT_ANGLE, math.nan, "auto"),
        (RIGHT_ANGLE, 1e-8, "hexahedron"),
        (U_3D, 1e-8, "triangle"),
        (RIGHT_ANGLE, 1e-8, "pentagon"),
    ],
)
def test_bad_mesh_request_is_refused(shape, size, cell):
    with pytest.raises(InputError):
        create_domain(shape, size, COMM, cell)


def test_too_coarse_outline_is_refused(circle):
    with pytest.raises(InputError, match="too coarse"):
        create_domain(Outline(circle(10e-9)), 1e-6, COMM)


def test_meshes_do_not_depend_on_the_number_of_ranks():
    alone = create_domain(RIGHT_ANGLE, 20e-9, MPI.COMM_SELF).quality()
    together = create_domain(RIGHT_ANGLE, 20e-9, COMM).quality()
    assert together.cells == alone.cells
    assert together.vertices == alone.vertices
    assert together.h_mean == pytest.approx(alone.h_mean)
    assert together.worst_shape == pytest.approx(alone.worst_shape)


def test_cuts_along_the_axes_know_their_side(measure):
    corners = 1e-9 * np.array([[0.0, 0.0], [100.0, 0.0], [120.0, 80.0], [50.0, 90.0], [0.0, 60.0]])
    outline = Outline(corners, (), np.array([True, True, False, False, True]))
    domain = create_domain(outline, 10e-9, COMM)
    assert measure(domain, "border_bottom") == pytest.approx(100.0)
    assert measure(domain, "border_left") == pytest.approx(60.0)
    assert measure(domain, "border") == pytest.approx(160.0 + math.hypot(20.0, 80.0))
    assert not {"border_right", "border_top"} & set(domain.groups)
    with pytest.raises(InputError, match="border_left"):
        domain.facets("border_right")


@pytest.mark.parametrize("size", [5e-9, 30e-9, 70e-9])
def test_sides_stay_planes_whatever_the_size(size):
    # A cut of 3 nm beside a corner of the image joins its neighbour in coarse meshes.
    corners = 1e-9 * np.array([[0.0, 0.0], [3.0, 0.0], [90.0, 60.0], [90.0, 200.0], [0.0, 200.0]])
    outline = Outline(corners, (), np.array([True, False, False, False, True]))
    domain = create_domain(outline, size, COMM)
    facets = domain.facets("border_left")
    from dolfinx.mesh import compute_midpoints

    assert COMM.allreduce(len(facets)) > 0
    assert np.allclose(compute_midpoints(domain.mesh, 1, facets)[:, 0], 0.0, atol=1e-9)
    assert domain.quality().worst_shape > 0.3


def test_corners_close_together_give_no_slivers(circle):
    # Sharp corners 1 nm apart on a disc whose cells are twenty times larger.
    corners = circle(100e-9)
    notch = np.array([[99e-9, 0.5e-9], [99e-9, 1.5e-9]])
    domain = create_domain(Outline(np.vstack([corners[:1], notch, corners[1:]])), 20e-9, COMM)
    assert domain.quality().worst_shape > 0.5


def _square_at(x, y):
    return Outline(1e-9 * np.array([[x, y], [x + 60, y], [x + 60, y + 60], [x, y + 60]]))


def test_square_half_a_metre_away_has_cells_as_small_as_asked(measure):
    domain = create_domain(_square_at(5e8, -3e8), 3e-9, COMM)
    assert domain.quality().h_max < 5.0
    assert domain.quality().worst_shape > 0.7
    assert measure(domain) == pytest.approx(3600.0, rel=1e-6)
    x = domain.mesh.geometry.x
    assert COMM.allreduce(x[:, 0].min(), op=MPI.MIN) == pytest.approx(5e8, abs=1e-6)
    assert COMM.allreduce(x[:, 1].max(), op=MPI.MAX) == pytest.approx(60 - 3e8, abs=1e-6)


@pytest.mark.parametrize("angle", [2.0, 5.0, 8.0, 11.0, 14.0])
def test_contour_that_meets_the_border_at_a_small_angle_makes_no_slivers(measure, angle):
    # A particle under a border at y = 0; its contour rises to the border at the right.
    height = 400.0 * math.tan(math.radians(angle))
    corners = [[0.0, -height - 60.0], [100.0, -height], [500.0, 0.0], [0.0, 0.0]]
    cut = np.array([False, False, True, True])
    domain = create_domain(Outline(1e-9 * np.array(corners), (), cut), 10e-9, COMM)
    assert domain.quality().worst_shape > 0.3
    # What is cut off is as long as the tip is narrow: half a cell at its end.
    lost = 0.5 * 5.0**2 / (2.0 * math.tan(math.radians(angle) / 2.0))
    exact = 50.0 * (2.0 * height + 60.0) + 200.0 * height
    assert exact - 1.6 * lost - 10.0 < measure(domain) < exact
    assert (
        measure(domain, "border_top") + measure(domain, "border_left")
        < measure(domain, "border") + 1e-9
    )
    assert measure(domain, "border_left") == pytest.approx(height + 60.0)


def test_spike_thinner_than_a_cell_is_left_out(measure):
    square = np.array([[0, 0], [60, 0], [60, 30], [90, 30], [60, 30.1], [60, 60], [0, 60]])
    domain = create_domain(Outline(1e-9 * square), 3e-9, COMM)
    assert domain.quality().worst_shape > 0.7
    assert measure(domain) == pytest.approx(3600.0, abs=3.0)


@pytest.mark.parametrize("gap", [0.01, 0.1])
def test_hole_that_almost_touches_is_refused_where_it_does(gap):
    square = 1e-9 * np.array([[0, 0], [60, 0], [60, 60], [0, 60]])
    hole = 1e-9 * np.array([[30, gap], [40, 20], [20, 20]])
    with pytest.raises(InputError, match=r"mesh\.size: 3 nm .* near \((29|30|31), 0\.0"):
        create_domain(Outline(square, (hole,)), 3e-9, COMM)
