"""Figure 4A: free energy and phase diagram of a homogeneous particle, with and without strain."""

from __future__ import annotations

import numpy as np

from chemomech.materials.bent_fibre import BentFibre
from chemomech.materials.free_energy import RegularSolution
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.paper.strained_phase_charts import write_strained_phases
from chemomech.paper.strained_phases import (
    CHI,
    CRITICAL_CHI,
    RADIUS_NM,
    WIDTH_NM,
    Body,
    PhaseLine,
    create_fibre,
    find_ends,
    find_phase_lines,
)

_NOT_GIVEN = (
    "The paper gives neither chi nor the radius of the bend, nor plane stress or plane strain: "
    "they are this package's choice."
)


def make(work: Reproduction) -> Findings:
    """Find the phases and draw them."""
    stress, strain = (create_fibre(plane_strain=held) for held in (False, True))
    bodies = [
        Body("without stress", 0.0),
        Body("coherent, plane stress", stress.chi_shift),
        Body("coherent, plane strain", strain.chi_shift),
    ]
    lines = find_phase_lines(bodies)
    write_strained_phases(work.folder / "figure.png", (stress, strain), lines)
    ends: list[list[Cell]] = [
        [body.name, body.chi_shift, CHI - body.chi_shift, poor, 1 - poor, edge, 1 - edge]
        for body in bodies
        for poor, edge in [find_ends(CHI, body.chi_shift)]
    ]
    law = RegularSolution(CHI)
    radii = [fibre.sorting_radius(law, WIDTH_NM) / 1000 for fibre in (stress, strain)]
    return Findings(
        computed=f"At chi = {CHI}, the spinodal lies between {ends[0][5]:.4f} and {ends[0][6]:.4f} "
        f"without stress, between {ends[1][5]:.4f} and {ends[1][6]:.4f} with coherency in plane "
        f"stress, and between **{ends[2][5]:.4f} and {ends[2][6]:.4f}** in plane strain: strain "
        "**narrows** it. The strain of the bend, y/R, enters the energy linearly in c: it shifts "
        "the potential of each fibre, outer fibres (in tension) towards more lithium, and leaves "
        "the compositions of the phase boundaries of a fibre where they are. In a bend tighter "
        f"than R = **{radii[0]:.2f} µm** (plane stress) or **{radii[1]:.2f} µm** (plane strain), "
        f"for a wire {WIDTH_NM:g} nm wide, only the rich phase lasts at the outer edge and only "
        "the poor one at the inner edge; in wider ones either phase lasts everywhere, and "
        "stripes across the wire can.",
        differs=f"{_NOT_GIVEN} The paper draws its strained curve for bending; which part of it is "
        "coherency and which the bend's own strain it does not say. Here the two are apart. Fibres "
        "are homogeneous, and each is free in its other directions but the one that plane strain "
        "holds.",
        pictures=[
            Picture(
                "figure.png",
                f"(a) Free energy at chi = {CHI}, without strain and in the outermost and "
                f"innermost fibre of a bend of R = {RADIUS_NM / 1000:g} µm (plane strain), less "
                "its value at c = 0.5. (b) Binodal (full) and spinodal (dashed). (c) Potentials "
                "between which either phase lasts in a fibre, over its strain, plane strain; "
                "full: coexistence. (d) Homogeneous phase diagram over bend radius and chi for a "
                f"wire {WIDTH_NM:g} nm wide. {_NOT_GIVEN}",
            )
        ],
        tables=[
            Table(
                "phases",
                f"Phase boundaries at chi = {CHI}",
                ["body", "chi_shift", "chi_effective", "binodal_poor", "binodal_rich",
                 "spinodal_poor", "spinodal_rich"],
                ends,
            ),
            _tabulate_lines(lines),
            _tabulate_radii(stress, strain),
        ],
    )  # fmt: skip


def _tabulate_lines(lines: list[PhaseLine]) -> Table:
    rows: list[list[Cell]] = [
        [line.body.name, float(chi), float(poor), float(edge)]
        for line in lines
        for chi, poor, edge in zip(line.chi, line.binodal, line.spinodal, strict=True)
    ]
    header = ["body", "chi", "binodal_poor", "spinodal_poor"]
    return Table("boundaries", "Phase boundaries over chi", header, rows, shown=False)


def _tabulate_radii(stress: BentFibre, strain: BentFibre) -> Table:
    rows: list[list[Cell]] = [
        [float(chi), *(_find_radius(fibre, float(chi)) for fibre in (stress, strain))]
        for chi in np.linspace(2.0, 3.4, 29)
    ]
    header = ["chi", "radius_plane_stress_nm", "radius_plane_strain_nm"]
    caption = f"Bend radius below which the bend sorts the phases, w = {WIDTH_NM:g} nm"
    return Table("radii", caption, header, rows, shown=False)


def _find_radius(fibre: BentFibre, chi: float) -> float | None:
    if chi - fibre.chi_shift <= CRITICAL_CHI:
        return None
    return fibre.sorting_radius(RegularSolution(chi), WIDTH_NM)
