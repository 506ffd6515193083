"""List of the figures, and what the paper shows in each."""

from __future__ import annotations

from dataclasses import dataclass

from chemomech import InputError


@dataclass(frozen=True)
class Figure:
    """A figure of the paper, or what belongs beside one.

    Args:
        name: Its number in the paper.
        title: What it is about.
        shown: What the paper shows there, in sentences.
        module: Module of this room whose ``make`` makes it.
        wall_time: What it takes on two cores, in words: whole, and short.
        takes_base: Whether a configuration of the user's can take the place of its own.
    """

    name: str
    title: str
    shown: str
    module: str
    wall_time: tuple[str, str]
    takes_base: bool = False


FIGURES = (
    Figure(
        "1A",
        "Stress of a film from its plate's curvature; voltage and stress of one particle",
        "The stress of a V2O5 film on a plate while lithium enters and leaves it in cycles, from "
        "the plate's curvature by Stoney's equation (eqn 1), beside the cell's voltage. The film's "
        "stress is compressive with lithium in it, and comes back cycle after cycle.",
        "stress_over_cycles",
        ("2 min", "20 s"),
    ),
    Figure(
        "3",
        "A delithiated wire: from the stack to the stress",
        "Scanning transmission X-ray microscopy of a bent wire from which lithium was taken: "
        "clusters of pixels with like spectra, their spectra (alpha and epsilon phases), the "
        "composition map, and the von Mises stress that a linear elastic solution gives for it.",
        "imaged_wires",
        ("1 min", "30 s"),
    ),
    Figure(
        "5",
        "A lithiated wire: from the stack to the stress",
        "The same for a wire into which lithium was put (epsilon and delta phases). Its stress is "
        "said to be an order of magnitude larger than that of figure 3.",
        "imaged_wires",
        ("1 min", "30 s"),
    ),
    Figure(
        "3-5",
        "Is the stress of figure 5 ten times that of figure 3?",
        "Stresses an order of magnitude larger in the wire of figure 5 (epsilon and delta) than in "
        "that of figure 3 (alpha and epsilon), though both pairs differ by 0.2 in x.",
        "order_of_magnitude",
        ("1 min", "1 min"),
    ),
    Figure(
        "4A",
        "Free energy and phase diagram, with and without strain",
        "The free energy of a homogeneous particle over its composition, without and with the "
        "strain of bending, which shifts and narrows the spinodal.",
        "strain_and_phases",
        ("5 s", "5 s"),
    ),
    Figure(
        "4B",
        "Profiles of the wall between the phases",
        "Composition across a wall for a series of gradient coefficients kappa: the larger kappa, "
        "the wider the wall (eqn 4).",
        "walls",
        ("30 s", "15 s"),
    ),
    Figure(
        "4C-H",
        "Patterns in the bent wire for six gradient coefficients",
        "Simulated patterns in a bent wire, each quasi-stationary, for kappa growing from C to H "
        "(Videos S1 to S6): many thin regions in all directions turn into few broad stripes across "
        "the wire.",
        "patterns",
        ("15 min", "1 min"),
    ),
    Figure(
        "4C-H-strips",
        "Counts of domains in straight strips, for many noises",
        "Nothing: figure 4C-H has one wire for each kappa. Straight strips without stress and with "
        "several noises tell how much of a count is chance.",
        "strips",
        ("3 min", "20 s"),
    ),
    Figure(
        "bending",
        "Beyond the paper: the strain of bending itself",
        "Its simulations do not account for the strain that bending causes, and it says so.",
        "beyond",
        ("2 min", "20 s"),
    ),
    Figure(
        "anisotropy",
        "Beyond the paper: a crystal's strain and stiffness",
        "Its strain is equal in all directions, and so is its stiffness.",
        "beyond",
        ("2 min", "20 s"),
    ),
    Figure(
        "solids",
        "Beyond the paper: wires in three dimensions",
        "Its simulations are in two dimensions.",
        "beyond",
        ("2 min", "30 s"),
    ),
    Figure(
        "particle",
        "Beyond the paper: a particle of any outline, such as one in your micrograph (--base)",
        "Micrographs of particles (figures 3 and 5), but simulations of an ideal wire only.",
        "beyond",
        ("3 min", "20 s"),
        takes_base=True,
    ),
)


def find_figure(name: str) -> Figure:
    """Find a figure by its name, in large or small letters.

    Raises:
        InputError: There is no such figure.
    """
    for figure in FIGURES:
        if figure.name.lower() == name.lower():
            return figure
    names = ", ".join(figure.name for figure in FIGURES)
    raise InputError(f"there is no figure {name!r}; choose one of {names}", key="FIG")
