"""Thickness maps: exact without noise, honest about it, and refused where they cannot be had."""

import numpy as np
import pytest
from scipy import optimize

from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.optical_density import OpticalDensity
from chemomech.imaging.unmixing import unmix

ENERGIES = np.concatenate([np.arange(505.0, 512.0), np.arange(512.0, 535.0, 0.4)])
SHAPE = (20, 25)
EVERYWHERE = np.ones(SHAPE, dtype=np.bool_)
METHODS = ["plain", "non_negative", "weighted"]


def peak(centre, width=0.8):
    return np.exp(-0.5 * ((ENERGIES - centre) / width) ** 2)


EDGE = 0.07 + 0.27 / (1.0 + np.exp(-(ENERGIES - 517.0) / 0.4))
SPECTRA = np.stack([EDGE + 0.5 * peak(518.0), EDGE + 0.5 * peak(516.0), EDGE + 0.6 * peak(529.0)])
MIDDLE = (ENERGIES[0] + ENERGIES[-1]) / 2.0
LINE = (ENERGIES - MIDDLE) / 30.0


def create_density(values, incident=3000.0, shape=SHAPE, **noise):
    return OpticalDensity(
        np.asarray(values, dtype=np.float32),
        ENERGIES,
        PixelGrid(*shape, 30e-9, 30e-9),
        np.ones(shape, dtype=np.bool_),
        np.full(len(ENERGIES), incident),
        **noise,
    )


def add_noise(values, incident, seed):
    counts = np.random.default_rng(seed).poisson(incident * np.exp(-values))
    return -np.log(counts / incident)


