"""Spectra of the pixels under a mask, a block at a time: nothing as large as a stack is copied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.optical_density import OpticalDensity

# Pixels of one block: large enough for fast products, small beside a stack.
_BLOCK = 8192


class MaskedSpectra:
    """Spectra D(E, n) of the n pixels that a mask shows and that were measured at every energy.

    Attributes:
        index: Numbers of the pixels in the flattened image, shape (n,).
    """

    def __init__(self, od: OpticalDensity, mask: BoolArray) -> None:
        energies = od.energies
        if len(energies) < 2:
            raise InputError(
                f"one image, at {energies[0]:g} eV, holds no spectra; images at two or more photon "
                "energies are needed"
            )
        od.grid.require_mask(mask, "mask")
        self.od, self.index = od, np.flatnonzero(mask & od.valid)
        if self.index.size == 0:
            count = np.count_nonzero(mask)
            raise InputError(
                f"none of the {count} pixels in the mask has a valid spectrum", key="mask"
            )

    @property
    def count(self) -> int:
        """Number of pixels n."""
        return int(self.index.size)

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield slices of the n pixels, in order, and their spectra, shape (energies, block)."""
        flat = self.od.values.reshape(len(self.od.energies), -1)
        for start in range(0, self.count, _BLOCK):
            part = slice(start, min(start + _BLOCK, self.count))
            yield part, flat[:, self.index[part]].astype(np.float64)

    def to_image(self, values: FloatArray) -> FloatArray:
        """Lay values of the pixels, shape (..., n), out as images, shape (..., rows, columns).

        Elsewhere is NaN.
        """
        images = np.full((*values.shape[:-1], self.od.valid.size), np.nan)
        images[..., self.index] = values
        return images.reshape(*values.shape[:-1], *self.od.grid.shape)
