"""Format tables as text, and tell if a stream is a terminal."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TextIO

import psutil
from rich.console import Console
from rich.table import Table

_LAUNCHERS = frozenset({"mpirun", "mpiexec", "mpiexec.hydra", "orterun", "prterun"})
_RANK_VARIABLES = ("PMIX_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
_TERMINALS = ("/dev/pts/", "/dev/tty")


def is_watched(stream: TextIO) -> bool:
    """Tell whether what this process writes to a stream appears on a terminal.

    MPI launchers may give each rank a pseudo-terminal of its own, wherever they pass the output
    on to. Behind one, its own standard output counts; where that cannot be found out, as on another
    machine of a cluster, nobody is taken to watch.
    """
    if not stream.isatty():
        return False
    if not any(name in os.environ for name in _RANK_VARIABLES):
        return True
    try:
        above = psutil.Process().parents()
        launcher = next(process for process in above if process.name() in _LAUNCHERS)
        target = Path("/proc", str(launcher.pid), "fd", "1").readlink()
    except (OSError, psutil.Error, StopIteration):
        return False
    return str(target).startswith(_TERMINALS)


def render(*tables: Table, width: int = 100) -> str:
    """Write tables as plain text, one below the other, without blanks at the ends of lines."""
    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None)
    for table in tables:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
