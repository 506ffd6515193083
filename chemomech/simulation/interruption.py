"""Requests to stop early: signals of batch systems, and a limit of wall time."""

from __future__ import annotations

import signal
import time as clock
from types import FrameType
from typing import Self

import numpy as np
from mpi4py import MPI

from chemomech.output.closing import Closing

#: What batch systems send before they end a job.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest(Closing):
    """Listen for a request to stop while the block runs; a signal then ends nothing by itself.

    A rank may hear a signal that others do not: :meth:`ask` shares what any of them has heard.

    Args:
        comm: Ranks of the run.
        wall_limit: Seconds after which to stop; None for no limit.
    """

    def __init__(self, comm: MPI.Comm, wall_limit: float | None = None) -> None:
        self._comm = comm
        self._deadline = None if wall_limit is None else clock.monotonic() + wall_limit
        self._heard = 0
        self._former: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._former[number] = signal.signal(number, self._hear)
        return self

    def close(self) -> None:
        """Listen no longer."""
        for number, handler in self._former.items():
            # Batch systems often send both: the second must not kill what the first has stopped.
            again = signal.SIG_IGN if self._heard else handler
            signal.signal(number, again)  # type: ignore[arg-type]

    def ask(self) -> str | None:
        """Tell why to stop, None while there is no reason; collective, the same on all ranks."""
        late = self._deadline is not None and clock.monotonic() > self._deadline
        reasons = np.array([self._heard, int(late)], dtype=np.int32)
        self._comm.Allreduce(MPI.IN_PLACE, reasons, op=MPI.MAX)
        heard, passed = (int(reason) for reason in reasons)
        if heard:
            return f"stopped by {signal.Signals(heard).name}"
        return "stopped at the limit of wall time" if passed else None

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._heard = number
