"""The bent wire of the README, from noise to its pattern, against the textbook way.

    ./with-fenicsx python benchmarks/flagship.py [--short]

`textbook.py` puts everything into one mixed element, solves by MUMPS and lets Newton's iterations
choose the steps. First, on a small wire, each side's error in time is measured against a run of
tolerance 1e-5: relative L2 norm of c, root mean square over the times sampled. The textbook's
control whose error is nearest to that of the package's defaults is then timed on the whole wire.
Where it takes longer than `LIMIT`, the rest is estimated: the seconds of a Newton iteration here,
times those that the small wire took over the same stretch of time.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import Column, Options, Outcome, Side, measure, parse_options, report
from numpy.typing import NDArray

Array = NDArray[np.float64]

WORKER = str(Path(__file__).parent / "wire_run.py")
#: Seconds that the textbook's side may march on the whole wire.
LIMIT = 400.0
#: Scale of the small wire: 20 nm wide, 4 000 unknowns.
SMALL = 0.2
DEFAULT = "chemomech"
DIRECT = "chemomech direct"
#: The trapezoidal rule or backward Euler, how few Newton iterations make the next step longer, and
#: how much longer.
CONTROLS = {
    "trapezoidal, 2, x 1.3": (0.5, 2, 1.3),
    "trapezoidal, 3, x 1.15": (0.5, 3, 1.15),
    "trapezoidal, 3, x 1.3": (0.5, 3, 1.3),
    "trapezoidal, 4, x 1.5": (0.5, 4, 1.5),
    "trapezoidal, 5, x 1.5": (0.5, 5, 1.5),
    "backward Euler, 3, x 1.3": (1.0, 3, 1.3),
}
USUAL = "trapezoidal, 3, x 1.3"


@dataclass(frozen=True)
class Kept:
    """What a side left in its file.

    Args:
        c: Compositions at the times sampled, shape (times, vertices).
        weights: Lumped mass of the vertices.
        trace: Time (s), Newton iterations and seconds after each step, shape (steps, 3).
    """

    c: Array
    weights: Array
    trace: Array

    def difference(self, other: Kept) -> Array:
        """Relative L2 norms of c minus another one's, at those times that both have reached."""
        pairs = zip(self.c, other.c, strict=False)
        norms = [
            math.sqrt(np.average((a - b) ** 2, weights=self.weights))
            / math.sqrt(np.average(b**2, weights=self.weights))
            for a, b in pairs
        ]
        return np.array(norms)


@dataclass(frozen=True)
class Task:
    """A wire to march.

    Args:
        scale: Of its lengths.
        times: To land on (s).
        folder: For what the sides leave.
    """

    scale: float
    times: Sequence[float]
    folder: Path

    def side(self, name: str, *words: str, rounds: int | None = None) -> Side:
        """A side that marches it."""
        times = [str(time) for time in self.times]
        command = [sys.executable, WORKER, "--scale", str(self.scale), "--times", *times]
        return Side(name, [*command, "--fields", str(self._file(name)), *words], rounds=rounds)

    def read(self, name: str) -> Kept:
        """What a side left."""
        with np.load(self._file(name)) as file:
            return Kept(file["c"], file["weights"], file["trace"])

    def _file(self, name: str) -> Path:
        return self.folder / f"{self.scale}-{name.replace(' ', '_')}.npz"


