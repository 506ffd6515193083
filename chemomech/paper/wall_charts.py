"""Draw the picture of figure 4B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from chemomech.arrays import FloatArray
from chemomech.paper.chart_page import create_charts, save_charts


@dataclass(frozen=True, eq=False)
class Wall:
    """A relaxed wall.

    Args:
        kappa: Gradient coefficient, in J m2/mol.
        expected: Width by eqn (4), its barrier taken from the tie line, in nm.
        distance: Distance from the middle of the wall in nm, increasing, shape (n,).
        composition: Composition there, shape (n,).
    """

    kappa: float
    expected: float
    distance: FloatArray
    composition: FloatArray

    @property
    def width(self) -> float:
        """Distance in nm between the values at both ends along the steepest slope."""
        slope = np.max(np.diff(self.composition) / np.diff(self.distance))
        return float((self.composition[-1] - self.composition[0]) / slope)


def write_wall_chart(path: Path, walls: Sequence[Wall], slope: float) -> None:
    """Draw profiles, rescaled profiles and widths; PNG.

    Args:
        path: File to write.
        walls: The walls, kappa increasing.
        slope: Of log(width) over log(kappa).
    """
    figure, charts = create_charts(3)
    profiles, rescaled, widths = charts
    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(walls)))
    for wall, colour in zip(walls, colours, strict=True):
        words = f"{wall.kappa:.2e}"
        profiles.plot(wall.distance, wall.composition, color=colour, linewidth=1.2, label=words)
        unit = np.sqrt(wall.kappa / walls[0].kappa) * walls[0].expected
        rescaled.plot(wall.distance / unit, wall.composition, color=colour, linewidth=1.0)
        widths.loglog(wall.kappa, wall.width, "o", color=colour, markersize=5)
    widest = 1.2 * walls[-1].expected
    profiles.set(xlim=(-widest, widest), xlabel="Distance (nm)", ylabel="Li composition $c$")
    profiles.legend(title="$\\kappa$ (J m² mol⁻¹)")
    rescaled.set(xlim=(-1.5, 1.5), xlabel="Distance / $s(\\kappa)$ of eqn (4)")
    kappas = [wall.kappa for wall in walls]
    widths.loglog(kappas, [wall.expected for wall in walls], "k-", linewidth=0.8, label="eqn (4)")
    widths.set(xlabel="$\\kappa$ (J m² mol⁻¹)", ylabel="Width $s$ (nm)")
    widths.yaxis.set_major_locator(FixedLocator([round(wall.expected, 1) for wall in walls]))
    widths.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    widths.yaxis.set_minor_locator(NullLocator())
    widths.legend(title=f"slope {slope:.4f}")
    save_charts(path, figure, charts)
