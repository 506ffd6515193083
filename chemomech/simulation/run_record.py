"""Record in a run's folder what it is, what happens to it and how it ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from mpi4py import MPI

from chemomech.config import Config, format_config, write_config
from chemomech.config.laws.user_law import list_sources
from chemomech.errors import run_on_root
from chemomech.output.fields import SUFFIXES, name_field_file
from chemomech.output.file_names import CONFIG, LEDGER
from chemomech.output.folder import RunFolder
from chemomech.output.ledger import Columns, read_ledger
from chemomech.output.provenance import (
    PROVENANCE,
    collect_provenance,
    continue_provenance,
    write_provenance,
)
from chemomech.problems.parameters import Parameters, Value


class RunRecord:
    """The configuration, which is written, and the provenance in a run's folder; collective.

    A run that goes on from a checkpoint of a time (s) forgets parameters that were set after it;
    those set before wait for `repeat_changes`. None begins anew.
    """

    def __init__(
        self,
        config: Config,
        folder: RunFolder,
        parameters: Parameters,
        *,
        goes_on_from: float | None = None,
    ) -> None:
        self._config = config
        self.folder = folder
        self._path = folder.path / PROVENANCE
        self._comm = folder.comm
        modules = {source.file: source.text for source in list_sources(config)}
        text = format_config(config)
        self._provenance = collect_provenance(self._comm, text, parameters, modules)
        self._parameters = parameters
        self._to_repeat: list[dict[str, Any]] = []
        if goes_on_from is not None:
            former = continue_provenance(self._path, self._provenance, self._comm)
            self._to_repeat = [c for c in former.changes if c["time_s"] <= goes_on_from]
            # Those at its very time the stepper has not seen: its first step notes them again.
            kept = tuple(c for c in self._to_repeat if c["time_s"] < goes_on_from)
            self._provenance = replace(former, changes=kept)
        run_on_root(self._comm, lambda: write_config(config, folder.path / CONFIG))
        self._write()

    def repeat_changes(self, before_s: float = math.inf) -> None:
        """Set again the parameters that an earlier run had set before a time (s)."""
        while self._to_repeat and self._to_repeat[0]["time_s"] < before_s:
            change = self._to_repeat.pop(0)
            self._parameters[change["parameter"]] = change["value"]

    def note_changes(self, time_s: float, changes: Mapping[str, Value]) -> None:
        """Note parameters that were set, by name in SI units, at a time (s)."""
        self._provenance = self._provenance.note_changes(time_s, changes)
        self._write()

    def note_ending(self, ending: str) -> None:
        """Note how the run has ended or was stopped."""
        self._write(ending)

    def note_failure(self, error: BaseException) -> None:
        """Note on rank 0 how the run broke off; nobody knows whether the other ranks failed too."""
        # A folder that is gone, or a full disk, must not hide the error itself.
        if self._comm.rank == 0 and self.folder.path.is_dir():
            reason = f"failed: {error}" if str(error) else "interrupted"
            with suppress(OSError):
                write_provenance(self._path, self._provenance, MPI.COMM_SELF, reason)

    def finish_files(self) -> None:
        """Give the files that grew while the run went on their final names."""
        for name in name_files(self._config):
            self.folder.finish(name)

    def read_ledger(self) -> Columns:
        """Read the ledger, finished or not, on all ranks."""
        final, partial = self.folder.path / LEDGER, self.folder.partial(LEDGER)
        return run_on_root(self._comm, lambda: read_ledger(final if final.exists() else partial))

    def _write(self, ended: str | None = None) -> None:
        write_provenance(self._path, self._provenance, self._comm, ended)


def name_files(config: Config) -> list[str]:
    """List the names of the files that grow while a run goes on.

    Raises:
        InputError: DOLFINx lacks what the format of the fields needs.
    """
    if not config.output.fields:
        return [LEDGER]
    return [LEDGER, name_field_file("fields", config.output.field_format)]


def reopen_records(folder: RunFolder) -> None:
    """Let the ledger go on; fields are written anew, whatever their format was; collective."""
    folder.reopen_file(LEDGER)
    for suffix in SUFFIXES:
        folder.remove(f"fields.partial{suffix}")
