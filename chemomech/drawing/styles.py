"""Choose labels, units, colours and limits of what is drawn, and write its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import compute_limits
from chemomech.materials.phases import Phase


@dataclass(frozen=True)
class FieldStyle:
    """Style of a field on a mesh or of a map of pixels.

    Args:
        label: Quantity and unit on the colour bar, in matplotlib's text (mathematics between
            dollar signs).
        colour_map: Name of a matplotlib colour map.
        factor: Shown value over stored value, e.g. 1e-9 for Pa shown in GPa.
        limits: Ends of the colour bar, as shown; from the values where None.
        symmetric: Centre the limits on zero, for signed fields on a diverging map.
        least: Difference of values, as shown, that counts as round-off: a kPa, a millionth of RT.
        line: Colour of the particle's outline on a map of pixels.
        phases: Phases whose names stand on the colour bar of a composition.
    """

    label: str
    colour_map: str
    factor: float = 1.0
    limits: tuple[float, float] | None = None
    symmetric: bool = False
    least: float = 0.0
    line: str = "black"
    phases: tuple[Phase, ...] = ()

    def compute_limits(self, *values: NDArray[np.floating]) -> tuple[float, float]:
        """Choose the ends of a colour bar, as shown, for stored values of snapshots, NaN for none.

        They are the style's own, or those that `figure_parts.compute_limits` finds.
        """
        if self.limits is not None:
            return self.limits
        shown = np.concatenate([np.ravel(array) for array in values]) * self.factor
        return compute_limits(shown, self.symmetric, self.least)


STYLES = MappingProxyType(
    {
        "composition": FieldStyle(r"Li composition $c$", "viridis", limits=(0.0, 1.0)),
        "von_mises": FieldStyle("von Mises stress (GPa)", "magma", 1e-9, least=1e-6),
        "hydrostatic": FieldStyle(
            "Hydrostatic stress (GPa)", "RdBu_r", 1e-9, symmetric=True, least=1e-6
        ),
        "stress_along": FieldStyle(
            r"Stress along the wire $\sigma_{tt}$ (GPa)", "RdBu_r", 1e-9, symmetric=True, least=1e-6
        ),
        "chemical_potential": FieldStyle(
            "Chemical potential (kJ/mol)", "cividis", 1e-3, least=1e-5
        ),
    }
)
"""Styles of the fields of a run, by name; stresses come in Pa, potentials in J/mol."""


STRESS_LABELS = MappingProxyType(
    {
        "von_mises": "von Mises stress",
        "hydrostatic": "Hydrostatic stress",
        "stress_along": r"Stress along the wire $\sigma_{tt}$",
        "stress_normal": r"Stress across the wire $\sigma_{nn}$",
        "stress_shear": r"Shear stress $\sigma_{tn}$",
        "principal_1": r"Principal stress $\sigma_1$",
        "principal_2": r"Principal stress $\sigma_2$",
        "principal_3": r"Principal stress $\sigma_3$",
    }
)
"""Labels of stresses in pictures, by the names of the stress fields."""


def choose_style(name: str, phases: Sequence[Phase] = ()) -> FieldStyle:
    """Choose label with unit, colour map and factor of a field of a run or a stress map.

    ``phases`` are named on the colour bar of the composition.
    """
    if name == "composition":
        return replace(STYLES[name], phases=tuple(phases))
    if name in STYLES:
        return STYLES[name]
    if name == "displacement":
        return FieldStyle("Displacement $|u|$ (nm)", "cividis", least=1e-6)
    label = STRESS_LABELS.get(name, name.replace("_", " "))
    if name in STRESS_LABELS or name == "stress":
        return FieldStyle(f"{label} (GPa)", "RdBu_r", 1e-9, symmetric=True, least=1e-6)
    return FieldStyle(label, "viridis")


def format_time(time_s: float) -> str:
    """Write a time in seconds with the unit a reader expects, to three digits."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if time_s >= size:
            return f"{time_s / size:#.3g} {unit}".replace(". ", " ")
    return "0 s" if time_s == 0 else f"{time_s / 1e-6:#.3g} µs".replace(". ", " ")
