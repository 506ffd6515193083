"""Requests to stop early: signals of batch systems, Ctrl-C, and a limit of wall time."""

from __future__ import annotations

import os
import signal
import time as clock
from types import FrameType
from typing import Self

import numpy as np
from mpi4py import MPI

from chemomech.output.context import Context

#: What batch systems send before they end a job.
_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
#: What Ctrl-C sends.
_INTERRUPT = signal.SIGINT
_FIRST = (
    "\nchemomech: interrupted: the state is saved after this time step; interrupt again to stop "
    "at once\n"
)


class StopRequest(Context):
    """Listen for a request to stop while the block runs; a signal then ends nothing by itself.

    A rank may hear a signal that others do not: :meth:`ask` shares what any of them has heard.
    Ctrl-C asks as well once there is something to save; a second one interrupts at once. The limit
    of wall time is in seconds; None for none.
    """

    def __init__(self, comm: MPI.Comm, wall_limit: float | None = None) -> None:
        self._comm = comm
        self._deadline = None if wall_limit is None else clock.monotonic() + wall_limit
        self._heard = 0
        self._has_begun = False
        self._former: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (*_SIGNALS, _INTERRUPT):
            if number not in self._former:
                self._former[number] = signal.signal(number, self._hear)
        return self

    def close(self) -> None:
        """Restore the former signal handlers."""
        while self._former:
            number, handler = self._former.popitem()
            # Batch systems often send both: the second must not kill what the first has stopped.
            again = signal.SIG_IGN if self._heard and number != _INTERRUPT else handler
            signal.signal(number, again)  # type: ignore[arg-type]

    @property
    def is_interrupted(self) -> bool:
        """True if Ctrl-C has asked, here or on another rank."""
        return self._heard == _INTERRUPT

    def begin(self) -> None:
        """Let Ctrl-C ask rather than end: there is something to save from now on."""
        self._has_begun = True

    def ask(self) -> str | None:
        """Return the reason to stop, None while there is none; collective, equal on all ranks."""
        late = self._deadline is not None and clock.monotonic() > self._deadline
        reasons = np.array([self._heard, int(late)], dtype=np.int32)
        self._comm.Allreduce(MPI.IN_PLACE, reasons, op=MPI.MAX)
        heard, passed = (int(reason) for reason in reasons)
        if heard:
            self._heard = heard
        if heard == _INTERRUPT:
            return "interrupted"
        if heard:
            return f"stopped by {signal.Signals(heard).name}"
        return "stopped at the limit of wall time" if passed else None

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if number == _INTERRUPT and (self.is_interrupted or not self._has_begun):
            signal.default_int_handler(number, frame)
        if number == _INTERRUPT and not self._heard and self._comm.rank == 0:
            # Not through Python's own streams, in the middle of whose writing this may be.
            os.write(2, _FIRST.encode())
        self._heard = number
