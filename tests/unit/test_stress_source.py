"""A particle is put together from a map, or from a measurement and its outlines."""

from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI
from skimage.io import imsave

from chemomech.config import StressConfig, create_config
from chemomech.errors import InputError
from chemomech.geometry.files.geojson import write_outlines_geojson
from chemomech.geometry.outline import Outline
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.mapping import stress_source as source

COMM = MPI.COMM_WORLD
SHAPE = (20, 30)
PIXEL = 35e-9
LARGE = np.array([[100.0, 100.0], [900.0, 100.0], [900.0, 500.0], [100.0, 500.0]]) * 1e-9
SMALL = LARGE / 2
LAWS = {
    "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
    "eigenstrain": {
        "kind": "vegard",
        "partial_molar_volume": "2.415e-6 m^3/mol",
        "site_concentration": "18500 mol/m^3",
    },
}


@pytest.fixture
def values():
    x = np.tile(np.linspace(0.1, 0.3, SHAPE[1]), (SHAPE[0], 1))
    x[0, :3] = np.nan
    return x


@pytest.fixture
def folder(tmp_path, values):
    shared = COMM.bcast(tmp_path)
    if COMM.rank == 0:
        np.save(shared / "x.npy", values)
        write_outlines_geojson(shared / "outlines.geojson", [Outline(LARGE), Outline(SMALL)])
        (shared / "measurement.h5").write_text("read by nobody")
    COMM.barrier()
    yield shared
    COMM.barrier()


def create(folder, composition=None, **outline):
    table = {
        "composition": {"kind": "map", "file": "x.npy", "pixel_size": "35 nm"}
        | (composition or {}),
        "outline": {"file": "outlines.geojson"} | outline,
    }
    return create_config(table | LAWS, folder, model=StressConfig)


def test_map_and_outline(folder, values):
    particle, measurement = source.load_particle(create(folder, {"uncertainty": 0.02}), COMM)
    assert measurement is None
    assert particle.thickness is None
    np.testing.assert_allclose(particle.outline.exterior, LARGE, rtol=1e-12)
    composition = particle.composition
    assert composition.grid == PixelGrid(*SHAPE, PIXEL, PIXEL)
    np.testing.assert_array_equal(composition.values, values)
    np.testing.assert_array_equal(composition.trusted, np.isfinite(values))
    np.testing.assert_array_equal(composition.uncertainty, np.full(SHAPE, 0.02))
    assert (composition.reading, composition.source) == ("given", "x.npy")


def test_only_what_map_mask_and_uncertainty_know_is_trusted(folder, values):
    mask = np.ones(SHAPE, dtype=bool)
    mask[:, -2:] = False
    uncertainty = np.full(SHAPE, 0.01)
    uncertainty[5, 5] = np.nan
    if COMM.rank == 0:
        np.save(folder / "mask.npy", mask)
        np.save(folder / "u.npy", uncertainty)
    COMM.barrier()
    config = create(folder, {"uncertainty": "u.npy", "mask": "mask.npy"})
    composition = source.load_particle(config, COMM)[0].composition
    expected = mask & np.isfinite(values) & np.isfinite(uncertainty)
    np.testing.assert_array_equal(composition.trusted, expected)


def test_outline_of_a_grey_image(folder):
    """Of the map's pixels, in the map's frame: y upwards from the lowest row's centres."""
    if COMM.rank == 0:
        grey = np.zeros(SHAPE, dtype=np.uint8)
        grey[2:8, 5:20] = 255
        imsave(folder / "grey.png", grey, check_contrast=False)
    COMM.barrier()
    config = create(folder, file="grey.png", level=0.5)
    particle, _ = source.load_particle(config, COMM)
    low, high = particle.outline.exterior.min(axis=0), particle.outline.exterior.max(axis=0)
    # Half the brightness lies midway between bright and dark centres.
    np.testing.assert_allclose(low / PIXEL, [4.5, 11.5], atol=0.1)
    np.testing.assert_allclose(high / PIXEL, [19.5, 17.5], atol=0.1)


def test_particles_go_by_area(folder):
    particle, _ = source.load_particle(create(folder, particle=2), COMM)
    np.testing.assert_allclose(particle.outline.exterior, SMALL, rtol=1e-12)


def test_a_particle_that_is_not_there_is_refused_by_the_key_of_this_file(folder):
    with pytest.raises(InputError, match="between 1 and 2") as caught:
        source.load_particle(create(folder, particle=3), COMM)
    assert caught.value.key == "outline.particle"
    assert caught.value.path == str(folder / "outlines.geojson")
    measured = SimpleNamespace(composition=None, thickness=None)
    with pytest.raises(InputError, match="between 1 and 2") as caught:
        source.pick_particle(measured, [Outline(LARGE), Outline(SMALL)], 3)
    assert caught.value.key == "outline.particle"


def test_keys_of_an_image_are_those_of_this_file(folder):
    if COMM.rank == 0:
        imsave(folder / "flat.png", np.full(SHAPE, 7, dtype=np.uint8), check_contrast=False)
    COMM.barrier()
    with pytest.raises(InputError) as caught:
        source.load_particle(create(folder, file="flat.png"), COMM)
    assert "geometry" not in str(caught.value)


def test_a_measurement_brings_its_outlines(folder, monkeypatch, values):
    trusted = np.isfinite(values)
    found = SimpleNamespace(
        composition=CompositionMap(
            PixelGrid(*SHAPE, PIXEL, PIXEL), values, np.zeros(SHAPE), trusted
        ),
        thickness=np.full(SHAPE, 1e-7),
    )
    monkeypatch.setattr(source, "read_measurement", lambda path: found)
    table = {"composition": {"kind": "measurement", "file": "measurement.h5"}} | LAWS
    config = create_config(table | {"outline": {"particle": 2}}, folder, model=StressConfig)
    particle, measurement = source.load_particle(config, COMM)
    # Large, and for pictures alone: it stays where it was read.
    assert (measurement is found) == (COMM.rank == 0)
    assert (measurement is None) == (COMM.rank > 0)
    np.testing.assert_allclose(particle.outline.exterior, SMALL, rtol=1e-12)
    np.testing.assert_array_equal(particle.thickness, np.full(SHAPE, 1e-7))
    np.testing.assert_array_equal(particle.composition.trusted, trusted)
    picked = source.pick_particle(found, [Outline(LARGE), Outline(SMALL)], 1)
    np.testing.assert_array_equal(picked.outline.exterior, LARGE)
    assert picked.composition is found.composition
