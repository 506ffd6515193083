"""Registration of the frames of a stack, which drift from one photon energy to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage
from skimage.registration import phase_cross_correlation

from chemomech.arrays import CountArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.selection import suggest_leaving_out
from chemomech.imaging.stack import Stack

_SpectrumArray = npt.NDArray[np.complex64]

# Share of the view at each end over which it fades out.
_TAPER = 0.125
# Shifts are found to within one in so many parts of a pixel.
_UPSAMPLING = 100
# Cycles per pixel below which noise does not hide the contrast of a frame.
_COARSE = 0.125


@dataclass(frozen=True, eq=False)
class _Alignment:
    """A stack whose frames lie on each other; NaN where a frame does not reach.

    Shifts (row, column) by which frames were moved are in pixels, shape (energies, 2), as is their
    root mean square change in the last round.
    """

    stack: Stack
    shifts: FloatArray
    rms_change: float
    iterations: int
    converged: bool


def align(
    stack: Stack,
    *,
    max_iterations: int = 8,
    tolerance: float = 0.01,
    max_shift: float | None = None,
) -> _Alignment:
    """Move each frame s to where its cross-correlation with the mean of all frames is largest.

    Frame e becomes I_e(x - s_e); the mean of the shifts is zero. All frames are compared with one
    reference, the mean of the other frames where they lie by now, over and over until the shifts
    rest; the first reference is the frame with the strongest contrast. Frame to frame comparisons
    would add up their errors.

    What is correlated is the square root of the counts less its mean: its noise is the same at all
    pixels and energies, which makes the plain correlation (not the phase correlation, which gives
    noise the weight of contrast) the most accurate one. A frame with inverted contrast counts
    negatively. The view fades out towards its borders, and the window moves with the frame, for a
    fixed one would hold the shifts back.

    Args:
        stack: Counts; pixels without a value take the nearest one while shifts are sought.
        max_iterations: Most rounds.
        tolerance: Root mean square change of the shifts that ends the rounds, in pixels.
        max_shift: Largest shift believed along rows or columns, in pixels; by default a quarter of
            the rows or columns.

    Returns:
        The moved stack (see `_apply_shifts`) and the shifts; a single frame comes back as it is.

    Raises:
        InputError: A frame shows nothing, or seems to have moved by more than ``max_shift``; or an
            argument is out of range.
    """
    _check_arguments(max_iterations, tolerance, max_shift)
    count = len(stack.energies)
    if count == 1:
        return _Alignment(stack, np.zeros((1, 2)), 0.0, 0, True)
    limits = np.array(stack.grid.shape) / 4.0 if max_shift is None else np.full(2, max_shift)
    state = _Registration(np.zeros((count, 2)), np.zeros(count), _find_first_reference(stack))
    change, rounds = np.inf, 0
    while change > tolerance and rounds < max_iterations:
        better = _improve(stack, state)
        _check_shifts(better.shifts, limits, stack)
        change = float(np.sqrt(np.mean(np.sum((better.shifts - state.shifts) ** 2, axis=1))))
        state, rounds = better, rounds + 1
    moved = _apply_shifts(stack, state.shifts)
    return _Alignment(moved, state.shifts, change, rounds, change <= tolerance)


def _apply_shifts(stack: Stack, shifts: FloatArray) -> Stack:
    """Move frames by known shifts: I_e(x) becomes I_e(x - s_e), on the same grid.

    Cubic splines interpolate: unlike a Fourier shift they do not carry the borders' mismatch into
    the image. They average the noise of neighbouring pixels: after a move by half a pixel along
    rows and columns 0.57 of its variance is left. A pixel becomes NaN if it comes from beyond the
    view, or from between pixels of which one has no value. Where a spline swings below zero the
    count is zero. Shifts are (row, column) in pixels, shape (energies, 2).
    """
    shifts = np.asarray(shifts, dtype=np.float64)
    if shifts.shape != (len(stack.energies), 2) or not np.isfinite(shifts).all():
        raise InputError(
            f"needs a finite (row, column) for each of {len(stack.energies)} energies, got an "
            f"array of shape {shifts.shape}",
            key="shifts",
        )
    _check_shifts(shifts, np.maximum(np.array(stack.grid.shape) - 1.0, 0.5), stack)
    counts = np.empty_like(stack.counts)
    for moved, frame, shift in zip(counts, stack.counts, shifts, strict=True):
        _move(frame, shift, moved)
    return replace(stack, counts=counts)


@dataclass(frozen=True, eq=False)
class _Registration:
    """Shifts (row, column) of the frames found so far, and the spectrum of the reference.

    ``signs`` are those with which each frame is part of the reference; zero where it is not.
    """

    shifts: FloatArray
    signs: FloatArray
    reference: _SpectrumArray


def _improve(stack: Stack, state: _Registration) -> _Registration:
    """Register every frame with the reference, and add up a new one."""
    shifts, signs = np.empty_like(state.shifts), np.empty_like(state.signs)
    total = np.zeros_like(state.reference)
    for number, frame in enumerate(stack.counts):
        spectrum = _transform(frame, state.shifts[number], state.shifts)
        # Its own noise in the reference would hold a frame where it is.
        step, _, phase = phase_cross_correlation(
            state.reference - np.float32(state.signs[number]) * spectrum,
            spectrum,
            upsample_factor=_UPSAMPLING,
            space="fourier",
            normalization=None,
        )
        shifts[number] = state.shifts[number] + step
        signs[number] = np.sign(np.cos(phase))
        total += np.float32(signs[number]) * spectrum * _create_phase_ramp(spectrum.shape, step)
    centre = shifts.mean(axis=0)
    return _Registration(shifts - centre, signs, total * _create_phase_ramp(total.shape, -centre))


def _find_first_reference(stack: Stack) -> _SpectrumArray:
    """Find the spectrum of the frame with the strongest contrast."""
    best, strongest = None, 0.0
    rows, columns = (np.abs(fft.fftfreq(count)) <= _COARSE for count in stack.grid.shape)
    still = np.zeros((1, 2))
    for number, frame in enumerate(stack.counts):
        spectrum = _transform(frame, still[0], still)
        contrast = float(np.sum(np.abs(spectrum[np.ix_(rows, columns)]) ** 2, dtype=np.float64))
        if np.nanmin(frame) == np.nanmax(frame):
            raise InputError(
                f"frame {number + 1} ({stack.energies[number]:g} eV) has the same count everywhere "
                f"and cannot be aligned; {suggest_leaving_out(float(stack.energies[number]))}"
            )
        if contrast > strongest:
            best, strongest = spectrum, contrast
    if best is None:
        raise InputError("the frames show nothing by which they could be aligned")
    return best


def _transform(frame: CountArray, shift: FloatArray, shifts: FloatArray) -> _SpectrumArray:
    """Transform the root of a frame, moved, within the view common to all frames."""
    image = np.sqrt(_fill_nearest(frame))
    windows = []
    for axis, count in enumerate(frame.shape):
        # The window stands still in the aligned stack, so it moves with each frame.
        low, high = shifts[:, axis].max(), count - 1.0 + shifts[:, axis].min()
        windows.append(_taper(np.arange(count) + shift[axis], low, high))
    weights = windows[0][:, None] * windows[1]
    image -= np.sum(weights**2 * image) / np.sum(weights**2)
    image *= weights
    return np.asarray(fft.fft2(image) * _create_phase_ramp(frame.shape, shift))


def _taper(positions: FloatArray, low: float, high: float) -> CountArray:
    """Return one within [low, high], falling to zero at its ends by a cosine."""
    depth = np.minimum(positions - low, high - positions) + 0.5
    ramp = np.clip(depth / max(_TAPER * (high - low), 1.0), 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * ramp), dtype=np.float32)


def _create_phase_ramp(shape: tuple[int, ...], shift: FloatArray) -> _SpectrumArray:
    """Create exp(-2 pi i k s), the factor of the spectrum of an image moved by s."""
    rows, columns = (
        np.exp(-2j * np.pi * fft.fftfreq(count) * along)
        for count, along in zip(shape, shift, strict=True)
    )
    return np.asarray(np.outer(rows, columns), dtype=np.complex64)


def _move(frame: CountArray, shift: FloatArray, out: CountArray) -> None:
    if not shift.any():
        out[...] = frame
        return
    ndimage.shift(_fill_nearest(frame), shift, order=3, mode="mirror", output=out)
    np.maximum(out, 0.0, out=out)
    missing = np.isnan(frame)
    if missing.any():
        partial = ndimage.shift(missing.astype(np.float32), shift, order=1, mode="nearest")
        # Weights below a thousandth are rounding and moves of no consequence.
        out[partial > 1e-3] = np.nan
    for axis, count in enumerate(frame.shape):
        position = np.arange(count) - shift[axis]
        beyond = (position < 0.0) | (position > count - 1.0)
        out[(slice(None),) * axis + (beyond,)] = np.nan


def _fill_nearest(frame: CountArray) -> CountArray:
    """Fill a frame with the nearest value where there is none."""
    missing = np.isnan(frame)
    if not missing.any():
        return frame
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.asarray(frame[tuple(nearest)])


def _check_arguments(max_iterations: int, tolerance: float, max_shift: float | None) -> None:
    if max_iterations < 1:
        raise InputError(f"must be at least 1, got {max_iterations}", key="max_iterations")
    for name, value in (("tolerance", tolerance), ("max_shift", max_shift)):
        if value is not None and not value > 0.0:
            raise InputError(f"must be greater than zero, got {value:g}", key=name)


def _check_shifts(shifts: FloatArray, limits: FloatArray, stack: Stack) -> None:
    """Refuse shifts beyond limits, and shifts that leave no part of the view to all frames."""
    excess = np.max(np.abs(shifts) / limits, axis=1)
    worst = int(np.argmax(excess))
    if excess[worst] > 1.0:
        row, column = shifts[worst]
        raise InputError(
            f"frame {worst + 1} ({stack.energies[worst]:g} eV) is {row:.1f} rows and {column:.1f} "
            f"columns away, more than the {limits[0]:g} rows and {limits[1]:g} columns allowed; "
            "raise the limit if it has really moved so far; "
            f"{suggest_leaving_out(float(stack.energies[worst]))}",
            key="max_shift",
        )
