"""One side of `flagship.py`: march a bent wire to given times; print figures, keep compositions."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ufl
from cases import Case, Run, create_run
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from textbook import IterationControl, Textbook

from chemomech.output.domains import count_domains

Array = NDArray[np.float64]

#: First step of the textbook's side (s), short enough for noise to settle.
FIRST_STEP = 1e-5


@dataclass
class Count:
    """What a march has taken.

    Args:
        steps, newton, krylov, repeated: Steps, iterations, and attempts that were refused.
    """

    steps: int = 0
    newton: int = 0
    krylov: int = 0
    repeated: int = 0


def march(run: Run, targets: list[float], seconds: float) -> Iterator[tuple[float, Count]]:
    """March with the package's stepper; yields the time after each step."""
    count, infinity = Count(), math.inf
    started = time.perf_counter()
    for target in targets:
        while run.stepper.time < target * (1 - 1e-12):
            step = run.stepper.advance(target)
            count.steps += 1
            count.newton += step.newton_iterations
            count.krylov += step.linear_iterations
            count.repeated += step.rejected
            yield step.time, count
            if time.perf_counter() - started > (seconds or infinity):
                return


def march_by_the_book(
    textbook: Textbook, targets: list[float], seconds: float
) -> Iterator[tuple[float, Count]]:
    """March with the textbook's scheme; its linear solves are no iterations."""
    started, infinity = time.perf_counter(), math.inf
    for target in targets:
        while textbook.time < target * (1 - 1e-12):
            textbook.advance(target)
            yield (
                textbook.time,
                Count(textbook.steps, textbook.newton, 0, textbook.failures),
            )
            if time.perf_counter() - started > (seconds or infinity):
                return


@dataclass
class Pattern:
    """Sees the composition of one mesh: sorted by place, and counted.

    Args:
        space: Linear elements of the composition, on one rank.
    """

    space: fem.FunctionSpace

    def __post_init__(self) -> None:
        points = np.round(self.space.tabulate_dof_coordinates(), 6)
        self._order = np.lexsort(points.T)
        cells = self.space.dofmap.list
        # Sides of a quadrilateral, numbered as a tensor product.
        sides = [cells[:, pair] for pair in ([0, 1], [0, 2], [1, 3], [2, 3])]
        self._edges = np.concatenate(sides)
        lumped = fem.form(ufl.TestFunction(self.space) * ufl.dx)
        self.weights = fem.assemble_vector(lumped).array[self._order]

    def sort(self, c: fem.Function) -> Array:
        """Values in the order of their places."""
        return np.asarray(c.x.array[self._order])

    def describe(self, c: fem.Function) -> dict[str, float]:
        """Number of Li-rich domains, and mean compositions of the two phases."""
        values, rich = self.sort(c), self.sort(c) > 0.5
        parts = {"mean_rich": rich, "mean_poor": ~rich}
        return {
            "domains": count_domains(self._edges, c.x.array),
            **{
                name: float(np.average(values[part], weights=self.weights[part]))
                for name, part in parts.items()
                if part.any()
            },
        }


def main() -> None:
    """March, and print the figures as JSON."""
    options = _parse()
    began, used = time.perf_counter(), time.process_time()
    case = Case(2, scale=options.scale, tolerance=options.tolerance, preset=options.preset)
    run = create_run(case.load(MPI.COMM_SELF), MPI.COMM_SELF)
    targets = [seconds / run.time_scale for seconds in options.times]
    composition: Callable[[], fem.Function]
    if options.textbook:
        control = IterationControl(options.theta, options.few, growth=options.growth)
        textbook = Textbook(run.problem, control, FIRST_STEP / run.time_scale)
        steps = march_by_the_book(textbook, targets, options.limit)
        composition, energy = textbook.composition, textbook.energy
    else:
        steps = march(run, targets, options.limit)
        composition = lambda: run.problem.c  # noqa: E731
        energy = lambda: sum(run.stepper.energies.values())  # noqa: E731
    pattern = Pattern(composition().function_space)
    prepared = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    trace, kept, energies, count = [], [], [], Count()
    for reached, count in steps:
        trace.append((reached * run.time_scale, count.newton, time.perf_counter() - began))
        if any(abs(reached - target) < 1e-9 * target for target in targets):
            kept.append(pattern.sort(composition()))
            energies.append(energy())
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    options.fields.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        options.fields, c=kept, energies=energies, weights=pattern.weights, trace=np.array(trace)
    )
    figures = {
        "unknowns": run.problem.size,
        "steps": count.steps,
        "newton": count.newton,
        "krylov": count.krylov,
        "repeated": count.repeated,
        "prepare_s": prepared,
        "march_s": wall,
        "march_cpu_s": cpu,
        "reached_s": trace[-1][0],
        "energy": energy(),
        **pattern.describe(composition()),
    }
    print(json.dumps(figures))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, required=True, help="of the demo's wire")
    parser.add_argument("--times", type=float, nargs="+", required=True, help="to land on, in s")
    parser.add_argument("--fields", type=Path, required=True, help="file for the compositions")
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--tolerance", type=float, help="the default if not given")
    parser.add_argument("--textbook", action="store_true")
    parser.add_argument("--theta", type=float, default=0.5)
    parser.add_argument("--few", type=int, default=3)
    parser.add_argument("--growth", type=float, default=1.3)
    parser.add_argument(
        "--limit", type=float, default=0.0, help="seconds to march at most; 0: none"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
