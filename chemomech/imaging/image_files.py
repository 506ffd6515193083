"""Read maps of numbers, masks and pictures from files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage.io import imread

from chemomech.arrays import BoolArray, FloatArray, NumberArray
from chemomech.errors import InputError
from chemomech.imaging.numpy_files import read_npy
from chemomech.imaging.text_tables import parse_rows, read_text
from chemomech.imaging.tiff import count_pages, read_pages
from chemomech.text_files import require_file

_PICTURES = (".png", ".bmp", ".gif")
_TIFF = (".tif", ".tiff")


def read_map(path: Path | str) -> FloatArray:
    """Read a map of numbers, such as composition or thickness; NaN where there is none.

    The file is a TIFF image of one page, a NumPy array (``.npy``), or text: one line a row, numbers
    separated by commas, semicolons or blanks. The map has the shape (rows, columns), its first row
    on top.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        raise InputError("is a picture; numbers need TIFF, NPY or CSV", path=str(path))
    if suffix in _TIFF:
        numbers = _read_page(path)
    else:
        numbers = read_npy(path) if suffix == ".npy" else _read_text_map(path)
    values = np.asarray(numbers, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise InputError(
            f"holds an array of shape {values.shape}; a map has rows and columns", path=str(path)
        )
    if np.isinf(values).any():
        raise InputError("holds infinite numbers", path=str(path))
    if np.isnan(values).all():
        raise InputError("holds nothing but NaN", path=str(path))
    return values


def read_mask(path: Path | str, shape: tuple[int, ...]) -> BoolArray:
    """Read the pixels of an image that are meant: true, shape (rows, columns), rows downwards.

    The file is a NumPy array (``.npy``), an image (PNG, TIFF) or text. Two kinds of pixels are told
    apart: false or true; zero and another number; dark and bright; or, in text, blanks and marks
    (one line of characters a row), or a table of 0 and 1. The first row of the file is the top one,
    but in text of blanks and marks, which analysis programs write line by line as a scan runs,
    upwards.

    Raises:
        InputError: The file is missing, of another kind or another shape, holds more than two
            kinds of pixels, or marks none.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    drawn = False
    if suffix == ".npy":
        numbers = read_npy(path)
    elif suffix in _TIFF:
        numbers = _read_page(path)
    elif suffix in _PICTURES:
        picture = read_picture(path)
        # Any colour but black counts as bright.
        numbers = picture.max(axis=2) if picture.ndim == 3 else picture
    else:
        numbers, drawn = _read_text_mask(path, shape)
    if numbers.shape != shape:
        raise InputError(
            f"the mask has the shape {numbers.shape}, the image {shape} (rows, columns)",
            path=str(path),
        )
    levels = np.unique(numbers)
    if levels.size > 2:
        raise InputError(f"holds {levels.size} different values; a mask has two", path=str(path))
    mask = numbers == levels[-1]
    if not levels[-1] > 0:
        raise InputError("the mask marks no pixel", path=str(path))
    return mask[::-1].copy() if drawn else mask


def _read_page(path: Path) -> NumberArray:
    """Read the one page of a TIFF image."""
    pages = read_pages(path, np.dtype(np.float64))
    _require_one_page(len(pages), path)
    return pages[0]


def _require_one_page(pages: int, path: Path) -> None:
    if pages != 1:
        raise InputError(f"has {pages} pages; one is expected", path=str(path))


def read_picture(path: Path) -> NumberArray:
    """Read the brightness (rows, columns) or colours (rows, columns, 3) of a picture of one page.

    Numbers are of the file's type. What is transparent counts as black. Where all that is visible
    has one colour, the opacity is the picture, as in drawings on a transparent ground.
    """
    require_file(path)
    try:
        # Opened here, for imread leaves files open that are no images.
        with path.open("rb") as file:
            if path.suffix.lower() in _TIFF:
                _require_one_page(count_pages(path), path)
            picture: npt.NDArray[np.integer] = np.asarray(imread(file))
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise InputError(f"cannot be read as an image: {error}", path=str(path)) from error
    channels = picture.shape[2:]
    if picture.ndim < 2 or channels not in ((), (2,), (3,), (4,)):
        raise InputError(f"holds an array of shape {picture.shape}, no picture", path=str(path))
    if channels in ((2,), (4,)):
        if picture.dtype.kind == "f":
            raise InputError("holds transparency in floating-point numbers", path=str(path))
        picture = _lay_on_black(picture[..., :-1], picture[..., -1])
    return picture


def _lay_on_black(
    colours: npt.NDArray[np.integer], opacity: npt.NDArray[np.integer]
) -> npt.NDArray[np.integer]:
    """Lay a picture on black where it is transparent."""
    visible = colours[opacity > 0]
    if len(visible) and np.all(visible == visible[0]) and np.any(opacity != opacity[0, 0]):
        return opacity
    shares = opacity[..., None] / np.iinfo(np.dtype(opacity.dtype.str)).max
    laid = np.rint(colours * shares).astype(colours.dtype)
    return laid[..., 0] if laid.shape[2] == 1 else laid


def _read_text_map(path: Path) -> NumberArray:
    """Read the numbers of a text file, one line a row."""
    try:
        return parse_rows(read_text(path))
    except ValueError as error:
        raise InputError(f"is no table of numbers: {error}", path=str(path)) from error


def _read_text_mask(path: Path, shape: tuple[int, ...]) -> tuple[NumberArray, bool]:
    """Read pixels from a text; tell if they are drawn with blanks and marks."""
    text = read_text(path)
    if not set(text) - set("01,;\t \r\n"):
        return _read_text_map(path), False
    lines = text.splitlines()
    rows, columns = shape
    if len(lines) != rows:
        raise InputError(f"has {len(lines)} lines; the image has {rows} rows", path=str(path))
    # Editors strip the blanks at the ends of lines, but then of all of them.
    stripped = all(line == line.rstrip() for line in lines)
    for number, line in enumerate(lines, start=1):
        if len(line) > columns or (len(line) < columns and not stripped):
            raise InputError(
                f"line {number} has {len(line)} characters; the image has {columns} columns",
                path=str(path),
            )
    drawn = np.array([list(line.ljust(columns)) for line in lines])
    return (drawn != " ").astype(np.uint8), True
