"""From the start of `chemomech run` to its first accepted time step, stage by stage.

    python benchmarks/startup.py [--short] [--rounds 5] [--sides "1 rank, warm" ...]

Each run is a fresh process, on 1 and on 2 ranks, of demos/bent_nanowire.toml: 22 000 cells, plane
strain. Warm: compiled forms are in a cache folder that holds these and no others, as after an
earlier run. Cold: the folder is empty, and of the ranks the first compiles. Python's bytecode is
there in both, as after any earlier start. Stages, in seconds on the clock of rank 0:

    launch      mpirun, Python itself
    import      modules, and with them MPI
    config      the file, read and checked
    mesh        made, divided, distributed, the wire's direction in it
    problem     unknowns, forms, initial composition
    solver      matrices, preconditioners, chemical potential and displacement of the initial state
    records     folder, ledger, first snapshot and checkpoint
    step        the first time step
    total       all of these
    compiling   share of the total in which forms are compiled or, warm, looked up and loaded

To be reached: a total of 2 s warm, and of 10 s cold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from first_step import COMPILING, STAGES, TOTAL
from measuring import Column, Side, measure, parse_options, report

CONFIG = Path(__file__).parents[1] / "demos" / "bent_nanowire.toml"
ROUNDS = 5


def main() -> None:
    options = parse_options(__doc__, "startup")
    columns = [Column(name, name) for name in (*STAGES, TOTAL, COMPILING)]
    columns += [Column("CPU", "cpu_s"), Column("MB", "peak_mb", ".0f")]
    with tempfile.TemporaryDirectory() as folder:
        sides = [
            create_side(Path(folder), ranks, cache)
            for ranks in (1, 2)
            for cache in ("warm", "cold")
        ]
        sides = [side for side in sides if not options.sides or side.name in options.sides]
        warm_up(create_side(Path(folder), 1, "warm"))
        outcomes = measure(sides, options.rounds or (1 if options.short else ROUNDS))
    report("startup", outcomes, columns, options.output)


def create_side(folder: Path, ranks: int, cache: str) -> Side:
    script = Path(__file__).parent / "first_step.py"
    command = [sys.executable, str(script), str(CONFIG), str(folder), str(ranks), cache]
    name = f"{ranks} rank{'s' if ranks > 1 else ''}, {cache}"
    # Empty: bytecode is written, whatever the machine's settings.
    return Side(name, command, {"PYTHONDONTWRITEBYTECODE": ""}, timeout=600.0)


def warm_up(side: Side) -> None:
    """Fill the warm cache of forms, Python's of bytecode, and the operating system's of files."""
    environment = {**os.environ, **side.environment}
    subprocess.run(side.run, env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
