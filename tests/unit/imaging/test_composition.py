"""Composition maps: both readings of eqn 8, their uncertainty, smoothing, noise and extension."""

import numpy as np
import pytest
from scipy import ndimage

from chemomech.errors import InputError
from chemomech.imaging.composition import _smooth, create_composition, draw_sample, extend_outwards
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.unmixing import ThicknessMaps

SHAPE = (24, 30)
GRID = PixelGrid(*SHAPE, 20e-9, 20e-9)
LITHIUM = np.array([0.2, 0.6, 1.0])


def create_maps(thickness, covariance=None):
    thickness = np.asarray(thickness, dtype=np.float64)
    count, *shape = thickness.shape
    if covariance is None:
        covariance = np.zeros((count, count))
    inside = np.where(np.isfinite(thickness[0]), 1.0, np.nan)
    return ThicknessMaps(
        grid=PixelGrid(*shape, 20e-9, 20e-9),
        thickness=thickness,
        baseline=np.empty((0, *shape)),
        covariance=covariance[:, :, None, None] * inside,
        residual=np.zeros(shape),
        rms_residual=0.0,
        relative_residual=0.0,
        condition=1.0,
        method="plain",
    )


def create_map(values, trusted=None, uncertainty=0.1):
    values = np.asarray(values, dtype=np.float64)
    trusted = np.ones(SHAPE, dtype=np.bool_) if trusted is None else trusted
    return CompositionMap(GRID, values, np.full(SHAPE, uncertainty), trusted)


@pytest.fixture
def disc():
    rows, columns = np.indices(SHAPE)
    return np.hypot(rows - 12.0, columns - 14.0) < 9.0


@pytest.fixture
def thickness():
    return np.random.default_rng(0).random((3, *SHAPE)) + 0.2


def test_normalised_does_not_depend_on_thickness(thickness):
    once = create_composition(create_maps(thickness), LITHIUM)
    twice = create_composition(create_maps(2.0 * thickness), LITHIUM)
    expected = np.average(
        np.broadcast_to(LITHIUM[:, None, None], thickness.shape), axis=0, weights=thickness
    )
    np.testing.assert_allclose(once.values, expected, rtol=1e-13)
    np.testing.assert_allclose(twice.values, once.values, rtol=1e-13)
    assert once.reading == "normalised"


def test_as_printed_scales_with_thickness(thickness):
    once = create_composition(create_maps(thickness), LITHIUM, reading="as_printed")
    twice = create_composition(create_maps(2.0 * thickness), LITHIUM, reading="as_printed")
    expected = 0.2 * thickness[0] + 0.6 * thickness[1] + 1.0 * thickness[2]
    np.testing.assert_allclose(once.values, expected, rtol=1e-13)
    np.testing.assert_allclose(twice.values, 2.0 * once.values, rtol=1e-13)
    assert once.reading == "as_printed"


@pytest.mark.parametrize("reading", ["normalised", "as_printed"])
def test_readings_agree_at_the_reference_thickness(thickness, reading):
    shares = thickness / thickness.sum(axis=0)
    found = create_composition(create_maps(shares), LITHIUM, reading=reading)
    np.testing.assert_allclose(found.values, np.tensordot(LITHIUM, shares, 1), rtol=1e-13)


@pytest.mark.parametrize("reading", ["normalised", "as_printed"])
def test_uncertainty_is_the_spread_of_noisy_thicknesses(reading):
    covariance = 1e-4 * np.array([[4.0, -1.5, 0.5], [-1.5, 2.0, -0.5], [0.5, -0.5, 1.0]])
    mean = np.array([0.5, 0.3, 0.4])
    noisy = np.random.default_rng(5).multivariate_normal(mean, covariance, 40000)
    maps = create_maps(noisy.T.reshape(3, 200, 200), covariance)
    spread = create_composition(maps, LITHIUM, reading=reading).values.std()
    flat = create_maps(np.broadcast_to(mean[:, None, None], (3, 2, 2)), covariance)
    stated = create_composition(flat, LITHIUM, reading=reading).uncertainty
    # Four standard deviations of an estimated spread, and 1 % for what is not linear.
    np.testing.assert_allclose(stated, spread, rtol=4.0 / np.sqrt(2 * 40000) + 0.01)


