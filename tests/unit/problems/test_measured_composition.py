"""A measured composition becomes the state a simulation starts from."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from dolfinx import fem
from dolfinx import mesh as dmesh
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.imaging import measurement
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.measurement import read_prepared_composition
from chemomech.problems.initial_composition import FromMeasurement

COMM = MPI.COMM_WORLD
GRID = PixelGrid(20, 30, 35e-9, 35e-9)
NANOMETRE = 1e-9
BOUNDS = (0.0, 1.0)


@pytest.fixture
def c():
    """On a rectangle within the image, in nm from the centre of its lowest left pixel."""
    corners = [[70.0, 70.0], [910.0, 560.0]]
    mesh = dmesh.create_rectangle(COMM, corners, [13, 9], dmesh.CellType.triangle)
    return fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))


@pytest.fixture
def measure(monkeypatch, tmp_path):
    """Return a function that lets a map be what is read; the file's name is that of a file."""

    def put(values, trusted=None):
        trusted = np.ones(GRID.shape, dtype=bool) if trusted is None else trusted
        found = CompositionMap(GRID, values, np.zeros(GRID.shape), trusted)
        record = SimpleNamespace(composition=found)
        monkeypatch.setattr(measurement, "read_measurement", lambda path: record)
        return COMM.bcast(tmp_path) / "measurement.h5"

    return put


def read(path, **options):
    return partial(read_prepared_composition, path, **options)


def plane(x, y):
    """Lithium content, x and y in m: linear, which bilinear interpolation keeps."""
    return 0.1 + 1.5e5 * x + 1e5 * y


def evaluate(c, function):
    x = c.function_space.tabulate_dof_coordinates() * NANOMETRE
    return function(x[:, 0], x[:, 1])


def draw(function):
    centres = GRID.centres()
    return function(centres[..., 0], centres[..., 1])


@pytest.mark.parametrize("full", [1.0, 0.5])
def test_right_way_up_and_divided_by_the_full_content(c, measure, full):
    FromMeasurement(read(measure(draw(plane)), erosion=0), full).apply(c, NANOMETRE, BOUNDS)
    np.testing.assert_allclose(c.x.array, evaluate(c, plane) / full, rtol=1e-12)


def test_unit_of_the_mesh(c, measure):
    c.function_space.mesh.geometry.x[:] *= 1e-3
    FromMeasurement(read(measure(draw(plane)))).apply(c, 1e-6, BOUNDS)
    assert c.x.array.max() == pytest.approx(plane(910e-9, 560e-9), rel=1e-12) or COMM.size > 1


def test_what_is_not_trusted_takes_no_part(c, measure):
    values, trusted = np.full(GRID.shape, 0.3), np.ones(GRID.shape, dtype=bool)
    values[:, 20:], trusted[:, 20:] = np.nan, False
    # Partial coverage misleads in the last trusted column, which erosion takes away.
    values[:, 19] = 0.9
    path = measure(values, trusted)
    FromMeasurement(read(path, erosion=1)).apply(c, NANOMETRE, BOUNDS)
    np.testing.assert_allclose(c.x.array, 0.3, rtol=1e-14)
    FromMeasurement(read(path, erosion=0)).apply(c, NANOMETRE, BOUNDS)
    assert COMM.allreduce(c.x.array.max(), MPI.MAX) == pytest.approx(0.9)


def test_smoothing_keeps_the_mean_of_stripes_and_lowers_them(c, measure):
    stripes = draw(lambda x, y: 0.4 + 0.2 * np.cos(2 * np.pi * x / 210e-9))
    path = measure(stripes)
    FromMeasurement(read(path, smoothing=60e-9, erosion=0)).apply(c, NANOMETRE, BOUNDS)
    # A Gaussian lowers a wave by exp(-k^2 s^2 / 2) = 0.2.
    assert np.abs(c.x.array - 0.4).max() < 0.2 * 0.25


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.5), (0.5, 1.2)])
def test_values_beyond_the_bounds(c, measure, low, high):
    path = measure(draw(lambda x, y: low + (high - low) * x / 1015e-9))
    with pytest.raises(InputError) as caught:
        FromMeasurement(read(path)).apply(c, NANOMETRE, BOUNDS)
    assert caught.value.key.startswith("initial")
    FromMeasurement(read(path), margin=0.02).apply(c, NANOMETRE, BOUNDS)
    x = evaluate(c, lambda x, y: low + (high - low) * x / 1015e-9)
    np.testing.assert_allclose(c.x.array, np.clip(x, 0.02, 0.98), atol=1e-12)


def test_no_pixel_left(c, measure):
    trusted = np.zeros(GRID.shape, dtype=bool)
    trusted[5:8, 5:8] = True
    path = measure(np.full(GRID.shape, 0.3), trusted)
    with pytest.raises(InputError, match=r"erosion|left") as caught:
        FromMeasurement(read(path, erosion=2)).apply(c, NANOMETRE, BOUNDS)
    assert caught.value.key == "initial"
    assert caught.value.path == str(path)


def test_a_file_that_is_no_measurement(c, tmp_path):
    path = tmp_path / "none.h5"
    with pytest.raises(InputError, match="no measurement"):
        FromMeasurement(read(path)).apply(c, NANOMETRE, BOUNDS)
