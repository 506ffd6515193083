"""Simulate the phantom's microscope: drift, blur of the spot, average over a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse, special

from chemomech.arrays import CountArray, FloatArray, IntArray
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom_truth import BentWire

_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
# Weights of the spot further out are below 1e-6 of the whole.
_TAIL = 5.0
_DRIFT_MEMORY = 2.0


@dataclass(frozen=True)
class Scanner:
    """Average of a transmitted image over the spot and over each pixel.

    The image is given at points, so many along a pixel's edge (``supersampling``), in a view that
    is wider by a border; a pixel's value is that of the image convolved with the Gaussian spot,
    whose full width at half its height is in m, and averaged over the pixel's square, both exactly
    but for the spacing of the points. The drift is the largest shift of a frame, in pixels.
    """

    grid: PixelGrid
    spot: float
    supersampling: int
    drift: float

    @property
    def border(self) -> int:
        """Pixels the view is wider by on each side."""
        return int(np.ceil(self.drift + _TAIL * self._deviation)) + 2

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of points."""
        rows, columns = self.grid.shape
        around = 2 * self.border
        return (rows + around) * self.supersampling, (columns + around) * self.supersampling

    @property
    def _deviation(self) -> float:
        """Standard deviation of the spot, in pixels."""
        return float(self.spot / _FWHM / self.grid.pixel_size)

    def scan(self, image: CountArray, shift: FloatArray) -> FloatArray:
        """Measure the transmission of the pixels, shape (rows, columns), from that at the points.

        A shift of (rows, columns), in pixels, moves the frame so that it registers with the image.
        """
        rows, columns = self.grid.shape
        lines = self._weigh(rows, shift[0]) @ image
        return np.asarray(self._weigh(columns, shift[1]) @ lines.T).T.astype(np.float64)

    def find_points(self, wire: BentWire) -> tuple[IntArray, CountArray, FloatArray]:
        """Find the n points in or at a wire, among those of the pixels it touches.

        Returned are flat numbers of the points, shape (n,); the part of each point's square that
        the wire covers, shape (n,); and positions in m, shape (n, 2).
        """
        border, fine, size = self.border, self.supersampling, self.grid.pixel_size
        rows, columns = self.grid.shape
        spacing = size / fine
        row, column = np.mgrid[-border : rows + border, -border : columns + border]
        centres = np.stack([column, rows - 1 - row], axis=-1) * size
        touched = wire.signed_distance(centres) < size
        within = (np.arange(fine) - (fine - 1) / 2.0) * spacing
        down, right = np.meshgrid(within, within, indexing="ij")
        positions = centres[touched][:, None, None] + np.stack([right, -down], axis=-1)
        numbers = np.mgrid[:fine, :fine] + np.argwhere(touched)[:, :, None, None] * fine
        flat = numbers[:, 0] * self.shape[1] + numbers[:, 1]
        coverage = np.clip(0.5 - wire.signed_distance(positions) / spacing, 0.0, 1.0)
        inside = coverage > 0.0
        return flat[inside], coverage[inside].astype(np.float32), positions[inside]

    def _weigh(self, pixels: int, shift: float) -> sparse.csr_array:
        """Create the points' weights along one axis, shape (pixels, points), row sums 1."""
        reach = int(np.ceil((0.5 + _TAIL * self._deviation) * self.supersampling)) + 1
        # What has to move by +shift to its place shows at a pixel that much before it.
        centres = np.arange(pixels) + shift
        middle = np.rint((centres + self.border + 0.5) * self.supersampling - 0.5).astype(np.int64)
        points = middle[:, None] + np.arange(-reach, reach + 1)
        offsets = (points + 0.5) / self.supersampling - 0.5 - self.border - centres[:, None]
        upper = special.ndtr((offsets + 0.5) / self._deviation)
        weights = upper - special.ndtr((offsets - 0.5) / self._deviation)
        weights /= weights.sum(axis=1, keepdims=True)
        starts = np.arange(pixels + 1) * points.shape[1]
        count = (pixels + 2 * self.border) * self.supersampling
        return sparse.csr_array(
            (weights.astype(np.float32).ravel(), points.ravel(), starts), shape=(pixels, count)
        )


def draw_drift(frames: int, largest: float, rng: np.random.Generator) -> FloatArray:
    """Draw a smooth random walk about zero: (rows, columns) in pixels, shape (frames, 2).

    The largest excursion has the length ``largest``; a single frame does not drift.
    """
    walk = np.cumsum(rng.standard_normal((frames, 2)), axis=0)
    walk = ndimage.gaussian_filter1d(walk, _DRIFT_MEMORY, axis=0, mode="nearest")
    walk -= walk.mean(axis=0)
    longest = float(np.hypot(*walk.T).max())
    return np.asarray(walk * (largest / longest)) if frames > 1 else np.zeros((frames, 2))
