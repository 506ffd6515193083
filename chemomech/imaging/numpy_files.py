"""Stacks in NumPy's ``.npz`` archives."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chemomech.arrays import NumberArray
from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.scan_axes import arrange_stack, create_grid, to_electronvolts
from chemomech.imaging.selection import Selection, check_pixel_size
from chemomech.imaging.stack import Stack
from chemomech.text_files import require_file

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
_NEEDED = (
    "A stack has counts (energies, rows, columns), energies (eV), pixel_size or x and y (m), and "
    "incident if known"
)


def read_npz(path: Path, selection: Selection) -> Stack:
    """Read a stack from the arrays of an archive; others in it are left alone.

    ``counts`` has the shape (energies, rows, columns), with more axes before it only of length 1;
    ``energies`` are in eV, or in keV if all are below 20. Either ``x`` and ``y`` give the positions
    of columns and rows, in m, y upwards; or ``pixel_size`` is the edge of a pixel, in m, and the
    first row is the top one. ``incident``, if there, is I0 of each frame.
    """
    pixel_size = selection.pixel_size
    arrays = _read_arrays(path, has_pixel_size=pixel_size is not None)
    counts = _pick(arrays, "counts", 3, np.float32)
    energies = to_electronvolts(_pick(arrays, "energies", 1), "", "energies")
    incident = _pick(arrays, "incident", 1) if "incident" in arrays else None
    x = y = None
    if "x" in arrays:
        x, y = _pick(arrays, "x", 1), _pick(arrays, "y", 1)
        grid = create_grid(x, y, pixel_size)
        if counts.shape[1:] != grid.shape:
            raise InputError(f"counts of shape {counts.shape} do not fit y and x ({grid.shape})")
    else:
        if pixel_size is None:
            pixel_size = float(_pick(arrays, "pixel_size", 0))
            check_pixel_size(pixel_size)
        grid = PixelGrid(counts.shape[1], counts.shape[2], pixel_size, pixel_size)
    return arrange_stack(
        counts,
        energies,
        grid,
        selection,
        x=x,
        y=y,
        incident=incident,
        source=path.name,
    )


def read_npy(path: Path) -> NumberArray:
    """Read one array of numbers; refuse a file that is cut short or holds none."""
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


def _read_arrays(path: Path, *, has_pixel_size: bool) -> dict[str, NumberArray]:
    """Read the arrays that matter, and say which of them are missing."""
    require_file(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = list(archive)
            arrays = {name: archive[name] for name in _NAMES if name in names}
    except _UNREADABLE as error:
        raise InputError(f"cannot be read as .npz: {error}", path=str(path)) from error
    needed = ["counts", "energies"]
    if "x" in arrays or "y" in arrays:
        needed += ["x", "y"]
    elif not has_pixel_size:
        needed.append("pixel_size")
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise InputError(
            f"the archive has no array {' and no '.join(missing)}; it holds "
            f"{', '.join(names) or 'nothing'}. {_NEEDED}"
        )
    return arrays


def _pick(
    arrays: dict[str, NumberArray],
    name: str,
    axes: int,
    number_type: type[np.floating] = np.float64,
) -> npt.NDArray[Any]:
    """Pick an array of real numbers with so many axes, or more before them of length 1."""
    array = arrays[name]
    while array.ndim > axes and array.shape[0] == 1:
        array = array[0]
    if array.dtype.kind not in "iuf" or array.ndim != axes or array.size == 0:
        raise InputError(
            f"{name} of shape {array.shape} and type {array.dtype} should hold real numbers along "
            f"{axes} axes"
        )
    # A count too large for the type becomes infinite, and is refused with the others.
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=number_type)
