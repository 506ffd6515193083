"""A measurement is read back as it was written, and other files are refused."""

from dataclasses import fields, is_dataclass, replace

import h5py
import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.clustering import Clusters
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.decomposition import Decomposition
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.measurement import Measurement, read_measurement, write_measurement
from chemomech.imaging.spectra import EndMembers
from chemomech.imaging.unmixing import ThicknessMaps

ROWS, COLUMNS, ENERGIES = 4, 5, 6
GRID = PixelGrid(ROWS, COLUMNS, 35e-9, 35.1e-9, (1e-6, -2e-6))


@pytest.fixture
def measurement():
    rng = np.random.default_rng(0)

    def image(*leading):
        values = rng.random((*leading, ROWS, COLUMNS))
        values[..., 0, 0] = np.nan
        return values

    inside = np.ones(GRID.shape, dtype=bool)
    inside[0, 0] = False
    spectra = rng.random((2, ENERGIES))
    return Measurement(
        energies=np.linspace(510.0, 540.0, ENERGIES),
        shifts=rng.random((ENERGIES, 2)),
        incident=rng.random(ENERGIES),
        density=image(),
        particle=inside,
        decomposition=Decomposition(image(2), spectra, rng.random(ENERGIES), spectra[0], None),
        clusters=Clusters(
            np.where(inside, 1, -1),
            inside,
            spectra,
            spectra / 9,
            np.array([7, 12]),
            rng.random(2),
            0.25,
        ),
        end_members=EndMembers(
            ("α", "ε phase"), np.array([0.1, 0.3]), spectra, 1e-7, ("a.csv: α", "cluster 2")
        ),
        maps=ThicknessMaps(
            GRID, image(2), image(1), image(2, 2), image(), 0.01, 0.02, 47.5, "weighted"
        ),
        composition=CompositionMap(GRID, image(), image(), inside, "normalised", "stack.h5"),
        thickness=image(),
    )


def assert_same(one, other):
    assert type(one) is type(other)
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_read_back_identically(measurement, tmp_path):
    write_measurement(tmp_path / "m.h5", measurement, '{"stack": 1}')
    assert_same(read_measurement(tmp_path / "m.h5"), measurement)
    with h5py.File(tmp_path / "m.h5") as file:
        assert file.attrs["report"] == '{"stack": 1}'
        assert "eV" in file.attrs["units"]


def test_what_is_unknown_stays_unknown(measurement, tmp_path):
    members = replace(measurement.end_members, thickness=None, sources=())
    bare = replace(
        measurement,
        thickness=None,
        end_members=members,
        decomposition=replace(measurement.decomposition, mean=None),
        maps=replace(measurement.maps, baseline=np.empty((0, *GRID.shape))),
    )
    write_measurement(tmp_path / "m.h5", bare, "{}")
    assert_same(read_measurement(tmp_path / "m.h5"), bare)


@pytest.mark.parametrize(
    ("missing", "piece"),
    [("energies", "/energies"), ("maps/residual", "/maps/residual"), ("clusters", "clusters")],
)
def test_a_part_that_is_missing_is_named(measurement, tmp_path, missing, piece):
    path = tmp_path / "m.h5"
    write_measurement(path, measurement, "{}")
    with h5py.File(path, "a") as file:
        del file[missing]
    with pytest.raises(InputError, match=piece) as caught:
        read_measurement(path)
    assert caught.value.path == str(path)


def test_damaged_contents_are_refused(measurement, tmp_path):
    path = tmp_path / "m.h5"
    write_measurement(path, measurement, "{}")
    with h5py.File(path, "a") as file:
        del file["composition/values"]
        file["composition/values"] = np.zeros((2, 2))
    with pytest.raises(InputError, match="values of shape") as caught:
        read_measurement(path)
    assert caught.value.path == str(path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.h5").write_text("no HDF5")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    for name in ("text.h5", "empty.h5", "none.h5"):
        with pytest.raises(InputError) as caught:
            read_measurement(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)
