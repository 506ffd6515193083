"""Names of the absorption edges within a range of photon energies."""

from __future__ import annotations

from typing import NamedTuple

from chemomech.arrays import FloatArray


class AbsorptionEdge(NamedTuple):
    """Onset (eV) of the absorption by a shell, ``K``, ``L3`` or ``L2``, of an element."""

    element: str
    shell: str
    energy: float


# Onsets in solids as the EELS Atlas rounds them (Ahn and Krivanek, Gatan 1983; eels.info/atlas).
# Oxidation moves an edge by up to some eV: they name an edge, they do not calibrate a scale.
_ONSETS = {
    "C": {"K": 284.0},
    "Ca": {"L3": 346.0, "L2": 350.0},
    "N": {"K": 401.0},
    "Ti": {"L3": 456.0, "L2": 462.0},
    "V": {"L3": 513.0, "L2": 521.0},
    "O": {"K": 532.0},
    "Cr": {"L3": 575.0, "L2": 584.0},
    "Mn": {"L3": 640.0, "L2": 651.0},
    "F": {"K": 685.0},
    "Fe": {"L3": 708.0, "L2": 721.0},
    "Co": {"L3": 779.0, "L2": 794.0},
    "Ni": {"L3": 855.0, "L2": 872.0},
    "Cu": {"L3": 931.0, "L2": 951.0},
}


def find_edges(energies: FloatArray) -> list[AbsorptionEdge]:
    """Find the edges whose onset lies within the range of photon energies (eV), in rising order."""
    low, high = float(energies.min()), float(energies.max())
    return [
        AbsorptionEdge(element, shell, energy)
        for element, onsets in _ONSETS.items()
        for shell, energy in onsets.items()
        if low <= energy <= high
    ]
