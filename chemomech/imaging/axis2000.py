"""Stacks of the program aXis2000: binary numbers in ``.ncb``, their description in ``.dat``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemomech.arrays import CountArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.scan_axes import arrange_stack, create_grid, to_electronvolts
from chemomech.imaging.selection import Selection
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import read_text
from chemomech.text_files import read_bytes

_MICROMETRE = 1e-6
_LARGEST_COUNT = 1e20
_SAMPLE = 1 << 20


def read_axis2000(path: Path, selection: Selection) -> Stack:
    """Read a stack from an ``.ncb`` file and the ``.dat`` file beside it.

    The numbers are integers of two bytes, counts times the scale in the ``.dat`` file, or, where
    that is negative, floating-point numbers of four bytes. x runs fastest, energy slowest. The
    order of the bytes is that of the computer they were written on, which the file does not tell:
    it is the one in which the counts make sense (see `_is_big_endian`).
    """
    data = read_bytes(path)
    description = _read_description(path.with_suffix(".dat"))
    counts = _decode(data, description, path)
    x = np.linspace(*description.x_limits, description.columns) * _MICROMETRE
    y = np.linspace(*description.y_limits, description.rows) * _MICROMETRE
    grid = create_grid(x, y, selection.pixel_size)
    energies = to_electronvolts(description.energies, "", "the list of energies")
    return arrange_stack(counts, energies, grid, selection, x=x, y=y, source=path.name)


@dataclass(frozen=True, eq=False)
class _Description:
    """Contents of a ``.dat`` file: first and last positions in micrometres, energies in eV."""

    columns: int
    rows: int
    scale: float
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    energies: FloatArray


def _read_description(path: Path) -> _Description:
    """Read columns, rows and scale; limits of x and of y; number of energies; the energies."""
    lines = read_text(path).splitlines()
    columns, rows, scale = _numbers(lines, 0, 3, path)
    x_start, x_stop = _numbers(lines, 1, 2, path)
    y_start, y_stop = _numbers(lines, 2, 2, path)
    (frames,) = _numbers(lines, 3, 1, path)
    if not all(count >= 1.0 and count.is_integer() for count in (columns, rows, frames)):
        raise InputError(
            f"{columns:g} columns, {rows:g} rows and {frames:g} energies make no stack",
            path=str(path),
        )
    if not np.isfinite(scale) or scale == 0.0:
        raise InputError(f"line 1: the scale of the counts is {scale:g}", path=str(path))
    energies = [_numbers(lines, 4 + frame, 1, path)[0] for frame in range(int(frames))]
    return _Description(
        int(columns), int(rows), scale, (x_start, x_stop), (y_start, y_stop), np.array(energies)
    )


def _numbers(lines: list[str], index: int, count: int, path: Path) -> list[float]:
    """Parse the first ``count`` numbers of a line."""
    words = lines[index].replace(",", " ").split() if index < len(lines) else []
    try:
        numbers = [float(word) for word in words[:count]]
    except ValueError as error:
        raise InputError(f"line {index + 1}: {error}", path=str(path)) from error
    if len(numbers) < count:
        raise InputError(
            f"line {index + 1} holds {len(numbers)} numbers where {count} are expected; is this "
            "the description of an .ncb file?",
            path=str(path),
        )
    return numbers


def _decode(data: bytes, description: _Description, path: Path) -> CountArray:
    """Decode the counts in the order of the file, shape (energies, lines, points)."""
    shape = (len(description.energies), description.rows, description.columns)
    kind = "i2" if description.scale > 0.0 else "f4"
    size = math.prod(shape) * np.dtype(kind).itemsize
    if len(data) != size:
        raise InputError(
            f"holds {len(data)} bytes; {shape[0]} frames of {shape[1]} x {shape[2]} numbers of "
            f"{np.dtype(kind).itemsize} bytes are {size}",
            path=str(path),
        )
    order = ">" if _is_big_endian(data, kind) else "<"
    counts = np.frombuffer(data, dtype=f"{order}{kind}").astype(np.float32).reshape(shape)
    if description.scale > 0.0:
        # A count too large for the type becomes infinite, and is refused with the others.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            counts /= np.float32(description.scale)
    return counts


def _is_big_endian(data: bytes, kind: str) -> bool:
    """Tell if counts make more sense with the high byte first.

    The wrong order turns the low byte, which is noise, into the high one: neighbouring integers
    then differ wildly, and floating-point numbers become negative, tiny or huge.
    """
    senseless = []
    for order in "<>":
        numbers = np.frombuffer(data[:_SAMPLE], dtype=f"{order}{kind}")
        if kind == "i2":
            senseless.append(float(np.abs(np.diff(numbers.astype(np.float64))).sum()))
        else:
            with np.errstate(invalid="ignore"):
                size = np.abs(numbers)
                plausible = (numbers == 0.0) | ((size > 1 / _LARGEST_COUNT) & (numbers > 0.0))
                senseless.append(float(np.sum(~plausible | ~(size < _LARGEST_COUNT))))
    # Little-endian unless the evidence is clear: nearly all such computers are.
    return 2.0 * senseless[1] < senseless[0]
