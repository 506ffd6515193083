"""Draw a ledger as curves over time: energy, composition, lithium balance and step size."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import CATEGORY_COLOURS, create_figure, hide_offsets
from chemomech.output.ledger import Columns, find_additional

_BLUE, _ORANGE, _RED = CATEGORY_COLOURS[0], CATEGORY_COLOURS[1], CATEGORY_COLOURS[3]
_COLOURS = {"chemical": _BLUE, "gradient": _ORANGE, "elastic": _RED, "total": "black"}
_ROUNDING = 2.0**-53


def write_ledger_chart(path: str | Path, columns: Columns) -> None:
    """Write the figure of `_create_ledger_figure` as PNG."""
    _create_ledger_figure(columns).savefig(path, format="png")


def _create_ledger_figure(columns: Columns) -> Figure:
    """Draw a ledger over time: energies, composition, lithium balance and time step.

    Energies are shown as their change since the start, in which the fall of the total is plain
    whatever the reference of the chemical energy. Time is logarithmic where steps span decades. The
    ledger, as `read_ledger` returns it, has at least one line.

    Returns:
        A page of four panels, (a) to (d) in that order, and one for each further observable.
    """
    further = find_additional(columns)
    rows = 2 + math.ceil(len(further) / 2)
    figure = create_figure(8.0, 2.8 * rows)
    figure.set_layout_engine("constrained")
    panels = figure.subplots(rows, 2, sharex=True).ravel()
    time = columns["time_s"].astype(np.float64)
    later = time > time[0]
    _plot_energy(panels[0], time, columns)
    _plot_composition(panels[1], time, columns)
    _plot_balance(panels[2], time, columns)
    _plot_step(panels[3], time[later], columns["dt_s"][later])
    for panel, name in zip(panels[4:], further, strict=False):
        _plot_observable(panel, time, columns, name)
    if len(further) % 2:
        panels[-1].remove()
        panels = panels[:-1]
    positive = time[time > 0]
    decades = positive.size > 1 and positive.max() > 100 * positive.min()
    for number, panel in enumerate(panels):
        panel.set_title(f"({chr(ord('a') + number)})", loc="left", fontsize=9)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
        if decades:
            panel.set_xscale("log")
    for panel in panels[-2:]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("Time (s)", fontsize=9)
    hide_offsets(figure)
    return figure


def _plot_energy(panel: Axes, time: NDArray[np.float64], columns: Columns) -> None:
    unit = "J/m" if "energy_total_J_per_m" in columns else "J"
    for name, colour in _COLOURS.items():
        energy = columns[f"energy_{name}_{unit.replace('/', '_per_')}"]
        panel.plot(time, energy - energy[0], color=colour, label=name, linewidth=1.4)
    panel.set_ylabel("Change of energy", fontsize=9)
    panel.yaxis.set_major_formatter(EngFormatter(unit=unit))
    panel.legend(frameon=False, fontsize=8)


def _plot_composition(panel: Axes, time: NDArray[np.float64], columns: Columns) -> None:
    low, high = (columns[name].astype(np.float64) for name in ("c_min", "c_max"))
    panel.fill_between(time, low, high, color=_BLUE, alpha=0.2, linewidth=0, label="range")
    panel.plot(time, columns["lithium_mean"], color="black", linewidth=1.4, label="mean")
    panel.set(ylim=(0, 1))
    panel.set_ylabel("Li composition", fontsize=9)
    panel.legend(frameon=False, fontsize=8)


def _plot_balance(panel: Axes, time: NDArray[np.float64], columns: Columns) -> None:
    # Exact zeros, which a logarithm cannot show, are drawn at the size of a rounding error.
    error = np.maximum(np.abs(columns["lithium_balance_error"]), _ROUNDING)
    panel.semilogy(time, error, color="black", linewidth=1.2)
    panel.axhline(1e-10, color=_RED, linewidth=0.8, linestyle="--")
    panel.set_ylim(_ROUNDING / 2, max(1e-9, 3 * float(error.max())))
    panel.set_ylabel("Lithium balance error", fontsize=9)


def _plot_step(
    panel: Axes, time: NDArray[np.float64], dt: NDArray[np.float64] | NDArray[np.int64]
) -> None:
    if time.size:
        panel.semilogy(time, dt, color="black", linewidth=1.2)
    panel.set_ylabel("Time step (s)", fontsize=9)


def _plot_observable(panel: Axes, time: NDArray[np.float64], columns: Columns, name: str) -> None:
    # Those of snapshots are unknown at most steps.
    known = ~np.isnan(columns[name])
    style = "-" if known.all() else ".-"
    panel.plot(time[known], columns[name][known], style, color="black", linewidth=1.2)
    panel.set_ylabel(name, fontsize=9)
