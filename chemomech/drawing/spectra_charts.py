"""Plot the scree of the components and the spectra of the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from chemomech.arrays import FloatArray
from chemomech.drawing.cluster_pictures import choose_colours
from chemomech.drawing.figure_parts import LETTERS, open_chart, prepare_chart
from chemomech.errors import InputError

_MOST_COMPONENTS = 20
# Share of the energy range that the name of an edge takes.
_NAME_WIDTH = 0.09
_NAME_ROWS = 3
# Onsets in solids as the EELS Atlas rounds them (Ahn and Krivanek, Gatan 1983; eels.info/atlas).
# Oxidation moves an edge by up to some eV: they name an edge, they do not calibrate a scale.
_ONSETS = {
    "C": {"K": 284.0},
    "Ca": {"L3": 346.0, "L2": 350.0},
    "N": {"K": 401.0},
    "Ti": {"L3": 456.0, "L2": 462.0},
    "V": {"L3": 513.0, "L2": 521.0},
    "O": {"K": 532.0},
    "Cr": {"L3": 575.0, "L2": 584.0},
    "Mn": {"L3": 640.0, "L2": 651.0},
    "F": {"K": 685.0},
    "Fe": {"L3": 708.0, "L2": 721.0},
    "Co": {"L3": 779.0, "L2": 794.0},
    "Ni": {"L3": 855.0, "L2": 872.0},
    "Cu": {"L3": 931.0, "L2": 951.0},
}


class _AbsorptionEdge(NamedTuple):
    """Onset (eV) of the absorption by a shell, ``K``, ``L3`` or ``L2``, of an element."""

    element: str
    shell: str
    energy: float


@dataclass(frozen=True, eq=False)
class NamedSpectra:
    """Spectra, shape (k, energies), on the same energies (eV), with a label of the ordinate.

    The spread is the standard deviation of each, NaN or zero for none; None for none at all.
    """

    energies: FloatArray
    names: Sequence[str]
    spectra: FloatArray
    spread: FloatArray | None = None
    label: str = "Optical density"

    def __post_init__(self) -> None:
        shape = (len(self.names), len(self.energies))
        if self.spectra.shape != shape or self.bands.shape != shape:
            raise InputError(
                f"spectra of shape {self.spectra.shape} and spread of shape {self.bands.shape} for "
                f"{shape[0]} names and {shape[1]} energies"
            )
        if not np.isfinite(self.spectra).any():
            raise InputError("there is nothing to draw: no value of the spectra is a finite number")

    @property
    def bands(self) -> FloatArray:
        """Standard deviations, zero where there are none, shape (k, E)."""
        return np.zeros_like(self.spectra) if self.spread is None else self.spread


def draw_scree(axes: Axes, variances: FloatArray, used: int = 0) -> None:
    """Draw the share of each of the first twenty components in the variance on a logarithmic scale.

    Variances of all components, the largest first, have the shape (k,); the first ones that the
    next step uses are filled.
    """
    total = float(np.sum(variances))
    if not (np.isfinite(total) and total > 0.0):
        raise InputError("there is nothing to draw: the components have no variance")
    shares = 100.0 * np.asarray(variances)[:_MOST_COMPONENTS] / total
    # Rounding leaves zeros or worse, which a logarithm cannot show.
    shares = np.where(shares > 1e-12, shares, np.nan)
    numbers = np.arange(1, len(shares) + 1)
    axes.semilogy(numbers, shares, color="0.6", linewidth=0.8, zorder=1)
    faces = np.where(numbers <= used, "#0072B2", "white")
    axes.scatter(numbers, shares, s=16, c=list(faces), edgecolors="#0072B2", linewidths=0.9)
    axes.set_xlabel("Component", fontsize=LETTERS)
    axes.set_ylabel("Variance (%)", fontsize=LETTERS)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    prepare_chart(axes)


def write_scree(path: str | Path, variances: FloatArray, used: int = 0) -> None:
    """Write a scree plot; see `draw_scree` for the arguments and errors."""
    with open_chart(path, 3.6, 2.6) as axes:
        draw_scree(axes, variances, used)


def draw_spectra(axes: Axes, data: NamedSpectra) -> None:
    """Draw spectra with bands of one standard deviation, and name the absorption edges.

    Their colours are those of the clusters on the map.
    """
    for name, colour, mean, deviation in zip(
        data.names, choose_colours(len(data.names)), data.spectra, data.bands, strict=True
    ):
        axes.plot(data.energies, mean, color=colour, linewidth=1.2, label=name)
        axes.fill_between(
            data.energies, mean - deviation, mean + deviation, color=colour, alpha=0.18, linewidth=0
        )
    axes.set_xlim(float(data.energies.min()), float(data.energies.max()))
    axes.set_xlabel("Photon energy (eV)", fontsize=LETTERS)
    axes.set_ylabel(data.label, fontsize=LETTERS)
    _name_edges(axes, _find_edges(data.energies))
    prepare_chart(axes)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=LETTERS,
        handlelength=1.4,
    )


def write_spectra(path: str | Path, data: NamedSpectra) -> None:
    """Write a chart of spectra as PNG; see `draw_spectra`."""
    with open_chart(path, 5.2, 3.0) as axes:
        draw_spectra(axes, data)


def _find_edges(energies: FloatArray) -> list[_AbsorptionEdge]:
    """Find the edges whose onset lies within the range of photon energies (eV), in rising order."""
    low, high = float(energies.min()), float(energies.max())
    return [
        _AbsorptionEdge(element, shell, energy)
        for element, onsets in _ONSETS.items()
        for shell, energy in onsets.items()
        if low <= energy <= high
    ]


def _name_edges(axes: Axes, edges: Sequence[_AbsorptionEdge]) -> None:
    """Draw dashed lines at the edges, named above the frame; close names move one row up."""
    left, right = axes.get_xlim()
    ends = np.full(_NAME_ROWS, -np.inf)
    for edge in edges:
        place = (edge.energy - left) / (right - left)
        free = np.flatnonzero(place - ends >= _NAME_WIDTH)
        row = int(free[0]) if free.size else int(np.argmin(ends))
        ends[row] = place
        axes.axvline(edge.energy, color="0.55", linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        shell = f"{edge.shell[0]}$_{edge.shell[1]}$" if len(edge.shell) > 1 else edge.shell
        axes.annotate(
            f"{edge.element} {shell}",
            xy=(edge.energy, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0.0, 2.0 + row * (LETTERS + 2.0)),
            textcoords="offset points",
            fontsize=LETTERS - 0.5,
            ha="center",
            va="bottom",
            gid="edge",
        )
