"""Figure 4A: free energy and phase diagram of a homogeneous particle, with and without strain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from chemomech import BentFibre, DensityCurve, RegularSolution, find_phases
from chemomech.paper.charts import COLOURS, open_charts
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.paper.strained_phases import (
    CHI,
    CRITICAL_CHI,
    HIGHEST_CHI,
    LARGEST_STRAIN,
    RADIUS_NM,
    WIDTH_NM,
    PhaseLine,
    create_fibre,
    find_ends,
    find_phase_line,
)

_LAW = RegularSolution(CHI)


def make(work: Reproduction) -> Findings:
    """Find the phases and draw them."""
    stress, strain = (create_fibre(plane_strain=held) for held in (False, True))
    shifts = {
        "without stress": 0.0,
        "coherent, plane stress": stress.chi_shift,
        "coherent, plane strain": strain.chi_shift,
    }
    lines = [find_phase_line(body, shift) for body, shift in shifts.items()]
    with open_charts(work.folder / "figure.png", 2, 2) as (energies, boundaries, potentials, bends):
        _draw_energies(energies, strain)
        _draw_boundaries(boundaries, lines)
        _draw_potentials(potentials, strain)
        _draw_bends(bends, (stress, strain))
    poor, edge = np.array([find_ends(CHI, shift) for shift in shifts.values()]).T
    return Findings(
        values={
            "chi": CHI,
            "edges": edge,
            "radii": [fibre.sorting_radius(_LAW, WIDTH_NM) / 1000 for fibre in (stress, strain)],
            "width": WIDTH_NM,
            "bend": RADIUS_NM / 1000,
        },
        tables=[
            Table(
                "phases",
                f"Phase boundaries at chi = {CHI}",
                {
                    "body": shifts,
                    "chi_shift": shifts.values(),
                    "chi_effective": [CHI - shift for shift in shifts.values()],
                    "binodal_poor": poor,
                    "binodal_rich": 1 - poor,
                    "spinodal_poor": edge,
                    "spinodal_rich": 1 - edge,
                },
            ),
            _tabulate_lines(lines),
            _tabulate_radii(stress, strain),
        ],
    )


def _tabulate_lines(lines: Sequence[PhaseLine]) -> Table:
    columns: dict[str, Iterable[object]] = {
        "body": np.repeat([line.body for line in lines], [len(line.chi) for line in lines]),
        "chi": np.concatenate([line.chi for line in lines]),
        "binodal_poor": np.concatenate([line.binodal for line in lines]),
        "spinodal_poor": np.concatenate([line.spinodal for line in lines]),
    }
    return Table("boundaries", "Phase boundaries over chi", columns, shown=False)


def _tabulate_radii(stress: BentFibre, strain: BentFibre) -> Table:
    chi = np.linspace(2.0, HIGHEST_CHI, 29)
    columns: dict[str, Iterable[object]] = {
        "chi": chi,
        "radius_plane_stress_nm": [_find_radius(stress, float(x)) for x in chi],
        "radius_plane_strain_nm": [_find_radius(strain, float(x)) for x in chi],
    }
    caption = f"Bend radius below which the bend sorts the phases, w = {WIDTH_NM:g} nm"
    return Table("radii", caption, columns, shown=False)


def _find_radius(fibre: BentFibre, chi: float) -> float | None:
    if chi - fibre.chi_shift <= CRITICAL_CHI:
        return None
    return fibre.sorting_radius(RegularSolution(chi), WIDTH_NM)


def _draw_energies(axes: Axes, fibre: BentFibre) -> None:
    c: NDArray[np.float64] = np.asarray(np.linspace(0.001, 0.999, 500))
    edge = WIDTH_NM / 2 / RADIUS_NM
    free = DensityCurve(_LAW).energy
    axes.plot(c, free(c) - free(0.5), color="black", linewidth=1.2, label="without strain")
    strains = {"coherent, mid-line": 0.0, "outer edge": edge, "inner edge": -edge}
    for (words, strain), colour in zip(strains.items(), COLOURS, strict=False):
        energy = fibre.energy(c, _LAW, strain) - fibre.energy(0.5, _LAW, strain)
        axes.plot(c, energy, color=colour, linewidth=1.2, label=words)
    axes.set(xlabel="Li composition $c$", ylabel="Free energy / $RTC$", ylim=(-0.14, 0.22))
    axes.legend(loc="upper center")


def _draw_boundaries(axes: Axes, lines: Sequence[PhaseLine]) -> None:
    for line, colour in zip(lines, ("black", *COLOURS), strict=False):
        for binodal in (line.binodal, 1 - line.binodal):
            axes.plot(binodal, line.chi, color=colour, linewidth=1.2)
        for spinodal in (line.spinodal, 1 - line.spinodal):
            axes.plot(spinodal, line.chi, "--", color=colour, linewidth=1.0)
        axes.plot([], [], color=colour, label=line.body)
    axes.set(xlim=(0, 1), ylim=(1.2, HIGHEST_CHI), xlabel="Li composition $c$", ylabel="$\\chi$")
    axes.legend(loc="lower center")


def _draw_potentials(axes: Axes, fibre: BentFibre) -> None:
    percent = np.linspace(-3.0, 3.0, 61)
    middle = fibre.potential_shift(percent / 100)
    reach = find_phases(_LAW, fibre.chi_shift).narrowest.loop[1]
    colour = COLOURS[0]
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
    for fibre, colour, words in zip(fibres, COLOURS[:2], names, strict=True):
        lowest = CRITICAL_CHI + fibre.chi_shift
        chi = lowest + np.geomspace(5e-3, HIGHEST_CHI - lowest, 60)
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
    axes.set(xscale="log", xlim=(0.3, 100), ylim=(1.9, HIGHEST_CHI))
    axes.set(xlabel="Bend radius $R$ (µm)", ylabel="$\\chi$")
    axes.legend(loc="upper right")
