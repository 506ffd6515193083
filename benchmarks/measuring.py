"""Run the sides of a comparison in turn, on one machine, and keep what they took.

A side is a function of this process or a command; either gives figures, numbers by name. A command
prints them as a JSON object on a line of its own, the last such line of its output. Sides alternate
(A B A B ...), so that what else the machine does falls on all of them alike, and the smallest value
of several rounds is what to compare. To each side's own figures are added

    wall_s      seconds on the clock, of a command from its start to its end
    cpu_s       seconds of computing, of all its threads and of the processes it started
    peak_mb     largest resident size of one process, in 10^6 bytes (commands only)

A benchmark reads

    options = parse_options(__doc__, "startup")
    sides = [Side("one rank", [sys.executable, "..."]), Side("two ranks", ["mpirun", ...])]
    outcomes = measure(sides, options.rounds or 3)
    columns = [Column("wall s", "wall_s"), Column("ratio", "wall_s", relative_to="one rank")]
    report("startup", outcomes, columns, options.output)

and prints a table and writes `benchmarks/results/startup.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from machine import describe_machine
from rich.console import Console
from rich.table import Table

Figures = Mapping[str, float]
Statistic = Literal["minimum", "median", "spread"]

RESULTS = Path(__file__).parent / "results"
#: ru_maxrss is in these many bytes.
RESIDENT_UNIT = 1 if platform.system() == "Darwin" else 1024


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Args:
        name: As the table shows it.
        run: Function that returns figures, or the words of a command that prints them.
        environment: Variables set for a command, over those of this process. One thread a process
            is the rule here (``OMP_NUM_THREADS=1``).
        rounds: Runs at most, where one takes too long to be repeated; None for no limit of its own.
        timeout: Seconds after which a command is ended and the benchmark fails; None for never.
    """

    name: str
    run: Callable[[], Figures] | Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    rounds: int | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What the runs of one side gave.

    Args:
        name: Name of the side.
        runs: Figures of each run.
    """

    name: str
    runs: tuple[Figures, ...]

    def values(self, figure: str) -> list[float]:
        """A figure in the order of the runs; of those runs only that gave it."""
        return [run[figure] for run in self.runs if figure in run]

    def get(self, figure: str, statistic: Statistic = "minimum") -> float | None:
        """Minimum, median or spread ((largest - smallest) / smallest); None where not given."""
        values = self.values(figure)
        if not values:
            return None
        if statistic == "minimum":
            return min(values)
        if statistic == "median":
            return statistics.median(values)
        return (max(values) - min(values)) / min(values) if min(values) else math.nan


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Args:
        heading: Its title.
        figure: Figure it shows.
        form: Format of its numbers.
        statistic: What it shows of the runs' values.
        relative_to: Name of the side whose value divides all; None for the value itself.
    """

    heading: str
    figure: str
    form: str = ".2f"
    statistic: Statistic = "minimum"
    relative_to: str | None = None


@dataclass(frozen=True)
class Options:
    """What each benchmark takes from its command line.

    Args:
        short: A minute's worth, to see that all works: no figures to quote.
        rounds: Runs of each side; None leaves it to the benchmark.
        output: JSON file to write.
        sides: Names of the sides to run; empty for all.
    """

    short: bool
    rounds: int | None
    output: Path
    sides: tuple[str, ...]


