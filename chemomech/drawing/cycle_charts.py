"""Draw voltage, current and stress of a cycled particle over lithium content and over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from chemomech.drawing.figure_parts import (
    CATEGORY_COLOURS,
    LETTERS,
    MISSING,
    create_figure,
    prepare_chart,
    save_figure,
)
from chemomech.errors import InputError
from chemomech.materials.phases import Phase
from chemomech.output.ledger import Columns
from chemomech.units import FARADAY

FloatArray = npt.NDArray[np.floating]

_WIDTH, _HEIGHT = 9.0, 8.0
_COLOURS = {"lithiation": CATEGORY_COLOURS[0], "delithiation": CATEGORY_COLOURS[3], "rest": "0.5"}
_PALEST, _BACKGROUND = 0.35, 0.16
_SHADES_SHOWN = 5
_THIN = 0.7
_STRESSES = (
    ("surface_von_mises_mean_Pa", "Von Mises stress,\nsurface mean (MPa)", 1.2),
    ("surface_hydrostatic_mean_Pa", "Hydrostatic stress,\nsurface mean (MPa)", 1.2),
    ("von_mises_max_Pa", "Von Mises stress,\nlargest (MPa)", _THIN),
)
_MEGA = 1e6
# Share of the largest current below which a stage is a rest: solvers leave a little of none.
_NO_CURRENT = 1e-6
# Axes shorter than this, in V, MPa and composition, would show rounding errors of what is constant.
_LEAST_VOLTAGE, _LEAST_STRESS, _LEAST_LITHIUM = 1e-2, 1e-2, 1e-2
# The same of currents, as a share of the largest.
_LEAST_CURRENT = 0.1
_HOURS_FROM = 7200.0


@dataclass(frozen=True)
class _Stage:
    """Lines of the ledger on one step of the schedule in one cycle; kind as in `_COLOURS`."""

    rows: slice
    cycle: int
    kind: str


@dataclass(frozen=True, eq=False)
class _Curve:
    """A column of the ledger, shape (steps,), in the unit in which it is drawn, named on its axis.

    Its axis has a least length, its line a width in points. Equilibrium values are those without
    overpotential; None where that means nothing.
    """

    name: str
    label: str
    values: FloatArray
    least: float = 0.0
    width: float = 1.2
    equilibrium: FloatArray | None = None


_Panels = Sequence[tuple[Axes, _Curve]]


def write_cycle_chart(path: str | Path, columns: Columns, phases: Sequence[Phase] = ()) -> None:
    """Write the figure of `_create_cycle_figure`, which see for arguments and errors, as PNG."""
    save_figure(_create_cycle_figure(columns, phases), path)


def _create_cycle_figure(columns: Columns, phases: Sequence[Phase] = ()) -> Figure:
    """Plot voltage and stress of a particle over its cycles, as Santos et al. 2020 of an electrode.

    (a) voltage and (b) stress over lithium content, a line for each half-cycle and none for rests;
    (c) voltage and current and (d) stress over time, on a background that tells lithiation,
    delithiation and rest apart. Without any stress (b) is voltage and current over time, and there
    are no more. Stresses are means over the reacting surface, hydrostatic tension
    positive, and the largest von Mises stress anywhere. Where no reference voltage was stated, the
    voltage is that against mu_res = 0, -mu_res / F. Dashed is the voltage less the overpotential.

    Args:
        columns: Ledger of a reacting particle as `read_ledger` returns it, with a line or more.
        phases: Phases, in whose windows of lithium content their names stand in (a).

    Returns:
        A page whose axes are labelled (`Axes.get_label`) like ``von_mises_max_Pa over lithium``.
    """
    stages = _find_stages(columns)
    voltage, current, *stresses = _prepare_curves(columns)
    rows = range(2 + len(stresses))
    figure = create_figure(_WIDTH, _HEIGHT * len(rows) / 5)
    figure.set_layout_engine("constrained", h_pad=0.05, w_pad=0.1)
    grid = figure.add_gridspec(len(rows), 2, height_ratios=(1.2, 0.8, 1.0, 1.0, 1.0)[: len(rows)])
    places = [grid[:2, 0], *(grid[row, 0] for row in rows[2:])]
    panels = _add_panels(figure, places, [voltage, *stresses], "lithium")
    _draw_half_cycles(panels, columns, stages)
    _name_phases(panels[0][0], phases)
    _add_charge(panels[0][0], columns)
    places = [grid[row, 1] for row in rows]
    panels = _add_panels(figure, places, [voltage, current, *stresses], "time")
    _draw_histories(panels, columns, stages)
    _draw_key(figure, stages)
    return figure


def _read(columns: Columns, name: str) -> FloatArray:
    """Read a column of the whole particle or, in 2-D, per metre of depth."""
    values = columns.get(name, columns.get(f"{name}_per_m"))
    if values is None:
        raise InputError(f"the ledger is not that of a reacting particle: it has no {name}")
    return values.astype(np.float64)


def _name_unit(columns: Columns, name: str) -> str:
    return name[-1] if name in columns else f"{name[-1]}/m"


def _find_stages(columns: Columns) -> list[_Stage]:
    """List stages in the order of the ledger, each named after the largest current in it."""
    cycle, stage, current = (_read(columns, name) for name in ("cycle", "stage", "current_A"))
    starts = np.flatnonzero((np.diff(cycle) != 0) | (np.diff(stage) != 0)) + 1
    least = _NO_CURRENT * float(np.abs(current).max())
    stages = []
    for start, end in pairwise([0, *map(int, starts), len(current)]):
        largest = current[start:end][np.argmax(np.abs(current[start:end]))]
        direction = "delithiation" if largest > 0.0 else "lithiation"
        kind = direction if abs(largest) > least else "rest"
        stages.append(_Stage(slice(start, end), int(cycle[start]), kind))
    return stages


def _choose_unit(values: FloatArray, unit: str) -> tuple[float, str]:
    """Choose size and name of the unit, with a prefix, in which the largest value is 0.5 to 500."""
    largest = float(np.abs(np.nan_to_num(values)).max())
    power = np.floor(np.log10(2.0 * largest) / 3) if largest > 0.0 else 0.0
    power = 3 * int(np.clip(power, -8, 8))
    return 10.0**power, f"{EngFormatter.ENG_PREFIXES[power]}{unit}"


def _prepare_curves(columns: Columns) -> list[_Curve]:
    """Prepare voltage, current and stresses, if there are any, in their units."""
    voltage, label = _read(columns, "voltage_V"), "Voltage"
    if np.isnan(voltage).all():
        voltage = -_read(columns, "mu_res_J_per_mol") / FARADAY
        label = "Voltage against\nreference, $-\\mu_\\mathrm{res}/F$"
    size, unit = _choose_unit(voltage, "V")
    label, least = f"{label} ({unit})", _LEAST_VOLTAGE / size
    equilibrium = (voltage - _read(columns, "overpotential_V")) / size
    curves = [_Curve("voltage", label, voltage / size, least, equilibrium=equilibrium)]
    current = _read(columns, "current_A")
    size, unit = _choose_unit(current, _name_unit(columns, "current_A"))
    least = _LEAST_CURRENT * float(np.abs(current).max()) / size
    curves.append(_Curve("current", f"Current, outward\npositive ({unit})", current / size, least))
    if not any(_read(columns, name).any() for name, _, _ in _STRESSES):
        return curves
    for name, label, width in _STRESSES:
        curves.append(_Curve(name, label, _read(columns, name) / _MEGA, _LEAST_STRESS, width))
    return curves


def _add_panels(
    figure: Figure, places: Sequence[SubplotSpec], curves: Sequence[_Curve], abscissa: str
) -> _Panels:
    """Add panels below one another; the lowest bears the numbers of the common abscissa."""
    panels: list[Axes] = []
    for place, curve in zip(places, curves, strict=True):
        first = panels[0] if panels else None
        panel = figure.add_subplot(place, sharex=first, label=f"{curve.name} over {abscissa}")
        prepare_chart(panel)
        panel.set_ylabel(curve.label, fontsize=LETTERS)
        # An offset beside the axis would be one thing more to add up.
        panel.ticklabel_format(useOffset=False)
        panel.tick_params(labelbottom=curve is curves[-1])
        panels.append(panel)
    lettered = [panels[0]]
    if len(panels) > len(_STRESSES):
        lettered.append(panels[-len(_STRESSES)])
    first_letter = ord("a") + (0 if abscissa == "lithium" else len(lettered))
    for number, panel in enumerate(lettered, first_letter):
        panel.set_title(f"({chr(number)})", loc="left", fontsize=LETTERS + 1)
    figure.align_ylabels(panels)
    return list(zip(panels, curves, strict=True))


def _draw_half_cycles(panels: _Panels, columns: Columns, stages: Sequence[_Stage]) -> None:
    """Draw a line for each stage that is no rest."""
    lithium = _read(columns, "lithium_mean")
    driven = [stage for stage in stages if stage.kind != "rest"]
    for panel, curve in panels:
        for stage in driven:
            x, colour = lithium[stage.rows], _shade(stage, stages)
            y = curve.values[stage.rows]
            panel.plot(x, y, color=colour, linewidth=curve.width, gid=stage.kind)
            if curve.equilibrium is not None:
                y = curve.equilibrium[stage.rows]
                panel.plot(x, y, "--", color=colour, linewidth=_THIN, gid="equilibrium")
        _lengthen(panel, (_LEAST_LITHIUM, curve.least))
    panels[-1][0].set_xlabel("Lithium content $x$", fontsize=LETTERS)


def _name_phases(panel: Axes, phases: Sequence[Phase]) -> None:
    """Shade where a particle in equilibrium is of one phase, and name it off the falling curve."""
    across = panel.get_xaxis_transform()
    left, right = panel.get_xlim()
    for phase in phases:
        low, high = np.clip((phase.lower, phase.upper), left, right)
        if phase.lower <= right and phase.upper >= left:
            # Its line shows a window of one composition.
            panel.axvspan(low, high, color=MISSING, alpha=0.5, linewidth=1.0, zorder=0)
            middle = (low + high) / 2
            below = middle < (left + right) / 2
            place = (middle, 0.03 if below else 0.97)
            panel.text(
                *(*place, phase.name),
                transform=across,
                fontsize=LETTERS,
                ha="center",
                va="bottom" if below else "top",
            )
    panel.set_xlim(left, right)


def _add_charge(panel: Axes, columns: Columns) -> None:
    """Show lithium content as charge, on an axis on top, by the ratio of what has passed."""
    lithium, charge = _read(columns, "lithium_mean"), _read(columns, "charge_C")
    far = int(np.argmax(np.abs(lithium - lithium[0])))
    change, inserted = float(lithium[far] - lithium[0]), float(charge[0] - charge[far])
    if change * inserted <= 0.0:
        return
    full = inserted / change
    size, unit = _choose_unit(full * lithium, _name_unit(columns, "charge_C"))
    to_charge, to_lithium = partial(np.multiply, full / size), partial(np.multiply, size / full)
    axis = panel.secondary_xaxis("top", functions=(to_charge, to_lithium))
    axis.set_xlabel(f"Lithium content as charge ({unit})", fontsize=LETTERS)
    axis.tick_params(labelsize=LETTERS - 1, width=0.6, length=3)
    axis.spines["top"].set_linewidth(0.6)


def _draw_histories(panels: _Panels, columns: Columns, stages: Sequence[_Stage]) -> None:
    """Draw curves over time on a background that lasts from the start of each stage to the next."""
    time = _read(columns, "time_s")
    end = float(time[-1])
    size, unit = _choose_unit(time, "s") if end < 1.0 else (1.0, "s")
    size, unit = (3600.0, "h") if end >= _HOURS_FROM else (size, unit)
    starts = [float(time[stage.rows.start]) / size for stage in stages]
    spans = list(zip(starts, np.diff([*starts, end / size]), strict=True))
    for panel, curve in panels:
        across = panel.get_xaxis_transform()
        for kind, colour in _COLOURS.items():
            mine = [span for span, stage in zip(spans, stages, strict=True) if stage.kind == kind]
            pale = _mix(colour, _BACKGROUND)
            panel.broken_barh(
                mine, (0.0, 1.0), transform=across, color=pale, linewidth=0, zorder=0, gid=kind
            )
        panel.plot(time / size, curve.values, color="black", linewidth=curve.width)
        panel.set_xmargin(0.0)
        _lengthen(panel, (0.0, curve.least))
    panels[-1][0].set_xlabel(f"Time ({unit})", fontsize=LETTERS)


def _lengthen(panel: Axes, least: tuple[float, float]) -> None:
    """Give both axes a least length about the middle of what is drawn, if anything is."""
    low, high = panel.dataLim.get_points()
    missing = np.maximum(np.array(least) - (high - low), 0.0) / 2
    if np.isfinite(missing).all():
        panel.update_datalim([low - missing, high + missing])
        panel.autoscale_view()


def _shade(stage: _Stage, stages: Sequence[_Stage]) -> tuple[float, float, float]:
    """Choose the colour of a half-cycle, the fuller the later its cycle."""
    first, last = stages[0].cycle, stages[-1].cycle
    share = (stage.cycle - first) / (last - first) if last > first else 1.0
    return _mix(_COLOURS[stage.kind], _PALEST + (1.0 - _PALEST) * share)


def _mix(colour: str, share: float) -> tuple[float, float, float]:
    """Mix a colour with white."""
    red, green, blue = (1.0 - share * (1.0 - part) for part in to_rgb(colour))
    return red, green, blue


def _draw_key(figure: Figure, stages: Sequence[_Stage]) -> None:
    """Name colours, shades and backgrounds above the panels."""
    first, last = stages[0].cycle, stages[-1].cycle
    cycles = f", cycles {first} to {last}" if last > first else ""
    entries: dict[str, Any] = {}
    for kind, colour in _COLOURS.items():
        shades = {stage.cycle: _shade(stage, stages) for stage in stages if stage.kind == kind}
        shown = list(shades.values())[:: -max(1, len(shades) // _SHADES_SHOWN)][::-1]
        lines = [Line2D([], [], color=shade, linewidth=1.8) for shade in shown if kind != "rest"]
        background = Patch(color=_mix(colour, _BACKGROUND), linewidth=0)
        if shades:
            entries[f"{kind}{cycles if lines else ''}"] = (*lines, background)
    if entries.keys() - {"rest"}:
        dashed = Line2D([], [], color="0.3", linewidth=_THIN, linestyle="--")
        entries["voltage less overpotential"] = dashed
    figure.legend(
        entries.values(),
        entries.keys(),
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.3)},
        handlelength=5.0,
        loc="outside upper center",
        ncols=len(entries),
        frameon=False,
        fontsize=LETTERS,
    )
