"""The direction along the wire."""

import math

import numpy as np
import pytest
from dolfinx.mesh import compute_midpoints
from mpi4py import MPI

from chemomech.geometry.box import Box
from chemomech.geometry.domain import Domain
from chemomech.geometry.frame import create_wire_tangent
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline

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
