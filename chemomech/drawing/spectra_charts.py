"""Charts of spectra: the scree of the components and the spectra of the clusters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from chemomech.arrays import FloatArray
from chemomech.drawing.absorption_edges import AbsorptionEdge, find_edges
from chemomech.drawing.cluster_pictures import choose_colours
from chemomech.drawing.figure_parts import LETTERS, create_figure, prepare_chart, save_figure
from chemomech.errors import InputError

_MOST_COMPONENTS = 20
# Share of the energy range that the name of an edge takes.
_NAME_WIDTH = 0.09
_NAME_ROWS = 3


def draw_scree(axes: Axes, variances: FloatArray, used: int = 0) -> None:
    """Draw each component's share of the variance on a logarithmic scale.

    Args:
        axes: Where to draw.
        variances: Variances of all components, the largest first, shape (k,); the first twenty
            are drawn.
        used: Number of first components that the next step uses; these are filled.

    Raises:
        InputError: No variance is greater than zero.
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
    figure = create_figure(3.6, 2.6)
    draw_scree(figure.add_subplot(), variances, used)
    save_figure(figure, path)


def draw_cluster_spectra(
    axes: Axes,
    energies: FloatArray,
    spectra: FloatArray,
    spread: FloatArray,
    names: Sequence[str],
    *,
    label: str = "Optical density",
    elements: Collection[str] | None = None,
) -> None:
    """Draw the spectra of the clusters, bands of one standard deviation, and named edges.

    Args:
        axes: Where to draw.
        energies: Photon energies in eV, shape (E,).
        spectra: Mean spectrum of each cluster, shape (k, E).
        spread: Standard deviation within each cluster, NaN or zero for none, shape (k, E).
        names: Name of each cluster, k of them; their colours are those of the map.
        label: What the ordinate is.
        elements: Symbols of the elements whose edges are named; where None all that have an edge
            in the range.

    Raises:
        InputError: The shapes do not fit one another or no spectrum has a finite value.
    """
    shape = (len(names), len(energies))
    if spectra.shape != shape or spread.shape != shape:
        raise InputError(
            f"spectra of shape {spectra.shape} and spread of shape {spread.shape} for "
            f"{shape[0]} names and {shape[1]} energies"
        )
    if not np.isfinite(spectra).any():
        raise InputError("there is nothing to draw: no value of the spectra is a finite number")
    for name, colour, mean, deviation in zip(
        names, choose_colours(len(names)), spectra, spread, strict=True
    ):
        axes.plot(energies, mean, color=colour, linewidth=1.2, label=name)
        axes.fill_between(
            energies, mean - deviation, mean + deviation, color=colour, alpha=0.18, linewidth=0
        )
    axes.set_xlim(float(energies.min()), float(energies.max()))
    axes.set_xlabel("Photon energy (eV)", fontsize=LETTERS)
    axes.set_ylabel(label, fontsize=LETTERS)
    _name_edges(axes, find_edges(energies, elements))
    prepare_chart(axes)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=LETTERS,
        handlelength=1.4,
    )


def write_cluster_spectra(
    path: str | Path,
    energies: FloatArray,
    spectra: FloatArray,
    spread: FloatArray,
    names: Sequence[str],
    *,
    label: str = "Optical density",
    elements: Collection[str] | None = None,
) -> None:
    """Write the spectra of the clusters; see `draw_cluster_spectra` for arguments and errors."""
    figure = create_figure(5.2, 3.0)
    axes = figure.add_subplot()
    draw_cluster_spectra(axes, energies, spectra, spread, names, label=label, elements=elements)
    save_figure(figure, path)


def _name_edges(axes: Axes, edges: Sequence[AbsorptionEdge]) -> None:
    """Dashed lines at the edges, named above the frame; names too close move one row up."""
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
