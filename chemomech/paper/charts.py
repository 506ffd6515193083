"""Pages of charts, the layout of all figures of the paper."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00")
"""Of Okabe and Ito's, told apart by colour-blind readers too."""

LETTERS = 8.0
"""Size of the letters, in points."""

_WIDTH, _HEIGHT = 2.55, 2.6
_STYLE: dict[Any, Any] = {
    "figure.dpi": 200,
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.06,
    "axes.formatter.useoffset": False,
    "axes.labelsize": LETTERS,
    "axes.titlesize": LETTERS,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    **{f"{axis}tick.labelsize": LETTERS - 1 for axis in "xy"},
    **{f"{axis}tick.major.width": 0.6 for axis in "xy"},
    **{f"{axis}tick.major.size": 3 for axis in "xy"},
}


@contextmanager
def open_page(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Open a page of a size in inches, written as PNG at the end."""
    with rc_context(_STYLE):
        figure = Figure((width, height))
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(path)


@contextmanager
def open_charts(path: Path, columns: int, rows: int = 1) -> Iterator[list[Axes]]:
    """Open a page of charts with letters, in reading order, written as PNG at the end."""
    with open_page(path, columns * _WIDTH, rows * _HEIGHT) as figure:
        figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
        charts = list(figure.subplots(rows, columns, squeeze=False).ravel())
        yield charts
        for axes, letter in zip(charts, "abcdefgh", strict=False):
            if len(charts) > 1:
                axes.set_title(f"({letter})", loc="left")
            legend = axes.get_legend()
            if legend is not None:
                for text in (*legend.get_texts(), legend.get_title()):
                    text.set_fontsize(LETTERS - 2)