def parse_options(description: str, name: str) -> Options:
    """Parse a benchmark's command line.

    Args:
        description: Docstring of the benchmark.
        name: Its name, of the file in `benchmarks/results/`.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="about a minute, to see that it works")
    parser.add_argument("--rounds", type=int, help="runs of each side")
    parser.add_argument("--output", type=Path, default=RESULTS / f"{name}.json", metavar="FILE")
    parser.add_argument("--sides", nargs="+", default=[], metavar="NAME", help="only these sides")
    given = parser.parse_args()
    return Options(given.short, given.rounds, given.output, tuple(given.sides))


def measure(sides: Sequence[Side], rounds: int) -> list[Outcome]:
    """Run all sides once a round, in their order.

    Args:
        sides: What to compare.
        rounds: How often.

    Raises:
        RuntimeError: A command fails, takes too long, or prints no figures.
    """
    console = Console(stderr=True)
    runs: dict[str, list[Figures]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides:
            if number >= (side.rounds or rounds):
                continue
            figures = _run_function(side.run) if callable(side.run) else _run_command(side)
            runs[side.name].append(figures)
            console.print(
                f"round {number + 1}  {side.name}: {figures['wall_s']:.2f} s", highlight=False
            )
    return [Outcome(name, tuple(found)) for name, found in runs.items()]


def _run_function(function: Callable[[], Figures]) -> Figures:
    wall, cpu = time.perf_counter(), time.process_time()
    figures = function()
    return {
        **figures,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
    }


def _run_command(side: Side) -> Figures:
    assert not callable(side.run)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **side.environment}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as messages:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(side.run), stdout=output, stderr=messages, env=environment, process_group=0
        )
        status, usage = _wait(process, side.timeout)
        wall = time.perf_counter() - start
        output.seek(0)
        messages.seek(0)
        lines = [line for line in output.read().splitlines() if line.startswith("{")]
        if status != 0 or not lines:
            said = messages.read()[-4000:]
            raise RuntimeError(f"{side.name}: exit code {status}, no figures\n{said}")
    return {
        **json.loads(lines[-1]),
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * RESIDENT_UNIT / 1e6,
    }


def _wait(
    process: subprocess.Popen[bytes], timeout: float | None
) -> tuple[int, resource.struct_rusage]:
    """Wait for a command: its exit code, and what it and its descendants used."""
    deadline = math.inf if timeout is None else time.perf_counter() + timeout
    pid = 0
    try:
        while pid == 0:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            time.sleep(0.005 if pid == 0 else 0.0)
            if pid == 0 and time.perf_counter() > deadline:
                # mpirun passes this on to its ranks.
                os.killpg(process.pid, signal.SIGTERM)
                deadline = math.inf
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def report(name: str, outcomes: Sequence[Outcome], columns: Sequence[Column], output: Path) -> None:
    """Print the table and write everything to a JSON file.

    Args:
        name: Name of the benchmark.
        outcomes: What :func:`measure` gave; further figures may have been added.
        columns: Columns of the table.
        output: The file; its folder is made.
    """
    Console(width=None if os.isatty(1) else 160).print(create_table(name, outcomes, columns))
    record = {
        "benchmark": name,
        "machine": asdict(describe_machine()),
        "sides": {outcome.name: _summarise(outcome) for outcome in outcomes},
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def create_table(name: str, outcomes: Sequence[Outcome], columns: Sequence[Column]) -> Table:
    """Lay out one row for each side; a dash where it gave no such figure."""
    table = Table(title=name)
    table.add_column("")
    for column in columns:
        table.add_column(column.heading, justify="right")
    named = {outcome.name: outcome for outcome in outcomes}
    for outcome in outcomes:
        table.add_row(outcome.name, *(_format(outcome, column, named) for column in columns))
    return table


def _format(outcome: Outcome, column: Column, named: Mapping[str, Outcome]) -> str:
    value = outcome.get(column.figure, column.statistic)
    if column.relative_to is not None:
        base = named.get(column.relative_to)
        unit = None if base is None else base.get(column.figure, column.statistic)
        value = None if value is None or not unit else value / unit
    return "-" if value is None else format(value, column.form)


def _summarise(outcome: Outcome) -> dict[str, dict[str, object]]:
    names = dict.fromkeys(figure for run in outcome.runs for figure in run)
    return {
        figure: {
            "minimum": outcome.get(figure),
            "median": outcome.get(figure, "median"),
            "spread": outcome.get(figure, "spread"),
            "values": outcome.values(figure),
        }
        for figure in names
    }
