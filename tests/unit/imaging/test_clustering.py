"""Clusters of pixels: found, ordered, reproduced, and refused where they make no sense."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from chemomech.errors import InputError
from chemomech.imaging.clustering import cluster
from chemomech.imaging.decomposition import decompose
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.optical_density import OpticalDensity

ENERGIES = np.concatenate([np.arange(505.0, 512.0), np.arange(512.0, 535.0, 0.5)])
PRE_EDGE = (505.0, 511.0)
SIZE = 30
COUNTS = 3000.0


def peak(centre, width=0.8):
    return np.exp(-0.5 * ((ENERGIES - centre) / width) ** 2)


def phase(lithium):
    """Absorption whose resonance moves down in energy with lithium; 1 is 100 nm."""
    step = 0.27 / (1.0 + np.exp(-(ENERGIES - 517.0) / 0.4))
    return 0.07 + step + 0.5 * (1.0 - lithium) * peak(518.0) + 0.5 * lithium * peak(516.0)


def create_density(values, incident=COUNTS):
    values = np.asarray(values, dtype=np.float32)
    energies = ENERGIES[: len(values)]
    return OpticalDensity(
        values,
        energies,
        PixelGrid(*values.shape[1:], 30e-9, 30e-9),
        np.ones(values.shape[1:], dtype=np.bool_),
        np.full(len(energies), incident),
    )


@pytest.fixture
def particle():
    """A disc of two phases, thicker on one side, whose edge pixels are covered in part."""
    rows, columns = np.indices((SIZE, SIZE))
    distance = 13.0 - np.hypot(rows - 14.5, columns - 14.5)
    coverage = np.clip(distance + 0.5, 0.0, 1.0)
    lithiated = columns >= 14
    thickness = 1.0 + 0.5 * (rows - 14.5) / 14.5
    spectra = np.where(lithiated, phase(0.6)[:, None, None], phase(0.2)[:, None, None])
    counts = COUNTS * ((1.0 - coverage) + coverage * np.exp(-thickness * spectra))
    counts = np.random.default_rng(4).poisson(counts)
    return create_density(-np.log(counts / COUNTS)), coverage > 0.5, lithiated


def test_phases_are_found_whatever_the_thickness(particle):
    od, mask, lithiated = particle
    found = cluster(
        od, mask, decompose(od, mask, components=3), clusters=2, seed=0, pre_edge=PRE_EDGE
    )
    # The lithiated phase absorbs at lower energies: it is the first.
    right = found.labels == np.where(lithiated, 0, 1)
    # The specification's label accuracy.
    assert right[found.core].mean() > 0.94
    assert right[mask].mean() > 0.94


def test_labels_cover_the_mask_and_the_core_is_eroded(particle):
    od, mask, _ = particle
    found = cluster(od, mask, decompose(od, mask, components=3), clusters=2, seed=0, erosion=2)
    np.testing.assert_array_equal(found.labels >= 0, mask)
    assert found.core.sum() < mask.sum()
    # Two pixels off the edge, diagonals included.
    rows, columns = np.nonzero(found.core)
    for shift in (-2, 2):
        assert mask[rows + shift, columns + shift].all()
        assert mask[rows, columns + shift].all()


def test_no_edge_where_the_particle_leaves_the_image():
    values = np.random.default_rng(0).random((5, 6, 6)) + 1.0
    od, mask = create_density(values), np.ones((6, 6), dtype=np.bool_)
    found = cluster(od, mask, decompose(od, mask, components=2), clusters=1, seed=0)
    assert found.core.all()


def test_spectra_spread_and_sizes_are_those_of_the_core(particle):
    od, mask, _ = particle
    found = cluster(od, mask, decompose(od, mask, components=3), clusters=2, seed=0)
    for number in range(2):
        members = od.values[:, found.core & (found.labels == number)].astype(np.float64)
        assert found.sizes[number] == members.shape[1]
        np.testing.assert_allclose(found.spectra[number], members.mean(axis=1), rtol=1e-10)
        np.testing.assert_allclose(found.spread[number], members.std(axis=1, ddof=1), rtol=1e-10)


def test_spectra_of_equal_area_belong_to_one_thickness():
    thickness = np.where(np.arange(12) < 6, 1.0, 1.6) * np.ones((12, 1))
    lithium = np.where(np.arange(12) < 6, 0.2, 0.6)
    spectra = np.stack([phase(x) for x in lithium], axis=1)
    od = create_density(spectra[:, None, :] * thickness)
    mask = np.ones((12, 12), dtype=np.bool_)
    found = cluster(
        od, mask, decompose(od, mask, components=2), clusters=2, seed=0, pre_edge=PRE_EDGE
    )
    # Both peaks are within the window and of one height, so that area counts thickness.
    equal = found.spectra_of_equal_area()
    np.testing.assert_allclose(equal[1], 1.3 * phase(0.2), rtol=1e-4)
    np.testing.assert_allclose(equal[0], 1.3 * phase(0.6), rtol=1e-4)


def test_untreated_features_are_the_scores(particle):
    od, mask, _ = particle
    decomposition = decompose(od, mask, components=3)
    found = cluster(
        od,
        mask,
        decomposition,
        clusters=3,
        seed=5,
        skip_first=False,
        erosion=0,
        area_normalise=False,
    )
    model = KMeans(3, n_init=10, random_state=5).fit(decomposition.scores[:, mask].T)
    assert found.inertia == pytest.approx(model.inertia_, rel=1e-6)


def test_skipping_the_first_component_takes_it_out_of_the_scores(particle):
    od, mask, _ = particle
    decomposition = decompose(od, mask, components=3, centred=True, normalised=True)
    found = cluster(od, mask, decomposition, clusters=2, seed=5, erosion=0, area_normalise=False)
    model = KMeans(2, n_init=10, random_state=5).fit(decomposition.scores[1:, mask].T)
    assert found.inertia == pytest.approx(model.inertia_, rel=1e-6)


@pytest.mark.parametrize("skip_first", [False, True])
def test_same_labels_from_run_to_run_and_for_any_threads(particle, skip_first):
    od, mask, _ = particle
    results = []
    for threads in (1, 2, 2):
        with threadpool_limits(limits=threads):
            results.append(
                cluster(
                    od,
                    mask,
                    decompose(od, mask, components=4),
                    clusters=4,
                    seed=7,
                    skip_first=skip_first,
                )
            )
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].labels, other.labels)
        np.testing.assert_array_equal(results[0].spectra, other.spectra)


def test_seed_does_not_change_the_order_of_clusters(particle):
    od, mask, _ = particle
    decomposition = decompose(od, mask, components=3)
    first, second = (
        cluster(od, mask, decomposition, clusters=2, seed=seed).labels for seed in (1, 2)
    )
    np.testing.assert_array_equal(first, second)


def test_pixels_that_absorb_nothing_have_no_label():
    rng = np.random.default_rng(0)
    values = phase(0.3)[:, None, None] * (1.0 + rng.random((8, 8)))
    values = values + 0.01 * rng.standard_normal(values.shape)
    values[:, 3, 3] = -0.1
    od, mask = create_density(values), np.ones((8, 8), dtype=np.bool_)
    found = cluster(od, mask, decompose(od, mask, components=3), clusters=2, seed=0, erosion=0)
    assert found.labels[3, 3] == -1
    assert not found.core[3, 3]
    assert np.count_nonzero(found.labels == -1) == 1


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"clusters": 0}, "clusters", "at least 1"),
        ({"restarts": 0}, "restarts", "at least 1"),
        ({"erosion": -1}, "erosion", "at least 0"),
        ({"erosion": 15}, "erosion", "lies 15 pixels or more from its edge"),
        ({"clusters": 1000}, "clusters", "cannot make 1000 clusters"),
        ({"pre_edge": (400.0, 410.0)}, "pre_edge", "between 400 and 410 eV"),
        ({"pre_edge": (511.0, 505.0)}, "pre_edge", "no energy lies between"),
    ],
)
def test_wrong_options(particle, options, key, message):
    od, mask, _ = particle
    decomposition = decompose(od, mask, components=2)
    with pytest.raises(InputError, match=message) as error:
        cluster(od, mask, decomposition, **({"clusters": 2, "seed": 0} | options))
    assert error.value.key == key


def test_first_component_cannot_be_skipped_alone(particle):
    od, mask, _ = particle
    with pytest.raises(InputError, match="there is no other"):
        cluster(od, mask, decompose(od, mask, components=1), clusters=2, seed=0)


def test_decomposition_of_another_mask(particle):
    od, mask, _ = particle
    smaller = mask.copy()
    smaller[15] = False
    with pytest.raises(InputError, match="use the same mask"):
        cluster(od, mask, decompose(od, smaller, components=2), clusters=2, seed=0)


def test_decomposition_of_another_stack(particle):
    od, mask, _ = particle
    part = create_density(od.values[:20])
    with pytest.raises(InputError, match="20 energies"):
        cluster(od, mask, decompose(part, mask, components=2), clusters=2, seed=0)
    half = create_density(od.values[:, :20])
    with pytest.raises(InputError, match=r"images of \(20, 30\) pixels"):
        cluster(od, mask, decompose(half, mask[:20], components=2), clusters=2, seed=0)


def test_cluster_of_one_pixel_has_no_spread():
    rng = np.random.default_rng(0)
    values = 1.0 + 0.01 * rng.random((6, 8, 8))
    values[:3, 4, 4] = 5.0
    od, mask = create_density(values), np.ones((8, 8), dtype=np.bool_)
    with pytest.raises(InputError, match="holds a single pixel"):
        cluster(
            od, mask, decompose(od, mask, components=3), clusters=2, seed=0, area_normalise=False
        )


def test_alike_spectra_make_one_cluster_only():
    od, mask = create_density(np.ones((6, 8, 8))), np.ones((8, 8), dtype=np.bool_)
    decomposition = decompose(od, mask, components=2)
    with pytest.raises(InputError, match="differ too little for 2 clusters"):
        cluster(od, mask, decomposition, clusters=2, seed=0, skip_first=False)


def test_nothing_that_absorbs():
    values = -0.1 * np.ones((6, 8, 8))
    od, mask = create_density(values), np.ones((8, 8), dtype=np.bool_)
    with pytest.raises(InputError, match="no pixel of the mask absorbs"):
        cluster(od, mask, decompose(od, mask, components=2), clusters=2, seed=0)


def test_one_energy_has_no_spectra(particle):
    od, mask, _ = particle
    decomposition = decompose(od, mask, components=2)
    with pytest.raises(InputError, match="one image"):
        cluster(create_density(od.values[:1]), mask, decomposition, clusters=2, seed=0)
