"""Count domains in straight strips over several noises, beside figure 4C-H."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from chemomech import RunResults, analyse_run, plot_side_by_side
from chemomech.paper.charts import COLOURS, open_charts
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction

_REFERENCE = {
    (0.5, 10): (25.6, 2.6),
    (0.5, 20): (13.0, 0.9),
    (0.5, 40): (10.0, 0.6),
    (0.5, 80): (6.4, 0.5),
    (0.35, 10): (57.8, 3.5),
    (0.35, 20): (17.4, 1.0),
    (0.35, 40): (6.8, 1.2),
    (0.35, 80): (4.0, 0.9),
}
"""Mean count and its standard deviation over five noises, from a finite-volume code of its own
kind on square cells, by mean composition and nominal width of the wall in nm."""

_TICKS = (2, 3, 5, 10, 20, 30, 50)


@dataclass(frozen=True)
class _Counts:
    """Domains in strips that differ by their noise alone.

    Args:
        mean: Mean composition.
        width: Width of a wall (eqn 4), in nm.
        domains: Mean number of domains.
        deviation: Standard deviation of that number from strip to strip.
        reference: Mean and standard deviation of `_REFERENCE`.
        spanning: Mean number of domains that span the strip.
        measured_width: Mean width of the walls found, in nm.
    """

    mean: float
    width: float
    domains: float
    deviation: float
    reference: tuple[float, float]
    spanning: float
    measured_width: float


def make(work: Reproduction) -> Findings:
    """Run the strips and compare their domains with the reference."""
    runs = work.run_sweep()
    groups = [list(group) for _, group in groupby(runs, key=_identify)]
    counts = [_count_domains(group) for group in groups]
    _draw_counts(work.folder / "figure.png", counts)
    firsts = [group[0] for group in groups]
    titles = ["$c_0$ = {:g}, $s$ = {:.0f} nm".format(*_identify(run)) for run in firsts]
    plot_side_by_side(firsts, "composition", work.make_way("strips.png"), titles, columns=2)
    return Findings(
        values={
            "strips": len(runs),
            "noises": len(groups[0]),
            "falls": all(a.domains > b.domains for a, b in pairwise(counts) if a.mean == b.mean),
            "off": max(abs(c.domains - c.reference[0]) / c.reference[1] for c in counts),
        },
        tables=[
            Table(
                "counts",
                "Counts, means over the noises",
                {
                    "mean_composition": [c.mean for c in counts],
                    "wall_width_nm": [c.width for c in counts],
                    "domains": [c.domains for c in counts],
                    "deviation": [c.deviation for c in counts],
                    "reference_domains": [c.reference[0] for c in counts],
                    "reference_deviation": [c.reference[1] for c in counts],
                    "spanning": [c.spanning for c in counts],
                    "measured_wall_width_nm": [c.measured_width for c in counts],
                },
            )
        ],
    )


def _identify(run: RunResults) -> tuple[float, float]:
    initial, width = run.config.initial, run.config.material.interface_width
    assert initial.kind == "noise"
    assert width is not None
    return initial.mean, 1e9 * width


def _count_domains(runs: Sequence[RunResults]) -> _Counts:
    """Measure strips that differ by their noise alone."""
    found = [analyse_run(run) for run in runs]
    mean, width = _identify(runs[0])
    domains = [statistics.count for statistics in found]
    return _Counts(
        mean,
        width,
        float(np.mean(domains)),
        float(np.std(domains, ddof=1)),
        _REFERENCE[mean, round(width)],
        float(np.mean([statistics.spanning for statistics in found])),
        float(np.mean([statistics.interface_width for statistics in found])),
    )


def _draw_counts(path: Path, counts: Sequence[_Counts]) -> None:
    means = sorted({c.mean for c in counts}, reverse=True)
    with open_charts(path, 1) as (axes,):
        for colour, mean in zip(COLOURS, means, strict=False):
            mine = [c for c in counts if c.mean == mean]
            widths = np.array([c.width for c in mine])
            here = zip(*((c.domains, c.deviation) for c in mine), strict=True)
            there = zip(*(c.reference for c in mine), strict=True)
            for (values, bars), shift, form, words in (
                (here, 0.96, "o", f"$c_0$ = {mean:g}"),
                (there, 1.04, "s", f"$c_0$ = {mean:g}, reference"),
            ):
                axes.errorbar(
                    widths * shift, values, bars, fmt=form, color=colour, label=words, markersize=4,
                    markerfacecolor=colour if form == "o" else "white", linewidth=1, capsize=2,
                )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel="Width of a wall (nm)", ylabel="Domains")
        for axis, ticks in ((axes.xaxis, sorted({c.width for c in counts})), (axes.yaxis, _TICKS)):
            axis.set_major_locator(FixedLocator(list(ticks)))
            axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
            axis.set_minor_locator(NullLocator())
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
