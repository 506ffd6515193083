"""Particles with a thickness: volumes, areas and groups against exact ones."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.distribution import MeshArrays
from chemomech.geometry.extrusion import _extrude, create_extruded_domain
from chemomech.geometry.outline import Outline

COMM = MPI.COMM_WORLD
RECTANGLE = 1e-9 * np.array([[0.0, 0.0], [200.0, 0.0], [200.0, 60.0], [0.0, 60.0]])
TWO_TRIANGLES = MeshArrays(
    np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]),
    np.array([[2, 0, 1], [3, 2, 0]]),
    "triangle",
    {"side": np.array([[1, 2]]), "nothing": np.empty((0, 2), dtype=np.int64)},
)


@pytest.fixture
def cut_wire():
    return Outline(RECTANGLE, (), np.array([False, True, False, True]))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_plate_has_exact_measures(measure, cut_wire, layers):
    domain = create_extruded_domain(cut_wire, 20e-9, 40e-9, layers, COMM)
    assert measure(domain) == pytest.approx(200.0 * 60.0 * 40.0)
    exact = {
        "border_left": 60.0 * 40.0,
        "border_right": 60.0 * 40.0,
        "border": 2 * 60.0 * 40.0,
        "exterior": 2 * 200.0 * 40.0,
        "faces_bottom": 200.0 * 60.0,
        "faces_top": 200.0 * 60.0,
        "surface": 2 * 200.0 * 40.0 + 2 * 200.0 * 60.0,
    }
    assert {name: pytest.approx(measure(domain, name)) for name in exact} == exact
    assert "border_top" not in domain.groups


def test_cells_fit_together_and_are_well_shaped(cut_wire):
    quality = create_extruded_domain(cut_wire, 20e-9, 40e-9, 2, COMM).quality()
    # Half of 0.76, the worst of the three tetrahedra of a prism of equal edges.
    assert quality.worst_shape > 0.38


def test_hole_keeps_its_wall(measure, circle):
    outline = Outline(circle(100e-9), (circle(40e-9),))
    domain = create_extruded_domain(outline, 15e-9, 30e-9, 2, COMM)
    assert measure(domain, "holes") == pytest.approx(80.0 * math.pi * 30.0, rel=0.02)
    assert measure(domain) == pytest.approx(math.pi * (100.0**2 - 40.0**2) * 30.0, rel=0.02)


def test_wedge_has_its_own_volume_and_slope(measure, cut_wire):
    # t = 20 nm + x / 10, linear: no error of the mesh.
    domain = create_extruded_domain(cut_wire, 20e-9, lambda x: 20e-9 + 0.1 * x[:, 0], 2, COMM)
    assert measure(domain) == pytest.approx(200.0 * 60.0 * 30.0)
    assert measure(domain, "border_left") == pytest.approx(60.0 * 20.0)
    assert measure(domain, "border_right") == pytest.approx(60.0 * 40.0)
    slanted = 200.0 * 60.0 * math.hypot(1.0, 0.05)
    assert measure(domain, "faces_top") == pytest.approx(slanted)
    assert measure(domain, "faces_bottom") == pytest.approx(slanted)


def _volumes(arrays):
    corners = arrays.points[arrays.cells]
    return np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0


def test_mesh_with_even_layers_is_its_own_mirror_image():
    arrays = _extrude(TWO_TRIANGLES, 2.0, 2)
    assert _volumes(arrays) == pytest.approx(np.full(12, 1.0 / 6.0))

    def shapes(points):
        return {frozenset(map(tuple, np.round(corners, 9))) for corners in points[arrays.cells]}

    assert shapes(arrays.points) == shapes(arrays.points * [1.0, 1.0, -1.0] + 0.0)


def test_thickness_may_differ_at_each_point():
    arrays = _extrude(TWO_TRIANGLES, np.array([1.0, 2.0, 3.0, 4.0]), 1)
    # Twice the area under the linear interpolant: means over the two triangles.
    assert _volumes(arrays).sum() == pytest.approx(0.5 * (1 + 2 + 3) / 3 + 0.5 * (1 + 3 + 4) / 3)
    assert np.allclose(arrays.points[:4, 2], -arrays.points[4:, 2])
    assert len(arrays.facets["nothing"]) == 0
    assert len(arrays.facets["side"]) == 2


@pytest.mark.parametrize(
    ("thickness", "layers", "message"),
    [
        (0.0, 1, "positive and finite"),
        (math.nan, 1, "positive and finite"),
        (np.array([1.0, 1.0, 1.0, -1.0]), 1, "1 of 4 points"),
        (np.ones(3), 1, "one for each of 4 points"),
        (1.0, 0, "at least one layer"),
    ],
)
def test_impossible_extrusion_is_refused(thickness, layers, message):
    with pytest.raises(InputError, match=message):
        _extrude(TWO_TRIANGLES, thickness, layers)


def test_other_cells_are_not_extruded():
    square = MeshArrays(TWO_TRIANGLES.points, np.array([[0, 1, 3, 2]]), "quadrilateral", {})
    with pytest.raises(InputError, match="quadrilateral"):
        _extrude(square, 1.0, 1)


def test_failure_reaches_all_ranks(cut_wire):
    with pytest.raises(InputError, match=r"geometry\.thickness"):
        create_extruded_domain(cut_wire, 20e-9, -1e-9, 1, COMM)