def test_values_are_not_clipped():
    thickness = np.stack([np.full(SHAPE, 1.2), np.full(SHAPE, -0.2)])
    found = create_composition(create_maps(thickness), np.array([0.0, 1.0]))
    np.testing.assert_allclose(found.values, -0.2)


def test_thin_and_missing_pixels_are_not_trusted(thickness, disc):
    thickness[:, 3, 3] = 1e-3
    thickness[:, 5, 5] = [-1.0, 0.2, 0.1]
    thickness[:, 0, 0] = np.nan
    found = create_composition(create_maps(thickness), LITHIUM, source="test")
    expected = np.ones(SHAPE, dtype=np.bool_)
    expected[[3, 5, 0], [3, 5, 0]] = False
    np.testing.assert_array_equal(found.trusted, expected)
    np.testing.assert_array_equal(np.isfinite(found.values), expected)
    np.testing.assert_array_equal(np.isfinite(found.uncertainty), expected)
    assert found.source == "test"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"lithium": LITHIUM[:2]}, "lithium"),
        ({"lithium": np.array([0.1, np.nan, 0.3])}, "lithium"),
        ({"lithium": np.array([0.1, -0.2, 0.3])}, "lithium"),
        ({"reading": "both"}, "reading"),
        ({"minimum_thickness": -0.1}, "minimum_thickness"),
        ({"minimum_thickness": 1.0}, "minimum_thickness"),
        ({"minimum_thickness": np.nan}, "minimum_thickness"),
    ],
)
def test_wrong_options(thickness, options, key):
    with pytest.raises(InputError) as error:
        create_composition(create_maps(thickness), **({"lithium": LITHIUM} | options))
    assert error.value.key == key


def test_no_particle():
    with pytest.raises(InputError, match="there is no particle in it"):
        create_composition(create_maps(-np.ones((3, *SHAPE))), LITHIUM)


def test_smoothing_keeps_a_constant_and_forgets_what_is_not_trusted(disc):
    values = np.where(disc, 0.4, np.nan)
    found = _smooth(create_map(values, disc), 30e-9)
    np.testing.assert_allclose(found.values[disc], 0.4, rtol=1e-13)
    np.testing.assert_array_equal(np.isfinite(found.values), disc)
    np.testing.assert_array_equal(found.trusted, disc)


def test_smoothing_damps_a_wave_as_a_gaussian_does():
    wavelength, width = 10, 30e-9
    wave = np.cos(2.0 * np.pi * np.arange(SHAPE[1]) / wavelength) * np.ones(SHAPE)
    found = _smooth(create_map(wave), width)
    damping = np.exp(-2.0 * (np.pi * width / (wavelength * 20e-9)) ** 2)
    inner = np.s_[:, 6:-6]
    # The Gaussian is cut off at four standard deviations, 6e-5 of its weight.
    np.testing.assert_allclose(found.values[inner], damping * wave[inner], rtol=0.0, atol=1e-4)


def test_smoothing_knows_the_two_spacings():
    grid = PixelGrid(40, 40, 10e-9, 20e-9)
    spike = np.zeros(grid.shape)
    spike[20, 20] = 1.0
    everywhere = np.ones(grid.shape, dtype=np.bool_)
    found = _smooth(CompositionMap(grid, spike, np.zeros(grid.shape), everywhere), 30e-9).values
    assert found[26, 20] == pytest.approx(found[20, 23])
    assert found[23, 20] / found[20, 20] == pytest.approx(np.exp(-0.5))


def test_smoothing_shrinks_the_uncertainty_as_it_shrinks_noise(disc):
    rng = np.random.default_rng(3)
    noisy = create_map(np.full(SHAPE, 0.5), disc, 0.2)
    samples = np.stack([_smooth(draw_sample(noisy, rng), 15e-9).values[disc] for _ in range(400)])
    stated = _smooth(noisy, 15e-9).uncertainty[disc]
    # The mean over pixels of variances from 400 samples each, correlated within a few pixels.
    assert np.mean(samples.var(axis=0) / stated**2) == pytest.approx(1.0, abs=0.03)


