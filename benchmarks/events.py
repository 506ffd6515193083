"""What PETSc's own log says of its events: times, messages, reductions."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

#: An evaluation of the residual, a refresh of the Jacobian, and so on; u is the second split.
SOLVE, RESIDUAL, JACOBIAN = "SNESSolve", "SNESFunctionEval", "SNESJacobianEval"
KRYLOV, SETUP, PRODUCT = "KSPSolve", "PCSetUp", "MatMult"
CHEMISTRY, MECHANICS = "KSPSolve_FS_0", "KSPSolve_FS_1"
ALL = (SOLVE, RESIDUAL, JACOBIAN, KRYLOV, SETUP, PRODUCT, CHEMISTRY, MECHANICS)


@dataclass(frozen=True)
class Record:
    """What happened in an event; of several ranks the slowest time and the sums of messages.

    Args:
        count: Number of times.
        seconds: In all; an event holds what happens within it.
        messages, bytes: Sent.
        reductions: Global ones.
    """

    count: float
    seconds: float
    messages: float
    bytes: float
    reductions: float


class EventLog:
    """Events from now on; make it before any PETSc object.

    Args:
        names: Of the events.
    """

    def __init__(self, names: Iterable[str] = ALL) -> None:
        PETSc.Log.begin()
        self._names = tuple(names)
        self.reset()

    def reset(self) -> None:
        """Count from here."""
        self._start = self._read()

    def read(self, comm: MPI.Comm) -> Mapping[str, Record]:
        """What has happened since; collective."""
        change = self._read() - self._start
        largest, total = np.empty_like(change), np.empty_like(change)
        comm.Allreduce(change, largest, op=MPI.MAX)
        comm.Allreduce(change, total)
        return {
            name: Record(most[0], most[1], sums[2], sums[3], most[4])
            for name, most, sums in zip(self._names, largest, total, strict=True)
        }

    def _read(self) -> NDArray[np.float64]:
        figures = ("count", "time", "numMessages", "messageLength", "numReductions")
        infos = [PETSc.Log.Event(name).getPerfInfo() for name in self._names]
        return np.array([[info[figure] for figure in figures] for info in infos])


def resident_mb() -> float:
    """Resident memory of this process now, in 10^6 bytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak_mb() -> float:
    """Largest resident memory of this process so far, in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
