"""Write the page of `chemomech report`."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from chemomech.errors import InputError
from chemomech.reporting.contents import Contents
from chemomech.reporting.gathering import gather_contents

_REPORT = "report.html"
"""Name of the page in the folder it is about."""

_TEMPLATE = "page.html.j2"


def write_report(
    folder: Path | str, output: Path | str | None = None, *, replace: bool = False
) -> Path:
    """Write one HTML page about a run, a stress map, a measurement or a sweep; only for one rank.

    The page holds everything it shows and loads nothing.

    Args:
        folder: Folder of the results.
        output: File to write; ``report.html`` in the folder if None.
        replace: Whether a page that is there may be replaced.

    Returns:
        The page.

    Raises:
        InputError: The folder holds no results, they are damaged, or the page exists.
        OSError: It cannot be written.
    """
    place = Path(folder)
    path = place / _REPORT if output is None else Path(output)
    if path.exists() and not replace:
        raise InputError(
            f"{path} exists already and is left as it is; --force replaces it", key="--output"
        )
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path} lies in a folder that does not exist", key="--output")
    text = _format_page(gather_contents(place))
    new = path.with_name(f".{path.name}.{os.getpid()}.partial")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
    return path


def _format_page(contents: Contents) -> str:
    """Write the page as HTML."""
    environment = Environment(
        loader=PackageLoader("chemomech.reporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    moves = len(contents.views) + len(contents.curves) > 0
    return environment.get_template(_TEMPLATE).render(
        page=contents, plotly=get_plotlyjs() if moves else ""
    )
