"""A real stack: iron in hydrothermal particles at the Fe 2p edge (Breier et al. 2012).

Its authors supply I0, a mask of the iron and the spectra of its oxidised and reduced forms.
"""

from pathlib import Path

import numpy as np
import pytest

from chemomech.imaging.clustering import cluster
from chemomech.imaging.decomposition import decompose
from chemomech.imaging.formats import read_stack
from chemomech.imaging.image_files import read_mask
from chemomech.imaging.optical_density import convert
from chemomech.imaging.spectra import read_spectrum
from chemomech.imaging.unmixing import unmix

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "stxm" / "als_fe2p_71214078"
PRE_EDGE = (700.0, 705.0)


@pytest.fixture(scope="module")
def od():
    if not FOLDER.is_dir():
        pytest.skip(f"the stack of iron is not there: {FOLDER.name}")
    stack = read_stack(FOLDER / "71214078.hdr")
    return convert(stack, read_spectrum(FOLDER / "i0.xsp").at(stack.energies))


@pytest.fixture(scope="module")
def iron(od):
    """Pixels the authors took for iron."""
    return read_mask(FOLDER / "mask_file.msk", od.grid.shape)


@pytest.fixture(scope="module")
def spectra(od):
    names = ("oxidized.t", "reduced.t")
    return np.stack([read_spectrum(FOLDER / name).at(od.energies) for name in names])


def test_constant_baseline_takes_the_residual_away(od, spectra, verify):
    """From 0.651 to 0.031, the root mean square in optical density over all pixels."""
    without = unmix(od, od.valid, spectra, constant=False)
    maps = unmix(od, od.valid, spectra)
    assert without.rms_residual == pytest.approx(0.651, abs=5e-4)
    assert without.relative_residual > 0.5
    verify(
        "residual of a real iron stack, optical density",
        maps.rms_residual,
        0.031,
        abs=1e-3,
        against="its authors' fit",
    )
    assert maps.rms_residual <= 0.04
    assert maps.relative_residual <= 0.04


def test_both_forms_of_the_spectra_agree_with_a_linear_baseline(od, spectra):
    """The second form is the first with the pre-edge's slope left in."""
    other = np.stack(
        [read_spectrum(FOLDER / name).at(od.energies) for name in ("oxidized.r", "reduced.r")]
    )
    residuals = [unmix(od, od.valid, form, linear=True).rms_residual for form in (spectra, other)]
    assert residuals[0] == pytest.approx(residuals[1], rel=0.02)


@pytest.mark.parametrize("method", ["plain", "non_negative", "weighted"])
def test_iron_is_where_the_authors_saw_it(od, iron, spectra, method):
    total = unmix(od, od.valid, spectra, method=method).thickness.sum(axis=0)
    assert np.median(total[iron]) > 5.0 * np.median(np.abs(total[~iron]))
    # Nine in ten pixels are told right by one threshold.
    threshold = np.quantile(total, 1.0 - iron.mean())
    assert np.mean((total > threshold) == iron) > 0.9


def test_oxidised_and_reduced_iron_lie_apart(od, iron, spectra):
    maps = unmix(od, iron, spectra, method="non_negative")
    oxidised, reduced = maps.thickness
    assert np.count_nonzero(oxidised[iron] > reduced[iron]) > 0.5 * iron.sum()
    # The one large grain of reduced iron, near the lower left corner.
    row, column = np.unravel_index(np.nanargmax(reduced), reduced.shape)
    assert row > 105
    assert column < 25
    assert oxidised[row, column] < reduced[row, column]


def test_seeded_clusters_repeat(od, iron):
    first, second = (
        cluster(
            od,
            iron,
            decompose(od, iron, components=4),
            clusters=3,
            seed=11,
            pre_edge=PRE_EDGE,
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.spectra, second.spectra)


def test_clusters_tell_oxidised_from_reduced(od, iron, spectra):
    """Reduced iron absorbs at lower energies, so its cluster is the first."""
    found = cluster(
        od, iron, decompose(od, iron, components=4), clusters=2, seed=11, pre_edge=PRE_EDGE
    )
    oxidised, reduced = unmix(od, iron, spectra).thickness
    share = reduced / (oxidised + reduced)
    assert np.median(share[found.labels == 0]) > np.median(share[found.labels == 1]) + 0.2
