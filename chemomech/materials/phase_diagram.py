r"""Phases of any homogeneous free-energy density, and the interfaces between them.

All follows from the lower convex hull of g(c). Energies are in units of RT C and chemical
potentials in units of RT. The gradient coefficient enters as ``gradient`` = kappa / (RT), the
square of a length; lengths are in the unit of its root.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.materials.common_tangents import (
    LOGISTIC,
    Tangent,
    cluster_points,
    find_spinodals,
    find_tangents,
)
from chemomech.materials.density_curve import DensityCurve
from chemomech.materials.free_energy import FreeEnergy

# Compositions are looked for up to here where a law sets no bounds.
_FAR = 1e3


@dataclass(frozen=True)
class FastestMode:
    """The composition wave that grows fastest.

    Args:
        wavenumber: k_max, the inverse of a length.
        wavelength: 2 pi / k_max.
        rate: Its growth rate, the inverse of a time.
    """

    wavenumber: float
    wavelength: float
    rate: float


@dataclass(frozen=True)
class Coexistence:
    """Two phases on a common tangent of g, and the planar interface between them.

    Args:
        poor: Composition c_a of the phase poorer in lithium.
        rich: Composition c_b of the richer phase.
        potential: Slope of the tangent, mu / (RT) at which both coexist; a plateau of the voltage
            at V_ref - RT / F times this.
        loop: Extrema of g' between them, lowest and highest; a homogeneous particle follows g' up
            to one before it changes phase on charge, to the other on discharge.
        barrier: Greatest height of g over the tangent.
        path: Integral of sqrt(2 (g - tangent)) from c_a to c_b.
        stiffness: The greater g'' of both phases.
    """

    poor: float
    rich: float
    potential: float
    loop: tuple[float, float]
    barrier: float
    path: float
    stiffness: float

    @property
    def miscibility_gap(self) -> float:
        """Width c_b - c_a of the miscibility gap."""
        return self.rich - self.poor

    def interface_width(self, gradient: float) -> float:
        """Compute the width s = (c_b - c_a) sqrt(gradient / (2 barrier)), eqn 4 corrected.

        It is the distance between the two equilibrium values along the steepest tangent.
        """
        return self.miscibility_gap * math.sqrt(gradient / (2.0 * self.barrier))

    def tail_length(self, gradient: float) -> float:
        """Compute the length sqrt(gradient / g'') of an interface's tail in the stiffer phase.

        For deep wells it is much shorter than the interface's width.
        """
        return math.sqrt(gradient / self.stiffness) if self.stiffness > 0.0 else math.inf

    def interfacial_energy(self, gradient: float) -> float:
        """Compute the energy gamma / (RT C) = sqrt(gradient) * path per area of interface."""
        return math.sqrt(gradient) * self.path

    def coherent_cost(self, coherency: float) -> float:
        """Compute the elastic energy coherency ((c_b - c_a) / 2)^2 of halves of both phases.

        It is in units of RT C, and what separating costs; at most the barrier is what it saves.

        Args:
            coherency: Coefficient of the energy (c - 1/2)^2, see `coherent_shift`.
        """
        return coherency * (self.miscibility_gap / 2.0) ** 2

    def stripe_period(self, gradient: float, length: float) -> float:
        """Compute the period lambda = sqrt(2 gamma L / (RT C barrier)) of stripes, eqn 2.

        L is the particle's size ``length`` across the stripes' normal.
        """
        return math.sqrt(2.0 * self.interfacial_energy(gradient) * length / self.barrier)


@dataclass(frozen=True)
class PhaseDiagram:
    """Phases of a free-energy density.

    Args:
        curve: The density and its derivatives.
        spinodals: Intervals of compositions, increasing, in which g'' < 0.
        coexistences: Pairs of neighbouring phases, in the order of their composition; none where
            the density has one phase.
    """

    curve: DensityCurve
    spinodals: tuple[tuple[float, float], ...]
    coexistences: tuple[Coexistence, ...]

    @property
    def has_phase_separation(self) -> bool:
        """True if there are two phases or more."""
        return bool(self.coexistences)

    @property
    def windows(self) -> tuple[tuple[float, float], ...]:
        """Compositions from the lowest to the highest of each phase, bounds at both ends.

        Of a phase on two tangents at one point both are the same.
        """
        lower, upper = self.curve.law.bounds
        inner = [end for pair in self.coexistences for end in (pair.poor, pair.rich)]
        edges = [lower, *inner, upper]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple((min(ends), max(ends)) for ends in pairs)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Compositions midway between neighbouring phases, one less than there are phases."""
        # Rounding errors must not decide to which phase a composition exactly midway belongs.
        return tuple(round((pair.poor + pair.rich) / 2, 6) for pair in self.coexistences)

    def is_unstable_between(self, pair: Coexistence) -> bool:
        """Whether g'' < 0 anywhere between two phases, perhaps those of another diagram.

        Between phases without strain, a diagram with coherent strain says so whether both can
        separate coherently: where g is convex from one to the other, each mixture stays one phase.
        """
        return any(low < pair.rich and pair.poor < high for low, high in self.spinodals)

    @property
    def distance_to_bounds(self) -> float:
        """Smallest distance of a coexisting phase from the bounds; infinite without either."""
        lower, upper = self.curve.law.bounds
        distances = (min(pair.poor - lower, upper - pair.rich) for pair in self.coexistences)
        return min(distances, default=math.inf)

    @property
    def narrowest(self) -> Coexistence:
        """The phases whose interface is the narrowest.

        Raises:
            InputError: There is one phase only.
        """
        if not self.coexistences:
            raise InputError("the free energy has one phase only, and no interface")
        return min(self.coexistences, key=lambda pair: pair.interface_width(1.0))

    def fastest_mode(self, composition: float, gradient: float, mobility: float) -> FastestMode:
        """Compute the fastest wave: k_max = sqrt(B / (2 gradient)), rate M B^2 / (4 gradient).

        Here B = -g''(c0), and waves exp(i k x) grow with the rate M k^2 [B - gradient k^2].

        Args:
            composition: Mean composition c0.
            gradient: kappa / (RT), length squared, positive.
            mobility: M, length squared per time: D c0 (1 - c0) degenerate, D constant.

        Raises:
            InputError: If c0 lies outside the spinodals, where no mode grows.
        """
        drive = -float(self.curve.curvature(composition))
        if drive <= 0.0:
            raise InputError(f"no mode grows: composition {composition:g} is stable")
        k = math.sqrt(drive / (2.0 * gradient))
        return FastestMode(k, 2.0 * math.pi / k, mobility * drive**2 / (4.0 * gradient))


