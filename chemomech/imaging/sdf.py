"""Stacks in the self-describing format of ALS, CLS and MAX IV: a ``.hdr`` and ``.xim`` files."""

from __future__ import annotations

import string
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from chemomech.errors import InputError
from chemomech.imaging.scan_axes import arrange_stack, create_grid
from chemomech.imaging.sdf_header import SdfHeader, parse_header
from chemomech.imaging.selection import pick_channel, pick_region
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import read_text

FloatArray = npt.NDArray[np.float64]


def read_sdf(
    path: Path,
    *,
    region: int = 1,
    channel: str | int | None = None,
    pixel_size: float | None = None,
) -> Stack:
    """Read a stack, or a single image, from a header and the frames beside it.

    Line q of a frame is point q of the header's QAxis, which is y.

    Args:
        path: The ``.hdr`` file.
        region: Number of the region, counted from 1.
        channel: Name or number (from 1) of the detector; the first where not given.
        pixel_size: Edge of a pixel, in m, in place of the header's.

    Returns:
        The stack, rows downwards.

    Raises:
        InputError: The header or a frame is missing, cut short or wrong, or there is no such region
            or channel.
    """
    header = parse_header(read_text(path), path)
    pick_region(region, len(header.regions))
    number = pick_channel(channel, header.channels)
    place = header.regions[region - 1]
    grid = create_grid(place.x, place.y, pixel_size)
    names = _FrameNames(path, header, region, number)
    counts = np.empty((len(header.energies), *grid.shape), dtype=np.float32)
    for index, frame in enumerate(counts):
        # A count too large for the type becomes infinite, and is refused with the others.
        with np.errstate(over="ignore"):
            frame[...] = _read_frame(names.find(index), grid.shape, index + 1)
    source = f"{path.name}, region {region}, {header.channels[number]}"
    return arrange_stack(counts, header.energies, place.x, place.y, grid, source=source)


@dataclass(frozen=True)
class _FrameNames:
    """Names of the files of one region and channel: ``scan_a012.xim``, ``scan_a0123.xim``.

    The letter is the channel; the number of the frame has three digits, and one more, that of the
    region, follows where there are several.
    """

    path: Path
    header: SdfHeader
    region: int
    channel: int

    def find(self, index: int) -> Path:
        """File of a frame, counted from 0."""
        name = f"{self.path.stem}_{string.ascii_lowercase[self.channel]}"
        if self.header.stacked:
            name += f"{index:03d}"
        if len(self.header.regions) > 1:
            name += str(self.region - 1)
        return self.path.with_name(f"{name}.xim")


def _read_frame(path: Path, shape: tuple[int, int], number: int) -> FloatArray:
    """Numbers of a frame, shape (lines, points)."""
    where = f"frame {number}"
    if not path.is_file():
        raise InputError(f"{where} is missing; was the scan stopped early?", path=str(path))
    lines = read_text(path).splitlines()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = np.loadtxt(lines, comments=None, ndmin=2)
    except (ValueError, UserWarning) as error:
        raise InputError(f"{where} is no table of numbers: {error}", path=str(path)) from error
    if frame.shape != shape:
        raise InputError(
            f"{where} holds {frame.shape[0]} lines of {frame.shape[1]} numbers; the header says "
            f"{shape[0]} lines of {shape[1]}",
            path=str(path),
        )
    return np.asarray(frame, dtype=np.float64)