def main() -> None:
    """Measure errors, then times."""
    options = parse_options(__doc__ or "", "flagship")
    times = [0.2, 0.5] if options.short else [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    with tempfile.TemporaryDirectory() as folder:
        small = Task(SMALL, times, Path(folder))
        chosen = compare_errors(small, options)
        whole = Task(2 * SMALL if options.short else 1.0, times, Path(folder))
        compare_times(whole, small, chosen, options)


def compare_errors(small: Task, options: Options) -> str:
    """Table of errors in time on the small wire; the textbook's control nearest to the default."""
    names = [USUAL] if options.short else [*CONTROLS]
    sides = [
        small.side("reference", "--preset", "direct", "--tolerance", "1e-5"),
        small.side(DEFAULT, "--preset", "direct"),
        *(small.side(name, *_control_words(name)) for name in names),
    ]
    outcomes = measure(sides, 1)
    reference = small.read("reference")
    for outcome in outcomes[1:]:
        errors = small.read(outcome.name).difference(reference)
        last = outcomes[0].runs[0]["energy"]
        _add(
            outcome,
            {
                "error": float(np.sqrt((errors**2).mean())),
                "error_at_end": float(errors[-1]),
                "energy_error": abs(outcome.runs[0]["energy"] / last - 1),
            },
        )
    columns = [
        Column("steps", "steps", ".0f"),
        Column("Newton", "newton", ".0f"),
        Column("CPU s", "march_cpu_s", ".1f"),
        Column("error of c", "error", ".5f"),
        Column("at the end", "error_at_end", ".5f"),
        Column("of energy", "energy_error", ".5f"),
        Column("domains", "domains", ".0f"),
    ]
    title = f"small wire, to t = {small.times[-1]:g} s"
    output = options.output.with_name(options.output.stem + "_errors.json")
    report(title, outcomes, columns, output)
    found = {outcome.name: outcome.get("error") or 0.0 for outcome in outcomes[1:]}
    aim = found[DEFAULT]
    return min(names, key=lambda name: abs(math.log(found[name] / aim)))


def compare_times(whole: Task, small: Task, chosen: str, options: Options) -> None:
    """Table of times on the whole wire, and how far each side's c is from the direct one's.

    The distance is the largest relative L2 norm at the times sampled that both have reached.
    """
    limit = 10.0 if options.short else LIMIT
    sides = [
        whole.side(DEFAULT, "--preset", "auto"),
        whole.side(DIRECT, "--preset", "direct", rounds=1),
        whole.side(chosen, *_control_words(chosen), "--limit", str(limit), rounds=1),
    ]
    wanted = [side for side in sides if not options.sides or side.name in options.sides]
    outcomes = measure(wanted, options.rounds or 1)
    for outcome in outcomes:
        rest = _estimate_rest(whole.read(outcome.name).trace, small, outcome.name)
        for run in outcome.runs:
            share = 1 + rest / run["march_s"]
            more = {"whole_s": run["march_s"] + rest, "whole_cpu_s": share * run["march_cpu_s"]}
            _merge(run, more)
    columns = [
        Column("unknowns", "unknowns", ".0f"),
        Column("to t", "reached_s", ".3g"),
        Column("steps", "steps", ".0f"),
        Column("Newton", "newton", ".0f"),
        Column("Krylov", "krylov", ".0f"),
        Column("wall s", "whole_s", ".1f"),
        Column("CPU s", "whole_cpu_s", ".1f"),
        Column("peak MB", "peak_mb", ".0f"),
        Column("wall ratio", "whole_s", ".1f", relative_to=DEFAULT),
        Column("CPU ratio", "whole_cpu_s", ".1f", relative_to=DEFAULT),
        Column("c from direct", "distance", ".1e"),
        Column("energy", "energy", ".2f"),
        Column("domains", "domains", ".0f"),
        Column("mean rich", "mean_rich", ".4f"),
        Column("mean poor", "mean_poor", ".4f"),
    ]
    if DIRECT in [outcome.name for outcome in outcomes]:
        for outcome in outcomes:
            differences = whole.read(outcome.name).difference(whole.read(DIRECT))
            _add(outcome, {"distance": float(differences.max())})
    report(f"whole wire, to t = {whole.times[-1]:g} s", outcomes, columns, options.output)


def _estimate_rest(trace: Array, small: Task, name: str) -> float:
    """Seconds from where a march was stopped to its end; zero where it came to its end."""
    reached, newton, seconds = trace[-1]
    if reached >= small.times[-1] * (1 - 1e-9):
        return 0.0
    times, iterations, _ = small.read(name).trace.T
    rest = iterations[-1] - np.interp(reached, times, iterations)
    return float(rest * seconds / newton)


def _control_words(name: str) -> list[str]:
    theta, few, growth = map(str, CONTROLS[name])
    return ["--textbook", "--theta", theta, "--few", few, "--growth", growth]


def _add(outcome: Outcome, figures: Mapping[str, float]) -> None:
    for run in outcome.runs:
        _merge(run, figures)


def _merge(run: Mapping[str, float], figures: Mapping[str, float]) -> None:
    assert isinstance(run, dict)
    run.update(figures)


if __name__ == "__main__":
    main()
