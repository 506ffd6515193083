"""Estimate the cost of a sweep before anything is meshed."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from rich import box
from rich.markup import escape
from rich.table import Table

from chemomech.models.estimate import STEPS, Size, estimate_size, format_time
from chemomech.models.particle import create_shape
from chemomech.output.file_names import LEDGER
from chemomech.output.ledger import read_ledger
from chemomech.output.terminal import render
from chemomech.sweeps.folder import CaseFolder, Status, SweepFolder

# On a desktop machine: a case of 128 cells until its first step, what draws until its first
# picture, a frame of the film, and the forms of a simulation.
_START_S = 3.0
_DRAWING_S = 5.0
_FRAME_S = 0.05
_COMPILING_S = 6.0


def describe_cases(folder: SweepFolder, ranks: int, jobs: int) -> str:
    """List the cases with their size and what they may cost, as a table in text.

    Wall times are rough: those of finished cases, their steps scaled with the number of unknowns;
    where none has finished, 250 steps of 2e-6 s for each unknown, divided by the ranks, and what a
    small case takes to start and to draw on a desktop machine. The folder need not exist.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    for heading in ("Case", "status", "cells", "unknowns", "steps", "wall time"):
        table.add_column(heading, justify="left" if heading in ("Case", "status") else "right")
    rate = _calibrate(folder, ranks)
    left = 0.0
    for case in folder.cases:
        size, status, outcome = _find_size(case), case.find_status(), case.read_outcome()
        steps, _ = _read_cost(case)
        seconds = None
        known = outcome is not None and status is Status.DONE
        if outcome is not None and known:
            seconds = outcome.wall_s
        elif size is not None:
            seconds = rate.start + rate.unknown * size.unknowns
            left += seconds
        table.add_row(
            escape(case.case.name),
            status.value,
            "?" if size is None else f"{size.cells:.3g}",
            "?" if size is None else f"{size.unknowns:.3g}",
            f"{steps}" if steps else "?",
            "?" if seconds is None else f"{'' if known else '~'}{format_time(seconds)}",
        )
    total = left / jobs + (rate.once if left else 0.0)
    table.caption = (
        f"{len(folder.cases)} cases, {jobs} at a time on {ranks} rank(s) each: about "
        f"{format_time(total)} to go, {rate.source}."
    )
    return render(table)


@dataclass(frozen=True)
class _Rate:
    """Wall time in s of each case's start and end, of its steps per unknown, and once for all."""

    start: float
    unknown: float
    once: float
    source: str


def _calibrate(folder: SweepFolder, ranks: int) -> _Rate:
    """Measure the cost of finished cases, or guess it where there is none."""
    starts, rates = [], []
    for case in folder.cases:
        size, outcome = _find_size(case), case.read_outcome()
        _, seconds = _read_cost(case)
        if case.find_status() is Status.DONE and size and outcome and seconds:
            starts.append(max(0.0, outcome.wall_s - seconds))
            rates.append(seconds / size.unknowns)
    if rates:
        return _Rate(fmean(starts), fmean(rates), 0.0, f"by the {len(rates)} finished")
    config = folder.cases[0].case.config
    drawing = _DRAWING_S * (config.output.pictures or config.output.movie)
    drawing += _FRAME_S * len(config.snapshot_times) * config.output.movie
    words = f"if each takes {STEPS} steps; run one, and the rest are estimated by it"
    unknown = Size("quadrilateral", 1.0, 1.0, 1.0).estimate_time(ranks)
    return _Rate(_START_S + drawing, unknown, _COMPILING_S, words)


def _find_size(case: CaseFolder) -> Size | None:
    return estimate_size(case.case.config, create_shape(case.case.config.geometry))


def _read_cost(case: CaseFolder) -> tuple[int | None, float | None]:
    """Read steps and wall time (s) of a finished case."""
    path = case.results / LEDGER
    if not path.exists():
        return None, None
    ledger = read_ledger(path)
    return int(ledger["step"][-1]), float(ledger["wall_s"][-1])
