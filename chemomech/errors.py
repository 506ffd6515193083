"""Errors for the user: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
import pickle
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from mpi4py import MPI

T = TypeVar("T")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class ChemoMechError(Exception):
    """Base of every error the package raises on purpose.

    Attributes:
        exit_code: Status with which the command line ends.
    """

    exit_code: ClassVar[int] = 1


class InputError(ChemoMechError):
    """Something the user gave cannot be used.

    Args:
        message: What is wrong and what would be right.
        key: Configuration key or argument at fault, e.g. ``geometry.bend_radius``.
        path: File at fault.
    """

    exit_code = 2

    def __init__(self, message: str, *, key: str | None = None, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.key = key
        self.path = path

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.path, self.key) if part)
        return f"{where}: {self.message}" if where else self.message


class UnloadedLawError(ChemoMechError):
    """The code of a user's law is needed, but was not loaded."""

    exit_code = 2


class ConvergenceError(ChemoMechError):
    """A solver gave up.

    Args:
        message: What failed and what may help.
        reason: PETSc's converged reason, or 0 where none exists.
    """

    exit_code = 3

    def __init__(self, message: str, *, reason: int = 0) -> None:
        super().__init__(message)
        self.reason = reason


class RecordsLostError(OSError):
    """Files that a run holds open can no longer be written, nor perhaps be closed.

    ADIOS2 aborts the process when it closes a file whose disk is full or whose folder is gone, and
    it closes at the latest when Python ends: a program had better end without.
    """


class StoppedEarly(ChemoMechError):
    """A run was asked to stop before its end, and has kept what it needs to go on."""

    exit_code = 4


class AlreadyEnded(ChemoMechError):
    """The run to go on with has ended, and nothing of it is left to do.

    Args:
        ending: How it ended.
    """

    exit_code = 0

    def __init__(self, ending: str) -> None:
        super().__init__(ending)
        self.ending = ending


class InterruptedRunError(StoppedEarly):
    """Somebody at the keyboard has stopped a run, which has kept what it needs to go on."""

    exit_code = 130


@contextmanager
def naming(*, key: str | None = None, path: Path | str | None = None) -> Iterator[None]:
    """Name key and file in errors raised within, by code that does not know them.

    Args:
        key: Key at fault, in place of what was named; None keeps that.
        path: File at fault, where none was named.
    """
    try:
        yield
    except InputError as error:
        error.key = key or error.key
        error.path = error.path or (None if path is None else str(path))
        raise


def suggest(word: str, known: Iterable[str]) -> str:
    """Suggest the known word nearest to a mistyped one, ``; did you mean 'width'?``, or nothing."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def describe_foreign_error(error: Exception) -> str:
    """Return what an error of another library, such as ADIOS2, says: one line, without colours."""
    return " ".join(_COLOURS.sub("", str(error)).split()) or type(error).__name__


def run_on_root(comm: MPI.Comm, action: Callable[[], T]) -> T:
    """Run ``action`` on rank 0, hand its result to all ranks, and raise its failure on all ranks.

    Whatever it raises is raised everywhere: a rank left waiting for the others would hang the run.

    Args:
        comm: Communicator; the call is collective.
        action: Work without communication; its result must be picklable.

    Raises:
        Exception: The error ``action`` raised, on every rank; a RuntimeError that describes it
            where it cannot be sent.
    """
    outcome: tuple[bool, object] = (True, None)
    if comm.rank == 0:
        try:
            outcome = (True, action())
        except Exception as error:  # noqa: BLE001 - raised again on every rank
            outcome = (False, _make_sendable(error))
    succeeded, value = comm.bcast(outcome, root=0)
    if not succeeded:
        assert isinstance(value, BaseException)
        raise value
    return value  # type: ignore[return-value]


def _make_sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - foreign classes fail to be pickled in any way they like
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
