"""A map of composition: the result of imaging, and the source of a stress map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid


@dataclass(frozen=True, eq=False)
class CompositionMap:
    """Lithium content x of each pixel, with its uncertainty and where it can be trusted.

    Args:
        grid: Where the pixels are.
        values: x (per formula unit), shape (rows, columns); anything where not trusted.
        uncertainty: Standard deviation of x, shape (rows, columns); zeros where unknown.
        trusted: Pixels whose value is a measurement, shape (rows, columns).
        reading: How x was made: ``normalised``, ``as_printed`` (eqn 8) or ``given``.
        source: Where the map came from, for the record.
    """

    grid: PixelGrid
    values: FloatArray
    uncertainty: FloatArray
    trusted: BoolArray
    reading: str = "given"
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("values", "uncertainty", "trusted"):
            shape = getattr(self, name).shape
            if shape != self.grid.shape:
                raise InputError(f"{name} of shape {shape} on a grid of shape {self.grid.shape}")
        if not self.trusted.any():
            raise InputError("no pixel of the composition map can be trusted")
        for name in ("values", "uncertainty"):
            if not np.isfinite(getattr(self, name)[self.trusted]).all():
                raise InputError(f"the {name} of a trusted pixel is not finite")

    def sample(self, points: FloatArray) -> FloatArray:
        """Interpolate x, shape (n,), bilinearly at points in m (see `PixelGrid`), shape (n, 2).

        Beyond the pixels' centres x is the nearest edge value. Values that are not trusted take
        part: extend the trusted ones first (`extend_outwards`).
        """
        pixels = self.grid.to_pixels(np.asarray(points, dtype=np.float64))
        return np.asarray(ndimage.map_coordinates(self.values, pixels, order=1, mode="nearest"))
