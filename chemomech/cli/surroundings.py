"""Complete what a process lacks at its start: open standard streams, a home, a temporary folder."""

from __future__ import annotations

import io
import os
import pwd
import sys
import tempfile
from typing import TextIO


def complete_surroundings() -> None:
    """Give this process what it lacks; to be called before MPI starts.

    Open MPI cannot start without a home and a folder for temporary files, and what it opens would
    take the numbers of standard streams that are closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    if not os.environ.get("HOME"):
        os.environ["HOME"] = _find_home()
    folder = os.environ.get("TMPDIR")
    if folder and not os.access(folder, os.W_OK | os.X_OK):
        # Python's own tempfile passes over it as well.
        del os.environ["TMPDIR"]


def _find_home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return tempfile.gettempdir()


def outlive_readers() -> None:
    """Let output that nobody reads any longer be lost instead of ending the work: ``| head``."""
    for name, words in (("stdout", "standard output"), ("stderr", "standard error")):
        stream = getattr(sys, name)
        # Not what a test or a notebook has put in its place.
        if type(stream) is io.TextIOWrapper:
            setattr(sys, name, _Output(stream, words))


class _Output(io.TextIOWrapper):
    """A standard stream whose reader may go.

    Args:
        stream: The stream, which remains usable.
        words: What it is called in errors.
    """

    def __init__(self, stream: TextIO, words: str) -> None:
        stream.flush()
        super().__init__(
            stream.buffer,
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=bool(stream.line_buffering),
        )
        self._words = words
        self._stream = stream  # kept, for it would close what both write to

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._abandon(error)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._abandon(error)

    def _abandon(self, error: OSError) -> None:
        """Write to nowhere from now on; any error but a reader's going is raised."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, self._words) from error
