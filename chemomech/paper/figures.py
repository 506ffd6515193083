"""List of the figures."""

from __future__ import annotations

from dataclasses import dataclass

from chemomech import InputError


@dataclass(frozen=True)
class Figure:
    """A figure of the paper, or what belongs beside one.

    Args:
        name: Its number in the paper.
        title: What it is about.
        module: Module of this room whose ``make`` makes it.
        wall_time: What it takes on two cores, in words: whole, and short.
        takes_base: Whether a configuration of the user's can take the place of its own.
    """

    name: str
    title: str
    module: str
    wall_time: tuple[str, str]
    takes_base: bool = False


FIGURES = (
    Figure(
        "1A",
        "Stress of a film from its plate's curvature; voltage and stress of one particle",
        "stress_over_cycles",
        ("2 min", "20 s"),
    ),
    Figure(
        "3", "A delithiated wire: from the stack to the stress", "imaged_wire", ("1 min", "30 s")
    ),
    Figure(
        "5",
        "A lithiated wire beside a delithiated one, from one model of three phases",
        "three_phases",
        ("3 min", "30 s"),
    ),
    Figure(
        "3-5",
        "Is the stress of figure 5 ten times that of figure 3?",
        "order_of_magnitude",
        ("1 min", "1 min"),
    ),
    Figure(
        "4A",
        "Free energy and phase diagram, with and without strain",
        "strain_and_phases",
        ("5 s", "5 s"),
    ),
    Figure("4B", "Profiles of the wall between the phases", "walls", ("30 s", "15 s")),
    Figure(
        "4C-H",
        "Patterns in the bent wire for six gradient coefficients",
        "patterns",
        ("15 min", "1 min"),
    ),
    Figure(
        "4C-H-strips",
        "Counts of domains in straight strips, for many noises",
        "strips",
        ("3 min", "20 s"),
    ),
    Figure(
        "bending", "Beyond the paper: the strain of bending itself", "beyond", ("2 min", "20 s")
    ),
    Figure(
        "lithiation",
        "Beyond the paper: which edge of a bent wire fills first, if compression eases diffusion",
        "beyond",
        ("4 min", "30 s"),
    ),
    Figure(
        "anisotropy",
        "Beyond the paper: a crystal's strain and stiffness",
        "beyond",
        ("2 min", "20 s"),
    ),
    Figure("solids", "Beyond the paper: wires in three dimensions", "beyond", ("2 min", "30 s")),
    Figure(
        "particle",
        "Beyond the paper: a particle of any outline, such as one in your micrograph (--base)",
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
