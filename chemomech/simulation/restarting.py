"""Find what an earlier run has left in a folder, and refuse to go on with another one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chemomech.config import Config
from chemomech.errors import InputError, run_on_root
from chemomech.output.checkpoints import CheckpointStore, StoredState
from chemomech.output.fields import SUFFIXES
from chemomech.output.file_names import CONFIG, LEDGER, PARTIAL_LEDGER
from chemomech.output.folder_lock import list_contents
from chemomech.output.provenance import PROVENANCE, read_ending

if TYPE_CHECKING:
    from mpi4py import MPI

_log = logging.getLogger(__name__)

#: Subfolder of a run's folder with what a restart needs; it is gone once the run has ended.
RESTART = "restart"
_CHECKPOINTS = "checkpoints"
#: What a run killed before its first checkpoint may have left.
_BEGINNINGS = frozenset(
    {CONFIG, PROVENANCE, RESTART, PARTIAL_LEDGER}
    | {f"fields.partial{suffix}" for suffix in SUFFIXES}
)
_MISSING = object()


@dataclass(frozen=True)
class Restart:
    """A checkpoint to go on with, if there is one.

    Args:
        ended: How the run in the folder ended, if it did.
        state: The last good checkpoint; None begins anew or, where the run has ended, leaves
            nothing to do: with one its pictures are missing.
        owners: Owner of each cell, on rank 0, where the same number of ranks goes on.
    """

    ended: str | None = None
    state: StoredState | None = None
    owners: NDArray[np.int32] | None = None


def find_restart(
    config: Config, output: Path, comm: MPI.Comm, *, accept_changes: bool = False
) -> Restart:
    """Look for something to go on with in a run's folder; collective.

    Raises:
        InputError: The folder holds something else, or records without a good checkpoint, or the
            configuration has changed and changes are not accepted; on every rank.
    """
    ended, is_begun = run_on_root(comm, lambda: _look(output))
    if ended is not None and run_on_root(comm, lambda: not (output / RESTART).exists()):
        _say(comm, f"{output} holds a finished run ({ended}); there is nothing to continue")
        return Restart(ended)
    if not is_begun:
        _say(comm, f"{output} holds no records yet: the run begins at the beginning")
        return Restart()
    state = CheckpointStore(output / RESTART / _CHECKPOINTS, comm).find_latest()
    if state is None:
        run_on_root(comm, lambda: _require_no_records(output))
        _say(comm, f"{output} holds no checkpoint and no records: the run begins at the beginning")
        return Restart()
    changes = compare(state.record["config"], config.model_dump(mode="json", exclude_none=True))
    if changes and not accept_changes:
        raise InputError(
            "the configuration has changed since the run began; --accept-changes goes on "
            "nevertheless. Changed: " + "; ".join(changes),
            key="--restart",
        )
    owners = state.read_arrays().get("owners") if state.record["ranks"] == comm.size else None
    owners = None if owners is None else owners.astype(np.int32)
    if ended is not None and not changes and run_on_root(comm, lambda: _is_last(state, output)):
        _say(comm, f"{output} holds a finished run ({ended}); its pictures are drawn")
        return Restart(ended, state, owners)
    _say(comm, f"continuing from step {state.record['stepper']['number']} in {output}")
    return Restart(state=state, owners=owners)


def compare(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Describe the keys in which two configurations, as nested tables, differ.

    Texts are such as ``time.end: 1.0 s -> 2.0 s``, by key. What happens to wall time and
    checkpoints may change from one restart to the next.
    """
    old, new = dict(_flatten(before)), dict(_flatten(now))
    keys = sorted(key for key in old.keys() | new.keys() if not key.startswith("checkpoint."))
    return [
        f"{key}: {_show(old.get(key, _MISSING))} -> {_show(new.get(key, _MISSING))}"
        for key in keys
        if old.get(key, _MISSING) != new.get(key, _MISSING)
    ]


def _flatten(table: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(table, Mapping):
        items = [(str(key), value) for key, value in table.items()]
    elif isinstance(table, (list, tuple)):
        items = [(str(index), value) for index, value in enumerate(table)]
    else:
        yield prefix.removesuffix("."), table
        return
    for key, value in items:
        yield from _flatten(value, f"{prefix}{key}.")


def _show(value: object) -> str:
    return "not stated" if value is _MISSING else json.dumps(value)


def _look(output: Path) -> tuple[str | None, bool]:
    """Read the ending of the run in the folder, if it has one, and if there is a run at all."""
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file; name a run's folder", key="--output")
    if not output.is_dir() or not list_contents(output):
        return None, False
    if not (output / PROVENANCE).is_file():
        raise InputError(
            f"{output} holds files, but no run of chemomech ({PROVENANCE} is missing); nothing "
            "was touched",
            key="--restart",
        )
    ended = read_ending(output / PROVENANCE)
    return (ended if (output / LEDGER).is_file() else None), True


def _is_last(state: StoredState, output: Path) -> bool:
    """Tell if nothing was recorded after a checkpoint."""
    with (output / LEDGER).open("rb") as file:
        return len(list(file)) - 1 == state.record["records"]["lines"]


def _require_no_records(output: Path) -> None:
    """Refuse to begin anew over records that took time to compute: more than the initial state."""
    names = [path.name for path in list_contents(output)]
    # Users' laws lie beside the configuration.
    records = [name for name in names if name not in _BEGINNINGS and not name.endswith(".py")]
    if (output / PARTIAL_LEDGER).is_file():
        with (output / PARTIAL_LEDGER).open("rb") as file:
            # The header and the initial state, after which the first checkpoint is written.
            records += [PARTIAL_LEDGER] if len(list(islice(file, 3))) > 2 else []
    if records:
        raise InputError(
            f"there is no good checkpoint in {output / RESTART}, so that {', '.join(records)} "
            "cannot be continued; name another folder, or delete this one to begin anew",
            key="--restart",
        )


def _say(comm: MPI.Comm, message: str) -> None:
    if comm.rank == 0:
        _log.info(message)
