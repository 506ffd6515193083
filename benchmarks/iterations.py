"""Krylov iterations a Newton step over all that might make them grow.

    ./with-fenicsx python benchmarks/iterations.py [--short] [--sides 2-D 3-D]

Wires of the demos' shape are stepped from noise (`probe_run.py`); a table for each parameter shows
the iterations to a relative residual of 1e-3 with a fresh preconditioner, of all steps probed, and
those of the run itself, which stops sooner and builds anew only when that pays. The time step is
varied by the run: its steps grow over three and more decades from noise to coarsening.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from cases import Case
from measuring import Column, Options, Outcome, Side, measure, parse_options, report

WORKER = str(Path(__file__).parent / "probe_run.py")
#: Noise still smooths; grows; has grown into domains; they coarsen.
MOMENTS = ("0.01", "0.1", "0.3", "1", "2")
TIMES = ("--times", *MOMENTS)
COLUMNS = [
    Column("unknowns", "unknowns", ".0f"),
    *(Column(f"at {time}", f"krylov_{number}", ".1f") for number, time in enumerate(MOMENTS)),
    Column("mean", "krylov_mean", ".1f"),
    Column("most", "krylov_max", ".1f"),
    Column("in the run", "krylov_usual", ".1f"),
    Column("Newton a step", "newton_a_step", ".2f"),
    Column("steps", "steps", ".0f"),
    Column("repeated", "repeated", ".0f"),
]
ALONG = [
    Column("length of the step", "length", ".3g"),
    Column("Krylov", "krylov", ".1f"),
    Column("Newton", "newton", ".0f"),
]
#: Iterations a Newton step that are aimed at, and their largest ratio over a parameter.
AIM = 12
RATIOS = {"mesh": 1.3, "step": 2.0, "kappa": 1.5}


@dataclass(frozen=True)
class Study:
    """What varies one parameter.

    Args:
        name: Of the parameter.
        cases: By the value shown.
        probes: Words that say when to probe.
        ranks: By the value shown; one where not named.
    """

    name: str
    cases: Mapping[str, Case]
    probes: Sequence[str] = TIMES
    ranks: Mapping[str, int] = field(default_factory=dict)

    def sides(self) -> Iterable[Side]:
        """A run for each case."""
        for value, case in self.cases.items():
            words = [sys.executable, WORKER, json.dumps(asdict(case))]
            words += self.probes
            ranks = self.ranks.get(value, 1)
            start = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
            yield Side(f"{self.name} {value}", [*start, *words])


def main() -> None:
    """Run the studies in both dimensions."""
    options = parse_options(__doc__ or "", "iterations")
    dimensions: tuple[Literal[2, 3], ...] = (2, 3)
    for dimension in dimensions:
        name = f"{dimension}-D"
        if options.sides and name not in options.sides:
            continue
        chosen = create_short(dimension) if options.short else create_studies(dimension)
        for study in chosen:
            run(study, name, options)


def create_short(dimension: Literal[2, 3]) -> list[Study]:
    """One parameter on tiny wires."""
    case = Case(dimension, scale=0.2 if dimension == 2 else 0.3)
    cases = {"2.5": replace(case, chi=2.5), "3": replace(case, chi=3.0)}
    return [Study("chi", cases, TIMES[:4])]


def create_studies(dimension: Literal[2, 3]) -> list[Study]:
    """All parameters; a step of the run along which lengths vary is far in the coarsening."""
    case = Case(dimension, scale=0.4)
    cells = (2.5, 4.0, 6.0, 8.0) if dimension == 2 else (2.5, 4.0, 6.0)
    steps = ("--steps", "90" if dimension == 2 else "60", "--every", "5")
    studies = [
        Study("mesh", {f"{n} cells": replace(case, cells=n) for n in cells}),
        Study("step", {"": case}, steps),
        Study("kappa", _vary_kappa(case)),
        Study("chi", {f"{x}": replace(case, chi=x) for x in (2.2, 2.5, 2.75, 3.3, 4.0)}),
        Study("E", {f"x {x}": replace(case, stiffness=x) for x in (0.1, 1.0, 10.0)}),
        Study("mobility", {"degenerate": case, "constant": replace(case, mobility="constant")}),
    ]
    ranks = {str(n): n for n in (1, 2, 3)}
    return [*studies, Study("ranks", dict.fromkeys(ranks, case), ranks=ranks)]


def _vary_kappa(case: Case) -> dict[str, Case]:
    """Three decades of kappa; in 2-D the mesh follows the interface, in 3-D it stays the same."""
    if case.dimension == 2:
        widths = (2.5, 7.9, 25.0, 79.0)
        return {f"{w} nm": replace(case, interface_nm=w) for w in widths}
    widths = (5.0, 15.8, 50.0, 158.0)
    return {f"{w} nm": replace(case, interface_nm=w, size_nm=2.5) for w in widths}


def run(study: Study, dimension: str, options: Options) -> None:
    """Measure one study; print its table and its ratio of most to fewest iterations."""
    outcomes = measure([*study.sides()], 1)
    columns: Sequence[Column] = COLUMNS
    if study.name == "step":
        outcomes, columns = _along(outcomes[0]), ALONG
    figure = "krylov" if study.name == "step" else "krylov_mean"
    found = [outcome.get(figure) or 0.0 for outcome in outcomes]
    ratio, aim = max(found) / min(found), RATIOS.get(study.name)
    verdict = f"max/min {ratio:.2f}" + (f" (aim {aim})" if aim else "")
    title = f"{dimension}, {study.name}: {verdict}; at most {max(found):.1f} (aim {AIM})"
    output = options.output.with_name(f"{options.output.stem}_{dimension}_{study.name}.json")
    report(title, outcomes, columns, output)


def _along(outcome: Outcome) -> list[Outcome]:
    """A row for each step probed in one run."""
    figures = outcome.runs[0]
    rows = []
    for number in range(int(figures["probes"])):
        names = ("length", "krylov", "newton")
        rows.append(Outcome(f"{number}", ({name: figures[f"{name}_{number}"] for name in names},)))
    return rows


if __name__ == "__main__":
    main()
