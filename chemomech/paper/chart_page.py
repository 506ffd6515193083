"""Page of charts with letters, the layout of all figures of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chemomech.drawing.figure_parts import LETTERS, create_figure, prepare_chart, save_figure

_WIDTH, _HEIGHT = 2.55, 2.6


def create_charts(columns: int, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Create a page with rows of charts, in reading order."""
    figure = create_figure(columns * _WIDTH, rows * _HEIGHT)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def save_charts(path: Path, figure: Figure, charts: Sequence[Axes]) -> None:
    """Give the charts letters and small labels, and write the page; PNG."""
    for axes, letter in zip(charts, "abcdefgh", strict=False):
        prepare_chart(axes)
        if len(charts) > 1:
            axes.set_title(f"({letter})", loc="left", fontsize=LETTERS)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_fontsize(LETTERS)
        legend = axes.get_legend()
        if legend is not None:
            legend.set_frame_on(False)
            for text in (*legend.get_texts(), legend.get_title()):
                text.set_fontsize(LETTERS - 2)
    save_figure(figure, path)
