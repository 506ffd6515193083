"""Initial compositions."""

import math
from pathlib import Path

import numpy as np
import pytest
import ufl
from dolfinx import fem
from dolfinx.mesh import CellType, create_box, create_rectangle
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.problems.initial_composition import Formula, FromFile, Noise, Uniform

COMM = MPI.COMM_WORLD
UNIT = (0.0, 1.0)
NOISE = Noise(mean=0.45, amplitude=0.01, smoothing=8e-9, seed=3)


def _space(comm=COMM, cell=CellType.quadrilateral):
    corners = [[-20.0, 0.0], [180.0, 100.0]]
    return fem.functionspace(create_rectangle(comm, corners, (50, 25), cell), ("Lagrange", 1))


def _moments(c):
    """Mean and standard deviation over the body."""
    comm = c.function_space.mesh.comm

    def integral(expression):
        return comm.allreduce(fem.assemble_scalar(fem.form(expression * ufl.dx)), op=MPI.SUM)

    volume = integral(fem.Constant(c.function_space.mesh, 1.0))
    mean = integral(c) / volume
    return mean, math.sqrt(integral((c - mean) ** 2) / volume)


def _owned(c):
    """Points and values owned by this rank, sorted by point."""
    count = c.function_space.dofmap.index_map.size_local
    points = c.function_space.tabulate_dof_coordinates()[:count]
    return points, c.x.array[:count]


@pytest.fixture
def table():
    def write(text, folder):
        path = folder / "composition.csv"
        if COMM.rank == 0:
            path.write_text(text)
        COMM.barrier()
        return path

    return write


@pytest.fixture
def shared_path(tmp_path):
    return Path(COMM.bcast(str(tmp_path)))


def test_uniform():
    c = fem.Function(_space())
    Uniform(0.3).apply(c, 1e-9, UNIT)
    assert np.all(c.x.array == 0.3)


def test_noise_has_mean_and_standard_deviation():
    c = fem.Function(_space())
    NOISE.apply(c, 1e-9, UNIT)
    mean, deviation = _moments(c)
    assert mean == pytest.approx(0.45, abs=1e-14)
    assert deviation == pytest.approx(0.01, rel=1e-10)


def test_noise_is_the_same_for_any_partition():
    together, alone = fem.Function(_space()), fem.Function(_space(MPI.COMM_SELF))
    NOISE.apply(together, 1e-9, UNIT)
    NOISE.apply(alone, 1e-9, UNIT)
    points, values = _owned(together)
    all_points, all_values = _owned(alone)
    distances = np.linalg.norm(points[:, None] - all_points[None], axis=2)
    assert np.all(distances.min(axis=1) < 1e-9)
    assert np.allclose(values, all_values[distances.argmin(axis=1)], rtol=0.0, atol=1e-12)


def test_noise_depends_on_its_seed():
    fields = []
    space = _space()
    for seed in (1, 1, 2):
        c = fem.Function(space)
        Noise(0.45, 0.01, 8e-9, seed).apply(c, 1e-9, UNIT)
        fields.append(c.x.array.copy())
    assert np.array_equal(fields[0], fields[1])
    assert COMM.allreduce(np.abs(fields[0] - fields[2]).max(), op=MPI.MAX) > 1e-3


def test_noise_is_correlated_over_twice_its_smoothing():
    # White noise under a Gaussian filter of width s has the correlation exp(-(d / 2 s)^2).
    corners = [[0.0, 0.0], [800.0, 800.0]]
    mesh = create_rectangle(MPI.COMM_SELF, corners, (200, 200), CellType.quadrilateral)
    c = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))
    Noise(0.5, 0.01, 8e-9).apply(c, 1e-9, UNIT)
    points = c.function_space.tabulate_dof_coordinates()
    order = np.lexsort((np.round(points[:, 0]), np.round(points[:, 1])))
    lattice = (c.x.array[order].reshape(201, 201) - 0.5) / 0.01
    for steps in (2, 4, 6):
        measured = np.mean(lattice[:, steps:] * lattice[:, :-steps])
        assert measured == pytest.approx(math.exp(-((4.0 * steps / 16.0) ** 2)), abs=0.08)


def test_noise_in_3d_and_in_other_units():
    mesh = create_box(COMM, [[0.0] * 3, [0.04, 0.02, 0.02]], (8, 4, 4))
    c = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))
    NOISE.apply(c, 1e-6, UNIT)
    assert _moments(c) == pytest.approx((0.45, 0.01))


def test_noise_without_amplitude_is_uniform():
    c = fem.Function(_space())
    Noise(0.45, 0.0, 8e-9).apply(c, 1e-9, UNIT)
    assert np.allclose(c.x.array, 0.45, rtol=0.0, atol=1e-15)


@pytest.mark.parametrize(
    "arguments",
    [(0.4, -0.1, 1e-9, 0), (0.4, 0.1, 0.0, 0), (0.4, 0.1, math.nan, 0), (0.4, 0.1, 1e-9, -1)],
)
def test_impossible_noise_is_refused(arguments):
    with pytest.raises(InputError):
        Noise(*arguments)


def test_noise_finer_than_memory_allows_is_refused():
    with pytest.raises(InputError, match="too short"):
        Noise(0.4, 0.01, 1e-12).apply(fem.Function(_space()), 1e-9, UNIT)


