"""Summarise a sweep: a table with a line for each finished case, and a picture of all."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from chemomech.analysis.domains import DomainStatistics
from chemomech.analysis.measures import compute_percentiles
from chemomech.analysis.results import RunResults, open_run
from chemomech.analysis.run_statistics import analyse_run
from chemomech.drawing.styles import STYLES, format_time
from chemomech.errors import ChemoMechError, InputError
from chemomech.sweeps.definition import Value
from chemomech.sweeps.folder import OVERVIEW, SUMMARY, CaseFolder, Status, SweepFolder, write_csv

_log = logging.getLogger(__name__)

_PERCENTILES = (50.0, 95.0, 99.0)
_MOST_PANELS = 48


def write_summary(folder: SweepFolder) -> int:
    """Write ``summary.csv`` and ``overview.png`` of the finished cases, and return their number.

    Nothing is written where there is none.
    """
    finished = [(case, _open(case)) for case in folder.cases if case.find_status() is Status.DONE]
    opened = [(case, results) for case, results in finished if results is not None]
    if not opened:
        return 0
    rows = [measure_run(results) for _, results in opened]
    names = list(dict.fromkeys(name for row in rows for name in row))
    write_csv(
        folder.path / SUMMARY,
        ["case", *folder.sweep.keys, *names],
        [
            [case.case.name, *case.case.changes.values(), *(row.get(name, "") for name in names)]
            for (case, _), row in zip(opened, rows, strict=True)
        ],
    )
    _draw(folder, opened)
    return len(opened)


def measure_run(
    results: RunResults, statistics: DomainStatistics | None = None
) -> dict[str, float]:
    """Measure the end of a run: time, steps, energies, domains, stress, lithium.

    Args:
        results: A run with fields.
        statistics: What `analyse_run` says of its end, where that is known already.

    Returns:
        Figures by name; names end in the unit. Percentiles of stress are over area or volume.
    """
    ledger = results.ledger
    last = {name: column[-1] for name, column in ledger.items()}
    if statistics is None:
        statistics = analyse_run(results)
    row: dict[str, float] = {
        "time_s": float(last["time_s"]),
        "steps": int(last["step"]),
        "domains": statistics.count,
        "rich_fraction": statistics.rich_fraction,
        "interface_width_nm": statistics.interface_width,
        f"mean_size_nm{results.grid.dimension}": statistics.mean_size,
    }
    if statistics.periods is not None:
        row |= {
            "spanning": statistics.spanning,
            "spanning_fraction": statistics.spanning_fraction,
            "period_nm": statistics.periods.whole,
            "period_bend_nm": statistics.periods.bend,
            "period_legs_nm": statistics.periods.legs,
        }
    row |= {name: float(value) for name, value in last.items() if name.startswith("energy_")}
    if "von_mises" in results.field_names:
        stress = compute_percentiles(results.grid, results.read("von_mises"), _PERCENTILES)
        row |= {
            f"von_mises_p{level:g}_Pa": float(value)
            for level, value in zip(_PERCENTILES, stress, strict=True)
        }
        row["von_mises_max_Pa"] = float(last["von_mises_max_Pa"])
    worst = float(np.abs(ledger["lithium_balance_error"]).max())
    return row | {
        "lithium_mean": float(last["lithium_mean"]),
        "lithium_balance_error": worst,
        "wall_s": float(last["wall_s"]),
    }


def _open(case: CaseFolder) -> RunResults | None:
    try:
        return open_run(case.results)
    except InputError as error:
        _log.warning("not in the summary: %s", error)
        return None


def _draw(folder: SweepFolder, opened: Sequence[tuple[CaseFolder, RunResults]]) -> None:
    try:
        # Imported here, for VTK may be absent or lack a system library on a cluster's nodes.
        from chemomech.drawing.panels import Panel, write_panels
    except ImportError as error:
        _log.warning("No overview: %s", error)
        return
    shown = opened[:_MOST_PANELS]
    if len(opened) > len(shown):
        _log.warning("the overview shows the first %d of %d cases", len(shown), len(opened))
    panels = [
        Panel(
            f"{_title(case)}\n$t$ = {format_time(float(results.times[-1]))}",
            results.grid,
            results.read("composition"),
        )
        for case, results in shown
    ]
    # A grid of two axes is drawn as one; rows are its first axis.
    shape = folder.sweep.shape
    whole = len(panels) == len(folder.sweep.cases)
    columns = shape[-1] if len(shape) > 1 and whole and shape[-1] <= 8 else None
    new = folder.path / f"overview.partial{OVERVIEW[-4:]}"
    try:
        write_panels(new, panels, STYLES["composition"], columns)
    except (ChemoMechError, RuntimeError) as error:
        _log.warning("No overview: %s", error)
        return
    new.replace(folder.path / OVERVIEW)


def _title(case: CaseFolder) -> str:
    changes = case.case.changes
    # Dollar signs would begin mathematics.
    return "\n".join(
        f"{key.rpartition('.')[2]} = {_write(value)}".replace("$", "")
        for key, value in changes.items()
    )


def _write(value: Value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
