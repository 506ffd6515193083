"""Stacks in the self-describing format of ALS, CLS and MAX IV: a ``.hdr`` and ``.xim`` files."""

from __future__ import annotations

import string
from pathlib import Path
from typing import NoReturn

import numpy as np

from chemomech.arrays import FloatArray, IndexArray
from chemomech.errors import InputError
from chemomech.imaging.scan_axes import arrange_stack, create_grid
from chemomech.imaging.sdf_header import SdfHeader, parse_header
from chemomech.imaging.selection import Selection, refuse_frames, suggest_leaving_out
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import parse_rows, read_text


def read_sdf(path: Path, selection: Selection) -> Stack:
    """Read a stack, or a single image, from a header (``.hdr``) and the frames beside it.

    Line q of a frame is point q of the header's QAxis, which is y. Files of frames that are left
    out need not be there.
    """
    header = parse_header(read_text(path), path)
    region = selection.pick_region(len(header.regions))
    channel = selection.pick_channel(header.channels)
    place = header.regions[region]
    grid = create_grid(place.x, place.y, selection.pixel_size)
    kept = selection.select_frames(header.energies)
    files = _locate_frames(path, header, region, channel, kept)
    counts = np.full((len(header.energies), *grid.shape), np.nan, dtype=np.float32)
    for index, file in zip(kept, files, strict=True):
        # A count too large for the type becomes infinite, and is refused with the others.
        with np.errstate(over="ignore"):
            counts[index] = _read_frame(file, grid.shape, int(index))
    return arrange_stack(
        counts,
        header.energies,
        grid,
        selection,
        x=place.x,
        y=place.y,
        source=f"{path.name}, region {region + 1}, {header.channels[channel]}",
    )


def _locate_frames(
    path: Path, header: SdfHeader, region: int, channel: int, kept: IndexArray
) -> list[Path]:
    """Find the files of frames, whatever the case of their names; refuse to go on without one.

    They are called ``scan_a012.xim`` or ``scan_a0123.xim``: the letter is the channel; the number
    of the frame has three digits, and one more, that of the region, follows where there are
    several. All count from 0.
    """
    start = f"{path.stem}_{string.ascii_lowercase[channel]}"
    end = f"{region if len(header.regions) > 1 else ''}.xim"
    names = [f"{start}{f'{i:03d}' if header.stacked else ''}{end}" for i in kept]
    beside = {file.name: file for file in path.parent.iterdir()}
    folded = {name.lower(): file for name, file in beside.items()}
    files = [beside.get(name) or folded.get(name.lower()) for name in names]
    missing = np.array([file is None for file in files])
    if missing.all():
        _refuse_other_names(path, names[0], list(beside))
    refuse_frames(
        kept[missing],
        kept,
        header.energies,
        f"is missing ({names[int(np.argmax(missing))]}; was the scan stopped early?)",
    )
    return [file for file in files if file is not None]


def _refuse_other_names(path: Path, expected: str, beside: list[str]) -> NoReturn:
    """Say that there are no frames of this header, and which others there are."""
    ending = expected.lower().removeprefix(path.stem.lower())
    others = sorted(name[: -len(ending)] for name in beside if name.lower().endswith(ending))
    there = "no other .xim files are there"
    if others:
        there = (
            f"there are those of {', '.join(others)}: was the header renamed? Call it "
            f"{others[0]}.hdr again"
        )
    raise InputError(
        f"has no frames: {expected} and so on should be beside it, but {there}", path=str(path)
    )


def _read_frame(path: Path, shape: tuple[int, int], index: int) -> FloatArray:
    """Read the numbers of a frame, counted from 0; shape (lines, points)."""
    where, advice = f"frame {index + 1}", suggest_leaving_out(index + 1)
    text = read_text(path)
    try:
        frame = parse_rows(text)
    except ValueError as error:
        raise InputError(
            f"{where} is no table of numbers: {error}; {advice}", path=str(path)
        ) from error
    if frame.shape != shape:
        raise InputError(
            f"{where} holds {frame.shape[0]} lines of {frame.shape[1]} numbers; the header says "
            f"{shape[0]} lines of {shape[1]}; {advice}",
            path=str(path),
        )
    return frame
