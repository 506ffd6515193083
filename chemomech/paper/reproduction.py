"""Make a figure of the paper: `chemomech reproduce`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path

from mpi4py import MPI

from chemomech import (
    FolderLock,
    InputError,
    JobLayout,
    RunResults,
    Sweep,
    format_time,
    open_run,
    plot_side_by_side,
    read_sweep,
    run_sweep,
)
from chemomech.paper.figures import Figure
from chemomech.paper.page import Film, Findings, write_page

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

    def read_sweep(self) -> Sweep:
        """Read the figure's sweep, short or whole.

        Raises:
            InputError: The configuration of the user's makes a case that cannot be run.
        """
        name = f"{self.figure.name}-short" if self.short else self.figure.name
        return read_sweep(find_configuration(name), self.base)

    def run_sweep(self) -> list[RunResults]:
        """Run the figure's sweep, or what is left of it, in the folder ``runs``.

        Returns:
            The results, in the order of its cases.

        Raises:
            InputError: The folder holds other cases.
            ConvergenceError: A case has failed.
            StoppedEarly: A signal asked to stop; another call goes on.
        """
        sweep, folder = self.read_sweep(), self.folder / "runs"
        layout = JobLayout.choose(len(sweep.cases), self.jobs, self.ranks)
        run_sweep(sweep, folder, layout, retry=True)
        return [open_run(folder / case.name / "results") for case in sweep.cases]

    def make_way(self, name: str) -> Path:
        """Return the path of a file to write, where a stopped call may have left one."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        return path

    def draw_ends(
        self, runs: Sequence[RunResults], titles: Sequence[str], columns: int = 3
    ) -> None:
        """Draw composition and von Mises stress at the ends of runs, side by side.

        Args:
            runs: The runs.
            titles: Title of each, to which the time is added.
            columns: Most pictures in a row.
        """
        timed = [
            f"{title}$t$ = {format_time(float(run.times[-1]))}"
            for title, run in zip(titles, runs, strict=True)
        ]
        for field in ("composition", "von_mises"):
            path = self.make_way(f"{field}.png")
            plot_side_by_side(runs, field, path, timed, columns=min(len(runs), columns))

    def list_films(self, runs: Sequence[RunResults], captions: Sequence[str]) -> list[Film]:
        """List the films that there are of runs in this folder.

        Args:
            runs: The runs.
            captions: What each film shows.
        """
        films = [run.folder / "movie.mp4" for run in runs]
        return [
            Film(film.relative_to(self.folder).as_posix(), caption)
            for film, caption in zip(films, captions, strict=True)
            if film.exists()
        ]


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
        work.read_sweep()
    with FolderLock(work.folder, MPI.COMM_SELF) as lock:
        _claim(work, lock)
        maker = import_module(f"chemomech.paper.{work.figure.module}")
        findings: Findings = maker.make(work)
        write_page(work.folder / PAGE, work.figure, findings, work.command)
    return f"{work.folder / PAGE}, with {len(findings.tables)} tables in {work.folder / 'data'}"


def _claim(work: Reproduction, lock: FolderLock) -> None:
    """Mark a new folder as this figure's, or see that it is."""
    folder, mark = work.folder, work.mark
    if (folder / PAGE).exists():
        raise InputError(f"{folder} holds a page already; name a new folder", key="--output")
    if lock.list_contents() and _read_mark(folder) != mark:
        raise InputError(
            f"{folder} holds something else than an unfinished `{work.command}` "
            "and is left as it is; name a new folder",
            key="--output",
        )
    (folder / _MARK).write_text(json.dumps(mark) + "\n", encoding="utf-8")


def _read_mark(folder: Path) -> object:
    try:
        return json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
