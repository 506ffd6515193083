"""What the figures of a benchmark depend on besides the code: the machine and its packages."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("chemomech", "numpy", "scipy", "fenics-dolfinx", "petsc4py", "mpi4py", "gmsh", "vtk")
LOAD_BEFORE = os.getloadavg()[0]


@dataclass(frozen=True)
class Machine:
    """What figures depend on besides the code.

    Args:
        date: End of the benchmark, UTC.
        commit: Of the checkout; ``-dirty`` marks changes.
        processor: Its name.
        cores: Those this process may use.
        load_before, load_after: Load average over a minute when this module was imported, and now.
        system: Operating system.
        versions: Of Python and of packages, of this process's environment.
    """

    date: str
    commit: str | None
    processor: str
    cores: int
    load_before: float
    load_after: float
    system: str
    versions: Mapping[str, str]


def describe_machine() -> Machine:
    """Collect the facts of this machine and this environment."""
    return Machine(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_ask_git(),
        processor=_name_processor(),
        cores=_count_cores(),
        load_before=LOAD_BEFORE,
        load_after=os.getloadavg()[0],
        system=platform.platform(),
        versions={"python": platform.python_version(), **_find_versions()},
    )


def _find_versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _name_processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _ask_git() -> str | None:
    words = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
