"""A sweep as an array of Slurm jobs."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from pathlib import Path
from string import Template

from chemomech.config.laws.user_law import list_sources
from chemomech.sweeps.cases import Sweep


def create_batch_script(sweep: Sweep, folder: Path, ranks: int) -> str:
    """Write a batch script whose tasks are the cases of a sweep, each on so many ranks.

    A task that is preempted, or near the end of its time, saves its state, returns to the queue and
    goes on where it was. Submitted again, finished cases end at once.
    """
    text = resources.files("chemomech.sweeps").joinpath("array.sh").read_text(encoding="utf-8")
    return Template(text).substitute(
        # Slurm splits its own lines at blanks and makes patterns of %: a job's name is for people.
        name=re.sub(r"[^\w.+-]+", "_", sweep.file.stem),
        last=len(sweep.cases) - 1,
        ranks=ranks,
        code=" --allow-code" if list_sources(sweep.cases[0].config) else "",
        file=shlex.quote(str(sweep.file.absolute())),
        folder=shlex.quote(str(folder.absolute())),
    )
