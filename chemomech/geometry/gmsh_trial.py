"""A first reading of a mesh file by gmsh, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chemomech.errors import InputError

_SCRIPT = """
import gmsh, sys
gmsh.initialize(readConfigFiles=False, interruptible=False)
gmsh.option.setNumber("General.Terminal", 0)
try:
    gmsh.merge(sys.argv[1])
except Exception:
    pass
"""
# Seconds, and bytes a second that gmsh reads at the very least.
_PATIENCE, _SLOWEST = 60.0, 2e5


def require_readable(path: Path) -> None:
    """Refuse a file at which gmsh crashes or does not come to an end; only for one rank.

    gmsh does not look whether the nodes of an element exist, and believes the numbers in the head
    of a file: it may end the program by a signal. What it refuses by itself passes here, for it
    says better why.

    Args:
        path: The file.

    Raises:
        InputError: gmsh was ended by a signal, or took longer than a minute and 5 s a megabyte.
    """
    limit = _PATIENCE + path.stat().st_size / _SLOWEST
    try:
        # -P: a user's own gmsh.py in the present folder is not meant.
        trial = subprocess.run(
            [sys.executable, "-P", "-c", _SCRIPT, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"gmsh does not finish reading it in {limit:.0f} s") from error
    if trial.returncode < 0:
        raise InputError(
            f"gmsh crashes on it (signal {-trial.returncode}): it is broken, or has elements with "
            "nodes that it does not list"
        )
