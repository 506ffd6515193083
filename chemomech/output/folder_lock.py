"""Lock a folder of results, so that one process at a time writes it."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from flufl.lock import Lock, NotLockedError, TimeOutError

from chemomech.errors import InputError, run_on_root
from chemomech.machine import is_alive
from chemomech.output.context import Context

if TYPE_CHECKING:
    from mpi4py import MPI

_log = logging.getLogger(__name__)

_NAME = ".in-use"
# Not flufl.lock's bar, which some network file systems refuse in names. A path must not hold it.
_SEPARATOR = "~lock~"
# Without a sign of life for so long the holder on another machine is dead. One that factorises a
# large matrix holds Python's own lock all the while and gives none.
_LIFETIME = timedelta(minutes=5)
_HEARTBEAT_S = 20.0
_POLL_S = 1.0
_PATIENCE_S = 1.0
_WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


@dataclass(frozen=True)
class _Holder:
    """The process that holds a folder, or did; last heard of in s since the epoch."""

    host: str
    pid: int
    heard: float


class FolderLock(Context):
    """Hold a folder of results against other processes until closed; made by all ranks.

    The folder is made if it is missing, and goes again if nothing has been written to it. Rank 0
    holds it, by a hard link, as works on network file systems. A lock that a dead process has left
    is taken over: at once where the process was on this machine, else when it has given no sign of
    life for five minutes, which are waited for. Where no hard links can be made a warning says that
    nothing holds the folder.

    Args:
        folder: The folder.
        comm: Ranks that write to it.
        is_new: Refuse a folder that holds something already.

    Raises:
        InputError: Another process holds the folder, it cannot be made, or it is not new; on every
            rank.
    """

    def __init__(self, folder: str | Path, comm: MPI.Comm, *, is_new: bool = False) -> None:
        self._folder = Path(folder)
        self._made: list[Path] = []
        self._lock: Lock | None = None
        self._over = threading.Event()
        # Of its own: a rank that ends alone must not be taken for a partner elsewhere.
        self._comm = comm.Dup() if comm.size > 1 else comm
        run_on_root(comm, lambda: self._begin(is_new))

    def close(self) -> None:
        """Release the folder to other processes; ranks wait for one another up to a second."""
        self._over.set()
        self._release()
        if self._comm.size > 1:
            meeting, deadline = self._comm.Ibarrier(), time.monotonic() + _PATIENCE_S
            while not (is_met := meeting.Test()) and time.monotonic() < deadline:
                time.sleep(0.001)
            if is_met:
                self._comm.Free()

    def list_contents(self) -> list[Path]:
        """List what the folder holds apart from the lock."""
        return list_contents(self._folder)

    def _release(self) -> None:
        with suppress(OSError):
            if self._lock is not None:
                self._lock.unlock(unconditionally=True)
                self._lock = None
            for path in self._made:
                path.rmdir()

    def _begin(self, is_new: bool) -> None:
        _check_place(self._folder)
        check_not_in_use(self._folder)
        if is_new:
            check_unused(self._folder)
        place = self._folder.absolute()
        self._made = [path for path in (place, *place.parents) if not path.exists()]
        try:
            self._hold(place)
        except BaseException as error:
            self._release()
            if isinstance(error, OSError):
                raise unusable(self._folder, error) from error
            raise

    def _hold(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        lock = _create_lock(place)
        try:
            _take(lock, self._folder)
        except OSError as error:
            if error.errno not in _WITHOUT_LINKS:
                raise
            _log.warning("%s: nothing keeps other processes out: no hard links here", self._folder)
            return
        self._lock = lock
        threading.Thread(target=self._beat, args=(lock,), daemon=True).start()

    def _beat(self, lock: Lock) -> None:
        """Give signs of life; end the process where another has taken the folder nevertheless."""
        while not self._over.wait(_HEARTBEAT_S):
            try:
                lock.refresh()
            except NotLockedError:
                holder = None if self._over.is_set() else _find_holder(lock)
                if holder is not None:
                    sys.stderr.write(f"chemomech: error: {self._folder} was taken over: ")
                    sys.stderr.write(f"{_describe(holder, lock)}\n")
                    sys.stderr.flush()
                    # Both would write to the same files.
                    os._exit(InputError.exit_code)
            except OSError as error:
                _log.warning("%s: no sign of life can be given: %s", self._folder, error.strerror)


def list_contents(folder: Path) -> list[Path]:
    """List the contents of a folder, apart from what holds it against other processes."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith(_NAME))


