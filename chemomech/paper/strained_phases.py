"""Phases of a homogeneous particle, with and without strain: what figure 4A shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.materials.bent_fibre import BentFibre
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.phase_diagram import find_phases
from chemomech.units import Scales

CHI = 2.75
CRITICAL_CHI = 2.0
"""Above it a regular solution separates."""
WIDTH_NM = 100.0
RADIUS_NM = 5000.0
"""Bend of the example, of 1 per cent at the edges, where small strains hold."""
LARGEST_STRAIN = 0.05
"""At the edges: beyond it the theory of small strains, on which all rests, does not hold."""

_SITES, _YOUNG, _POISSON, _VOLUME = 18500.0, 43e9, 0.3, 2.415e-6


@dataclass(frozen=True)
class Body:
    """A body free or held in some directions.

    Args:
        name: In words.
        chi_shift: What coherency takes from chi.
    """

    name: str
    chi_shift: float


@dataclass(frozen=True, eq=False)
class PhaseLine:
    """Phase boundaries of a body over chi, on the poor side; the rich one is the mirror image.

    Args:
        body: The body.
        chi: Interaction parameters, shape (n,).
        binodal: Composition of the poor phase, shape (n,).
        spinodal: Composition at which it becomes unstable, shape (n,).
    """

    body: Body
    chi: FloatArray
    binodal: FloatArray
    spinodal: FloatArray


def create_fibre(*, plane_strain: bool) -> BentFibre:
    """Create the paper's fibre: E = 43 GPa, nu = 0.3, Omega = 2.415e-6 m3/mol."""
    scales = Scales(diffusivity=1e-15, temperature=298.15, site_concentration=_SITES)
    return BentFibre(_YOUNG / scales.stress, _POISSON, _VOLUME * _SITES / 3, plane_strain)


def find_phase_lines(bodies: list[Body], highest: float = 3.4, count: int = 80) -> list[PhaseLine]:
    """Find binodal and spinodal of bodies up to the chi ``highest``."""
    lines = []
    for body in bodies:
        lowest = CRITICAL_CHI + body.chi_shift
        # The boundaries are parabolas at their top: evenly spaced in composition there.
        chi = lowest + 1e-5 + (highest - lowest) * np.linspace(0.0, 1.0, count) ** 2
        poor, edge = np.array([find_ends(float(x), body.chi_shift) for x in chi]).T
        lines.append(PhaseLine(body, chi, poor, edge))
    return lines


def find_ends(chi: float, shift: float) -> tuple[float, float]:
    """Find the poor ends of binodal and spinodal where coherency takes ``shift`` from chi."""
    phases = find_phases(RegularSolution(chi), shift)
    return phases.narrowest.poor, phases.spinodals[0][0]
