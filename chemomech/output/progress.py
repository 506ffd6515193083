"""Show a run's progress: a live line on a terminal, sparse plain lines in a batch log."""

from __future__ import annotations

import sys
import time as clock
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress as LiveProgress
from rich.progress import TaskProgressColumn, TextColumn

from chemomech.output.context import Context
from chemomech.output.terminal import is_watched

if TYPE_CHECKING:
    from mpi4py import MPI


class Progress(Context):
    """Report a run's progress on rank 0; a context that leaves the terminal as it was.

    On a terminal one line is redrawn in place. Elsewhere a plain line is printed and flushed, no
    more often than every ``interval`` seconds unless asked for. Quiet prints nothing. The run ends
    at ``end_time`` (s); energies are in ``J`` in 3-D, ``J/m`` in 2-D. The console is standard
    output by default.
    """

    def __init__(
        self,
        end_time: float,
        comm: MPI.Comm,
        quiet: bool = False,
        *,
        energy_unit: str = "J",
        interval: float = 5.0,
        console: Console | None = None,
    ) -> None:
        self._end_time = end_time
        self._energy_unit = energy_unit
        self._interval = interval
        self._console = console or Console(
            soft_wrap=True, highlight=False, force_terminal=is_watched(sys.stdout)
        )
        self._silent = quiet or comm.rank != 0
        self._started = clock.monotonic()
        self._first_time: float | None = None
        self._last_line = float("-inf")
        self._live: LiveProgress | None = None
        if not self._silent and self._console.is_terminal:
            self._live = LiveProgress(
                TaskProgressColumn(),
                TextColumn("{task.description}", markup=False),
                console=self._console,
            )
            self._task = self._live.add_task("starting", total=1.0)
            self._live.start()

    def update(
        self,
        time: float,
        step: int,
        dt: float,
        energy: float,
        domains: int,
        *,
        snapshot: bool = False,
    ) -> None:
        """Report one accepted step: times in seconds, the energy in the unit given at the start.

        A step at which fields were written, a ``snapshot``, always gets its line.
        """
        if self._silent:
            return
        now = clock.monotonic()
        if self._first_time is None:
            self._first_time, self._started = time, now
        fraction = min(time / self._end_time, 1.0) if self._end_time > 0 else 1.0
        # No longer than a terminal of 80 columns is wide: what does not fit would be cut off.
        words = (
            f"step {step}  t = {time:.4g} s  E = {energy:.5g} {self._energy_unit}  "
            f"{domains} {'domain' if domains == 1 else 'domains'}  "
            f"{self._estimate_remaining(time, now)}"
        )
        if self._live is not None:
            self._live.update(self._task, completed=fraction, description=words)
        elif snapshot or now - self._last_line >= self._interval:
            self._print(f"{fraction:4.0%}  {words}  dt = {dt:.2g} s")
            self._last_line = now

    def finish(self, message: str) -> None:
        """End the report with a line of its own: how the run ended."""
        self.close()
        if not self._silent:
            self._print(message)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()

    def _estimate_remaining(self, time: float, now: float) -> str:
        assert self._first_time is not None
        if time <= self._first_time:
            return "ETA --"
        rate = (now - self._started) / (time - self._first_time)
        seconds = max(rate * (self._end_time - time), 0.0)
        return f"ETA {timedelta(seconds=round(seconds))}" if seconds < 1e8 else "ETA --"

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False)
        # Batch systems buffer whole blocks; a log that is minutes old helps nobody.
        self._console.file.flush()
