"""Draw and measure several runs side by side, for studies beyond the paper."""

from __future__ import annotations

import numpy as np

from chemomech import RunResults, analyse_run, compute_vertex_volumes, find_wire, measure_run
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.paper.studies import STUDIES

_MEASURES = (
    *("time_s", "domains", "spanning_fraction", "period_nm", "interface_width_nm"),
    *("von_mises_p50_Pa", "von_mises_p95_Pa"),
)


def make(work: Reproduction) -> Findings:
    """Run the cases of a study, draw their ends side by side, and measure them."""
    study, runs = STUDIES[work.figure.name], work.run_sweep()
    names = [study.name_case(number, run) for number, run in enumerate(runs)]
    measures = [_measure_end(run) for run in runs]
    columns = {name: [measured[name] for measured in measures] for name in measures[0]}
    return Findings(
        computed=study.explain(names, measures),
        differs=study.differs,
        pictures=work.draw_ends(runs, [f"{name}\n" for name in names], study.differs),
        films=work.list_films(runs, names),
        tables=[Table("ends", "The ends of all runs", {"run": names, **columns})],
    )


def _measure_end(run: RunResults) -> dict[str, float]:
    """Measure the end of a run.

    Returns:
        Figures of `measure_run`; of nanowires also the mean composition of the outer and of the
        inner half, and the mean angle in degrees, over the area of domains, between their long
        axes and the wire's.
    """
    statistics = analyse_run(run)
    measured = measure_run(run, statistics)
    figures = {key: float(measured[key]) for key in _MEASURES if key in measured}
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