@pytest.fixture
def thickness():
    return np.random.default_rng(0).random((3, *SHAPE)) + 0.1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("constant", "linear"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_exact_without_noise(thickness, method, constant, linear):
    baseline = (constant * 0.3 + linear * 0.1 * LINE[:, None, None]) * np.ones(SHAPE)
    od = create_density(np.einsum("kyx,ke->eyx", thickness, SPECTRA) + baseline)
    maps = unmix(
        od, EVERYWHERE, SPECTRA, method=method, constant=bool(constant), linear=bool(linear)
    )
    # The densities are float32, and the condition number below 30 magnifies their rounding.
    np.testing.assert_allclose(maps.thickness, thickness, rtol=0.0, atol=1e-5)
    assert maps.baseline.shape == (constant + linear, *SHAPE)
    if constant:
        np.testing.assert_allclose(maps.baseline[0], 0.3, rtol=0.0, atol=1e-5)
    if linear:
        last = 0.1 * (ENERGIES[-1] - MIDDLE) / 30.0
        np.testing.assert_allclose(maps.baseline[-1], last, rtol=0.0, atol=1e-5)
    assert maps.rms_residual < 1e-6
    assert maps.method == method


def test_plain_is_the_pseudo_inverse():
    values = np.random.default_rng(1).random((len(ENERGIES), *SHAPE))
    od = create_density(values)
    maps = unmix(od, EVERYWHERE, SPECTRA, constant=False)
    expected = np.linalg.pinv(SPECTRA.T) @ od.values.reshape(len(ENERGIES), -1)
    np.testing.assert_allclose(maps.thickness.reshape(3, -1), expected, rtol=0.0, atol=1e-10)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_non_negative_is_the_bounded_minimum(count, constant):
    rng = np.random.default_rng(2)
    amounts = rng.normal(0.0, 1.0, (count, *SHAPE))
    values = np.einsum("kyx,ke->eyx", amounts, SPECTRA[:count]) + rng.normal(0.3, 0.1)
    od = create_density(values + 0.1 * rng.standard_normal(values.shape))
    maps = unmix(od, EVERYWHERE, SPECTRA[:count], method="non_negative", constant=constant)
    columns = [*SPECTRA[:count], np.ones(len(ENERGIES))] if constant else SPECTRA[:count]
    matrix = np.stack(columns, axis=1)
    lower = np.where(np.arange(len(columns)) < count, 0.0, -np.inf)
    for row, column in zip(range(0, 20, 2), range(0, 25, 2), strict=False):
        data = od.values[:, row, column].astype(np.float64)
        expected = optimize.lsq_linear(matrix, data, (lower, np.inf), method="bvls", tol=1e-14)
        np.testing.assert_allclose(
            maps.thickness[:, row, column], expected.x[:count], rtol=0.0, atol=1e-7
        )
    assert (maps.thickness >= 0.0).all()
    assert (maps.thickness == 0.0).any()


def test_weighted_is_the_weighted_minimum():
    values = np.einsum("k,ke->e", [0.8, 1.4], SPECTRA[:2])[:, None, None] * np.ones((2, 2))
    od = create_density(add_noise(values, 300.0, 3), 300.0, (2, 2), dark=20.0, incident_pixels=9)
    maps = unmix(od, np.ones((2, 2), dtype=np.bool_), SPECTRA[:2], method="weighted")
    matrix = np.stack([*SPECTRA[:2], np.ones(len(ENERGIES))], axis=1)
    for index in np.ndindex(2, 2):
        data = od.values[(slice(None), *index)].astype(np.float64)
        plain = np.linalg.lstsq(matrix, data, rcond=None)[0]
        counts = 300.0 * np.exp(-matrix @ plain)
        weights = 1.0 / ((counts + 20.0) / counts**2 + 320.0 / (9 * 300.0**2))
        normal = matrix.T @ (weights[:, None] * matrix)
        expected = np.linalg.solve(normal, matrix.T @ (weights * data))
        np.testing.assert_allclose(maps.thickness[(slice(None), *index)], expected[:2], rtol=1e-9)
        np.testing.assert_allclose(
            maps.covariance[(slice(None), slice(None), *index)],
            np.linalg.inv(normal)[:2, :2],
            rtol=1e-8,
        )


@pytest.mark.parametrize("method", ["plain", "weighted"])
def test_covariance_is_that_of_the_noise(method):
    shape = (60, 60)
    truth = np.array([0.7, 1.2])
    values = np.einsum("k,ke->e", truth, SPECTRA[:2])[:, None, None] * np.ones(shape)
    od = create_density(add_noise(values, 1000.0, 4), 1000.0, shape)
    maps = unmix(od, np.ones(shape, dtype=np.bool_), SPECTRA[:2], method=method)
    errors = (maps.thickness - truth[:, None, None]).reshape(2, -1)
    expected = maps.covariance.mean(axis=(2, 3))
    # Four standard deviations of a variance estimated from n normal numbers.
    scatter = 4.0 * np.sqrt(2.0 / errors.shape[1])
    np.testing.assert_allclose(np.cov(errors), expected, rtol=scatter)
    # -ln of a Poisson number is 1 / (2 I) too large on average, which no thickness should be.
    assert (np.abs(errors.mean(axis=1)) < 0.2 * np.sqrt(np.diag(expected))).all()


def test_weights_lower_the_noise():
    values = np.einsum("k,ke->e", [2.0, 3.0], SPECTRA[:2])[:, None, None] * np.ones(SHAPE)
    od = create_density(values)
    variances = [
        np.diagonal(unmix(od, EVERYWHERE, SPECTRA[:2], method=method).covariance[:, :, 3, 3])
        for method in ("plain", "weighted")
    ]
    # Gauss and Markov: no unbiased linear estimate has less.
    assert (variances[1] < variances[0]).all()


def test_residual_is_the_misfit(thickness):
    values = np.einsum("kyx,ke->eyx", thickness, SPECTRA)
    values[:, 4, 5] += 0.3 * peak(524.0)
    od = create_density(values)
    maps = unmix(od, EVERYWHERE, SPECTRA)
    columns = np.stack([*SPECTRA, np.ones(len(ENERGIES))], axis=1)
    data = od.values.reshape(len(ENERGIES), -1).astype(np.float64)
    misfit = data - columns @ np.linalg.lstsq(columns, data, rcond=None)[0]
    expected = np.sqrt(np.mean(misfit**2, axis=0)).reshape(SHAPE)
    np.testing.assert_allclose(maps.residual, expected, rtol=0.0, atol=1e-9)
    assert np.unravel_index(np.argmax(maps.residual), SHAPE) == (4, 5)
    assert maps.rms_residual == pytest.approx(np.sqrt(np.mean(misfit**2)))
    assert maps.relative_residual == pytest.approx(np.linalg.norm(misfit) / np.linalg.norm(data))


def test_condition_is_that_of_columns_of_unit_norm():
    od = create_density(np.ones((len(ENERGIES), *SHAPE)))
    small = unmix(od, EVERYWHERE, SPECTRA[:2] * [[1.0], [1e-9]], constant=False)
    cosine = SPECTRA[0] @ SPECTRA[1] / np.linalg.norm(SPECTRA[0]) / np.linalg.norm(SPECTRA[1])
    # Singular values of two unit columns.
    assert small.condition == pytest.approx(np.sqrt((1.0 + cosine) / (1.0 - cosine)))


def test_nothing_outside_the_mask_and_where_invalid(thickness):
    values = np.einsum("kyx,ke->eyx", thickness, SPECTRA)
    valid, mask = EVERYWHERE.copy(), EVERYWHERE.copy()
    valid[2, 3], mask[:2] = False, False
    values[:, 2, 3] = np.nan
    grid = PixelGrid(*SHAPE, 30e-9, 30e-9)
    od = OpticalDensity(
        values.astype(np.float32), ENERGIES, grid, valid, np.full(len(ENERGIES), 3000.0)
    )
    maps = unmix(od, mask, SPECTRA)
    np.testing.assert_array_equal(maps.mask, mask & valid)
    for image in (maps.thickness, maps.baseline, maps.covariance, maps.residual):
        np.testing.assert_array_equal(
            np.isfinite(image), np.broadcast_to(mask & valid, image.shape)
        )
    assert maps.grid is grid


def test_empty_pixels_have_no_residual():
    od = create_density(np.zeros((len(ENERGIES), *SHAPE)))
    assert unmix(od, EVERYWHERE, SPECTRA).relative_residual == 0.0


def with_nan():
    spectra = SPECTRA.copy()
    spectra[1, 3] = np.nan
    return spectra


@pytest.mark.parametrize(
    ("spectra", "message"),
    [
        (SPECTRA[:, :-1], "interpolate them to the stack's energies"),
        (SPECTRA[0], "interpolate them"),
        (np.empty((0, len(ENERGIES))), "interpolate them"),
        (with_nan(), "not finite"),
        (np.stack([SPECTRA[0], np.zeros(len(ENERGIES))]), "spectrum 2 is zero"),
        (SPECTRA[[0, 1, 0]], "condition number is .* leave out what is given twice"),
        (np.stack([SPECTRA[0], 2.0 * SPECTRA[0]]), "cannot be told apart"),
        (np.stack([SPECTRA[0], 0.4 * np.ones(len(ENERGIES))]), "cannot be told apart"),
        (np.stack([SPECTRA[0], 1.0 + LINE]), "cannot be told apart"),
        (np.random.default_rng(0).random((len(ENERGIES), len(ENERGIES))), "cannot determine"),
    ],
)
@pytest.mark.parametrize("method", ["plain", "weighted"])
def test_spectra_that_cannot_be_used(spectra, message, method):
    od = create_density(np.ones((len(ENERGIES), *SHAPE)))
    with pytest.raises(InputError, match=message) as error:
        unmix(od, EVERYWHERE, spectra, method=method, linear=True)
    assert error.value.key == "spectra"


def test_too_many_spectra_for_non_negative():
    od = create_density(np.ones((len(ENERGIES), *SHAPE)))
    many = np.stack([peak(510.0 + 3.0 * number) for number in range(7)])
    assert unmix(od, EVERYWHERE, many[:6], method="non_negative").thickness.shape[0] == 6
    with pytest.raises(InputError, match="at most 6 spectra, got 7"):
        unmix(od, EVERYWHERE, many, method="non_negative")


def test_unknown_method():
    od = create_density(np.ones((len(ENERGIES), *SHAPE)))
    with pytest.raises(InputError, match="plain, non_negative, weighted, got best"):
        unmix(od, EVERYWHERE, SPECTRA, method="best")


def test_one_energy_has_no_spectra():
    od = OpticalDensity(
        np.ones((1, *SHAPE), dtype=np.float32),
        ENERGIES[:1],
        PixelGrid(*SHAPE, 30e-9, 30e-9),
        EVERYWHERE,
        np.array([3000.0]),
    )
    with pytest.raises(InputError, match="one image"):
        unmix(od, EVERYWHERE, SPECTRA[:1, :1], constant=False)
