"""Beyond the paper: the strain of bending itself, the crystal's directions, three dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chemomech.analysis.measures import compute_vertex_volumes
from chemomech.analysis.of_runs import analyse_run, find_wire
from chemomech.analysis.results import RunResults
from chemomech.output.file_names import FILM
from chemomech.output.panels import Panel, write_panels
from chemomech.output.pictures import STYLES, format_time
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.paper.strained_phases import CHI, WIDTH_NM, create_fibre
from chemomech.sweeps.summary import measure_run

_MEASURES = (
    *("time_s", "domains", "spanning_fraction", "period_nm", "interface_width_nm"),
    *("von_mises_p50_Pa", "von_mises_p95_Pa"),
)
_CRYSTAL = ("the same in all directions", "layers out of the plane", "layers across the wire")


@dataclass(frozen=True)
class Study:
    """Some wires side by side.

    Args:
        name_cases: Names of the wires, in the order of their cases.
        explain: What was computed and came out, from the wires' names and measures.
        differs: What the paper does, and what is chosen here.
    """

    name_cases: Callable[[Sequence[RunResults]], list[str]]
    explain: Callable[[Sequence[str], Sequence[dict[str, float]]], str]
    differs: str


def make(work: Reproduction) -> Findings:
    """Run the wires of a study, draw their ends side by side, and measure them."""
    study, runs = STUDIES[work.figure.name], work.run_sweep(work.figure.name)
    names = study.name_cases(runs)
    measures = [measure_wire(run) for run in runs]
    for field in ("composition", "von_mises"):
        panels = [
            Panel(f"{name}\n$t$ = {format_time(float(run.times[-1]))}", run.grid, run.read(field))
            for name, run in zip(names, runs, strict=True)
        ]
        write_panels(work.folder / f"{field}.png", panels, STYLES[field], min(len(runs), 3))
    header = ["wire", *_MEASURES, "outer_half", "inner_half", "orientation_deg"]
    rows: list[list[Cell]] = [
        [name, *(measured[key] for key in header[1:])]
        for name, measured in zip(names, measures, strict=True)
    ]
    films = [(name, run.folder / FILM) for name, run in zip(names, runs, strict=True)]
    return Findings(
        computed=study.explain(names, measures),
        differs=study.differs,
        pictures=[
            Picture("composition.png", f"Composition at the end. {study.differs}"),
            Picture("von_mises.png", f"Von Mises stress at the end. {study.differs}"),
        ],
        films=[
            Picture(film.relative_to(work.folder).as_posix(), name)
            for name, film in films
            if film.exists()
        ],
        tables=[Table("wires", "The ends of all runs", header, rows)],
    )


def measure_wire(run: RunResults) -> dict[str, float]:
    """Measure the end of a wire's run.

    Args:
        run: A run of a nanowire.

    Returns:
        Figures of `measure_run`; the mean composition of the outer and of the inner half; and the
        mean angle in degrees, over the area of domains, between their long axes and the wire's.
    """
    domains = analyse_run(run).domains
    wire, c = find_wire(run), run.read("composition")
    assert wire is not None
    volumes, outer = compute_vertex_volumes(run.grid), wire.across > 0
    measured = measure_run(run)
    return {
        **{key: float(str(measured[key])) for key in _MEASURES},
        "outer_half": float(np.average(c[outer], weights=volumes[outer])),
        "inner_half": float(np.average(c[~outer], weights=volumes[~outer])),
        "orientation_deg": float(
            np.average([d.orientation for d in domains], weights=[d.size for d in domains])
        ),
    }


def _name_bends(runs: Sequence[RunResults]) -> list[str]:
    names = []
    for run in runs:
        wire = run.config.geometry
        assert wire.kind == "nanowire"
        assert wire.bend_radius is not None
        strain = wire.width / (2 * wire.bend_radius)
        names.append(f"R = {1e6 * wire.bend_radius:g} µm, {strain:.2%} at the edges")
    return names


def _explain_bending(names: Sequence[str], measures: Sequence[dict[str, float]]) -> str:
    radius = create_fibre(plane_strain=False).sorting_radius(CHI, WIDTH_NM) / 1000
    lines = [
        f"- {name}: the outer half has c = **{m['outer_half']:.3f}**, the inner one "
        f"**{m['inner_half']:.3f}**; domains: {m['domains']:.0f}, of which "
        f"{m['spanning_fraction']:.0%} span the wire."
        for name, m in zip(names, measures, strict=True)
    ]
    return (
        "Arcs of equal length that were straight and are held bent by clamps at both ends, in "
        "plane "
        "stress: their elastic strain is y/(R + y) along the wire. Fibres in tension take up "
        "lithium, Omega being positive. By the theory of homogeneous fibres (figure 4A) the bend "
        f"alone decides where the lithium goes below R = **{radius:.2f} µm**; above, stripes "
        f"across "
        "the wire can last.\n\n" + "\n".join(lines)
    )


def _name_crystals(runs: Sequence[RunResults]) -> list[str]:
    assert len(runs) == len(_CRYSTAL)
    return list(_CRYSTAL)


def _explain_anisotropy(names: Sequence[str], measures: Sequence[dict[str, float]]) -> str:
    lines = [
        f"- {name}: domains lie at **{m['orientation_deg']:.0f}°** to the wire in the mean, and "
        f"{m['spanning_fraction']:.0%} span it; 95th percentile of the von Mises stress "
        f"{m['von_mises_p95_Pa'] / 1e6:.0f} MPa."
        for name, m in zip(names, measures, strict=True)
    ]
    return (
        "From alpha to epsilon V2O5 grows by 3.25 % across its layers, shrinks by 0.89 % along a, "
        "and all but keeps its length along the chains, which is that of the wire. Walls lie where "
        "the phases fit: along the wire, not across it, the more so the larger the strain across "
        "it. Equal strains in all directions, as a single Omega says, give stripes across the "
        "wire.\n\n" + "\n".join(lines)
    )


def _name_solids(runs: Sequence[RunResults]) -> list[str]:
    names = []
    for run in runs:
        wire = run.config.geometry
        assert wire.kind == "nanowire"
        assert wire.thickness is not None
        names.append(f"{1e9 * wire.width:g} nm by {1e9 * wire.thickness:g} nm")
    return names


def _explain_solids(names: Sequence[str], measures: Sequence[dict[str, float]]) -> str:
    lines = [
        f"- {name}: domains: {m['domains']:.0f}, of which {m['spanning_fraction']:.0%} span the "
        f"wire, at a period of {m['period_nm']:.0f} nm; walls {m['interface_width_nm']:.1f} nm "
        f"wide."
        for name, m in zip(names, measures, strict=True)
    ]
    return (
        "The same equations on wires of rectangular section, free of stress in their bent shape. "
        "Nothing is assumed of the third direction.\n\n" + "\n".join(lines)
    )


STUDIES = {
    "bending": Study(
        _name_bends,
        _explain_bending,
        "The paper's simulations leave the strain of bending out, and say so. It finds the outer, "
        "tensile side of its lithiated wire (figure 5) poor in lithium and puts that down to "
        "diffusion; an equilibrium with positive Omega has it rich. Radii, chi and kappa are this "
        "package's choice.",
    ),
    "anisotropy": Study(
        _name_crystals,
        _explain_anisotropy,
        "The paper's strain is equal in all directions. The cells behind these strains are in part "
        "quoted from memory, the elastic constants only lie within the range reported, and how the "
        "crystal lies in the wire is not known; chi, kappa and the bend are this package's choice.",
    ),
    "solids": Study(
        _name_solids,
        _explain_solids,
        "The paper's simulations are in two dimensions. Shape, chi and kappa are this package's "
        "choice.",
    ),
}
"""The studies by the names of their figures, which are those of their sweeps."""
