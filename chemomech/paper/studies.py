"""Studies beyond the paper: bending, the crystal, three dimensions, outlined particles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chemomech import RegularSolution, RunResults
from chemomech.paper.strained_phases import CHI, WIDTH_NM, create_fibre

_SORTING_RADIUS_UM = (
    create_fibre(plane_strain=False).sorting_radius(RegularSolution(CHI), WIDTH_NM) / 1000
)
_CRYSTAL = ("the same in all directions", "layers out of the plane", "layers across the wire")


@dataclass(frozen=True)
class _Study:
    """Some runs side by side.

    Args:
        name_case: Name of a run, from its number and results.
        opening: What was computed, and what theory says of it.
        outcome: What came out of a run, with its measures in braces; those of stress in MPa too.
        differs: What the paper does, and what is chosen here.
    """

    name_case: Callable[[int, RunResults], str]
    opening: str
    outcome: str
    differs: str

    def explain(self, names: Sequence[str], measures: Sequence[Mapping[str, float]]) -> str:
        """Explain what was computed and found, from the names and measures of the runs."""
        lines = []
        for name, measured in zip(names, measures, strict=True):
            megapascals = {
                f"{key[:-3]}_MPa": value / 1e6
                for key, value in measured.items()
                if key.endswith("_Pa")
            }
            lines.append(f"- {name}: {self.outcome.format(**measured, **megapascals)}")
        return f"{self.opening}\n\n" + "\n".join(lines)


def _name_bend(_: int, run: RunResults) -> str:
    wire: Any = run.config.geometry
    strain = wire.width / (2 * wire.bend_radius)
    return f"R = {1e6 * wire.bend_radius:g} µm, {strain:.2%} at the edges"


def _name_crystal(number: int, _: RunResults) -> str:
    return _CRYSTAL[number]


def _name_solid(_: int, run: RunResults) -> str:
    wire: Any = run.config.geometry
    return f"{1e9 * wire.width:g} nm by {1e9 * wire.thickness:g} nm"


def _name_coupling(_: int, run: RunResults) -> str:
    mechanics = run.config.mechanics
    coupled = mechanics is not None and mechanics.stress_in_bulk
    return "stress drives lithium" if coupled else "it does not"


STUDIES = {
    "bending": _Study(
        name_case=_name_bend,
        opening=(
            "Arcs of equal length that were straight and are held bent by clamps at both ends, in "
            "plane stress: their elastic strain is y/(R + y) along the wire. Fibres in tension "
            "take up lithium, Omega being positive. By the theory of homogeneous fibres (figure "
            "4A) the bend alone decides where the lithium goes below R = "
            f"**{_SORTING_RADIUS_UM:.2f} µm**; above, stripes across the wire can last."
        ),
        outcome=(
            "the outer half has c = **{outer_half:.3f}**, the inner one **{inner_half:.3f}**; "
            "domains: {domains:.0f}, of which {spanning_fraction:.0%} span the wire."
        ),
        differs=(
            "The paper's simulations leave the strain of bending out, and say so. It finds the "
            "outer, tensile side of its lithiated wire (figure 5) poor in lithium and puts that "
            "down to diffusion; an equilibrium with positive Omega has it rich. Radii, chi and "
            "kappa are this package's choice."
        ),
    ),
    "anisotropy": _Study(
        name_case=_name_crystal,
        opening=(
            "From alpha to epsilon V2O5 grows by 3.25 % across its layers, shrinks by 0.89 % "
            "along a, and all but keeps its length along the chains, which is that of the wire. "
            "Walls lie where the phases fit: along the wire, not across it, the more so the "
            "larger the strain across it. Equal strains in all directions, as a single Omega "
            "says, give stripes across the wire."
        ),
        outcome=(
            "domains lie at **{orientation_deg:.0f}°** to the wire in the mean, and "
            "{spanning_fraction:.0%} span it; 95th percentile of the von Mises stress "
            "{von_mises_p95_MPa:.0f} MPa."
        ),
        differs=(
            "The paper's strain is equal in all directions. The cells behind these strains are in "
            "part quoted from memory, the elastic constants only lie within the range reported, "
            "and how the crystal lies in the wire is not known; chi, kappa and the bend are this "
            "package's choice."
        ),
    ),
    "solids": _Study(
        name_case=_name_solid,
        opening=(
            "The same equations on wires of rectangular section, free of stress in their bent "
            "shape. Nothing is assumed of the third direction."
        ),
        outcome=(
            "domains: {domains:.0f}, of which {spanning_fraction:.0%} span the wire, at a period "
            "of {period_nm:.0f} nm; walls {interface_width_nm:.1f} nm wide."
        ),
        differs=(
            "The paper's simulations are in two dimensions. Shape, chi and kappa are this "
            "package's choice."
        ),
    ),
    "particle": _Study(
        name_case=_name_coupling,
        opening=(
            "A particle of any outline, from the same noise twice: once with the stress part of "
            "the chemical potential, once without it, where the stress only follows the lithium. "
            "What differs is what the misfit of the phases does to the pattern."
        ),
        outcome=(
            "domains: {domains:.0f}; walls {interface_width_nm:.1f} nm wide; von Mises stress "
            "{von_mises_p50_MPa:.0f} MPa in the median, {von_mises_p95_MPa:.0f} MPa at the 95th "
            "percentile."
        ),
        differs=(
            "The paper's simulated wire has an ideal shape. This one has the outline that the "
            "configuration names: without --base it was drawn by hand, and is not from a "
            "micrograph. chi and kappa are the configuration's choice, not measured."
        ),
    ),
}
"""The studies by the names of their figures."""
