"""Spectra of the pixels under a mask, a block at a time: nothing as large as a stack is copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from chemomech.arrays import BoolArray, FloatArray, IndexArray
from chemomech.errors import InputError
from chemomech.imaging.optical_density import OpticalDensity

# Pixels of one block: large enough for fast products, small beside a stack.
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class MaskedSpectra:
    """Spectra D(E, n) of the n pixels that a mask shows and that were measured at every energy.

    Args:
        od: Optical densities.
        mask: Pixels looked at, shape (rows, columns).

    Attributes:
        index: Numbers of the pixels in the flattened image, shape (n,).

    Raises:
        InputError: There is one photon energy only, or the mask has another shape or type, or shows
            no valid pixel.
    """

    od: OpticalDensity
    mask: BoolArray
    index: IndexArray = field(init=False)

    def __post_init__(self) -> None:
        energies = self.od.energies
        if len(energies) < 2:
            raise InputError(
                f"one image, at {energies[0]:g} eV, holds no spectra; images at two or more photon "
                "energies are needed"
            )
        self.od.grid.require_mask(self.mask, "mask")
        index = np.flatnonzero(self.mask & self.od.valid)
        if index.size == 0:
            count = np.count_nonzero(self.mask)
            raise InputError(
                f"none of the {count} pixels in the mask has a valid spectrum", key="mask"
            )
        object.__setattr__(self, "index", index)

    @property
    def count(self) -> int:
        """Number of pixels n."""
        return int(self.index.size)

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield the pixels in order, a block at a time.

        Yields:
            Slice of the n pixels that the block holds, and their spectra, shape (energies, block).
        """
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
