"""Make a figure of the paper: `chemomech reproduce`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path
from typing import Protocol, cast

from mpi4py import MPI

from chemomech.analysis.results import RunResults, open_run
from chemomech.errors import InputError
from chemomech.output.file_names import FILM
from chemomech.output.folder_lock import FolderLock, list_contents
from chemomech.paper.figures import Figure
from chemomech.paper.page import Findings, Picture, write_page
from chemomech.sweeps.cases import Sweep, read_sweep
from chemomech.sweeps.folder import SweepFolder
from chemomech.sweeps.sweeping import JobLayout, run_sweep

PAGE = "page.md"
"""The page of a figure, written last."""

_MARK = "reproduction.json"


@dataclass(frozen=True)
class Reproduction:
    """A figure in the making.

    Args:
        figure: Which one.
        folder: Its folder, which exists.
        short: Whether a smaller case will do.
        jobs: Number of cases at a time; as the cores allow where None.
        ranks: Number of MPI ranks of each; 1 or more where None.
        base: Configuration that takes the place of the figure's own; only where it takes one.
    """

    figure: Figure
    folder: Path
    short: bool = False
    jobs: int | None = None
    ranks: int | None = None
    base: Path | None = None

    def __post_init__(self) -> None:
        if self.base is not None and not self.figure.takes_base:
            raise InputError(f"figure {self.figure.name} takes no configuration", key="--base")

    @property
    def command(self) -> str:
        """Command that makes it again."""
        words = ["chemomech", "reproduce", self.figure.name]
        words += [] if self.base is None else ["--base", str(self.base)]
        return shlex.join(words + ["--short"] * self.short)

    @property
    def mark(self) -> dict[str, object]:
        """Text that tells its folder from others."""
        base = {} if self.base is None else {"base": str(self.base.resolve())}
        return {"figure": self.figure.name, "short": self.short, **base}

    def read_sweep(self, name: str) -> Sweep:
        """Read a sweep of this package.

        Args:
            name: Name of its file among the configurations; its short form is ``NAME-short``.

        Raises:
            InputError: The configuration of the user's makes a case that cannot be run.
        """
        return read_sweep(find_configuration(f"{name}-short" if self.short else name), self.base)

    def run_sweep(self, name: str) -> list[RunResults]:
        """Run a sweep of this package, or what is left of it, in the folder ``runs``.

        Args:
            name: As of `read_sweep`.

        Returns:
            The results, in the order of its cases.

        Raises:
            InputError: The folder holds other cases.
            ConvergenceError: A case has failed.
            StoppedEarly: A signal asked to stop; another call goes on.
        """
        sweep = self.read_sweep(name)
        layout = JobLayout.choose(len(sweep.cases), self.jobs, self.ranks)
        run_sweep(sweep, self.folder / "runs", layout, retry=True)
        return [open_run(case.results) for case in SweepFolder(self.folder / "runs", sweep).cases]

    def list_films(self, runs: Sequence[RunResults], captions: Sequence[str]) -> list[Picture]:
        """List the films that there are of runs in this folder.

        Args:
            runs: The runs.
            captions: What each film shows.
        """
        films = [run.folder / FILM for run in runs]
        return [
            Picture(film.relative_to(self.folder).as_posix(), caption)
            for film, caption in zip(films, captions, strict=True)
            if film.exists()
        ]


class FigureModule(Protocol):
    """A module that makes a figure."""

    def make(self, work: Reproduction) -> Findings:
        """Run and draw what the figure needs, and say what came out."""


def find_configuration(name: str) -> Path:
    """Find one of this package's configurations by its name."""
    # Packages are folders, not archives: configurations name one another by their paths.
    return Path(str(resources.files("chemomech.paper"))) / "configurations" / f"{name}.toml"


def reproduce(work: Reproduction) -> str:
    """Make a figure, its data and its page; goes on where an earlier call was stopped.

    Args:
        work: What to make, and where; the folder is new, empty, or an unfinished one of the same
            figure.

    Returns:
        Where to look.

    Raises:
        InputError: The folder holds something else, or the page already, or is in use.
        ChemoMechError: Something in it could not be computed.
    """
    if work.base is not None:
        # The user's file is refused before a folder is made.
        work.read_sweep(work.figure.name)
    with FolderLock(work.folder, MPI.COMM_SELF):
        _claim(work)
        maker = cast("FigureModule", import_module(f"chemomech.paper.{work.figure.module}"))
        findings = maker.make(work)
        write_page(work.folder / PAGE, work.figure, findings, work.command)
    return f"{work.folder / PAGE}: {findings.pictures[0].file}, {len(findings.tables)} tables"


def _claim(work: Reproduction) -> None:
    """Mark a new folder as this figure's, or see that it is."""
    folder, mark = work.folder, work.mark
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a new folder", key="--output")
    if (folder / PAGE).exists():
        raise InputError(f"{folder} holds a page already; name a new folder", key="--output")
    if folder.exists() and list_contents(folder) and _read_mark(folder) != mark:
        raise InputError(
            f"{folder} holds something else than an unfinished `{work.command}` "
            "and is left as it is; name a new folder",
            key="--output",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text(json.dumps(mark) + "\n", encoding="utf-8")


def _read_mark(folder: Path) -> object:
    try:
        return json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
