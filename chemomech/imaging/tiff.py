"""Stacks in multi-page TIFF files, with a list of energies beside them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from chemomech.errors import InputError, naming
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.scan_axes import arrange_stack, read_energies
from chemomech.imaging.selection import Selection
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import read_table
from chemomech.text_files import require_file

if TYPE_CHECKING:
    import tifffile

Number = TypeVar("Number", np.float32, np.float64)

# What tifffile raises on damaged files, beside its own error.
_UNREADABLE = (
    *(OSError, ValueError, RuntimeError, TypeError, ArithmeticError, LookupError, MemoryError),
    struct.error,
)


def read_tiff_stack(path: Path, selection: Selection) -> Stack:
    """Read a stack from a TIFF file with one page for each energy, the first row on top.

    The list of energies and the pixel size must be given; energies are in the order of the pages.
    """
    energies, pixel_size = selection.energies, selection.pixel_size
    if energies is None:
        raise InputError("a TIFF file holds no photon energies; name a list", key="energies")
    if pixel_size is None:
        raise InputError("a TIFF file holds no pixel size; give one in m", key="pixel_size")
    listed = read_energies(read_table(energies), energies)
    frames = read_pages(path, np.dtype(np.float32))
    if len(listed) != len(frames):
        raise InputError(
            f"lists {len(listed)} energies, but {path.name} has {len(frames)} pages",
            path=str(energies),
        )
    grid = PixelGrid(frames.shape[1], frames.shape[2], pixel_size, pixel_size)
    return arrange_stack(frames, listed, grid, selection, source=path.name)


def count_pages(path: Path) -> int:
    """Count the pages of a TIFF file; refuse what is none."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            return len(file.pages)
    except (*_UNREADABLE, tifffile.TiffFileError) as error:
        raise InputError(f"cannot be read as TIFF: {error}", path=str(path)) from error


def read_pages(path: Path, number_type: np.dtype[Number]) -> npt.NDArray[Number]:
    """Read all pages of a TIFF file of grey images, shape (pages, rows, columns)."""
    import tifffile

    require_file(path)
    try:
        with tifffile.TiffFile(path) as file, naming(path=path):
            pages: list[tifffile.TiffPage | tifffile.TiffFrame] = list(file.pages)
            shape: tuple[int, ...] = pages[0].shape
            frames = np.empty((len(pages), *_check_page(pages[0], 1, shape)), dtype=number_type)
            for number, (frame, page) in enumerate(zip(frames, pages, strict=True), start=1):
                _check_page(page, number, shape)
                _check_complete(page, number, path.stat().st_size)
                # A count too large for the type becomes infinite; whoever asked refuses it.
                with np.errstate(over="ignore"):
                    frame[...] = page.asarray()
    except (*_UNREADABLE, tifffile.TiffFileError) as error:
        raise InputError(f"cannot be read as TIFF: {error}", path=str(path)) from error
    return frames


def _check_page(
    page: tifffile.TiffPage | tifffile.TiffFrame, number: int, shape: tuple[int, ...]
) -> tuple[int, int]:
    """Refuse what is no grey image of the first page's shape."""
    if page.shape != shape:
        raise InputError(f"page {number} has the shape {page.shape}, the first one {shape}")
    if len(shape) != 2 or page.dtype is None or page.dtype.kind not in "iufb":
        raise InputError(f"page {number} of shape {shape} is no grey image")
    return shape[0], shape[1]


def _check_complete(page: tifffile.TiffPage | tifffile.TiffFrame, number: int, size: int) -> None:
    """Refuse a page whose pieces are not all in the file; they would be read as zeros."""
    pieces = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if not pieces or any(not count or offset + count > size for offset, count in pieces):
        raise InputError(f"page {number} is cut short")
