"""Draw and measure several runs side by side, for studies beyond the paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from chemomech import (
    RegularSolution,
    RunResults,
    analyse_run_phases,
    compute_vertex_volumes,
    find_wire,
    measure_run,
)
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.paper.strained_phases import CHI, WIDTH_NM, create_fibre

_MEASURES = (
    *("time_s", "domains", "spanning_fraction", "period_nm", "interface_width_nm"),
    *("von_mises_p50_Pa", "von_mises_p95_Pa"),
)
_CRYSTAL = ("the same in all directions", "layers out of the plane", "layers across the wire")


def make(work: Reproduction) -> Findings:
    """Run the cases of a study, draw their ends side by side, and measure them."""
    runs = work.run_sweep()
    names = [_name_case(work.figure.name, number, run) for number, run in enumerate(runs)]
    # Drives below one another, both laws of diffusion side by side.
    most = 2 if work.figure.name == "lithiation" else 3
    work.draw_ends(runs, [f"{name}\n" for name in names], most)
    ends = [measure_end(run) for run in runs]
    columns = {name: [end[name] for end in ends] for name in ends[0]}
    radius = create_fibre(plane_strain=False).sorting_radius(RegularSolution(CHI), WIDTH_NM)
    return Findings(
        values={
            "ends": dict(zip(names, ends, strict=True)),
            "sorting_radius": radius / 1000,
        },
        films=work.list_films(runs, names),
        tables=[Table("ends", "The ends of all runs", {"run": names, **columns})],
    )


def _name_case(study: str, number: int, run: RunResults) -> str:
    """Name a run after what varies in its study."""
    if study == "anisotropy":
        return _CRYSTAL[number]
    if study == "particle":
        mechanics = run.config.mechanics
        coupled = mechanics is not None and mechanics.stress_in_bulk
        return "stress drives lithium" if coupled else "it does not"
    if study == "lithiation":
        config: Any = run.config
        drive = f"{config.schedule.step[0].mu_res / 1000:g} kJ/mol"
        eased = config.material.mobility.strain.values[0] < 0
        return f"{drive}, {'eased by compression' if eased else 'D as it is'}"
    wire: Any = run.config.geometry
    if study == "solids":
        return f"{1e9 * wire.width:g} nm by {1e9 * wire.thickness:g} nm"
    strain = wire.width / (2 * wire.bend_radius)
    return f"R = {1e6 * wire.bend_radius:g} µm, {strain:.2%} at the edges"


def measure_end(run: RunResults) -> dict[str, float]:
    """Measure the end of a run, its domains those of the phase richest in lithium.

    Returns:
        Figures of `measure_run`; of nanowires also the mean composition of the outer and of the
        inner half, and the mean angle in degrees, over the area of domains, between their long
        axes and the wire's.
    """
    phases = analyse_run_phases(run)
    statistics = next((phase for phase in reversed(phases) if phase.count), phases[0])
    measured = measure_run(run, statistics)
    figures = {key: measured[key] for key in _MEASURES if key in measured}
    wire = find_wire(run)
    if wire is None:
        return figures
    domains, c = statistics.domains, run.read("composition")
    volumes, outer = compute_vertex_volumes(run.grid), wire.across > 0
    return {
        **figures,
        "outer_half": float(np.average(c[outer], weights=volumes[outer])),
        "inner_half": float(np.average(c[~outer], weights=volumes[~outer])),
        "orientation_deg": float(
            np.average([d.orientation for d in domains], weights=[d.size for d in domains])
        ),
    }
