"""The picture of figure 4A."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import CATEGORY_COLOURS
from chemomech.materials.bent_fibre import BentFibre
from chemomech.materials.density_curve import DensityCurve
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.phase_diagram import find_phases
from chemomech.paper.chart_page import create_charts, save_charts
from chemomech.paper.strained_phases import (
    CHI,
    CRITICAL_CHI,
    LARGEST_STRAIN,
    RADIUS_NM,
    WIDTH_NM,
    PhaseLine,
)

FloatArray = NDArray[np.float64]

_LAW = RegularSolution(CHI)


def write_strained_phases(
    path: Path, fibres: tuple[BentFibre, BentFibre], lines: Sequence[PhaseLine]
) -> None:
    """Draw energies, phase boundaries, potentials and the diagram of bends; PNG.

    Args:
        path: File to write.
        fibres: In plane stress and in plane strain.
        lines: Phase boundaries without stress, in plane stress and in plane strain.
    """
    figure, charts = create_charts(2, 2)
    _draw_energies(charts[0], fibres[1])
    _draw_boundaries(charts[1], lines)
    _draw_potentials(charts[2], fibres[1])
    _draw_bends(charts[3], fibres)
    save_charts(path, figure, charts)


def _draw_energies(axes: Axes, fibre: BentFibre) -> None:
    c: FloatArray = np.asarray(np.linspace(0.001, 0.999, 500))
    edge = WIDTH_NM / 2 / RADIUS_NM
    free = DensityCurve(_LAW).energy
    curves = {
        "without strain": free(c) - free(0.5),
        "coherent, mid-line": _count_from_middle(fibre, c, 0.0),
        "outer edge": _count_from_middle(fibre, c, edge),
        "inner edge": _count_from_middle(fibre, c, -edge),
    }
    colours = ("black", *CATEGORY_COLOURS[:3])
    for (words, energy), colour in zip(curves.items(), colours, strict=True):
        axes.plot(c, energy, color=colour, linewidth=1.2, label=words)
    axes.set(xlabel="Li composition $c$", ylabel="Free energy / $RTC$", ylim=(-0.14, 0.22))
    axes.legend(loc="upper center")


def _count_from_middle(fibre: BentFibre, c: FloatArray, strain: float) -> FloatArray:
    return fibre.energy(c, _LAW, strain) - fibre.energy(0.5, _LAW, strain)


def _draw_boundaries(axes: Axes, lines: Sequence[PhaseLine]) -> None:
    for line, colour in zip(lines, ("black", *CATEGORY_COLOURS), strict=False):
        for binodal in (line.binodal, 1 - line.binodal):
            axes.plot(binodal, line.chi, color=colour, linewidth=1.2)
        for spinodal in (line.spinodal, 1 - line.spinodal):
            axes.plot(spinodal, line.chi, "--", color=colour, linewidth=1.0)
        axes.plot([], [], color=colour, label=line.body.name)
    axes.set(xlim=(0, 1), ylim=(1.2, 3.4), xlabel="Li composition $c$", ylabel="$\\chi$")
    axes.legend(loc="lower center")


def _draw_potentials(axes: Axes, fibre: BentFibre) -> None:
    percent = np.linspace(-3.0, 3.0, 61)
    middle = fibre.potential_shift(percent / 100)
    reach = find_phases(_LAW, fibre.chi_shift).narrowest.loop[1]
    colour = CATEGORY_COLOURS[0]
    axes.fill_between(
        percent, middle - reach, middle + reach, color=colour, alpha=0.2, linewidth=0,
        label="either phase lasts",
    )  # fmt: skip
    axes.plot(percent, middle, color=colour, linewidth=1.2, label="both coexist")
    axes.axhline(0.0, color="0.5", linewidth=0.6)
    axes.text(1.6, 0.2, "rich only", fontsize=6.5)
    axes.text(-2.7, -0.3, "poor only", fontsize=6.5)
    axes.set(xlabel="Strain of the fibre $y/R$ (%)", ylabel="$\\mu / RT$", xlim=(-3, 3))
    axes.legend(loc="upper right")


def _draw_bends(axes: Axes, fibres: tuple[BentFibre, BentFibre]) -> None:
    names = ("plane stress", "plane strain")
    for fibre, colour, words in zip(fibres, CATEGORY_COLOURS[:2], names, strict=True):
        lowest = CRITICAL_CHI + fibre.chi_shift
        chi = lowest + np.geomspace(5e-3, 3.4 - lowest, 60)
        laws = [RegularSolution(float(x)) for x in chi]
        radius = [fibre.sorting_radius(law, WIDTH_NM) / 1000 for law in laws]
        axes.plot(radius, chi, color=colour, linewidth=1.2, label=words)
        axes.axhline(lowest, color=colour, linewidth=0.8, linestyle=":")
    limit = WIDTH_NM / 2 / LARGEST_STRAIN / 1000
    axes.axvspan(0.3, limit, color="0.85", linewidth=0)
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    words = f"strain > {LARGEST_STRAIN:.0%}"
    axes.text(0.55, 3.0, words, fontsize=6, rotation=90, **middle)
    axes.text(30, 2.75, "stripes\ncan last", fontsize=6.5, **middle)
    axes.text(2.8, 2.42, "rich outside,\npoor inside", fontsize=6, **middle)
    axes.text(10, 1.98, "one phase below the dots", fontsize=6, **middle)
    axes.set(xscale="log", xlim=(0.3, 100), ylim=(1.9, 3.4))
    axes.set(xlabel="Bend radius $R$ (µm)", ylabel="$\\chi$")
    axes.legend(loc="upper right")
