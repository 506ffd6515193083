"""Phases of a homogeneous particle, with and without strain: what figure 4A shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.constants import R

from chemomech import BentFibre, RegularSolution, find_phases

CHI = 2.75
CRITICAL_CHI = 2.0
"""Above it a regular solution separates."""
HIGHEST_CHI = 3.4
WIDTH_NM = 100.0
RADIUS_NM = 5000.0
"""Bend of the example, of 1 per cent at the edges, where small strains hold."""
LARGEST_STRAIN = 0.05
"""At the edges: beyond it the theory of small strains, on which all rests, does not hold."""

_SITES, _YOUNG, _POISSON, _VOLUME, _TEMPERATURE = 18500.0, 43e9, 0.3, 2.415e-6, 298.15


@dataclass(frozen=True, eq=False)
class PhaseLine:
    """Phase boundaries of a body over chi, on the poor side; the rich one is the mirror image.

    Args:
        body: The body, in words.
        chi: Interaction parameters, shape (n,).
        binodal: Composition of the poor phase, shape (n,).
        spinodal: Composition at which it becomes unstable, shape (n,).
    """

    body: str
    chi: NDArray[np.float64]
    binodal: NDArray[np.float64]
    spinodal: NDArray[np.float64]


def create_fibre(*, plane_strain: bool) -> BentFibre:
    """Create the paper's fibre: E = 43 GPa, nu = 0.3, Omega = 2.415e-6 m3/mol."""
    young = _YOUNG / (R * _TEMPERATURE * _SITES)
    return BentFibre(young, _POISSON, _VOLUME * _SITES / 3, plane_strain)


def find_phase_line(body: str, chi_shift: float) -> PhaseLine:
    """Find binodal and spinodal of a body up to the highest chi.

    Args:
        body: The body, in words.
        chi_shift: Part of chi that coherency takes.
    """
    lowest = CRITICAL_CHI + chi_shift
    # The boundaries are parabolas at their top: evenly spaced in composition there.
    chi = lowest + 1e-5 + (HIGHEST_CHI - lowest) * np.linspace(0.0, 1.0, 80) ** 2
    poor, edge = np.array([find_ends(float(x), chi_shift) for x in chi]).T
    return PhaseLine(body, chi, poor, edge)


def find_ends(chi: float, chi_shift: float) -> tuple[float, float]:
    """Find the poor ends of binodal and spinodal where coherency takes ``chi_shift`` from chi."""
    phases = find_phases(RegularSolution(chi), chi_shift)
    return phases.narrowest.poor, phases.spinodals[0][0]
