"""PFHub's benchmark 1b by chemomech and by other codes, at equal error.

    ./with-fenicsx python benchmarks/pfhub_1b.py [--short] [--rounds 3] [--sides chemomech ...]

Spinodal decomposition in a square of 200 x 200 without flux, from the published initial state to
t = 100. Each side is one process on one core, with about the coarsest setting whose error is at
most 2.5 %. The reference is a cosine-spectral solution, whose distance from one with fewer modes
and longer steps is printed. The error is taken at a code's own nodes or cell centres x_i, where the
cosine series is evaluated exactly:

    error = sqrt(mean (c_i - c_ref(x_i))^2) / sqrt(mean (c_ref(x_i) - mean c_ref)^2)

"march" is from the initial field to the last step, after set-up and compilation; "process" is all
of it. A side that reaches its limit of wall time is stopped: its figures are then those to the end
at its mean pace, and it has no error. Other codes are installed on first use, from PyPI, into
environments of their own in `benchmarks/.environments/`. `--short` goes to t = 5 on half as many
cells along an edge.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from environments import find_python
from measuring import RESULTS, Column, Figures, Outcome, Side, measure, parse_options, report
from numpy.typing import NDArray
from pfhub_codes.spectral import CosineSeries, create_centres, solve
from rich.console import Console

Array = NDArray[np.float64]

NAME = "pfhub_1b"
END = 100.0
BASE = "chemomech"
#: Modes and step of the reference, and of what it is compared with.
REFERENCE, COMPARISON = (400, 0.1), (320, 0.2)


@dataclass(frozen=True)
class Code:
    """One side.

    Args:
        name: As the table shows it.
        script: Module in `pfhub_codes/`.
        cells: Cells along an edge.
        control: Time step, or tolerance of a step's error where the code chooses its steps.
        degree: Degree of the elements.
        variant: The script's own option.
        environment: Key of :mod:`environments`; None for the environment of chemomech.
        end: Time to reach.
        limit: Seconds of the march after which it is stopped.
        rounds: Runs at most.
    """

    name: str
    script: str
    cells: int
    control: float
    degree: int = 1
    variant: str = ""
    environment: str | None = None
    end: float = END
    limit: float = 900.0
    rounds: int | None = None

    def shorten(self) -> Code:
        """The same to t = 5, on half as many cells along an edge."""
        return replace(self, cells=self.cells // 2, end=5.0, limit=15.0)

    def create_side(self, field: Path) -> Side:
        """The side's command, which writes its field to a file."""
        python = sys.executable if self.environment is None else find_python(self.environment)
        options = ("cells", "control", "degree", "variant", "end", "limit")
        words = [f"--{option}={getattr(self, option)}" for option in options]
        return Side(
            self.name,
            [python, "-m", f"pfhub_codes.{self.script}", *words, f"--field={field}"],
            {"PYTHONPATH": str(Path(__file__).parent), "NUMBA_NUM_THREADS": "1"},
            self.rounds,
        )


SIDES = (
    Code("chemomech", "chemomech_side", 68, 4e-4, 2, "quadrilateral:iterative"),
    Code("chemomech, direct", "chemomech_side", 68, 4e-4, 2, "quadrilateral:direct"),
    Code("demo recipe", "demo_recipe", 190, 0.5),
    Code("mixed BDF2, MUMPS", "mixed_bdf2", 66, 2e-5, 2),
    Code("scikit-fem", "scikit_fem", 66, 2e-5, 2, environment="scikit-fem"),
    Code("NGSolve", "ngsolve_side", 28, 2e-5, 4, "sparsecholesky", "ngsolve"),
    Code("FiPy", "fipy_side", 172, 0.1, environment="fipy", rounds=1, limit=300.0),
    Code("py-pde", "py_pde", 172, 0.004, environment="py-pde"),
    Code("cosine-spectral", "spectral_side", 92, 1.0),
)

