"""Figure 5 beside figure 3: two wires of one three-phase material under several laws of strain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chemomech import RunResults, compute_vertex_volumes
from chemomech.paper.beyond import measure_end
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction

_LAWS = {
    ("strain_none", "abc"): "no strain",
    ("strain_one_omega", "abc"): "one Omega",
    ("strain_volumes", "abc"): "volumes V(x)",
    ("strain_cells", "bac"): "cells, layers in the plane",
    ("strain_cells", "bca"): "cells, layers across the wire",
}
_WIRES = ("delithiated", "lithiated")
_GRADED = 0.25
"""Share of the miscibility gap that composition must span to be more than a mixture."""


def make(work: Reproduction) -> Findings:
    """Quench both wires under each law, draw their ends, and measure them."""
    runs = work.run_sweep()
    laws = [_name_law(run) for run in runs]
    wires = [_WIRES[_find_pair(run)] for run in runs]
    titles = [f"{wire}\n{law}\n" for wire, law in zip(wires, laws, strict=True)]
    work.draw_ends(runs, titles, len(runs) // 2)
    ends = [_estimate_misfit(run) | _measure_contrast(run) | measure_end(run) for run in runs]
    by_law: dict[str, dict[str, Any]] = {law: {} for law in laws}
    for law, wire, end in zip(laws, wires, ends, strict=True):
        by_law[law][wire] = end
    ratios = _compare_stress(by_law)
    names = [f"{wire}, {law}" for wire, law in zip(wires, laws, strict=True)]
    columns = {name: [end[name] for end in ends] for name in ends[0]}
    phases = runs[0].config.material.phases
    pair = phases.coexistences[0]
    curvature = float(phases.curve.curvature((pair.poor + pair.rich) / 2))
    return Findings(
        values={
            "laws": by_law,
            "ratios": dict(zip(ratios.columns["law"], ratios.columns["ratio"], strict=True)),
            "limit": pair.coherent_cost(-curvature / 2),
        },
        films=work.list_films(runs, names),
        tables=[
            Table("wires", "The ends of all runs", {"wire": wires, "law": laws, **columns}),
            ratios,
        ],
    )


def _compare_stress(ends: Mapping[str, Mapping[str, Any]]) -> Table:
    """Compare the stress of both wires, whose ends are known by law and wire."""
    first, second = ([ends[law][wire]["von_mises_p95_Pa"] for law in ends] for wire in _WIRES)
    return Table(
        "ratios",
        "Stress of the lithiated wire over that of the delithiated one",
        {
            "law": list(ends),
            "delithiated_p95_Pa": first,
            "lithiated_p95_Pa": second,
            "ratio": [b / a if a > 0.0 else None for a, b in zip(first, second, strict=True)],
        },
    )


def _name_law(run: RunResults) -> str:
    mechanics: Any = run.config.mechanics
    return _LAWS[mechanics.eigenstrain.file.stem, mechanics.eigenstrain.axes]


def _find_pair(run: RunResults) -> int:
    """Find which pair of neighbouring phases the mean composition of a run lies between."""
    initial: Any = run.config.initial
    return sum(initial.mean > pair.rich for pair in run.config.material.phases.coexistences)


def _estimate_misfit(run: RunResults) -> dict[str, float]:
    """Estimate what keeps two phases of a large, thin crystal from separating.

    In plane stress a wall is free to strain in all directions but its own, t. Halves of both phases
    cost Y (t . m . t)^2 / 8, Young's modulus Y and their misfit m: nothing, where t can be chosen
    so that they fit.

    Returns:
        Misfit along and across the wire, and the cost of the cheapest wall in R T C.
    """
    mechanics: Any = run.config.mechanics
    law, material = mechanics.eigenstrain, run.config.material
    cells = law.phases
    pair = material.phases.coexistences[_find_pair(run)]
    edges = ["abc".index(edge) for edge in law.axes[:2]]
    strains = np.array([np.diag(cell.eigenstrain(cells[0]))[edges] for cell in cells])
    x = [cell.x for cell in cells]
    along, across = (
        float(np.diff(np.interp([pair.poor, pair.rich], x, strain))[0]) for strain in strains.T
    )
    least = min(abs(along), abs(across)) if along * across > 0.0 else 0.0
    young = mechanics.elasticity.young_modulus
    return {
        "misfit_along": along,
        "misfit_across": across,
        "coherent_cost_RTC": young * least**2 / (8 * material.scales.energy_density),
    }


def _measure_contrast(run: RunResults) -> dict[str, Any]:
    """Measure how far the composition has separated, and say so in words."""
    number, phases = _find_pair(run), run.config.material.phases
    pair, (low, high) = phases.coexistences[number], phases.spinodals[number]
    c, volumes = run.read("composition"), compute_vertex_volumes(run.grid)
    order = np.argsort(c)
    shares = np.cumsum(volumes[order]) / volumes.sum()
    poor, rich = np.interp([0.05, 0.95], shares, c[order])
    contrast = float(rich - poor) / pair.miscibility_gap
    unstable = float(volumes[(c > low) & (c < high)].sum() / volumes.sum())
    words = "separates" if unstable < 0.5 else "grades without walls"
    return {
        "outcome": "stays a mixture" if contrast < _GRADED else words,
        "contrast": contrast,
        "unstable_share": unstable,
    }
