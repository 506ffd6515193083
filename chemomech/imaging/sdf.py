"""Stacks in the self-describing format of ALS, CLS and MAX IV: a ``.hdr`` and ``.xim`` files.

Headers hold ``{ name = value; }`` and ``(count, value, ...)``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from chemomech.arrays import FloatArray, IndexArray
from chemomech.errors import InputError, naming
from chemomech.imaging.scan_axes import (
    arrange_stack,
    create_grid,
    find_length_unit,
    to_electronvolts,
)
from chemomech.imaging.selection import Selection, refuse_frames, suggest_leaving_out
from chemomech.imaging.stack import Stack
from chemomech.imaging.text_tables import parse_rows, read_text

_TOKEN = re.compile(r'"(?P<text>[^"]*)"|(?P<mark>[{}()=;,])|(?P<word>[^\s{}()=;,"]+)')


def read_sdf(path: Path, selection: Selection) -> Stack:
    """Read a stack, or a single image, from a header (``.hdr``) and the frames beside it.

    Line q of a frame is point q of the header's QAxis, which is y. Files of frames that are left
    out need not be there.
    """
    header = _parse_header(read_text(path), path)
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
    path: Path, header: _Header, region: int, channel: int, kept: IndexArray
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


@dataclass(frozen=True, eq=False)
class _Region:
    """Positions along the PAxis, x (columns,), and along the QAxis, y (rows,), in m."""

    x: FloatArray
    y: FloatArray


@dataclass(frozen=True, eq=False)
class _Header:
    """Regions, photon energies (eV, in the order of the scan) and names of detectors of a scan.

    ``stacked`` is true where names of frames carry their number.
    """

    regions: tuple[_Region, ...]
    energies: FloatArray
    channels: tuple[str, ...]
    stacked: bool


def _parse_header(text: str, path: Path) -> _Header:
    """Find regions, energies and channels in the text of a header."""
    with naming(path=path):
        header = _Structure(_parse_structure(_Tokens(text), end=""))
        scan = header.part("ScanDefinition")
        regions = tuple(_read_region(part) for part in scan.parts("Regions"))
        detectors = scan if scan.has("Channels") else header
        channels = tuple(part.text("Name") for part in detectors.parts("Channels"))
        energies = _read_energies(scan.part("StackAxis"))
        if len(channels) > len(string.ascii_lowercase):
            raise InputError(f"the header names {len(channels)} channels, more than letters")
        stacked = len(energies) > 1 or "stack" in scan.text("Flags", "").lower()
    return _Header(regions, energies, channels, stacked)


def _read_region(region: _Structure) -> _Region:
    axes = []
    for name in ("PAxis", "QAxis"):
        axis = region.part(name)
        if "energy" in axis.text("Name", "").lower():
            raise InputError(f"{name} is the energy: this is a line scan, not a stack of images")
        axes.append(axis.points(name) * find_length_unit(axis.text("Unit", "um"), name))
    return _Region(x=axes[0], y=axes[1])


def _read_energies(axis: _Structure) -> FloatArray:
    name = axis.text("Name", "Energy")
    if "energy" not in name.lower():
        raise InputError(f"the frames differ in {name!r}, not in photon energy")
    return to_electronvolts(axis.points("StackAxis"), axis.text("Unit", ""), "StackAxis")


class _Structure:
    """Named values between braces."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, dict):
            raise InputError(f"expected {{ ... }} in the header, found {str(values)[:40]!r}")
        self._values = values

    def has(self, name: str) -> bool:
        return name in self._values

    def part(self, name: str) -> _Structure:
        return _Structure(self._find(name))

    def parts(self, name: str) -> list[_Structure]:
        return [_Structure(value) for value in self._list(name)]

    def text(self, name: str, default: str | None = None) -> str:
        value = default if default is not None and name not in self._values else self._find(name)
        return str(value)

    def points(self, axis: str) -> FloatArray:
        """Return the numbers of an axis, each after the other."""
        words = self._list("Points")
        try:
            return np.array(words, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"the points of {axis} are not all numbers") from error

    def _list(self, name: str) -> list[object]:
        """Return the values of a list, whose first one is their number."""
        values = self._find(name)
        if not isinstance(values, list) or not values:
            raise InputError(f"{name} in the header is no list (count, value, ...)")
        if str(values[0]) != str(len(values) - 1) or len(values) == 1:
            raise InputError(
                f"{name} in the header should hold {values[0]} values, but holds {len(values) - 1}"
            )
        return values[1:]

    def _find(self, name: str) -> object:
        try:
            return self._values[name]
        except KeyError:
            raise InputError(f"the header has no {name}; is it one of a stack?") from None


class _Tokens:
    """Marks, words and quoted texts of a header, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._matches = _TOKEN.finditer(text)
        self._position = 0

    def until(self, end: str) -> Iterator[tuple[str | None, str]]:
        """Yield mark or word of each up to the mark ``end``; to the end of the file where empty."""
        for token in self._matches:
            self._position = token.start()
            if token["mark"] == end:
                return
            yield token["mark"], token["text"] or token["word"] or ""
        if end:
            raise InputError(
                f"the header is cut short: it ends at line {self._line()} before a {end!r}"
            )

    def refuse(self, mark: str) -> NoReturn:
        raise InputError(f"line {self._line()} of the header: unexpected {mark!r}")

    def _line(self) -> int:
        return self._text.count("\n", 0, self._position) + 1


def _parse_structure(tokens: _Tokens, end: str) -> dict[str, object]:
    """Parse ``name = value;`` up to the mark ``end``."""
    values: dict[str, object] = {}
    name: list[str] = []
    for mark, word in tokens.until(end):
        if mark == "=":
            values[" ".join(name)] = _parse_value(tokens)
            name = []
        elif mark == ";":
            name = []
        elif mark is None:
            name.append(word)
        elif mark != "}":
            # A stray brace is known from a converter of old scans; others are not.
            tokens.refuse(mark)
    return values


def _parse_value(tokens: _Tokens) -> object:
    """Parse the value after an equals sign, up to its semicolon."""
    words = []
    for mark, word in tokens.until(";"):
        if mark == "{":
            return _parse_structure(tokens, "}")
        if mark == "(":
            return _parse_list(tokens)
        if mark in ("}", ")", "="):
            tokens.refuse(mark)
        words.append(mark or word)
    return " ".join(words)


def _parse_list(tokens: _Tokens) -> list[object]:
    """Parse the values between parentheses."""
    values: list[object] = []
    for mark, word in tokens.until(")"):
        if mark == "{":
            values.append(_parse_structure(tokens, "}"))
        elif mark is None:
            values.append(word)
    return values