COLUMNS = (
    Column("nodes", "nodes", ".0f"),
    Column("steps", "steps", ".0f"),
    Column("t reached", "reached", ".4g"),
    Column("error, %", "error_percent"),
    Column("energy", "energy", ".3f"),
    Column("march, s", "march_s"),
    Column("of CPU", "march_cpu_s"),
    Column("spread", "march_cpu_s", statistic="spread"),
    Column("/ chemomech", "march_cpu_s", relative_to=BASE),
    Column("process, s", "wall_s"),
    Column("of CPU", "cpu_s"),
    Column("MB", "peak_mb", ".0f"),
)


def main() -> None:
    """Run the sides, compare their fields with the reference, print and write the table."""
    options = parse_options(__doc__, NAME)
    codes = [code.shorten() if options.short else code for code in choose(options.sides)]
    with tempfile.TemporaryDirectory() as folder:
        fields = {
            code.name: Path(folder) / f"{code.script}-{i}.npz" for i, code in enumerate(codes)
        }
        sides = [code.create_side(fields[code.name]) for code in codes]
        outcomes = measure(sides, options.rounds or (1 if options.short else 3))
        reference = find_reference(codes[0].end)
        outcomes = [
            complete(outcome, code, fields[code.name], reference)
            for code, outcome in zip(codes, outcomes, strict=True)
        ]
    report(NAME, outcomes, COLUMNS, options.output)


def choose(names: Sequence[str]) -> list[Code]:
    """Sides by name, all without names; complain of unknown ones."""
    unknown = set(names) - {code.name for code in SIDES}
    if unknown:
        known = ", ".join(repr(code.name) for code in SIDES)
        raise SystemExit(f"no side {', '.join(map(repr, unknown))}; known: {known}")
    return [code for code in SIDES if not names or code.name in names]


def complete(outcome: Outcome, code: Code, field: Path, reference: CosineSeries) -> Outcome:
    """Add the error of the last run's field, or carry the times on to the end."""
    if min(outcome.values("reached")) > code.end * (1 - 1e-6):
        known = np.load(field)
        error = 100 * measure_error(known["composition"], known["points"], reference)
        return Outcome(outcome.name, tuple({**run, "error_percent": error} for run in outcome.runs))
    return Outcome(outcome.name, tuple(_extrapolate(run, code.end) for run in outcome.runs))


def _extrapolate(run: Figures, end: float) -> Figures:
    rest = end / run["reached"] - 1
    whole = {name: run[name] * (1 + rest) for name in ("march_s", "march_cpu_s", "steps")}
    for name, march in (("wall_s", "march_s"), ("cpu_s", "march_cpu_s")):
        whole[name] = run[name] + rest * run[march]
    return {**run, **whole}


def measure_error(composition: Array, points: Array, reference: CosineSeries) -> float:
    """Root mean square of the error, relative to that of the reference about its mean."""
    exact = reference.evaluate(points)
    return float(np.sqrt(np.mean((composition - exact) ** 2)) / exact.std())


def find_reference(end: float) -> CosineSeries:
    """Reference solution, kept from one call to the next; print how far it is converged."""
    (modes, step), (fewer, longer) = REFERENCE, COMPARISON
    kept = RESULTS / f"{NAME}_reference_{end:g}_{modes}_{step:g}.npz"
    if not kept.exists():
        series, energy = solve(modes, step, end)
        check, checked_energy = solve(fewer, longer, end)
        points = create_centres(fewer)
        error = measure_error(check.evaluate(points), points, series)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, a=series.coefficients, figures=[energy, checked_energy, error])
    known = np.load(kept)
    energy, checked_energy, error = known["figures"]
    Console().print(
        f"reference, {modes}^2 modes, steps of {step:g}, t = {end:g}: F = {energy:.4f}; with "
        f"{fewer}^2 modes and steps of {longer:g}: F = {checked_energy:.4f}, error {error:.1e}",
        highlight=False,
    )
    return CosineSeries(known["a"])


if __name__ == "__main__":
    main()
