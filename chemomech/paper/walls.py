"""Figure 4B: walls between the phases for a series of gradient coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from chemomech import RunResults
from chemomech.paper.charts import open_charts
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction


@dataclass(frozen=True, eq=False)
class _Wall:
    """A relaxed wall.

    Args:
        kappa: Gradient coefficient, in J m2/mol.
        expected: Width by eqn (4), its barrier taken from the tie line, in nm.
        distance: Distance from the middle of the wall in nm, increasing, shape (n,).
        composition: Composition there, shape (n,).
    """

    kappa: float
    expected: float
    distance: NDArray[np.float64]
    composition: NDArray[np.float64]

    @property
    def width(self) -> float:
        """Distance in nm between the values at both ends along the steepest slope."""
        slope = np.max(np.diff(self.composition) / np.diff(self.distance))
        return float((self.composition[-1] - self.composition[0]) / slope)


def make(work: Reproduction) -> Findings:
    """Relax the walls, and compare their widths with eqn (4)."""
    walls = [_measure_wall(run) for run in work.run_sweep()]
    kappas, expected, widths = np.array([[w.kappa, w.expected, w.width] for w in walls]).T
    errors = widths / expected - 1.0
    slope = float(np.polyfit(np.log(kappas), np.log(widths), 1)[0])
    _draw(work.folder / "figure.png", walls, slope)
    return Findings(
        values={
            "kappas": kappas,
            "slope": slope,
            "deviation": np.abs(errors).max(),
        },
        tables=[
            Table(
                "widths",
                "Widths",
                {
                    "kappa_J_m2_per_mol": kappas,
                    "width_eqn_4_nm": expected,
                    "width_nm": widths,
                    "relative_error": errors,
                },
            ),
            Table(
                "profiles",
                "Profiles",
                {
                    "kappa_J_m2_per_mol": np.repeat(kappas, [len(w.distance) for w in walls]),
                    "distance_nm": np.concatenate([wall.distance for wall in walls]),
                    "composition": np.concatenate([wall.composition for wall in walls]),
                },
                shown=False,
            ),
        ],
    )


def _measure_wall(run: RunResults) -> _Wall:
    """Take the profile from the end of a run whose wall lies across its strip."""
    points, c = run.grid.points, run.read("composition")
    below = np.flatnonzero(points[:, 1] < points[:, 1].min() + 1e-6)
    order = below[np.argsort(points[below, 0])]
    x, profile = points[order, 0], c[order]
    material = run.config.material
    assert material.interface_width is not None
    middle = float(np.interp(0.5, profile, x))
    return _Wall(material.kappa, 1e9 * material.interface_width, x - middle, profile)


def _draw(path: Path, walls: Sequence[_Wall], slope: float) -> None:
    """Draw profiles, rescaled profiles and widths of walls, kappa increasing."""
    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(walls)))
    with open_charts(path, 3) as (profiles, rescaled, widths):
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
        kappas, expected = [wall.kappa for wall in walls], [wall.expected for wall in walls]
        widths.loglog(kappas, expected, "k-", linewidth=0.8, label="eqn (4)")
        widths.set(xlabel="$\\kappa$ (J m² mol⁻¹)", ylabel="Width $s$ (nm)")
        widths.yaxis.set_major_locator(FixedLocator([round(width, 1) for width in expected]))
        widths.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        widths.yaxis.set_minor_locator(NullLocator())
        widths.xaxis.set_minor_formatter(NullFormatter())
        widths.legend(title=f"slope {slope:.4f}")
