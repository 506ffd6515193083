"""What a sweep will cost, before anything is meshed."""

from __future__ import annotations

import math

from rich import box
from rich.markup import escape
from rich.table import Table

from chemomech.config import Config
from chemomech.geometry.outline import Outline
from chemomech.output.file_names import LEDGER
from chemomech.output.ledger import read_ledger
from chemomech.output.terminal import render
from chemomech.particle import create_shape
from chemomech.sweeps.folder import CaseFolder, Status, SweepFolder

# A bent wire of 42 000 unknowns on two ranks of a desktop machine, a rank.
_SECONDS_PER_UNKNOWN_AND_STEP = 2.0e-6
_STEPS = 250


def describe_cases(folder: SweepFolder, ranks: int, jobs: int) -> str:
    """List the cases with their size and what they may cost.

    Wall times are rough: those of finished cases, scaled with the number of unknowns; where none
    has finished, 250 steps of 2e-6 s for each unknown, divided by the ranks.

    Args:
        folder: The sweep's folder; it need not exist.
        ranks: Number of ranks of each case.
        jobs: Number of cases at a time.

    Returns:
        The table as text.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    for heading in ("Case", "status", "cells", "unknowns", "steps", "wall time"):
        table.add_column(heading, justify="left" if heading in ("Case", "status") else "right")
    rate, source = _calibrate(folder, ranks)
    left = 0.0
    for case in folder.cases:
        cells, unknowns = estimate_size(case.case.config)
        status = case.find_status()
        steps, seconds = _read_cost(case)
        known = seconds is not None and status is Status.DONE
        if not known and unknowns is not None:
            seconds = rate * unknowns
            left += seconds
        table.add_row(
            escape(case.case.name),
            status.value,
            "?" if cells is None else f"{cells:.3g}",
            "?" if unknowns is None else f"{unknowns:.3g}",
            f"{steps}" if steps else "?",
            "?" if seconds is None else f"{'' if known else '~'}{_format(seconds)}",
        )
    table.caption = (
        f"{len(folder.cases)} cases, {jobs} at a time on {ranks} rank(s) each: about "
        f"{_format(left / jobs)} to go, {source}."
    )
    return render(table)


def estimate_size(config: Config) -> tuple[float | None, float | None]:
    """Number of cells and of unknowns; None for a mesh from a file.

    Quadrilaterals and hexahedra count their volume over the size's power; triangles and tetrahedra
    are equilateral.
    """
    geometry, size = config.geometry, config.mesh_size
    if size is None or geometry.dimension is None:
        return None, None
    if geometry.kind in ("nanowire", "box"):
        volume = math.prod(geometry.extents)
    else:
        shape = create_shape(geometry)
        assert isinstance(shape, Outline)
        volume = shape.area
    vertices = volume / size**geometry.dimension
    simplices = geometry.kind == "outline" or config.mesh.cell in ("triangle", "tetrahedron")
    if simplices:
        vertices *= {2: 2 / math.sqrt(3), 3: math.sqrt(2)}[geometry.dimension]
    cells = vertices * ({2: 2.0, 3: 5.0}[geometry.dimension] if simplices else 1.0)
    fields = 2 + (geometry.dimension if config.mechanics is not None else 0)
    return cells, vertices * fields


def _calibrate(folder: SweepFolder, ranks: int) -> tuple[float, str]:
    """Seconds of wall time an unknown, and how they are known."""
    rates = []
    for case in folder.cases:
        _, unknowns = estimate_size(case.case.config)
        _, seconds = _read_cost(case)
        if case.find_status() is Status.DONE and unknowns and seconds:
            rates.append(seconds / unknowns)
    if rates:
        return sum(rates) / len(rates), f"by the {len(rates)} finished"
    guess = _STEPS * _SECONDS_PER_UNKNOWN_AND_STEP / ranks
    return guess, f"if each takes {_STEPS} steps; run one, and the rest are estimated by it"


def _read_cost(case: CaseFolder) -> tuple[int | None, float | None]:
    """Steps and wall time (s) of a finished case."""
    path = case.results / LEDGER
    if not path.exists():
        return None, None
    ledger = read_ledger(path)
    return int(ledger["step"][-1]), float(ledger["wall_s"][-1])


def _format(seconds: float) -> str:
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"
