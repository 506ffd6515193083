"""One case of `iterations.py`: step a wire from noise, and solve a linear system now and then.

    mpirun -n 2 python benchmarks/probe_run.py '{"dimension": 3, "scale": 0.5}' --times 0.1 1

takes steps as a user's run does. At the times given, or after every few steps, the next one is also
tried by a stepper that starts from a copy, whose linear systems are solved to a relative residual
of 1e-3 by a preconditioner built for that step: its Krylov iterations a Newton step are what is
compared. Times are in seconds for an interface of 10 nm; for others they go with the square of the
width, as the time in which noise grows does.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
from dataclasses import dataclass

import numpy as np
from cases import Case, Run, create_run
from mpi4py import MPI

from chemomech.solvers.steps import Step

#: Relative residual of the linear systems that are compared.
EXACT = 1e-3
#: Steps before the first of them.
BEGIN = 8


@dataclass(frozen=True)
class Probe:
    """One step tried from a copy of a run's state.

    Args:
        length: Of the step.
        krylov: Mean number of Krylov iterations of its linear systems.
        newton: Newton iterations.
    """

    length: float
    krylov: float
    newton: int


def probe(run: Run) -> Probe:
    """Try the next step with exact linear solves; the run goes on as if nothing had happened."""
    krylov = run.newton.snes.ksp
    usual = krylov.getTolerances()[0]
    kept = copy.deepcopy(run.stepper.memory)
    krylov.setTolerances(rtol=EXACT)
    # Forget the multigrid of an earlier step.
    run.newton.linear.recover(krylov)
    memory = copy.deepcopy(kept)
    memory.solver = {}
    step = run.branch(memory).advance(math.inf)
    krylov.setTolerances(rtol=usual)
    run.newton.recall(kept.solver)
    run.stepper = run.branch(kept)
    return Probe(
        step.size,
        step.linear_iterations / step.newton_iterations,
        step.newton_iterations,
    )


def step_through(run: Run, times: list[float], probes: list[Probe]) -> list[Step]:
    """Step from time to time, with a probe at each; returns the run's own steps."""
    steps = []
    for time in times:
        while run.stepper.time < time * (1 - 1e-12):
            steps.append(run.stepper.advance(time))
        probes.append(probe(run))
    return steps


def step_often(run: Run, count: int, every: int, probes: list[Probe]) -> list[Step]:
    """Take some steps, with a probe after every few of them; returns the run's own steps."""
    steps = []
    for number in range(count):
        steps.append(run.stepper.advance(math.inf))
        if number >= BEGIN and (number - BEGIN) % every == 0:
            probes.append(probe(run))
    return steps


def main() -> None:
    """Step and probe; print the figures as JSON."""
    options = _parse()
    comm = MPI.COMM_WORLD
    case = Case(**json.loads(options.case))
    run = create_run(case.load(comm), comm)
    probes: list[Probe] = []
    if options.times:
        factor = (case.interface_nm / 10.0) ** 2 / run.time_scale
        steps = step_through(run, [factor * time for time in options.times], probes)
    else:
        steps = step_often(run, options.steps, options.every, probes)
    newton = sum(step.newton_iterations for step in steps)
    figures = {
        "unknowns": run.problem.size,
        "reached_s": run.stepper.time * run.time_scale,
        "krylov_mean": float(np.mean([one.krylov for one in probes])),
        "krylov_max": max(one.krylov for one in probes),
        "krylov_usual": sum(step.linear_iterations for step in steps) / newton,
        "newton_a_step": newton / len(steps),
        "steps": len(steps),
        "repeated": sum(step.rejected for step in steps),
        "probes": len(probes),
    }
    for number, one in enumerate(probes):
        figures |= {
            f"length_{number}": one.length,
            f"krylov_{number}": one.krylov,
            f"newton_{number}": one.newton,
        }
    if comm.rank == 0:
        print(json.dumps(figures), flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="arguments of cases.Case as JSON")
    parser.add_argument("--times", type=float, nargs="+", default=[], help="of the probes")
    parser.add_argument("--steps", type=int, default=60, help="without times")
    parser.add_argument("--every", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
