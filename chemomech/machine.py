"""The memory of the machines that a run has, and the processes on this one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from mpi4py import MPI

if TYPE_CHECKING:
    from collections.abc import Iterator

# How far clocks may differ when they tell a process from a later one with its number.
_CLOCKS_S = 60.0
_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def find_memory(comm: MPI.Comm) -> float:
    """Memory of the machines that ranks run on, each counted once, in bytes; collective.

    A limit that a container or a batch system has set counts where it is lower.
    """
    node = comm.Split_type(MPI.COMM_TYPE_SHARED)
    here = _find_own_memory() if node.rank == 0 else 0.0
    node.Free()
    return float(comm.allreduce(here))


def is_alive(pid: int, seen: float) -> bool:
    """Tell whether a process of this machine still runs, and is no later one with its number.

    It was last ``seen`` at a time in s since the epoch.
    """
    try:
        process = psutil.Process(pid)
        is_later = process.create_time() > seen + _CLOCKS_S
        return not is_later and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _find_own_memory() -> float:
    return min([float(psutil.virtual_memory().total), *_find_limits()])


def _find_limits() -> Iterator[float]:
    """Limits of this process's control groups and of those above, in bytes."""
    try:
        lines = _OWN.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = _GROUPS / controllers
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        group = root / own.lstrip("/")
        for place in (group, *group.parents):
            # No such file, or no limit: "max".
            with suppress(OSError, ValueError):
                yield float((place / name).read_text(encoding="utf-8"))
            if place == root:
                break
