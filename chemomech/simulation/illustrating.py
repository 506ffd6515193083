"""The pictures and the film of a run that has ended."""

from __future__ import annotations

from functools import partial

from chemomech.config import Config
from chemomech.drawing.charts import write_ledger_chart
from chemomech.drawing.cycle_charts import write_cycle_chart
from chemomech.drawing.illustration import write_illustrations
from chemomech.output.file_names import LEDGER
from chemomech.output.folder import Writer
from chemomech.output.ledger import read_ledger
from chemomech.simulation.preparation import PreparedRun


def illustrate(config: Config, parts: PreparedRun) -> None:
    """Draw what the configuration asks for into the folder of a run that has ended; collective."""
    assert parts.record is not None
    wanted, folder = config.output, parts.record.folder
    phases = config.material.named_phases
    if wanted.pictures:

        def list_charts() -> dict[str, Writer]:
            columns = read_ledger(folder.path / LEDGER)
            charts: dict[str, Writer] = {
                "pictures/ledger.png": partial(write_ledger_chart, columns=columns)
            }
            if parts.problem.surface.reservoir is not None:
                charts["pictures/cycles.png"] = partial(
                    write_cycle_chart, columns=columns, phases=phases
                )
            return charts

        folder.write_files(list_charts)
    if wanted.pictures or wanted.movie:
        grid, fields = parts.recorder.gather_latest()
        write_illustrations(
            folder,
            grid,
            fields,
            parts.recorder.frames,
            pictures=wanted.pictures,
            movie=wanted.movie,
            phases=phases,
        )
