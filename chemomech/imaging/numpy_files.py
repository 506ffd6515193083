"""Stacks in NumPy's ``.npz`` archives."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.scan_axes import arrange_stack, check_pixel_size, create_grid, sort_stack
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import require_file

NumberArray = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.float64]

# What NumPy raises on damaged files, whose headers it parses as Python literals.
_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    AttributeError,
    TypeError,
    MemoryError,
    NotImplementedError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_NAMES = ("counts", "energies", "x", "y", "pixel_size", "incident")


def read_npz(path: Path, *, pixel_size: float | None = None) -> Stack:
    """Read a stack from the arrays of an archive; others in it are left alone.

    ``counts`` has the shape (energies, rows, columns), ``energies`` are in eV. Either ``x`` and
    ``y`` give the positions of columns and rows, in m, y upwards; or ``pixel_size`` is the edge of
    a pixel, in m, and the first row is the top one. ``incident``, if there, is I0 of each frame.

    Args:
        path: The archive.
        pixel_size: Edge of a pixel, in m, in place of what the archive says.

    Returns:
        The stack, rows downwards.

    Raises:
        InputError: The file is missing, cut short or no archive, or an array is missing or wrong.
    """
    arrays = _read_arrays(path)
    # A count too large for the type becomes infinite, and is refused with the others.
    with np.errstate(over="ignore"):
        counts = np.asarray(_pick(arrays, "counts", 3), dtype=np.float32)
    energies = np.asarray(_pick(arrays, "energies", 1), dtype=np.float64)
    incident = None
    if "incident" in arrays:
        incident = np.asarray(_pick(arrays, "incident", 1), dtype=np.float64)
    if "x" in arrays or "y" in arrays:
        x, y = (np.asarray(_pick(arrays, name, 1), dtype=np.float64) for name in ("x", "y"))
        grid = create_grid(x, y, pixel_size)
        if counts.shape[1:] != grid.shape:
            raise InputError(f"counts of shape {counts.shape} do not fit y and x ({grid.shape})")
        return arrange_stack(counts, energies, x, y, grid, incident=incident, source=path.name)
    if pixel_size is None:
        pixel_size = float(_pick(arrays, "pixel_size", 0))
    check_pixel_size(pixel_size)
    grid = PixelGrid(counts.shape[1], counts.shape[2], pixel_size, pixel_size)
    return sort_stack(counts, energies, grid, incident=incident, source=path.name)


def read_npy(path: Path) -> NumberArray:
    """Read one array of numbers.

    Raises:
        InputError: The file is missing, cut short or no array of numbers.
    """
    require_file(path)
    try:
        # Opened here, for NumPy leaves files open that it cannot read.
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise InputError(f"cannot be read as a NumPy array: {error}", path=str(path)) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise InputError("holds no array of real numbers", path=str(path))
    return array


def _read_arrays(path: Path) -> dict[str, NumberArray]:
    require_file(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in _NAMES if name in archive}
    except _UNREADABLE as error:
        raise InputError(f"cannot be read as .npz: {error}", path=str(path)) from error


def _pick(arrays: dict[str, NumberArray], name: str, axes: int) -> NumberArray:
    """An array of real numbers with so many axes."""
    if name not in arrays:
        raise InputError(f"the archive has no array {name}; it has {', '.join(arrays) or 'none'}")
    array = arrays[name]
    if array.dtype.kind not in "iuf" or array.ndim != axes or array.size == 0:
        raise InputError(
            f"{name} of shape {array.shape} and type {array.dtype} should hold real numbers along "
            f"{axes} axes"
        )
    return array
