"""The folder of a sweep, with a subfolder for each case and its progress."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chemomech.config import format_config
from chemomech.config.laws.user_law import list_sources
from chemomech.config.loading import load_stored_config
from chemomech.errors import InputError
from chemomech.output.file_names import CONFIG
from chemomech.output.folder_lock import list_contents
from chemomech.simulation.restarting import compare
from chemomech.sweeps.cases import Case, Sweep
from chemomech.text_files import format_csv

DEFINITION = "sweep.toml"
"""The sweep's file; what it starts from is named by its whole path."""
CASES = "cases.csv"
"""Table of all cases and how far they have come."""
SUMMARY = "summary.csv"
"""Table of what came of finished cases."""
OVERVIEW = "overview.png"
"""Picture of what came of finished cases."""
RESULTS = "results"
"""Folder that ``chemomech run`` writes, in that of a case."""

_OUTCOME = "outcome.json"
_LOG = "log.txt"


class Status(StrEnum):
    """Progress of a case."""

    WAITING = "waiting"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class Outcome:
    """Ending of the last start of a case, and the wall time of all starts in s.

    The exit code is that of the command, or negative for the number of a signal. A case is stopped
    if it was asked to stop, or may simply go on. It ended with the last words of its log.
    """

    exit_code: int
    stopped: bool
    wall_s: float
    starts: int
    ended: str


@dataclass(frozen=True)
class CaseFolder:
    """The folder of one case."""

    path: Path
    case: Case

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / CONFIG

    @property
    def results(self) -> Path:
        """Folder that ``chemomech run`` writes."""
        return self.path / RESULTS

    @property
    def log(self) -> Path:
        """Log of all its starts."""
        return self.path / _LOG

    def read_outcome(self) -> Outcome | None:
        """Read how the last start ended; None where there was none."""
        try:
            return Outcome(**json.loads((self.path / _OUTCOME).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write_outcome(self, outcome: Outcome) -> None:
        """Record how a start ended."""
        _replace(self.path / _OUTCOME, json.dumps(vars(outcome), indent=2) + "\n")

    def find_status(self) -> Status:
        """Find how far the case has come."""
        outcome = self.read_outcome()
        if outcome is None:
            # Begun by a process that was killed, perhaps: a start goes on where that was.
            return Status.STOPPED if self.results.exists() else Status.WAITING
        if outcome.exit_code == 0:
            return Status.DONE
        return Status.STOPPED if outcome.stopped else Status.FAILED

    def prepare(self) -> None:
        """Make the folder and write the configuration."""
        self.path.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            for source in list_sources(self.case.config):
                _replace(self.path / source.file, source.text)
            _replace(self.config, format_config(self.case.config))


@dataclass(frozen=True)
class SweepFolder:
    """The folder of a sweep."""

    path: Path
    sweep: Sweep

    @property
    def cases(self) -> tuple[CaseFolder, ...]:
        """Folders of the cases, in their order."""
        return tuple(CaseFolder(self.path / case.name, case) for case in self.sweep.cases)

    def check(self) -> None:
        """Refuse a folder of something else, or of other cases by the same names."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; name a new folder", key="--output")
        if not self.path.exists() or not list_contents(self.path):
            return
        if not (self.path / CASES).exists():
            raise InputError(
                f"{self.path} holds something else than a sweep and is left as it is; "
                "name a new folder",
                key="--output",
            )
        for folder in self.cases:
            if folder.config.exists():
                _check_unchanged(folder)

    def prepare(self) -> None:
        """Make the folders, write definition and configurations; a sweep may have gained cases."""
        self.path.mkdir(parents=True, exist_ok=True)
        _replace(self.path / DEFINITION, format_config(self.sweep.definition))
        self.write_table()
        for folder in self.cases:
            folder.prepare()

    def write_table(self) -> None:
        """Write ``cases.csv``: what varies and how far each case has come."""
        header = ["case", *self.sweep.keys, "status", "exit_code", "starts", "wall_s", "ended"]
        rows = [
            [folder.case.name, *folder.case.changes.values(), *_describe_outcome(folder)]
            for folder in self.cases
        ]
        write_csv(self.path / CASES, header, rows)


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table; a reader never sees half of it."""
    _replace(path, format_csv([header, *rows]))


def _describe_outcome(folder: CaseFolder) -> list[object]:
    outcome, status = folder.read_outcome(), folder.find_status().value
    if outcome is None:
        return [status, "", "", "", ""]
    return [status, outcome.exit_code, outcome.starts, f"{outcome.wall_s:.1f}", outcome.ended]


def _check_unchanged(folder: CaseFolder) -> None:
    before = load_stored_config(folder.config)
    dumps = (c.model_dump(mode="json", exclude_none=True) for c in (before, folder.case.config))
    changes = compare(*dumps)
    if changes:
        raise InputError(
            f"case {folder.case.name} has changed since the folder was made; name a new folder. "
            "Changed: " + "; ".join(changes),
            key="--output",
        )


def _replace(path: Path, text: str) -> None:
    # Tasks of an array may write the same at once.
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