@pytest.mark.parametrize("initial", [Uniform(1.0), Uniform(math.nan), Noise(0.01, 0.1, 8e-9)])
def test_values_outside_the_bounds_are_refused(initial):
    with pytest.raises(InputError):
        initial.apply(fem.Function(_space()), 1e-9, UNIT)


def test_wider_bounds_are_obeyed():
    c = fem.Function(_space())
    Uniform(1.5).apply(c, 1e-9, (-2.0, 2.0))
    assert np.all(c.x.array == 1.5)


def test_value_out_of_bounds_on_one_side_only_is_refused_on_all_ranks():
    with pytest.raises(InputError):
        Formula("0.5 + 0.6*(x > 170)").apply(fem.Function(_space()), 1e-9, UNIT)


def test_formula_is_in_nanometres():
    c = fem.Function(_space())
    Formula("0.5 + 0.1*cos(2*pi*x/100)*exp(-y/50)").apply(c, 2e-9, UNIT)
    points, values = _owned(c)
    exact = 0.5 + 0.1 * np.cos(4 * np.pi * points[:, 0] / 100) * np.exp(-points[:, 1] / 25)
    assert np.allclose(values, exact)


def test_constant_formula():
    c = fem.Function(_space())
    Formula("1/4").apply(c, 1e-9, UNIT)
    assert np.all(c.x.array == 0.25)


def test_formula_along_and_across_a_bent_wire():
    wire = Nanowire(40e-9, 100e-9, math.pi / 2, (80e-9, 60e-9))
    mesh = create_domain(wire, 10e-9, COMM).mesh
    c = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))
    Formula("0.5 + along/1000 + across/100", wire.unroll).apply(c, 1e-9, UNIT)
    points, values = _owned(c)
    x, y = points[:, 0], points[:, 1]
    # The mid-line: 80 nm along x, a quarter circle about (80, 100) nm, then upwards at x = 180 nm.
    angle, radius = np.arctan2(x - 80.0, 100.0 - y), np.hypot(x - 80.0, y - 100.0)
    along, across = 80.0 + 100.0 * angle, radius - 100.0
    first, second = x <= 80.0, y >= 100.0
    along[first], across[first] = x[first], -y[first]
    along[second] = 80.0 + 50.0 * math.pi + y[second] - 100.0
    across[second] = x[second] - 180.0
    assert np.allclose(values, 0.5 + along / 1000.0 + across / 100.0)


def test_formula_along_a_wire_is_in_nanometres_of_any_mesh():
    c = fem.Function(_space())
    wire = Nanowire(1e-6, None, 0.0, (1e-6, 0.0))
    Formula("0.5 + along/1000 + across/2000", wire.unroll).apply(c, 2e-9, UNIT)
    points, values = _owned(c)
    assert np.allclose(values, 0.5 + points[:, 0] / 500.0 - points[:, 1] / 1000.0)


def test_formula_along_a_wire_where_none_is_says_which_shape_has_one():
    with pytest.raises(InputError, match=r"nanowire.*there are x, y, z \(in nm\)"):
        Formula("0.5 + 0.1*cos(along/20)")


@pytest.mark.parametrize(
    "text",
    ["", "x +", "q", "__import__('os')", "'a'", "f(x)", "x; y", "c*2", "sin(x, y)"],
)
def test_impossible_formula_is_refused(text):
    with pytest.raises(InputError):
        Formula(text)


def test_formula_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="finite"):
        Formula("1/(x - x)").apply(fem.Function(_space()), 1e-9, UNIT)


def test_file_is_interpolated_linearly_and_held_outside(shared_path, table):
    rows = "\n".join(f"{x},{y},{0.2 + 0.002 * x}" for x in (0, 100) for y in (-1000, 1000))
    path = table(f"x_nm,y_nm,c\n{rows}\n", shared_path)
    c = fem.Function(_space())
    FromFile(path).apply(c, 1e-9, UNIT)
    points, values = _owned(c)
    inside = (points[:, 0] >= 0.0) & (points[:, 0] <= 100.0)
    assert np.allclose(values[inside], 0.2 + 0.002 * points[inside, 0])
    assert np.allclose(values[points[:, 0] > 100.0], 0.4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x,y,c\n0,0,0.5\n",
        "x_nm,y_nm,z_nm,c\n0,0,0,0.5\n",
        "x_nm,y_nm,c\n",
        "x_nm,y_nm,c\n0,0\n",
        "x_nm,y_nm,c\n0,0,half\n",
        "x_nm,y_nm,c\n0,0,nan\n1,0,0.5\n0,1,0.5\n",
        "x_nm,y_nm,c\n0,0,0.5\n1,1,0.5\n2,2,0.5\n",
        "x_nm,y_nm,c\n0,0,0.5\n",
        "x_nm,y_nm,c\n0,0,0.5\n1,0\n",
    ],
)
def test_unusable_file_is_refused_by_name(shared_path, table, text):
    with pytest.raises(InputError, match=r"composition\.csv"):
        FromFile(table(text, shared_path)).apply(fem.Function(_space()), 1e-9, UNIT)


def test_missing_file_is_refused(shared_path):
    with pytest.raises(InputError, match="no such file"):
        FromFile(shared_path / "none.csv").apply(fem.Function(_space()), 1e-9, UNIT)
