"""Studies beyond the paper: bending, the crystal, three dimensions, outlined particles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chemomech.analysis.results import RunResults
from chemomech.materials.free_energy import RegularSolution
from chemomech.paper.strained_phases import CHI, WIDTH_NM, create_fibre

_LAW = RegularSolution(CHI)
_SORTING_RADIUS_UM = create_fibre(plane_strain=False).sorting_radius(_LAW, WIDTH_NM) / 1000
_CRYSTAL = ("the same in all directions", "layers out of the plane", "layers across the wire")


@dataclass(frozen=True)
class Study:
    """Some runs side by side.

    Args:
        name_cases: Names of the runs, in the order of their cases.
        opening: What was computed, and what theory says of it.
        describe: What came out of a run, from its measures.
        differs: What the paper does, and what is chosen here.
    """

    name_cases: Callable[[Sequence[RunResults]], list[str]]
    opening: str
    describe: Callable[[Mapping[str, float]], str]
    differs: str

    def explain(self, names: Sequence[str], measures: Sequence[Mapping[str, float]]) -> str:
        """Explain what was computed and found, from the names and measures of the runs."""
        lines = [f"- {name}: {self.describe(m)}" for name, m in zip(names, measures, strict=True)]
        return f"{self.opening}\n\n" + "\n".join(lines)


def _name_bends(runs: Sequence[RunResults]) -> list[str]:
    names = []
    for run in runs:
        wire = run.config.geometry
        assert wire.kind == "nanowire"
        assert wire.bend_radius is not None
        strain = wire.width / (2 * wire.bend_radius)
        names.append(f"R = {1e6 * wire.bend_radius:g} µm, {strain:.2%} at the edges")
    return names


def _describe_bending(m: Mapping[str, float]) -> str:
    return (
        f"the outer half has c = **{m['outer_half']:.3f}**, the inner one "
        f"**{m['inner_half']:.3f}**; domains: {m['domains']:.0f}, of which "
        f"{m['spanning_fraction']:.0%} span the wire."
    )


def _name_crystals(runs: Sequence[RunResults]) -> list[str]:
    assert len(runs) == len(_CRYSTAL)
    return list(_CRYSTAL)


def _describe_anisotropy(m: Mapping[str, float]) -> str:
    return (
        f"domains lie at **{m['orientation_deg']:.0f}°** to the wire in the mean, and "
        f"{m['spanning_fraction']:.0%} span it; 95th percentile of the von Mises stress "
        f"{m['von_mises_p95_Pa'] / 1e6:.0f} MPa."
    )


def _name_solids(runs: Sequence[RunResults]) -> list[str]:
    names = []
    for run in runs:
        wire = run.config.geometry
        assert wire.kind == "nanowire"
        assert wire.thickness is not None
        names.append(f"{1e9 * wire.width:g} nm by {1e9 * wire.thickness:g} nm")
    return names


def _describe_solids(m: Mapping[str, float]) -> str:
    return (
        f"domains: {m['domains']:.0f}, of which {m['spanning_fraction']:.0%} span the "
        f"wire, at a period of {m['period_nm']:.0f} nm; walls "
        f"{m['interface_width_nm']:.1f} nm wide."
    )


def _name_couplings(runs: Sequence[RunResults]) -> list[str]:
    couplings = [
        run.config.mechanics is not None and run.config.mechanics.stress_in_bulk for run in runs
    ]
    return ["stress drives lithium" if coupled else "it does not" for coupled in couplings]


def _describe_particle(m: Mapping[str, float]) -> str:
    return (
        f"domains: {m['domains']:.0f}; walls {m['interface_width_nm']:.1f} nm wide; "
        f"von Mises stress {m['von_mises_p50_Pa'] / 1e6:.0f} MPa in the median, "
        f"{m['von_mises_p95_Pa'] / 1e6:.0f} MPa at the 95th percentile."
    )


STUDIES = {
    "bending": Study(
        name_cases=_name_bends,
        opening=(
            "Arcs of equal length that were straight and are held bent by clamps at both ends, in "
            "plane stress: their elastic strain is y/(R + y) along the wire. Fibres in tension "
            "take up lithium, Omega being positive. By the theory of homogeneous fibres (figure "
            "4A) the bend alone decides where the lithium goes below R = "
            f"**{_SORTING_RADIUS_UM:.2f} µm**; above, stripes across the wire can last."
        ),
        describe=_describe_bending,
        differs=(
            "The paper's simulations leave the strain of bending out, and say so. It finds the "
            "outer, tensile side of its lithiated wire (figure 5) poor in lithium and puts that "
            "down to diffusion; an equilibrium with positive Omega has it rich. Radii, chi and "
            "kappa are this package's choice."
        ),
    ),
    "anisotropy": Study(
        name_cases=_name_crystals,
        opening=(
            "From alpha to epsilon V2O5 grows by 3.25 % across its layers, shrinks by 0.89 % "
            "along a, and all but keeps its length along the chains, which is that of the wire. "
            "Walls lie where the phases fit: along the wire, not across it, the more so the "
            "larger the strain across it. Equal strains in all directions, as a single Omega "
            "says, give stripes across the wire."
        ),
        describe=_describe_anisotropy,
        differs=(
            "The paper's strain is equal in all directions. The cells behind these strains are in "
            "part quoted from memory, the elastic constants only lie within the range reported, "
            "and how the crystal lies in the wire is not known; chi, kappa and the bend are this "
            "package's choice."
        ),
    ),
    "solids": Study(
        name_cases=_name_solids,
        opening=(
            "The same equations on wires of rectangular section, free of stress in their bent "
            "shape. Nothing is assumed of the third direction."
        ),
        describe=_describe_solids,
        differs=(
            "The paper's simulations are in two dimensions. Shape, chi and kappa are this "
            "package's choice."
        ),
    ),
    "particle": Study(
        name_cases=_name_couplings,
        opening=(
            "A particle of any outline, from the same noise twice: once with the stress part of "
            "the chemical potential, once without it, where the stress only follows the lithium. "
            "What differs is what the misfit of the phases does to the pattern."
        ),
        describe=_describe_particle,
        differs=(
            "The paper's simulated wire has an ideal shape. This one has the outline that the "
            "configuration names: without --base it was drawn by hand, and is not from a "
            "micrograph. chi and kappa are the configuration's choice, not measured."
        ),
    ),
}
"""The studies by the names of their figures, which are those of their sweeps."""
