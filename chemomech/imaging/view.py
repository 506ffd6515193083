"""Part of an image that every frame of a stack shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from skimage.draw import polygon2mask

from chemomech.arrays import BoolArray
from chemomech.errors import InputError
from chemomech.imaging.stack import Stack


@dataclass(frozen=True)
class View:
    """A rectangle of an image of a shape: the rows and columns that are kept.

    Regions and masks are stated in the pixels of the whole image.
    """

    shape: tuple[int, int]
    rows: slice
    columns: slice

    @classmethod
    def find(cls, stack: Stack) -> Self:
        """Find the rectangle within the border rows and columns that some frame has lost.

        Frames that were moved onto each other are NaN there.
        """
        missing = np.zeros(stack.grid.shape, dtype=np.bool_)
        lost = [np.zeros(count, dtype=np.bool_) for count in stack.grid.shape]
        for frame in stack.counts:
            np.isnan(frame, out=missing)
            lost[0] |= missing.all(axis=1)
            lost[1] |= missing.all(axis=0)
        return cls(stack.grid.shape, *(_between_ends(~gone) for gone in lost))

    @property
    def is_whole(self) -> bool:
        """True if nothing was lost."""
        return (self.rows, self.columns) == (slice(0, self.shape[0]), slice(0, self.shape[1]))

    def crop(self, mask: BoolArray) -> BoolArray:
        """Return the part of a mask of the whole image that lies in the view."""
        return mask[self.rows, self.columns]

    def rasterise(self, region: Sequence[tuple[float, float]]) -> BoolArray:
        """Find the pixels of the view whose centres lie within a polygon; refuse one without any.

        Corners are (column, row) in pixels of the whole image.
        """
        corners = np.asarray(region, dtype=np.float64)[:, ::-1]
        mask = self.crop(np.asarray(polygon2mask(self.shape, corners), dtype=np.bool_))
        if not mask.any():
            raise InputError("no pixel lies within the polygon", key="region")
        return mask

    def move(
        self, region: Sequence[tuple[float, float]] | None
    ) -> list[tuple[float, float]] | None:
        """Move a polygon of (column, row) to pixels of the view."""
        if region is None:
            return None
        return [(x - self.columns.start, y - self.rows.start) for x, y in region]


def _between_ends(kept: BoolArray) -> slice:
    """Return the range from the first True to the last."""
    if not kept.any():
        raise InputError("no pixel is in all frames of the aligned stack")
    return slice(int(np.argmax(kept)), len(kept) - int(np.argmax(kept[::-1])))