def _check_place(folder: Path) -> None:
    """Refuse a place that is no folder or cannot be written to; only for one rank."""
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file; name a new folder", key="--output")
        above = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    except OSError as error:
        raise unusable(folder, error) from error
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise InputError(
            f"{folder} cannot be used as output folder: {above} cannot be written to",
            key="--output",
        )


def check_unused(folder: Path) -> None:
    """Refuse a folder that :func:`_check_place` refuses, or that holds files; only for one rank."""
    _check_place(folder)
    if folder.is_dir() and list_contents(folder):
        raise InputError(
            f"{folder} already holds files and is left as it is; name a new folder, or go on with "
            "a run or sweep that was stopped: run --restart, or the same sweep",
            key="--output",
        )


def check_not_in_use(folder: Path) -> None:
    """Refuse a folder that another process of this machine holds; only for one rank.

    Whether one of another machine is alive is only known after some time: see :class:`FolderLock`.
    """
    lock = _create_lock(folder)
    holder = _find_holder(lock)
    if holder is not None and holder.host == lock.hostname and not _is_gone(holder, lock):
        raise _refuse(folder, holder, lock)


def unusable(folder: Path, error: OSError) -> InputError:
    """Create the error that says why a folder cannot be used."""
    return InputError(f"{folder} cannot be used as output folder: {error.strerror}", key="--output")


def _create_lock(folder: Path) -> Lock:
    return Lock(str(folder.resolve() / _NAME), lifetime=_LIFETIME, separator=_SEPARATOR)


def _take(lock: Lock, folder: Path) -> None:
    """Take a lock that is free or that a dead process has left."""
    first: _Holder | None = None
    while not _try(lock):
        holder = _find_holder(lock)
        if holder is None:
            continue
        if _is_gone(holder, lock):
            _clear(lock, holder)
            continue
        is_new = first is None or first.pid != holder.pid
        if holder.host == lock.hostname or (first and not is_new and holder.heard > first.heard):
            raise _refuse(folder, holder, lock)
        if is_new:
            first = holder
            _log.warning(
                "%s %s; waiting up to %d min for a sign of life",
                folder,
                _describe(holder, lock),
                round(_LIFETIME.total_seconds() / 60),
            )
        time.sleep(_POLL_S)


def _try(lock: Lock) -> bool:
    try:
        # A time limit that has passed already: only one attempt, and nobody's lock is broken.
        lock.lock(timeout=timedelta(seconds=-1))
    except TimeOutError:
        return False
    return True


def _find_holder(lock: Lock) -> _Holder | None:
    """Find the process that holds a lock; None where nobody does."""
    try:
        heard = (lock.expiration - _LIFETIME).timestamp()
        host, pid, _ = lock.details
    except FileNotFoundError:
        return None
    except NotLockedError:
        # Gone this moment, or garbled when a machine lost its power.
        return _Holder("a machine that did not write its name", 0, heard)
    return _Holder(host, pid, heard)


def _is_gone(holder: _Holder, lock: Lock) -> bool:
    if holder.host != lock.hostname:
        return time.time() > holder.heard + _LIFETIME.total_seconds()
    return not is_alive(holder.pid, holder.heard)


def _clear(lock: Lock, dead: _Holder) -> None:
    """Remove the lock of a dead process, but not that of one which has just done the same."""
    with Lock(f"{lock.lockfile}.taken-over", separator=_SEPARATOR):
        if _find_holder(lock) == dead:
            claim = Path(lock.lockfile).read_text(encoding="utf-8")
            Path(lock.lockfile).unlink()
            left = Path(lock.lockfile).with_name(claim.rpartition("/")[2])
            if left.name.startswith(_NAME):
                left.unlink(missing_ok=True)


def _refuse(folder: Path, holder: _Holder, lock: Lock) -> InputError:
    return InputError(f"{folder} is {_describe(holder, lock)}", key="--output")


def _describe(holder: _Holder, lock: Lock) -> str:
    since, word = holder.heard, "last heard of at"
    if holder.host == lock.hostname:
        with suppress(psutil.NoSuchProcess):
            since, word = psutil.Process(holder.pid).create_time(), "since"
    moment = datetime.fromtimestamp(since).isoformat(" ", "seconds")
    return f"in use by {holder.pid} on {holder.host} {word} {moment}"
