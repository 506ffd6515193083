"""Create commented configurations to start from."""

from __future__ import annotations

from importlib import resources
from string import Template
from typing import Literal

from chemomech.imaging.phantom_truth import PHASES, WireKind

Subject = Literal["simulation", "measurement", "stress", "sweep"]


def create_template(subject: Subject, wire: WireKind = "delithiated", dark: float = 0.0) -> str:
    """Create the text of a commented configuration.

    The wire says which two phases a measurement or a stress map speaks of; dark are the counts of
    the detector without light.
    """
    text = resources.files(__name__).joinpath(f"{subject}.toml").read_text(encoding="utf-8")
    if subject in ("simulation", "sweep"):
        return text
    (poor, poor_lithium), (rich, rich_lithium) = PHASES[wire]
    half = (rich_lithium - poor_lithium) / 2
    return Template(text).substitute(
        poor=poor,
        dark=f"{dark:.1f}",
        rich=rich,
        poor_lithium=f"{poor_lithium:g}",
        rich_lithium=f"{rich_lithium:g}",
        poor_lowest=f"{max(0.0, round(poor_lithium - half, 9)):g}",
        middle=f"{poor_lithium + half:g}",
        rich_highest=f"{rich_lithium + half:g}",
    )
