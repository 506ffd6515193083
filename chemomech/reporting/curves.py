"""Draw a ledger as curves: energy, composition, balance, stress or voltage, and observables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from chemomech.drawing.figure_parts import CATEGORY_COLOURS
from chemomech.output.ledger import Columns, find_additional

_Array = NDArray[Any]

_PARTS = ("chemical", "gradient", "elastic", "total")
_COLOURS = dict(zip(_PARTS, (*CATEGORY_COLOURS[:3], "#000000"), strict=True))
#: Exact zeros, which a logarithm cannot show, are drawn at the size of a rounding error.
_ROUNDING = 2.0**-53


def create_ledger_curves(columns: Columns) -> str:
    """Draw a ledger over time; Plotly's figure as JSON.

    Args:
        columns: A ledger as `read_ledger` returns it, with a line or more.
    """
    driven = "voltage_V" in columns and not np.isnan(columns["voltage_V"]).all()
    titles = ["Change of energy", "Composition", "Lithium out of balance", "Von Mises, largest"]
    if driven:
        titles[3] = "Voltage"
    further = find_additional(columns)
    rows = 2 + math.ceil(len(further) / 2)
    figure = make_subplots(rows=rows, cols=2, subplot_titles=[*titles, *further], shared_xaxes=True)
    time = columns["time_s"]
    unit = "J/m" if "energy_total_J_per_m" in columns else "J"
    for part in _PARTS:
        energy = columns[f"energy_{part}_{unit.replace('/', '_per_')}"]
        _add(figure, 1, 1, time, energy - energy[0], part, _COLOURS[part])
    for name, words in (("c_min", "smallest"), ("lithium_mean", "mean"), ("c_max", "largest")):
        colour = "#000000" if name == "lithium_mean" else CATEGORY_COLOURS[0]
        _add(figure, 1, 2, time, columns[name], f"{words} c", colour)
    balance = np.maximum(np.abs(columns["lithium_balance_error"]), _ROUNDING)
    _add(figure, 2, 1, time, balance, "balance", "#000000")
    last = columns["voltage_V"] if driven else columns["von_mises_max_Pa"] / 1e6
    _add(figure, 2, 2, time, last, titles[3].lower(), CATEGORY_COLOURS[3])
    for number, name in enumerate(further):
        known = ~np.isnan(columns[name])
        place = 3 + number // 2, 1 + number % 2
        _add(figure, *place, time[known], columns[name][known], name, "#000000")
    labels = {(1, 1): unit, (1, 2): "c", (2, 1): "relative", (2, 2): "V" if driven else "MPa"}
    for (row, column), label in labels.items():
        figure.update_yaxes(title_text=label, row=row, col=column)
    figure.update_yaxes(type="log", exponentformat="power", row=2, col=1)
    later = time[time > 0]
    if later.size > 1 and later.max() > 100 * later.min() and not driven:
        figure.update_xaxes(type="log")
    figure.update_xaxes(title_text="Time (s)", row=rows)
    figure.update_layout(
        height=310 * rows,
        template="simple_white",
        margin={"l": 70, "r": 20, "t": 40, "b": 50},
        legend={"orientation": "h", "y": -0.12},
    )
    return str(figure.to_json())


def _add(
    figure: go.Figure, row: int, column: int, x: _Array, y: _Array, name: str, colour: str
) -> None:
    shown = go.Scatter(
        x=np.asarray(x, dtype=np.float64),
        y=np.asarray(y, dtype=np.float64),
        name=name,
        mode="lines",
        line={"color": colour, "width": 1.6},
    )
    figure.add_trace(shown, row=row, col=column)