def test_width_of_zero_changes_nothing(disc):
    given = create_map(np.where(disc, 0.4, np.nan), disc)
    assert _smooth(given, 0.0) is given


def test_tiny_width_changes_nothing(disc):
    given = create_map(np.random.default_rng(0).random(SHAPE), disc)
    found = _smooth(given, 1e-12)
    np.testing.assert_allclose(found.values[disc], given.values[disc])
    np.testing.assert_allclose(found.uncertainty[disc], 0.1)


@pytest.mark.parametrize("width", [-1e-9, np.nan, np.inf])
def test_width_that_is_no_length(width):
    with pytest.raises(InputError) as error:
        _smooth(create_map(np.ones(SHAPE)), width)
    assert error.value.key == "width"


def test_draws_have_the_stated_noise_and_repeat(disc):
    given = create_map(np.where(disc, 0.4, np.nan), disc, 0.05)
    first, again = (draw_sample(given, np.random.default_rng(8)) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    rng = np.random.default_rng(9)
    samples = np.stack([draw_sample(given, rng).values[disc] for _ in range(300)])
    count = samples.size
    assert samples.mean() == pytest.approx(0.4, abs=4.0 * 0.05 / np.sqrt(count))
    assert samples.std() == pytest.approx(0.05, rel=4.0 / np.sqrt(2 * count))


def test_no_draws_without_uncertainty(disc):
    with pytest.raises(InputError, match="states no uncertainty"):
        draw_sample(create_map(np.ones(SHAPE), disc, 0.0), np.random.default_rng(0))


def test_extension_copies_the_nearest_trusted_value(disc):
    rng = np.random.default_rng(1)
    given = create_map(np.where(disc, rng.random(SHAPE), np.nan), disc)
    found = extend_outwards(given)
    core = ndimage.binary_erosion(disc)
    np.testing.assert_array_equal(found.trusted, core)
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.uncertainty).all()
    np.testing.assert_array_equal(found.values[core], given.values[core])
    rows, columns = np.nonzero(core)
    for row, column in [(0, 0), (12, 29), (23, 2), (3, 14)]:
        distances = np.hypot(rows - row, columns - column)
        nearest = np.isclose(distances, distances.min())
        assert found.values[row, column] in given.values[rows[nearest], columns[nearest]]


def test_extension_measures_distance_in_metres():
    grid = PixelGrid(9, 9, 10e-9, 50e-9)
    trusted = np.zeros(grid.shape, dtype=np.bool_)
    trusted[8, 4], trusted[4, 6] = True, True
    values = np.where(trusted, np.arange(81.0).reshape(grid.shape), np.nan)
    found = extend_outwards(CompositionMap(grid, values, 0.0 * values, trusted), erosion=0)
    # Four rows are 40 nm, two columns 100 nm.
    assert found.values[4, 4] == values[8, 4]


def test_extension_takes_nothing_away_where_the_particle_leaves_the_image():
    trusted = np.zeros(SHAPE, dtype=np.bool_)
    trusted[8:16] = True
    found = extend_outwards(create_map(np.ones(SHAPE), trusted))
    expected = np.zeros(SHAPE, dtype=np.bool_)
    expected[9:15] = True
    np.testing.assert_array_equal(found.trusted, expected)


@pytest.mark.parametrize(("erosion", "message"), [(-1, "at least 0"), (12, "no trusted pixel")])
def test_erosion_out_of_range(disc, erosion, message):
    with pytest.raises(InputError, match=message) as error:
        extend_outwards(create_map(np.ones(SHAPE), disc), erosion=erosion)
    assert error.value.key == "erosion"


def test_edge_values_do_not_reach_the_mesh(disc):
    core = ndimage.binary_erosion(disc)
    values = np.where(core, 0.5, np.where(disc, 3.0, np.nan))
    found = extend_outwards(create_map(values, disc))
    points = np.random.default_rng(0).random((500, 2)) * [29 * 20e-9, 23 * 20e-9]
    np.testing.assert_allclose(found.sample(points), 0.5, rtol=1e-13)
