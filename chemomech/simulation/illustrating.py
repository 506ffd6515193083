"""The pictures and the film of a run that has ended."""

from __future__ import annotations

from functools import partial

from chemomech.config import Config
from chemomech.drawing.charts import write_ledger_chart
from chemomech.drawing.cycle_charts import write_cycle_chart
from chemomech.drawing.illustration import write_illustrations
from chemomech.errors import run_on_root
from chemomech.output.file_names import LEDGER
from chemomech.output.ledger import read_ledger
from chemomech.simulation.preparation import Parts


def illustrate(config: Config, parts: Parts) -> None:
    """Draw what the configuration asks for into the run's folder; collective.

    Args:
        config: The configuration.
        parts: The run's parts after its end; its ledger has its final name.

    Raises:
        OSError: A file cannot be written; on every rank.
    """
    wanted, folder = config.output, parts.folder
    if wanted.pictures:
        folder.create_subfolder("pictures")
        columns = run_on_root(folder.comm, lambda: read_ledger(folder.path / LEDGER))
        charts = {"pictures/ledger.png": write_ledger_chart}
        if parts.problem.surface.reservoir is not None:
            charts["pictures/cycles.png"] = write_cycle_chart
        for name, write_chart in charts.items():
            run_on_root(folder.comm, partial(write_chart, folder.partial(name), columns))
            folder.finish(name)
    if wanted.pictures or wanted.movie:
        grid, fields = parts.recorder.gather_latest()
        write_illustrations(
            folder,
            grid,
            fields,
            parts.recorder.frames,
            pictures=wanted.pictures,
            movie=wanted.movie,
        )
