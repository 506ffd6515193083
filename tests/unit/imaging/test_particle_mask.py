"""Pixels of particles."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.optical_density import OpticalDensity, convert
from chemomech.imaging.particle_mask import find_particles, mean_density
from chemomech.imaging.phantom import create_phantom

GRID = PixelGrid(30, 40, 35e-9, 35e-9)
ENERGIES = np.array([510.0, 515.0, 520.0, 530.0])


def create_densities(image):
    """The same image at every energy, scaled by 1 to 4."""
    values = np.arange(1.0, 5.0)[:, None, None] * image
    valid = np.isfinite(image)
    return OpticalDensity(values, ENERGIES, GRID, valid, np.full(4, 1000.0))


def create_block(density=0.4):
    image = np.zeros(GRID.shape)
    image[10:20, 12:30] = density
    return image


def test_mean_over_all_energies_and_in_a_window():
    od = create_densities(create_block())
    assert mean_density(od)[15, 15] == pytest.approx(1.0)
    assert mean_density(od, (515.0, 520.0))[15, 15] == pytest.approx(1.0)
    assert mean_density(od, (520.0, 600.0))[15, 15] == pytest.approx(1.4)
    assert mean_density(od, (529.0, 531.0))[15, 15] == pytest.approx(1.6)
    with pytest.raises(InputError, match="510 to 530 eV") as caught:
        mean_density(od, (540.0, 550.0))
    assert caught.value.key == "window"


def test_block_is_found():
    np.testing.assert_array_equal(
        find_particles(create_densities(create_block())), create_block() > 0.0
    )


def test_invalid_pixels_are_no_particle():
    image = create_block()
    image[12, 15] = np.nan
    image[0, 0] = np.nan
    expected = create_block() > 0.0
    expected[12, 15] = False
    np.testing.assert_array_equal(find_particles(create_densities(image)), expected)


def test_specks_are_dropped():
    image = create_block()
    image[2:4, 2:6] = 0.4
    image[25:28, 35:38] = 0.4
    found = find_particles(create_densities(image))
    assert not found[2:4, 2:6].any()
    assert found[25:28, 35:38].all()


def test_level_is_unbiased_after_the_blur_of_the_microscope():
    phantom = create_phantom(wire="delithiated", seed=0, drift=0.0, noise=False)
    od = convert(phantom.stack, phantom.truth.incident + phantom.truth.dark, dark=10.0)
    found = find_particles(od, (530.0, 560.0))
    wrong = np.count_nonzero(found ^ phantom.truth.mask)
    # Pixels whose centre is within a tenth of a pixel of the edge may fall on either side.
    grid = phantom.stack.grid
    close = np.abs(phantom.truth.wire.signed_distance(grid.centres())) < 0.1 * grid.pixel_size
    assert wrong <= np.count_nonzero(close)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full(GRID.shape, 0.3), "same density everywhere"),
        (create_block() - 1.0, "I0 is too small"),
    ],
)
def test_bad_images(image, message):
    with pytest.raises(InputError, match=message):
        find_particles(create_densities(image))


def test_nothing_but_specks():
    image = np.zeros(GRID.shape)
    image[::6, ::6] = 0.4
    with pytest.raises(InputError, match="no particle of 9 pixels"):
        find_particles(create_densities(image))
