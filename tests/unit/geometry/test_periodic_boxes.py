"""Boxes whose opposite sides are one."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.components import find_bodies
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.periodicity import create_fold, find_periods, is_periodic, unfold

COMM = MPI.COMM_WORLD
LENGTHS = (40e-9, 30e-9, 50e-9)
SIDES = {"x": {"left", "right"}, "y": {"bottom", "top"}, "z": {"back", "front"}}
CASES = [
    (("x",), "quadrilateral"),
    (("y",), "triangle"),
    (("x", "y"), "quadrilateral"),
    (("x", "y"), "triangle"),
    (("x", "z"), "hexahedron"),
    (("x", "y", "z"), "hexahedron"),
]


def create(periodic, cell):
    dimension = 3 if cell == "hexahedron" else 2
    return create_domain(Box(LENGTHS[:dimension], periodic), 10e-9, COMM, cell)


@pytest.mark.parametrize(("periodic", "cell"), CASES)
def test_sides_share_their_unknowns(periodic, cell):
    domain = create(periodic, cell)
    mesh = domain.mesh
    dimension = mesh.geometry.dim
    axes = "xyz"[:dimension]
    even = cell == "triangle"
    counts = [4, 4 if even else 3, 5][:dimension]
    nodes = [n + (name not in periodic) for n, name in zip(counts, axes, strict=True)]
    fine = [2 * n + (name not in periodic) for n, name in zip(counts, axes, strict=True)]
    for degree, expected in ((1, np.prod(nodes)), (2, np.prod(fine))):
        space = fem.functionspace(mesh, ("Lagrange", degree))
        assert space.dofmap.index_map.size_global == expected
    periods = np.array(
        [length * 1e9 * (n in periodic) for length, n in zip(LENGTHS, axes, strict=False)]
    )
    np.testing.assert_allclose(find_periods(mesh)[:dimension], periods)
    assert find_bodies(space)[0] == 1
    kept = {side for name in axes if name not in periodic for side in SIDES[name]}
    assert set(domain.groups) == (kept | {"surface"} if kept else set())
    assert mesh.topology.original_cell_index.size == mesh.topology.index_map(dimension).size_local


@pytest.mark.parametrize(("periodic", "cell"), [CASES[0], CASES[3], CASES[4]])
def test_waves_through_the_sides_keep_their_gradient(periodic, cell):
    """A plane wave that repeats, interpolated in degree 2, has the energy of the wave."""
    domain = create(periodic, cell)
    w = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 2)))
    fold = create_fold(domain.mesh)
    w.interpolate(lambda x: np.sin(2 * np.pi * (fold(x)[0] / 40 + 0.1)))
    one = fem.Constant(domain.mesh, 1.0)
    dx = domain.dx(4)
    values = [
        COMM.allreduce(fem.assemble_scalar(fem.form(f * dx)))
        for f in (ufl.inner(ufl.grad(w), ufl.grad(w)), w * one)
    ]
    volume = np.prod([length * 1e9 for length in LENGTHS[: domain.mesh.geometry.dim]])
    k2 = (2 * np.pi / 40) ** 2
    # Four elements of degree 2 a period: (k h)^4 / 720 of the energy is lost.
    assert values[0] == pytest.approx(0.5 * k2 * volume, rel=0.02)
    assert values[1] == pytest.approx(0.0, abs=1e-9 * volume)


def test_surface_leaves_out_what_repeats():
    domain = create(("x",), "quadrilateral")
    one = fem.Constant(domain.mesh, 1.0)
    for group, length in {"surface": 80.0, "top": 40.0}.items():
        form = fem.form(one * domain.ds(0)(domain.tags(group)))
        assert COMM.allreduce(fem.assemble_scalar(form)) == pytest.approx(length)
    with pytest.raises(InputError, match="no facet group 'left'"):
        domain.tags("left")


def test_unfolded_mesh_has_all_points():
    mesh = create(("x", "y"), "quadrilateral").mesh
    plain = unfold(mesh)
    assert is_periodic(mesh)
    assert not is_periodic(plain)
    assert unfold(plain) is plain
    assert plain.topology.index_map(0).size_global == 5 * 4
    np.testing.assert_array_equal(
        plain.topology.original_cell_index, mesh.topology.original_cell_index
    )


@pytest.mark.parametrize(
    ("box", "size", "cell", "key"),
    [
        (((40e-9, 30e-9), ("z",)), 10e-9, "auto", "geometry.periodic"),
        (((40e-9, 30e-9), ("x", "x")), 10e-9, "auto", "geometry.periodic"),
        (((40e-9, 30e-9), ("x",)), 20e-9, "auto", "mesh.size"),
        ((LENGTHS, ("x",)), 10e-9, "tetrahedron", "mesh.cell"),
    ],
)
def test_boxes_that_cannot_repeat_are_refused(box, size, cell, key):
    with pytest.raises(InputError) as caught:
        create_domain(Box(*box), size, COMM, cell)
    assert caught.value.key == key
