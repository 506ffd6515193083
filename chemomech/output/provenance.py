"""Record versions, machine, command, code and ending of a run."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.output.sealed_folders import DamagedError, read_json

if TYPE_CHECKING:
    from mpi4py import MPI

#: Name of the record in a run's folder.
PROVENANCE = "provenance.json"

_PACKAGES = (
    "chemomech",
    "fenics-dolfinx",
    "fenics-basix",
    "fenics-ufl",
    "fenics-ffcx",
    "petsc4py",
    "mpi4py",
    "numpy",
    "scipy",
    "gmsh",
    "pyvista",
    "vtk",
)


@dataclass(frozen=True)
class _Provenance:
    """Facts needed to judge or repeat a run; times are UTC in ISO 8601.

    The hash is that of the resolved configuration's text. The commit is None where the package runs
    from no checkout; its description is ``git describe --always --dirty``. Restarts are the same
    facts of each time the run was gone on with. Parameters are numbers of the model by name, in SI
    units, at the start; changes those set later, each a ``time_s``, ``parameter`` and ``value``.
    Modules are the texts, by file, that state laws of the user's own.
    """

    command: tuple[str, ...]
    config_sha256: str
    versions: dict[str, str]
    hosts: tuple[str, ...]
    ranks: int
    threads: str | None
    platform: str
    git_commit: str | None
    git_description: str | None
    started: str
    restarts: tuple[dict[str, object], ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    changes: tuple[dict[str, Any], ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)

    def note_changes(
        self, time_s: float, values: Mapping[str, float | NDArray[np.float64]]
    ) -> _Provenance:
        """Return the same, with parameters that were set at a time (s)."""
        noted = (
            {"time_s": time_s, "parameter": name, "value": np.asarray(value).tolist()}
            for name, value in values.items()
        )
        return replace(self, changes=(*self.changes, *noted))


def collect_provenance(
    comm: MPI.Comm,
    config_text: str,
    parameters: Mapping[str, float | NDArray[np.float64]] | None = None,
    modules: Mapping[str, str] | None = None,
) -> _Provenance:
    """Collect what is known when a run starts; collective, the same on all ranks."""
    hosts = tuple(sorted(set(comm.allgather(socket.gethostname()))))
    # On all ranks: where nothing has used PETSc yet, importing it makes all ranks communicate.
    versions = _collect_versions()

    def collect() -> _Provenance:
        return _Provenance(
            command=tuple(sys.argv),
            config_sha256=hashlib.sha256(config_text.encode()).hexdigest(),
            versions=versions,
            hosts=hosts,
            ranks=comm.size,
            threads=os.environ.get("OMP_NUM_THREADS"),
            platform=platform.platform(),
            git_commit=_ask_git("rev-parse", "HEAD"),
            git_description=_ask_git("describe", "--always", "--dirty"),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            parameters={n: np.asarray(v).tolist() for n, v in (parameters or {}).items()},
            modules=modules or {},
        )

    return run_on_root(comm, collect)


def write_provenance(
    path: str | Path, provenance: _Provenance, comm: MPI.Comm, ended: str | None = None
) -> None:
    """Write what was known at the start as JSON, replacing a file that exists; collective.

    How the run ended, in words, is noted together with the time; None while it still runs.
    """
    finished = None if ended is None else datetime.now(UTC).isoformat(timespec="seconds")
    record = asdict(provenance) | {"finished": finished, "ended": ended}
    text = json.dumps(record, indent=2) + "\n"
    run_on_root(comm, lambda: Path(path).write_text(text, encoding="utf-8"))


def continue_provenance(path: str | Path, present: _Provenance, comm: MPI.Comm) -> _Provenance:
    """Join what is known of this start to an earlier run's record, as a restart; collective.

    Where the earlier record cannot be read, the present one stands alone.
    """
    return run_on_root(comm, lambda: _join(Path(path), present))


def read_ending(path: str | Path) -> str | None:
    """Read how a run ended; None where it has not or the record cannot be read."""
    ended = _read(Path(path)).get("ended")
    return ended if isinstance(ended, str) else None


def read_provenance(path: Path) -> dict[str, Any]:
    """Read the record of where a folder's results come from."""
    try:
        record = read_json(path)
    except (OSError, DamagedError) as error:
        raise InputError(f"cannot be read: {error}", path=str(path)) from error
    if not isinstance(record, dict):
        raise InputError("is no record of a run", path=str(path))
    return record


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_provenance(path)
    except InputError:
        return {}


def _join(path: Path, present: _Provenance) -> _Provenance:
    former = _read(path)
    names = {each.name for each in fields(_Provenance)}
    known = {name: value for name, value in former.items() if name in names}
    if names - {"parameters", "changes"} - known.keys() or not isinstance(former["restarts"], list):
        return present
    own = asdict(present)
    own.pop("restarts")
    own.pop("changes")
    restarts = (*former["restarts"], own | {"before": former.get("ended")})
    return _Provenance(**(known | {"restarts": restarts}))  # type: ignore[arg-type]


def _collect_versions() -> dict[str, str]:
    from mpi4py import MPI
    from petsc4py import PETSc

    versions = {
        "python": platform.python_version(),
        "petsc": ".".join(str(part) for part in PETSc.Sys.getVersion()),
        "mpi": MPI.Get_library_version().strip("\x00\n "),
    }
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed as a Python distribution"
    return versions


def _ask_git(*words: str) -> str | None:
    root = Path(__file__).resolve().parents[2]
    # An installed copy may lie inside somebody else's checkout, whose commit would mislead.
    if not (root / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
