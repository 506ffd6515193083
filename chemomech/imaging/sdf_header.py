"""Headers of the self-describing format: ``{ name = value; }`` and ``(count, value, ...)``."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming
from chemomech.imaging.scan_axes import find_length_unit, to_electronvolts

_TOKEN = re.compile(r'"(?P<text>[^"]*)"|(?P<mark>[{}()=;,])|(?P<word>[^\s{}()=;,"]+)')


@dataclass(frozen=True, eq=False)
class _Region:
    """Positions along the PAxis, x (columns,), and along the QAxis, y (rows,), in m."""

    x: FloatArray
    y: FloatArray


@dataclass(frozen=True, eq=False)
class SdfHeader:
    """Regions, photon energies (eV, in the order of the scan) and names of detectors of a scan.

    ``stacked`` is true where names of frames carry their number.
    """

    regions: tuple[_Region, ...]
    energies: FloatArray
    channels: tuple[str, ...]
    stacked: bool


def parse_header(text: str, path: Path) -> SdfHeader:
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
    return SdfHeader(regions, energies, channels, stacked)


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
