"""Claim the folder of one run, in which only finished files bear their final name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from chemomech.errors import run_on_root
from chemomech.output.folder_lock import check_unused, unusable

if TYPE_CHECKING:
    from mpi4py import MPI

Writer = Callable[[Path], object]
"""Writes a file to a path."""


@dataclass(frozen=True)
class RunFolder:
    """An existing folder claimed by one run.

    Files are written under the name `partial` gives and get their final one from `finish`, so that
    whoever finds ``ledger.csv`` knows the run that wrote it has ended with it.
    """

    path: Path
    comm: MPI.Comm

    @classmethod
    def create(cls, path: str | Path, comm: MPI.Comm) -> RunFolder:
        """Claim a new or empty folder, missing parents made; collective.

        Raises:
            InputError: The folder holds something, is a file, or cannot be made; nothing is
                touched.
        """
        folder = Path(path)
        run_on_root(comm, lambda: _claim(folder))
        return cls(folder, comm)

    @classmethod
    def reopen(cls, path: str | Path, comm: MPI.Comm) -> RunFolder:
        """Claim the folder of an earlier run, or a new one, to go on in it; collective."""
        folder = Path(path)
        if run_on_root(comm, lambda: not folder.exists()):
            return cls.create(folder, comm)
        return cls(folder, comm)

    def partial(self, name: str) -> Path:
        """Name a file while it is being written.

        ``pictures/ledger.png`` is ``pictures/ledger.partial.png`` in the folder until then.
        """
        final = PurePosixPath(name)
        return self.path / final.with_name(f"{final.stem}.partial{final.suffix}")

    def finish(self, name: str) -> Path:
        """Give a file or folder written under its `partial` name the final one; collective."""
        final = self.path / name
        # No rank may still be writing when rank 0 renames.
        self.comm.barrier()
        run_on_root(self.comm, lambda: _rename(self.partial(name), final))
        return final

    def write_files(self, list_writers: Callable[[], Mapping[str, Writer]]) -> None:
        """Write files on rank 0, each under its partial name, then finish them; collective.

        ``list_writers``, called on rank 0 alone, returns what writes each file to a path, by final
        name inside the folder.
        """

        def write() -> list[str]:
            writers = list_writers()
            for name, write_file in writers.items():
                path = self.partial(name)
                path.parent.mkdir(exist_ok=True)
                write_file(path)
            return list(writers)

        for name in run_on_root(self.comm, write):
            self.finish(name)

    def reopen_file(self, name: str) -> None:
        """Give a finished file back the name of one that is being written; collective.

        Nothing happens where no file bears the final name, or one is being written already.
        """
        final, partial = self.path / name, self.partial(name)

        def give_back() -> None:
            if final.is_file() and not partial.exists():
                final.replace(partial)

        run_on_root(self.comm, give_back)

    def remove(self, name: str) -> None:
        """Remove a file or folder inside this one, if it is there; collective."""
        path = self.path / name
        self.comm.barrier()
        run_on_root(
            self.comm,
            lambda: shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True),
        )


def _rename(partial: Path, final: Path) -> None:
    if final.is_dir():
        # Of an earlier run that was killed between this and its very end.
        shutil.rmtree(final)
    partial.replace(final)


def _claim(folder: Path) -> None:
    check_unused(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, error) from error
