"""Run `chemomech run` up to its first accepted time step; print how long each stage took.

    python first_step.py CONFIG FOLDER RANKS warm|cold

For `startup.py`, whose docstring says what the stages are. Results and cold caches are new folders
in FOLDER, the warm cache is always the same one.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import ModuleType

STAGES = ("launch", "import", "config", "mesh", "problem", "solver", "records", "step")
TOTAL, COMPILING = "total", "compiling"
_BEGAN = "STARTUP_BEGAN"


class FirstStepTaken(BaseException):
    """Ends the run; nothing in the package catches it."""


class Stopwatch:
    """Seconds of each stage; a stage lasts from the end of the one before to its mark."""

    def __init__(self, began: float) -> None:
        self._latest = began
        self.figures = {TOTAL: 0.0, COMPILING: 0.0}

    def mark(self, stage: str) -> None:
        now = time.time()
        self.figures[stage] = now - self._latest
        self.figures[TOTAL] += now - self._latest
        self._latest = now

    def mark_end(self, place: ModuleType | type, name: str, stage: str) -> None:
        """Let a function end a stage."""
        function = getattr(place, name)

        @wraps(function)
        def marked(*arguments: object, **options: object) -> object:
            result = function(*arguments, **options)
            self.mark(stage)
            return result

        setattr(place, name, marked)

    def add_up(self, function: Callable[..., object]) -> Callable[..., object]:
        """Let a function's calls count as compiling."""

        @wraps(function)
        def timed(*arguments: object, **options: object) -> object:
            begin = time.time()
            result = function(*arguments, **options)
            self.figures[COMPILING] += time.time() - begin
            return result

        return timed


def launch(config: str, folder: str, ranks: str, cache: str) -> None:
    """Replace this process by the one to be measured."""
    forms = Path(folder) / "forms" if cache == "warm" else tempfile.mkdtemp(dir=folder)
    results = Path(tempfile.mkdtemp(dir=folder)) / "results"
    command = [sys.executable, __file__, config, str(results)]
    if int(ranks) > 1:
        command = ["mpirun", "-n", ranks, *command]
    os.environ.update({"CHEMOMECH_JIT_CACHE": str(forms), _BEGAN: repr(time.time())})
    os.execvp(command[0], command)


def run(config: str, results: str, watch: Stopwatch) -> None:
    watch.mark("launch")
    # What the command line imports, in its order and manner.
    import chemomech.config
    import chemomech.simulation.commands
    from chemomech.cli import main

    watch.mark("import")

    import dolfinx.jit
    from mpi4py import MPI

    from chemomech.simulation import preparation
    from chemomech.solvers.time_stepping import Bdf

    dolfinx.jit.ffcx_jit = watch.add_up(dolfinx.jit.ffcx_jit)
    watch.mark_end(chemomech.config, "load_config", "config")
    watch.mark_end(preparation, "create_particle", "mesh")
    watch.mark_end(preparation, "create_problem", "problem")
    watch.mark_end(preparation, "create_stepper", "solver")
    advance = Bdf.advance

    def advance_once(*arguments: object, **options: object) -> None:
        watch.mark("records")
        advance(*arguments, **options)
        watch.mark("step")
        raise FirstStepTaken

    Bdf.advance = advance_once
    try:
        main(["run", config, "--output", results, "--quiet"])
    except FirstStepTaken:
        if MPI.COMM_WORLD.rank == 0:
            print(json.dumps(watch.figures))
        return
    raise SystemExit("the run ended before its first step")


if __name__ == "__main__":
    if _BEGAN in os.environ:
        run(*sys.argv[1:], Stopwatch(float(os.environ[_BEGAN])))
    else:
        launch(*sys.argv[1:])
