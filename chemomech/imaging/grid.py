"""Grid of an image's pixels: the one convention of rows, columns and metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError

_SQUARE = 0.01


@dataclass(frozen=True)
class PixelGrid:
    """Rows and columns of pixels; row 0 is the top of the image, with the largest y.

    Points are in metres from the centre of the lowest left pixel, x to the right, y upwards: the
    centre of pixel (row, column) is at (column * column_spacing, (rows - 1 - row) * row_spacing),
    where `chemomech.geometry.files.images.trace_outlines` draws outlines too. The origin, the stage
    position (x, y) of the lowest left pixel in m, is kept for the record.
    """

    rows: int
    columns: int
    row_spacing: float
    column_spacing: float
    origin: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 1:
            raise InputError(f"an image of {self.columns} x {self.rows} pixels holds nothing")
        spacings = (self.row_spacing, self.column_spacing)
        if not np.isfinite(spacings).all() or min(spacings) <= 0.0:
            raise InputError(f"pixels must be some positive length apart (m), got {spacings}")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def pixel_size(self) -> float:
        """Edge of a pixel, in m; refuses pixels that are not square, as outlines need them."""
        if abs(self.row_spacing / self.column_spacing - 1.0) > _SQUARE:
            raise InputError(
                f"pixels of {self.column_spacing:.4g} m x {self.row_spacing:.4g} m are not square; "
                "outlines need square ones"
            )
        return (self.row_spacing + self.column_spacing) / 2

    def require_mask(self, mask: BoolArray, key: str) -> None:
        """Refuse a mask that is not true or false for each pixel, or is true nowhere.

        In messages it is called ``key``.
        """
        if mask.dtype != np.bool_ or mask.shape != self.shape:
            raise InputError(
                f"needs true or false for each of {self.rows} x {self.columns} pixels (rows x "
                f"columns), got {mask.dtype} of shape {mask.shape}",
                key=key,
            )
        if not mask.any():
            raise InputError("holds no pixel", key=key)

    def to_pixels(self, points: FloatArray) -> FloatArray:
        """Convert points in m, shape (n, 2), to fractional rows and columns, shape (2, n).

        These are the coordinates that `scipy.ndimage.map_coordinates` takes.
        """
        columns = points[:, 0] / self.column_spacing
        rows = self.rows - 1 - points[:, 1] / self.row_spacing
        return np.stack([rows, columns])

    def centres(self) -> FloatArray:
        """Compute the positions (x, y) of the pixels' centres, in m, shape (rows, columns, 2)."""
        x = np.arange(self.columns) * self.column_spacing
        y = (self.rows - 1 - np.arange(self.rows)) * self.row_spacing
        return np.stack(np.meshgrid(x, y), axis=-1)
