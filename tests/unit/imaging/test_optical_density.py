"""Optical density, and the incident intensity behind it."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.alignment import _apply_shifts
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.optical_density import (
    OpticalDensity,
    convert,
    find_empty_region,
    find_incident,
)
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.stack import Stack, mask_invalid_counts

GRID = PixelGrid(20, 30, 35e-9, 35e-9)
ENERGIES = np.array([510.0, 515.0, 520.0])
INCIDENT = np.array([1000.0, 1200.0, 900.0])
DENSITIES = np.array([0.1, 0.5, 1.2])


def create_stack(dark=0.0, incident=None):
    """A square of some density in the middle, nothing around it."""
    counts = np.ones((3, *GRID.shape)) * INCIDENT[:, None, None]
    counts[:, 6:14, 10:20] *= np.exp(-DENSITIES)[:, None, None]
    return Stack(counts + dark, ENERGIES, GRID, incident)


def create_corner():
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[:4, :8] = True
    return mask


def with_counts(stack, counts):
    return Stack(counts, stack.energies, stack.grid, stack.incident)


def test_density_of_a_known_absorber():
    od = convert(create_stack(), INCIDENT)
    assert od.valid.all()
    assert od.values.dtype == np.float32
    np.testing.assert_allclose(od.values[:, 10, 15], DENSITIES, atol=1e-6)
    np.testing.assert_allclose(od.values[:, 2, 2], 0.0, atol=1e-6)


def test_stored_incident_is_used_and_a_given_one_preferred():
    stack = create_stack(incident=INCIDENT)
    np.testing.assert_allclose(convert(stack).incident, INCIDENT)
    np.testing.assert_allclose(convert(stack, 2 * INCIDENT).values[:, 2, 2], np.log(2.0), atol=1e-6)


def test_incident_of_a_region():
    np.testing.assert_allclose(find_incident(create_stack(), create_corner()), INCIDENT)


def test_incident_leaves_out_pixels_that_were_not_measured():
    stack = create_stack()
    counts = stack.counts.copy()
    counts[1, 0, 0] = np.nan
    counts[0, 0, 0] = 1e6
    found = find_incident(with_counts(stack, counts), create_corner())
    np.testing.assert_allclose(found, INCIDENT)


def test_dark_counts_come_off_both():
    od = convert(create_stack(dark=50.0), INCIDENT + 50.0, dark=50.0)
    np.testing.assert_allclose(od.values[:, 10, 15], DENSITIES, atol=1e-5)
    np.testing.assert_allclose(od.incident, INCIDENT)


@pytest.mark.parametrize("count", [np.nan, 0.0, 20.0, 5000.0, 6000.0])
def test_unsound_pixels_are_flagged_and_never_patched(count):
    stack = create_stack(dark=20.0)
    counts = stack.counts.copy()
    counts[1, 3, 4] = count
    od = convert(with_counts(stack, counts), INCIDENT + 20.0, dark=20.0, saturation=5000.0)
    assert not od.valid[3, 4]
    assert np.isnan(od.values[:, 3, 4]).all()
    assert np.count_nonzero(~od.valid) == 1
    assert np.isfinite(od.values[:, od.valid]).all()


def test_variance_is_that_of_poisson_counts():
    rng = np.random.default_rng(0)
    trials, pixels, dark = 4000, 25, 30.0
    count = np.array([400.0, 900.0])
    grid = PixelGrid(1, trials, 1e-8, 1e-8)
    frames = rng.poisson(200.0 + dark, (2, 1, trials))
    incident = rng.poisson(count[:, None, None] + dark, (2, trials, pixels)).mean(axis=2)
    # Every trial has an I0 of its own: dividing by it is the same as scaling the counts above dark.
    scaled = (frames[:, 0] - dark) * (count[:, None] / (incident - dark)) + dark
    od = convert(
        Stack(scaled[:, None], ENERGIES[:2], grid), count + dark, dark=dark, incident_pixels=pixels
    )
    for energy in range(2):
        expected = float(np.median(od.predict_variance(od.values[:, 0])[energy]))
        # The variance of a sample of 4000 is known to 2.2 %.
        assert od.values[energy].var() == pytest.approx(expected, rel=0.1)


def test_variance_without_the_noise_of_the_incident_intensity():
    od = convert(create_stack(), INCIDENT)
    variance = od.predict_variance(od.values[:, 10])
    np.testing.assert_allclose(variance[1, 15], np.exp(0.5) / 1200.0, rtol=1e-5)


def test_empty_region_is_found_without_bias():
    phantom = create_phantom(wire="delithiated", seed=3)
    region = find_empty_region(phantom.stack)
    assert not (region & phantom.truth.mask).any()
    expected = phantom.truth.incident + phantom.truth.dark
    found = find_incident(phantom.stack, region)
    noise = np.sqrt(expected / np.count_nonzero(region))
    # Four standard deviations for each of a hundred energies, and no common offset beyond the halo.
    assert np.abs((found - expected) / noise).max() < 4.0
    assert np.abs(np.mean(found / expected) - 1.0) < 1e-3


def test_empty_region_of_a_stack_without_noise():
    region = find_empty_region(create_stack())
    assert not region[6:14, 10:20].any()
    assert region[create_corner()].all()


def test_saturated_region_is_refused():
    rng = np.random.default_rng(1)
    counts = rng.poisson(create_stack().counts * 60.0).astype(float)
    stack = Stack(np.minimum(counts, 65535.0), ENERGIES, GRID)
    with pytest.raises(InputError, match="saturates in the empty region: at 515 eV"):
        find_incident(stack, create_corner())


def test_saturation_is_seen_in_moved_frames_too():
    rng = np.random.default_rng(1)
    counts = rng.poisson(create_stack().counts * 60.0).astype(float)
    stack = Stack(np.minimum(counts, 65535.0), ENERGIES, GRID)
    moved = _apply_shifts(stack, np.full((3, 2), -0.4))
    with pytest.raises(InputError, match="saturates in the empty region: at 515 eV"):
        find_incident(moved, create_corner())


def test_unsound_counts_are_rejected_before_frames_are_moved():
    counts = create_stack().counts.copy()
    counts[1, 3, 4] = 5000.0
    counts[2, 8, 12] = 0.0
    stack = with_counts(create_stack(), counts)
    sound = mask_invalid_counts(stack, saturation=5000.0)
    np.testing.assert_array_equal(np.argwhere(np.isnan(sound.counts)), [[1, 3, 4], [2, 8, 12]])
    od = convert(_apply_shifts(sound, np.full((3, 2), -0.4)), INCIDENT)
    assert not od.valid[2:4, 3:5].any()
    assert not od.valid[7:9, 11:13].any()


def test_sound_stack_is_handed_back():
    stack = create_stack()
    assert mask_invalid_counts(stack, dark=10.0, saturation=5000.0) is stack


def test_frame_without_light_is_named():
    stack = create_stack()
    dim = with_counts(stack, stack.counts * np.array([1.0, 0.5, 1.1])[:, None, None])
    with pytest.raises(InputError, match="every pixel at 515 eV"):
        mask_invalid_counts(dim, dark=950.0)


def test_computed_stack_without_noise_is_not_taken_for_saturated():
    assert find_incident(create_stack(), create_corner())[1] == 1200.0


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((20, 29), dtype=bool), "20 x 30 pixels"),
        (np.ones(GRID.shape), "float64"),
        (np.zeros(GRID.shape, dtype=bool), "holds no pixel"),
    ],
)
def test_bad_masks(mask, message):
    with pytest.raises(InputError, match=message) as caught:
        find_incident(create_stack(), mask)
    assert caught.value.key == "mask"


def test_region_nowhere_measured():
    stack = create_stack()
    counts = stack.counts.copy()
    counts[2, :4, :8] = np.nan
    with pytest.raises(InputError, match="none of the 32 pixels"):
        find_incident(with_counts(stack, counts), create_corner())


def test_region_without_counts():
    stack = create_stack()
    counts = stack.counts.copy()
    counts[2, :4, :8] = 0.0
    with pytest.raises(InputError, match="no counts at 520 eV"):
        find_incident(with_counts(stack, counts), create_corner())


def test_image_without_contrast_has_no_empty_region():
    flat = Stack(np.full((3, *GRID.shape), 100.0), ENERGIES, GRID)
    with pytest.raises(InputError, match="same brightness"):
        find_empty_region(flat)


@pytest.mark.parametrize(
    ("incident", "options", "message"),
    [
        (None, {}, "brings no incident intensity"),
        (INCIDENT[:2], {}, "one number for each of 3"),
        (INCIDENT * 0.0, {}, "greater than zero"),
        (INCIDENT, {"dark": -1.0}, "zero or more"),
        (INCIDENT, {"dark": np.nan}, "zero or more"),
        (INCIDENT, {"dark": 950.0}, "does not exceed the dark counts .* 520 eV"),
        (INCIDENT, {"saturation": 1100.0}, "I0 saturates .* 515 eV"),
        (INCIDENT, {"dark": 10.0, "saturation": 10.0}, "must exceed the dark counts"),
        (INCIDENT, {"incident_pixels": 0}, "mean of 0 pixels"),
    ],
)
def test_bad_conversions(incident, options, message):
    with pytest.raises(InputError, match=message):
        convert(create_stack(), incident, **options)


def test_no_valid_pixel():
    stack = create_stack()
    with pytest.raises(InputError, match="no pixel has a usable count"):
        convert(stack, INCIDENT * 10.0, dark=2000.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.zeros((3, 4, 5))}, "do not fit 3 energies"),
        ({"valid": np.ones((4, 5), dtype=bool)}, "20 x 30 pixels"),
        ({"values": np.full((3, 20, 30), np.nan)}, "not finite"),
        ({"incident": np.ones(2)}, "one number for each"),
    ],
)
def test_bad_densities(change, message):
    od = convert(create_stack(), INCIDENT)
    arguments = {
        "values": od.values,
        "energies": od.energies,
        "grid": od.grid,
        "valid": od.valid,
        "incident": od.incident,
    }
    with pytest.raises(InputError, match=message):
        OpticalDensity(**(arguments | change))
