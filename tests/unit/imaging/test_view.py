"""The part of an image that all frames show, and regions stated in the whole image."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.stack import Stack
from chemomech.imaging.view import View

SHAPE = (8, 10)


@pytest.fixture
def counts():
    return np.ones((3, *SHAPE), dtype=np.float32)


def create_stack(counts):
    return Stack(counts, np.array([510.0, 520.0, 530.0]), PixelGrid(*SHAPE, 35e-9, 35e-9))


def test_nothing_lost(counts):
    view = View.find(create_stack(counts))
    assert view.is_whole
    assert (view.rows, view.columns) == (slice(0, 8), slice(0, 10))


def test_what_one_frame_lost_is_lost_to_all(counts):
    counts[0, :2] = np.nan
    counts[1, -1:] = np.nan
    counts[2, :, :3] = np.nan
    view = View.find(create_stack(counts))
    assert not view.is_whole
    assert view == View(SHAPE, slice(2, 7), slice(3, 10))


def test_single_pixels_and_lines_within_are_no_border(counts):
    counts[0, 0, 0] = counts[1, 4, 4] = np.nan
    counts[2, 5] = np.nan
    assert View.find(create_stack(counts)).is_whole


def test_frames_that_share_nothing_are_refused(counts):
    counts[0, :4] = np.nan
    counts[1, 4:] = np.nan
    with pytest.raises(InputError, match="no pixel is in all frames"):
        View.find(create_stack(counts))


def test_masks_are_cut_as_stacks_are(counts):
    view = View(SHAPE, slice(2, 7), slice(3, 10))
    counts[:] = np.arange(80.0).reshape(SHAPE)
    cut = create_stack(counts).crop(view.rows, view.columns)
    mask = np.arange(80).reshape(SHAPE) % 3 == 0
    np.testing.assert_array_equal(view.crop(mask), cut.counts[0] % 3 == 0)


def test_regions_are_in_pixels_of_the_whole_image():
    view = View(SHAPE, slice(2, 7), slice(3, 10))
    # (column, row): around the pixels of rows 4 to 5 and columns 6 to 8.
    region = [(5.5, 3.5), (8.5, 3.5), (8.5, 5.5), (5.5, 5.5)]
    expected = np.zeros((5, 7), dtype=bool)
    expected[2:4, 3:6] = True
    np.testing.assert_array_equal(view.rasterise(region), expected)
    # The same polygon in the view's own pixels.
    moved = view.move(region)
    assert moved == [(2.5, 1.5), (5.5, 1.5), (5.5, 3.5), (2.5, 3.5)]
    own = View((5, 7), slice(0, 5), slice(0, 7))
    np.testing.assert_array_equal(own.rasterise(moved), expected)
    assert view.move(None) is None


def test_a_region_outside_the_view_is_refused():
    view = View(SHAPE, slice(4, 8), slice(0, 10))
    with pytest.raises(InputError, match="no pixel") as caught:
        view.rasterise([(0.0, 0.0), (9.0, 0.0), (9.0, 2.0), (0.0, 2.0)])
    assert caught.value.key == "region"
