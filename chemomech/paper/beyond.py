"""Draw and measure several runs side by side, for studies beyond the paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chemomech.analysis.measures import compute_vertex_volumes
from chemomech.analysis.results import RunResults
from chemomech.analysis.run_statistics import analyse_run, find_wire
from chemomech.drawing.panels import Panel, write_panels
from chemomech.drawing.styles import STYLES, format_time
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.paper.studies import STUDIES
from chemomech.sweeps.summary import measure_run

_MEASURES = (
    *("time_s", "domains", "spanning_fraction", "period_nm", "interface_width_nm"),
    *("von_mises_p50_Pa", "von_mises_p95_Pa"),
)


def make(work: Reproduction) -> Findings:
    """Run the cases of a study, draw their ends side by side, and measure them."""
    study, runs = STUDIES[work.figure.name], work.run_sweep(work.figure.name)
    names = study.name_cases(runs)
    measures = [_measure_end(run) for run in runs]
    draw_ends(work.folder, runs, [f"{name}\n" for name in names])
    header = ["run", *measures[0]]
    rows: list[list[Cell]] = [
        [name, *measured.values()] for name, measured in zip(names, measures, strict=True)
    ]
    return Findings(
        computed=study.explain(names, measures),
        differs=study.differs,
        pictures=[
            Picture("composition.png", f"Composition at the end. {study.differs}"),
            Picture("von_mises.png", f"Von Mises stress at the end. {study.differs}"),
        ],
        films=work.list_films(runs, names),
        tables=[Table("ends", "The ends of all runs", header, rows)],
    )


def draw_ends(folder: Path, runs: Sequence[RunResults], titles: Sequence[str]) -> None:
    """Draw composition and von Mises stress at the ends of runs, side by side.

    Args:
        folder: Folder for ``composition.png`` and ``von_mises.png``.
        runs: The runs.
        titles: Title of each, to which the time is added.
    """
    for field in ("composition", "von_mises"):
        panels = [
            Panel(f"{title}$t$ = {format_time(float(run.times[-1]))}", run.grid, run.read(field))
            for title, run in zip(titles, runs, strict=True)
        ]
        write_panels(folder / f"{field}.png", panels, STYLES[field], min(len(runs), 3))


def _measure_end(run: RunResults) -> dict[str, float]:
    """Measure the end of a run.

    Returns:
        Figures of `measure_run`; of nanowires also the mean composition of the outer and of the
        inner half, and the mean angle in degrees, over the area of domains, between their long
        axes and the wire's.
    """
    statistics = analyse_run(run)
    measured = measure_run(run, statistics)
    figures = {key: float(str(measured[key])) for key in _MEASURES if key in measured}
    wire = find_wire(run)
    if wire is None:
        return figures
    domains, c = statistics.domains, run.read("composition")
    volumes, outer = compute_vertex_volumes(run.grid), wire.across > 0
    return {
        **figures,
        "outer_half": float(np.average(c[outer], weights=volumes[outer])),
        "inner_half": float(np.average(c[~outer], weights=volumes[~outer])),
        "orientation_deg": float(
            np.average([d.orientation for d in domains], weights=[d.size for d in domains])
        ),
    }