def coherent_shift(young: float, poisson: float, expansion: float, *, plane_stress: bool) -> float:
    """Compute the coefficient of the energy (c - 1/2)^2 of coherent waves, all moduli equal.

    It is E eta^2/2 in plane stress, E eta^2/(1 - nu) in 3-D and plane strain. In a regular solution
    this much is taken from chi.

    Args:
        young: Young's modulus in units of RT C.
        poisson: Poisson's ratio.
        expansion: eta = Omega C / 3, linear strain per unit composition.
        plane_stress: Whether the body is a thin sheet.
    """
    return young * expansion**2 / (2.0 if plane_stress else 1.0 - poisson)


def find_phases(law: FreeEnergy, coherency: float = 0.0) -> PhaseDiagram:
    """Find the phases of a density from its lower convex hull.

    Args:
        law: The density. Without bounds, compositions are looked for between -1000 and 1000.
        coherency: Coefficient of the energy (c - 1/2)^2 of coherent strain.

    Raises:
        InputError: The density is not finite within its bounds or depends on more than c.
    """
    curve = DensityCurve(law, coherency)
    lower, upper = (float(np.clip(bound, -_FAR, _FAR)) for bound in law.bounds)
    spinodals = find_spinodals(curve, lower, upper)
    tangents = find_tangents(curve, lower, upper, spinodals)
    pairs = tuple(_measure(curve, tangent, spinodals) for tangent in tangents)
    return PhaseDiagram(curve, spinodals, pairs)


def _measure(
    curve: DensityCurve, tangent: Tangent, spinodals: Sequence[tuple[float, float]]
) -> Coexistence:
    """Measure the barrier between two phases and what an interface costs."""
    poor, rich, potential = tangent.poor, tangent.rich, tangent.potential

    def climb(c: FloatArray) -> FloatArray:
        excess = curve.energy(c) - curve.energy(poor) - potential * (c - poor)
        return np.maximum(excess, 0.0)

    c = cluster_points(poor, rich)
    height = climb(c)
    speed = (c - poor) * (rich - c) / (rich - poor)
    path = float(np.sum(np.sqrt(2.0 * height) * speed) * (LOGISTIC[1] - LOGISTIC[0]))
    for _ in range(3):
        k = int(np.clip(np.argmax(height), 1, len(c) - 2))
        c = np.linspace(c[k - 1], c[k + 1], 65)
        height = climb(c)
    ends = [end for interval in spinodals for end in interval if poor < end < rich]
    loop = curve.potential(np.array(ends))
    return Coexistence(
        poor,
        rich,
        potential,
        (float(loop.min()), float(loop.max())),
        float(height.max()),
        path,
        float(curve.curvature(np.array([poor, rich])).max()),
    )
