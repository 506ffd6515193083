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
    """A field of the interactive view.

    Args:
        label: Quantity and unit.
        values: 32-bit floats, a vertex each, little-endian, as base64.
        colours: Colour map: pairs of a place from 0 to 1 and a colour.
        low: Value at its lower end.
        high: Value at its upper end.
    """

    label: str
    values: str
    colours: Sequence[tuple[float, str]]
    low: float
    high: float


@dataclass(frozen=True)
class View:
    """A surface that can be turned.

    Args:
        caption: Description of it, and of what was left out.
        figure: Plotly's figure as JSON, without values.
        fields: Fields that can be shown on it; at least one.
        name: Name that tells it from the page's other views.
    """

    caption: str
    figure: str
    fields: Sequence[ViewField]
    name: str = ""


@dataclass(frozen=True)
class Contents:
    """A page.

    Args:
        title: Subject of the page.
        facts: Names and values of what one wants to know first.
        film: The film, if there is one.
        views: Interactive views, of which one is seen at a time.
        curves: Plotly's figures as JSON, each with a caption.
        pictures: Pictures.
        tables: Tables.
        missing: Reasons why something is not there.
        command: Command that repeats the work.
        config: The configuration, as TOML; empty where there is none.
        config_name: The file it is from.
        provenance: Names and values of where the results come from.
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
