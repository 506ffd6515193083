"""Principal components: exact, of one sign, and refused where there are none."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from chemomech.errors import InputError
from chemomech.imaging.decomposition import decompose
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.optical_density import OpticalDensity

ENERGIES = np.linspace(500.0, 540.0, 12)
SHAPE = (9, 11)


def create_density(values, valid=None):
    values = np.asarray(values, dtype=np.float32)
    valid = np.ones(values.shape[1:], dtype=np.bool_) if valid is None else valid
    energies = ENERGIES[: len(values)]
    grid = PixelGrid(*values.shape[1:], 30e-9, 30e-9)
    return OpticalDensity(values, energies, grid, valid, np.full(len(values), 1000.0))


@pytest.fixture
def mask():
    mask = np.ones(SHAPE, dtype=np.bool_)
    mask[0], mask[3, 4] = False, False
    return mask


@pytest.fixture
def od():
    values = np.random.default_rng(1).normal(1.0, 0.3, (len(ENERGIES), *SHAPE))
    values[:, 5, 5] = np.nan
    valid = np.isfinite(values).all(axis=0)
    return create_density(values, valid)


def test_centred_components_are_those_of_scikit_learn(od, mask):
    found = decompose(od, mask, components=4, centred=True)
    chosen = mask & od.valid
    reference = PCA(4, svd_solver="full").fit(od.values[:, chosen].T.astype(np.float64))
    np.testing.assert_allclose(found.mean, reference.mean_, rtol=1e-12)
    np.testing.assert_allclose(found.variances, reference.explained_variance_, rtol=1e-9)
    signs = np.sign(np.sum(found.spectra * reference.components_, axis=1))
    np.testing.assert_allclose(
        found.spectra, reference.components_ * signs[:, None], rtol=0.0, atol=1e-9
    )


def test_components_about_the_origin_are_singular_vectors(od, mask):
    found = decompose(od, mask, components=3)
    data = od.values[:, mask & od.valid].astype(np.float64)
    singular = np.linalg.svd(data, compute_uv=False)
    np.testing.assert_allclose(found.scree, singular**2 / data.shape[1], rtol=1e-9)
    assert found.mean is None
    # Squares of the scores average to the variances.
    scores = found.scores[:, mask & od.valid]
    np.testing.assert_allclose(np.mean(scores**2, axis=1), found.variances, rtol=1e-9)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
def test_all_components_rebuild_the_spectra(od, mask, centred, normalised):
    found = decompose(od, mask, components=len(ENERGIES), centred=centred, normalised=normalised)
    rebuilt = np.einsum("kyx,ke->eyx", found.scores, found.spectra)
    if found.scale is not None:
        rebuilt *= found.scale[:, None, None]
    if found.mean is not None:
        rebuilt += found.mean[:, None, None]
    chosen = mask & od.valid
    np.testing.assert_allclose(rebuilt[:, chosen], od.values[:, chosen], rtol=0.0, atol=1e-10)


def test_normalised_energies_weigh_the_same(od, mask):
    found = decompose(od, mask, components=2, centred=True, normalised=True)
    assert found.scree.sum() == pytest.approx(len(ENERGIES))
    chosen = mask & od.valid
    deviation = od.values[:, chosen].astype(np.float64).std(axis=1, ddof=1)
    np.testing.assert_allclose(found.scale, deviation, rtol=1e-9)


def test_scores_are_missing_outside_the_mask_and_where_invalid(od, mask):
    found = decompose(od, mask, components=2)
    np.testing.assert_array_equal(np.isfinite(found.scores[1]), mask & od.valid)


def test_largest_entry_is_positive(od, mask):
    spectra = decompose(od, mask, components=len(ENERGIES)).spectra
    largest = np.argmax(np.abs(spectra), axis=1)
    assert (spectra[np.arange(len(spectra)), largest] > 0.0).all()


def test_two_phases_have_two_components(mask):
    shares = np.random.default_rng(2).random((2, *SHAPE))
    spectra = np.stack([np.linspace(0.1, 1.0, 12), np.cos(np.arange(12.0)) + 1.5])
    od = create_density(np.einsum("kyx,ke->eyx", shares, spectra))
    scree = decompose(od, mask, components=2).scree
    # Densities have the precision of float32.
    assert scree[1] > 1e-3
    assert (scree[2:] < 1e-12 * scree[0]).all()


def test_same_bits_for_any_number_of_threads(mask):
    values = np.random.default_rng(3).normal(1.0, 0.3, (12, 120, 120))
    od, mask = create_density(values), np.ones((120, 120), dtype=np.bool_)
    results = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            results.append(decompose(od, mask, components=3))
    np.testing.assert_array_equal(results[0].scores, results[1].scores)


@pytest.mark.parametrize("components", [0, -1, 13])
def test_number_of_components_out_of_range(od, mask, components):
    with pytest.raises(InputError, match="have 12 components") as error:
        decompose(od, mask, components=components)
    assert error.value.key == "components"


def test_fewer_pixels_than_components(od, mask):
    few = np.zeros_like(mask)
    few[1, :3] = True
    assert decompose(od, few, components=3).components == 3
    with pytest.raises(InputError, match="3 pixels have 2 components"):
        decompose(od, few, components=3, centred=True)


def test_one_energy_has_no_spectra(mask):
    with pytest.raises(InputError, match=r"one image, at 500 eV"):
        decompose(create_density(np.ones((1, *SHAPE))), mask, components=1)


def test_energy_without_contrast_cannot_be_normalised(mask):
    values = np.random.default_rng(2).random((3, *SHAPE))
    values[1] = 0.0
    with pytest.raises(InputError, match=r"503\.636 eV .* does not vary"):
        decompose(create_density(values), mask, components=1, normalised=True)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros(SHAPE, dtype=np.bool_), "holds no pixel"),
        (np.ones((3, 3), dtype=np.bool_), r"got bool of shape \(3, 3\)"),
        (np.ones(SHAPE), "got float64"),
    ],
)
def test_mask_that_does_not_fit(od, mask, message):
    with pytest.raises(InputError, match=message) as error:
        decompose(od, mask, components=1)
    assert error.value.key == "mask"


def test_mask_of_invalid_pixels(od):
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[5, 5] = True
    with pytest.raises(InputError, match="none of the 1 pixels"):
        decompose(od, mask, components=1)
