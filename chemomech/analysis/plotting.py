"""Draw one field at one time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chemomech.analysis.results import FieldResults, RunResults
from chemomech.drawing.panels import Panel, write_panels
from chemomech.drawing.pictures import Renderer, write_picture
from chemomech.drawing.styles import choose_style
from chemomech.errors import InputError

_FORMATS = (".png", ".svg", ".pdf")
"""Suffixes of the pictures `plot_field` writes."""


def plot_field(
    results: FieldResults, name: str, path: Path | str, time: float | None = None
) -> float:
    """Draw one field at one time, with colour bar, unit and scale.

    Colours are perceptually uniform maps, diverging and centred on zero for signed stresses. A
    solid particle is seen from a corner; of a displacement the magnitude is drawn.

    Args:
        results: Results of a run or a stress map.
        name: One of their fields.
        path: File to write: ``.png``, ``.svg`` or ``.pdf``.
        time: Time in s; the nearest snapshot is drawn, the last one where None.

    Returns:
        Time of the snapshot drawn, in s.

    Raises:
        InputError: There is no such field or format, or the file exists.
        RenderingError: This machine cannot draw.
    """
    file = Path(path)
    check_picture(file)
    found = results.find_time(time)
    values = results.read(name, found)
    if values.ndim == 2:
        values = np.linalg.norm(values, axis=1)
    phases = results.config.material.named_phases if isinstance(results, RunResults) else ()
    style = choose_style(name, phases)
    # A stress map belongs to no time.
    shown = found if len(results.times) > 1 or found > 0 else None
    with Renderer(results.grid, style, style.compute_limits(values)) as renderer:
        if file.suffix == ".png":
            write_picture(file, renderer.render(values, shown))
        else:
            renderer.save_vector(file, values, shown)
    return found


def plot_side_by_side(
    results: Sequence[FieldResults],
    name: str,
    path: Path | str,
    titles: Sequence[str],
    *,
    columns: int | None = None,
) -> None:
    """Draw one field of several results at their ends, with the same colours and one colour bar.

    Args:
        results: Results of runs or stress maps, row by row; one or more.
        name: One of their fields; of a scalar.
        path: File to write: ``.png``.
        titles: Title of each, in matplotlib's text; may have several lines.
        columns: Pictures in a row; a page about as wide as high where None.

    Raises:
        InputError: There is no such field or format, or the file exists.
        RenderingError: This machine cannot draw.
    """
    check_picture(Path(path), (".png",))
    panels = [
        Panel(title, result.grid, result.read(name))
        for result, title in zip(results, titles, strict=True)
    ]
    write_panels(path, panels, choose_style(name), columns)


def check_picture(path: Path, formats: Sequence[str] = _FORMATS) -> None:
    """Refuse a name that is no new picture's: its suffix must be one of the formats."""
    if path.suffix not in formats:
        known = ", ".join(formats)
        raise InputError(f"{path} is no picture; its name must end in {known}", key="--output")
    if path.exists():
        raise InputError(f"{path} exists already and is left as it is", key="--output")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path} lies in a folder that does not exist", key="--output")
