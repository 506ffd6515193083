"""Registration of drifting frames."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage, special

from chemomech.errors import InputError
from chemomech.imaging.alignment import _apply_shifts, align
from chemomech.imaging.formats import read_stack
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.stack import Stack

IRON = Path(__file__).parents[4] / "shared" / "data" / "stxm" / "als_fe2p_71214078"
SIZE = (60, 72)


def create_image(shift, contrast=1.0):
    """A soft-edged slanted ellipse, moved so that ``shift`` brings it back to its place."""
    row, column = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    row, column = row + shift[0] - 29.3, column + shift[1] - 36.6
    distance = 1.0 - np.hypot((row + 0.3 * column) / 14.0, (column - 0.2 * row) / 20.0)
    return np.exp(-contrast * 0.5 * (1.0 + special.erf(10.0 * distance)))


def create_stack(shifts, contrasts=None, counts=3000.0, seed=None):
    contrasts = np.ones(len(shifts)) if contrasts is None else contrasts
    frames = counts * np.array(
        [create_image(shift, contrast) for shift, contrast in zip(shifts, contrasts, strict=True)]
    )
    if seed is not None:
        frames = np.random.default_rng(seed).poisson(frames)
    energies = 510.0 + np.arange(len(shifts))
    return Stack(frames, energies, PixelGrid(*SIZE, 35e-9, 35e-9))


def draw_shifts(count, largest, seed=0):
    shifts = np.random.default_rng(seed).uniform(-largest, largest, (count, 2))
    return shifts - shifts.mean(axis=0)


def compute_rms(shifts, truth):
    """Root mean square error along rows and columns, without a common offset, in pixels."""
    error = shifts - truth
    return float(np.sqrt(np.mean((error - error.mean(axis=0)) ** 2)))


def with_counts(stack, counts):
    return Stack(counts, stack.energies, stack.grid)


@pytest.mark.parametrize(("wire", "leaves_view"), [("delithiated", False), ("lithiated", True)])
@pytest.mark.parametrize("counts", [3000.0, 300.0])
def test_phantom_is_aligned_to_a_twentieth_of_a_pixel(wire, leaves_view, counts):
    phantom = create_phantom(wire=wire, seed=5, counts=counts, leaves_view=leaves_view)
    alignment = align(phantom.stack)
    assert alignment.converged
    assert compute_rms(alignment.shifts, phantom.truth.shifts) < 0.05


def test_shifts_of_frames_without_noise():
    truth = draw_shifts(12, 2.0)
    alignment = align(create_stack(truth))
    assert compute_rms(alignment.shifts, truth) < 0.01
    np.testing.assert_allclose(alignment.shifts.mean(axis=0), 0.0, atol=1e-12)
    assert alignment.rms_change <= 0.01


def test_contrast_that_changes_and_inverts_across_an_edge():
    truth = draw_shifts(14, 2.0)
    contrasts = np.concatenate([np.full(5, 0.1), np.full(6, 1.2), np.full(3, -0.3)])
    alignment = align(create_stack(truth, contrasts, seed=1))
    assert compute_rms(alignment.shifts, truth) < 0.05


def test_inverted_frames_do_not_cancel_the_reference():
    truth = draw_shifts(12, 2.0)
    contrasts = np.where(np.arange(12) % 2, 0.5, -0.5)
    assert compute_rms(align(create_stack(truth, contrasts, seed=1)).shifts, truth) < 0.05


def test_drift_of_several_pixels():
    drift = np.linspace(-7.0, 7.0, 16)
    truth = np.stack([drift, -0.6 * drift], axis=1)
    alignment = align(create_stack(truth, seed=2))
    assert compute_rms(alignment.shifts, truth) < 0.05


def test_bright_border_does_not_hold_the_shifts_back():
    # A wedge of density makes opposite borders differ, which the Fourier transform sees as an edge.
    truth = draw_shifts(10, 3.0)
    stack = create_stack(truth)
    wedge = np.exp(-0.01 * np.arange(SIZE[1]))
    alignment = align(with_counts(stack, stack.counts * wedge))
    assert compute_rms(alignment.shifts, truth) < 0.05


def test_missing_pixels_do_not_hold_the_shifts_back():
    truth = draw_shifts(10, 2.0)
    stack = create_stack(truth, seed=3)
    counts = stack.counts.copy()
    counts[:, 30, 20] = np.nan
    counts[4, 50:] = np.nan
    alignment = align(with_counts(stack, counts))
    assert compute_rms(alignment.shifts, truth) < 0.05
    assert np.isnan(alignment.stack.counts[4, 54:]).all()


def test_aligned_frames_lie_on_each_other():
    truth = draw_shifts(12, 2.0)
    stack = create_stack(truth)
    moved = align(stack).stack
    assert (moved.grid, moved.source) == (stack.grid, stack.source)
    spread = moved.counts.std(axis=0)
    inside = np.isfinite(spread)
    assert inside[4:-4, 4:-4].all()
    # The edge changes by up to 1 - 1/e over 3 pixels: a tenth of the spread before would remain
    # with a twentieth of a pixel.
    assert spread[inside].max() < 0.1 * stack.counts.std(axis=0).max()


def test_frame_moves_by_its_shift():
    # As scipy.ndimage.shift and skimage.registration have it: I(x) becomes I(x - s).
    counts = np.zeros((2, *SIZE))
    counts[:, 20, 30] = 100.0
    counts[:, 40, 30] = 50.0
    stack = Stack(counts, np.array([510.0, 511.0]), PixelGrid(*SIZE, 35e-9, 35e-9))
    moved = _apply_shifts(stack, np.array([[3.0, -2.0], [0.0, 0.0]])).counts
    assert moved[0, 23, 28] == pytest.approx(100.0, rel=1e-5)
    np.testing.assert_array_equal(moved[1], counts[1])
    assert np.isnan(moved[0, :3]).all()
    assert np.isnan(moved[0, :, -2:]).all()
    assert np.isfinite(moved[0, 3:, :-2]).all()


def test_part_of_a_pixel_costs_a_row():
    stack = create_stack(np.zeros((2, 2)))
    moved = _apply_shifts(stack, np.array([[0.25, 0.0], [-0.25, 0.0]])).counts
    assert np.isnan(moved[0, 0]).all()
    assert np.isnan(moved[1, -1]).all()
    assert np.isfinite(moved[0, 1:]).all()
    assert np.isfinite(moved[1, :-1]).all()


def test_interpolation_keeps_a_smooth_image():
    shift = np.array([0.4, -0.7])
    stack = create_stack([shift, [0.0, 0.0]])
    moved = _apply_shifts(stack, np.array([shift, [0.0, 0.0]])).counts
    error = np.abs(moved[0] - moved[1])
    # Fourth order: for a Gaussian edge of 1 pixel the error is below a hundredth of its height.
    assert np.nanmax(error) < 0.01 * 3000.0


def test_interpolation_averages_noise_as_stated():
    rng = np.random.default_rng(0)
    frames = rng.poisson(1000.0, (2, 200, 200))
    stack = Stack(frames, np.array([510.0, 511.0]), PixelGrid(200, 200, 35e-9, 35e-9))
    moved = _apply_shifts(stack, np.full((2, 2), 0.5)).counts
    # Sum of squares of the cardinal spline's weights half way, for both directions.
    impulse = np.zeros(101)
    impulse[50] = 1.0
    share = np.sum(ndimage.shift(impulse, 0.5, order=3, mode="mirror") ** 2) ** 2
    assert np.nanvar(moved) / 1000.0 == pytest.approx(share, rel=0.05)
    assert share == pytest.approx(0.57, abs=0.01)


def test_missing_pixels_stay_missing_where_they_are_moved():
    stack = create_stack(np.zeros((2, 2)))
    counts = stack.counts.copy()
    counts[0, 20, 20] = np.nan
    moved = _apply_shifts(with_counts(stack, counts), np.array([[1.5, 0.0], [0.0, 0.0]])).counts
    missing = np.argwhere(np.isnan(moved[0, 2:]))
    np.testing.assert_array_equal(missing, [[19, 20], [20, 20]])


def test_splines_do_not_swing_below_zero():
    counts = np.full((2, *SIZE), 100.0)
    counts[:, 20:30, 20:30] = 0.0
    stack = Stack(counts, np.array([510.0, 511.0]), PixelGrid(*SIZE, 35e-9, 35e-9))
    assert np.nanmin(_apply_shifts(stack, np.full((2, 2), 0.3)).counts) == 0.0


def test_single_image_comes_back():
    stack = create_stack([[0.0, 0.0]])
    alignment = align(stack)
    assert alignment.stack is stack
    assert alignment.converged
    np.testing.assert_array_equal(alignment.shifts, [[0.0, 0.0]])


def test_same_bits_every_time():
    stack = create_stack(draw_shifts(6, 2.0), seed=1)
    np.testing.assert_array_equal(align(stack).shifts, align(stack).shifts)


def test_rounds_that_do_not_suffice_are_reported():
    alignment = align(create_stack(draw_shifts(6, 3.0), seed=1), max_iterations=1)
    assert not alignment.converged
    assert alignment.iterations == 1
    assert alignment.rms_change > 0.01


def test_frame_that_moved_too_far_is_named():
    shifts = np.zeros((6, 2))
    shifts[3] = (0.0, 8.0)
    stack = create_stack(shifts)
    with pytest.raises(InputError, match=r"frame 4 \(513 eV\).* columns allowed") as caught:
        align(stack, max_shift=4.0)
    assert caught.value.key == "max_shift"
    assert align(stack).converged


def test_frame_that_shows_nothing_is_named():
    stack = create_stack(np.zeros((4, 2)))
    counts = stack.counts.copy()
    counts[2] = 100.0
    with pytest.raises(InputError, match=r"frame 3 \(512 eV\) has the same count everywhere"):
        align(with_counts(stack, counts))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_iterations", 0),
        ("tolerance", 0.0),
        ("tolerance", np.nan),
        ("max_shift", -1.0),
    ],
)
def test_bad_arguments(key, value):
    with pytest.raises(InputError) as caught:
        align(create_stack(np.zeros((2, 2))), **{key: value})
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("shifts", "message"),
    [
        (np.zeros((3, 2)), "each of 2 energies"),
        (np.zeros(2), "each of 2 energies"),
        (np.full((2, 2), np.nan), "finite"),
        (np.full((2, 2), 65.0), "frame 1"),
    ],
)
def test_bad_shifts(shifts, message):
    with pytest.raises(InputError, match=message):
        _apply_shifts(create_stack(np.zeros((2, 2))), shifts)


def test_aligned_iron_stack_is_left_alone():
    if not IRON.is_dir():
        pytest.skip(f"the real stack is not there: {IRON.name}")
    alignment = align(read_stack(IRON / "71214078.hdr"))
    # Its authors aligned it to whole pixels or better.
    assert np.abs(alignment.shifts).max() < 0.5
