"""One side of `growth_3d.py` and `scaling.py`: a few time steps from noise, event by event.

    mpirun -n 2 python benchmarks/stepping_run.py --unknowns 200000

prints on rank 0 the figures of one Newton step and of what it is made of.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator

import numpy as np
from cases import Case, Run, create_run, scale_to
from events import (
    CHEMISTRY,
    JACOBIAN,
    KRYLOV,
    MECHANICS,
    PRODUCT,
    RESIDUAL,
    SETUP,
    SOLVE,
    EventLog,
    peak_mb,
    resident_mb,
)
from mpi4py import MPI
from petsc4py import PETSc

#: Bytes read for an entry of PETSc's sparse matrices, its number and its column.
ENTRY = 12
#: Steps before those that are measured: the first ones compile, factorise and start the history.
WARM_UP = 4
#: Numbers of each of the triad's three vectors, far more than caches hold.
TRIAD = 8_000_000


def main() -> None:
    """Step, and print the figures as JSON."""
    options = _parse()
    comm = MPI.COMM_WORLD
    log = EventLog()
    before, began = resident_mb(), time.perf_counter()
    scale = scale_to(options.unknowns, options.dimension)
    case = Case(options.dimension, scale=scale, preset=options.preset)
    run = create_run(case.load(comm), comm)
    prepared = time.perf_counter() - began
    figures = {"unknowns": run.problem.size, "prepare_s": prepared}
    infinity = float("inf")
    for _ in range(min(WARM_UP, options.steps)):
        run.stepper.advance(infinity)
    log.reset()
    began = time.perf_counter()
    steps = [run.stepper.advance(infinity) for _ in range(options.steps)]
    figures["step_s"] = (time.perf_counter() - began) / len(steps)
    newton = sum(step.newton_iterations for step in steps)
    figures["newton"] = newton / len(steps)
    figures["krylov"] = sum(step.linear_iterations for step in steps) / newton
    figures |= dict(_divide(log, comm, newton, is_direct=options.preset == "direct"))
    # Before what is measured below takes memory of its own.
    grown = comm.allreduce(peak_mb() - before)
    figures["memory_mb"] = grown
    figures["bytes_an_unknown"] = grown * 1e6 / run.problem.size
    figures["held_mb"] = comm.allreduce(resident_mb() - before)
    figures |= _measure_product(run, comm)
    figures["newton_in_residuals"] = figures["newton_s"] / figures["residual_s"]
    figures["newton_in_products"] = figures["newton_s"] / figures["product_s"]
    figures["jacobian_in_products"] = figures["jacobian_s"] / figures["product_s"]
    if comm.rank == 0:
        print(json.dumps(figures), flush=True)


def _divide(
    log: EventLog, comm: MPI.Comm, newton: int, *, is_direct: bool
) -> Iterator[tuple[str, float]]:
    """Seconds and messages of a Newton step by what they were spent on.

    The chemical multigrid is set up when first applied, within the solve; a factorisation before.
    """
    events = log.read(comm)
    for name, key in (("newton", SOLVE), ("jacobian", JACOBIAN), ("setup", SETUP)):
        yield f"{name}_s", events[key].seconds / newton
    yield "residual_s", events[RESIDUAL].seconds / events[RESIDUAL].count
    yield "residuals", events[RESIDUAL].count / newton
    within = 0.0 if is_direct else events[SETUP].seconds
    yield "krylov_s", (events[KRYLOV].seconds - within) / newton
    yield "chemistry_s", events[CHEMISTRY].seconds / newton
    yield "mechanics_s", events[MECHANICS].seconds / newton
    yield "products", events[PRODUCT].count / newton
    solve = events[SOLVE]
    yield "messages", solve.messages / newton / comm.size
    yield "message_bytes", solve.bytes / max(solve.messages, 1)
    yield "reductions", solve.reductions / newton


def _measure_product(run: Run, comm: MPI.Comm) -> dict[str, float]:
    """A product with the Jacobian, its bytes, and what the memory could do."""
    system = run.newton.system
    target = system.x.duplicate()
    product = _time(lambda: system.jacobian.mult(system.x, target), comm)
    count = range(len(system.sizes))
    blocks = [system.jacobian.getNestSubMatrix(i, j) for i in count for j in count]
    present = [block for block in blocks if block.handle]
    entries = sum(block.getInfo(PETSc.Mat.InfoType.GLOBAL_SUM)["nz_used"] for block in present)
    moved = ENTRY * entries + 8 * sum(sum(block.getSize()) for block in present)
    first = PETSc.Vec().createMPI(comm.size * TRIAD, comm=comm)
    second, third = first.duplicate(), first.duplicate()
    first.set(1.0)
    second.set(2.0)
    triad = _time(lambda: third.waxpy(3.0, first, second), comm)
    bandwidth = 24.0 * TRIAD * comm.size / triad
    return {
        "product_s": product,
        "entries_an_unknown": entries / run.problem.size,
        "triad_gb_s": bandwidth / 1e9,
        "share_of_bandwidth": moved / product / bandwidth,
    }


def _time(function: object, comm: MPI.Comm) -> float:
    """Least seconds of a call, of the slowest rank."""
    assert callable(function)
    taken = []
    for _ in range(10):
        comm.Barrier()
        began = time.perf_counter()
        function()
        taken.append(comm.allreduce(time.perf_counter() - began, op=MPI.MAX))
    return float(np.min(taken))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unknowns", type=float, required=True, help="about how many")
    parser.add_argument("--dimension", type=int, default=3, choices=(2, 3))
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--preset", default="iterative", choices=("iterative", "direct"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
