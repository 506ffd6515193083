"""Contents of a report, apart from how it looks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chemomech.output.file_names import CONFIG

_TYPES = {".png": "image/png", ".mp4": "video/mp4"}


@dataclass(frozen=True)
class Media:
    """A picture or a film inside the page; the address is the file itself, as a data URI."""

    caption: str
    address: str

    @classmethod
    def read(cls, path: Path, caption: str) -> Media:
        """Take in a PNG picture or an MP4 film."""
        text = base64.b64encode(path.read_bytes()).decode("ascii")
        return cls(caption, f"data:{_TYPES[path.suffix]};base64,{text}")


@dataclass(frozen=True)
class Table:
    """A table that can be sorted: names of its columns and, as text, its lines."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class ViewField:
    """A field of the interactive view; low and high are the values at the ends of the colours.

    Values, one a vertex, are 32-bit floats, little-endian, as base64. Colours are pairs of a place
    from 0 to 1 and a colour.
    """

    label: str
    values: str
    colours: Sequence[tuple[float, str]]
    low: float
    high: float


@dataclass(frozen=True)
class View:
    """A surface that can be turned: Plotly's figure as JSON, without values, and its fields.

    The caption also says what was left out; the name tells it from the page's other views.
    """

    caption: str
    figure: str
    fields: Sequence[ViewField]
    name: str = ""


@dataclass(frozen=True)
class Contents:
    """A page: facts one wants to know first, views of which one is seen at a time, and the rest.

    Curves are Plotly's figures as JSON, each with a caption; ``missing`` are reasons why something
    is not there. The command repeats the work from the configuration, TOML of a file; empty where
    there is none.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    film: Media | None = None
    views: Sequence[View] = ()
    curves: Sequence[tuple[str, str]] = ()
    pictures: Sequence[Media] = ()
    tables: Sequence[Table] = ()
    missing: Sequence[str] = ()
    command: str = ""
    config: str = ""
    config_name: str = CONFIG
    provenance: Sequence[tuple[str, str]] = ()
