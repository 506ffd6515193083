r"""Theory of the regular solution g(c) = c ln c + (1 - c) ln(1 - c) + chi c (1 - c).

Energies are in units of RT C and chemical potentials in units of RT. The gradient coefficient
enters as ``gradient`` = kappa / (RT), the square of a length; lengths are in the unit of its root.
With mechanics, chi is the effective value of :func:`coherent_shift`. What needs two phases raises
InputError for chi <= 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy  # which loads its parts when they are used: every configuration comes by here
from numpy.typing import ArrayLike, NDArray

from chemomech.errors import InputError

CRITICAL_CHI = 2.0
_MARGIN = 1e-6
# Below this half-gap the closed form of the barrier loses half its digits to cancellation.
_SERIES_LIMIT = 0.05


class Coherency(StrEnum):
    """What the surroundings allow a chemically strained region to do."""

    COHERENT = "coherent"  # composition wave in 3-D or in plane strain
    COHERENT_PLANE_STRESS = "coherent_plane_stress"
    RELAXED_PLANE_STRAIN = "relaxed_plane_strain"  # free in the plane, held across it
    RELAXED = "relaxed"  # plane stress or generalised plane strain, free in the plane


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


def separates(chi: float) -> bool:
    """Tell whether the solution has two phases, chi > 2 (by more than 1e-6).

    Args:
        chi: Interaction parameter.
    """
    return chi > CRITICAL_CHI + _MARGIN


def homogeneous_energy(c: ArrayLike, chi: float) -> NDArray[np.float64]:
    """g(c) = c ln c + (1 - c) ln(1 - c) + chi c (1 - c).

    Args:
        c: Compositions in [0, 1], any shape.
        chi: Interaction parameter.

    Returns:
        Energy densities in units of RT C, the shape of ``c``.
    """
    c = np.asarray(c, dtype=np.float64)
    xlogy = scipy.special.xlogy
    return np.asarray(xlogy(c, c) + xlogy(1 - c, 1 - c) + chi * c * (1 - c))


def binodal(chi: float) -> float:
    """The poorer composition c_a of coexistence: ln((1 - c_a)/c_a) = chi (1 - 2 c_a).

    Args:
        chi: Interaction parameter.

    Returns:
        c_a; the richer phase has 1 - c_a.
    """
    return 1.0 / (1.0 + math.exp(_logit(chi)))


def spinodal(chi: float) -> float:
    """c_s = (1 - sqrt(1 - 2/chi)) / 2; between c_s and 1 - c_s the solution is unstable.

    Args:
        chi: Interaction parameter.

    Returns:
        c_s; the other end is 1 - c_s.
    """
    _require_separation(chi)
    return (1.0 - math.sqrt(1.0 - 2.0 / chi)) / 2.0


def spinodal_potential(chi: float) -> float:
    """Mu / (RT) = ln(c_s/(1 - c_s)) + chi (1 - 2 c_s): the top of the potential's loop.

    Within plus and minus this potential, with mu = 0 that of coexistence, either phase lasts.

    Args:
        chi: Interaction parameter.
    """
    c = spinodal(chi)
    return math.log(c / (1.0 - c)) + chi * (1.0 - 2.0 * c)


def barrier(chi: float) -> float:
    """g(1/2) - g(c_a): height of the barrier over the tie line, in units of RT C.

    Args:
        chi: Interaction parameter.
    """
    m = _gap(chi)
    if m < _SERIES_LIMIT:
        return sum(m ** (2 * n) * (n - 1) / (2 * n * (2 * n - 1)) for n in range(2, 7))
    c = binodal(chi)
    return float(homogeneous_energy(0.5, chi) - homogeneous_energy(c, chi))


def interface_width(chi: float, gradient: float) -> float:
    """Width s = (c_b - c_a) sqrt(gradient / (2 (g(1/2) - g(c_a)))), eqn 4 corrected.

    With the barrier over the tie line, this is the distance between the two equilibrium values
    along the steepest tangent.

    Args:
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.

    Returns:
        Width s, a length.
    """
    return _gap(chi) * math.sqrt(gradient / (2.0 * barrier(chi)))


def gradient_for_width(chi: float, width: float) -> float:
    """Invert :func:`interface_width`: kappa / (RT) = 2 (g(1/2) - g(c_a)) s^2 / (c_b - c_a)^2.

    Args:
        chi: Interaction parameter.
        width: Interface width s.

    Returns:
        kappa / (RT), length squared.
    """
    return 2.0 * barrier(chi) * (width / _gap(chi)) ** 2


def foot_length(chi: float, gradient: float) -> float:
    """Length sqrt(gradient / g''(c_a)) over which an interface ends in its phases.

    For great chi it is much shorter than the interface's width: phases are stiff.

    Args:
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.
    """
    c = binodal(chi)
    return math.sqrt(gradient / (1.0 / (c * (1.0 - c)) - 2.0 * chi))


def interfacial_energy(chi: float, gradient: float) -> float:
    """Energy gamma / (RT C) = sqrt(gradient) * integral of sqrt(2 (g(c) - g(c_a))) from c_a to c_b.

    Args:
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.

    Returns:
        Energy of a planar interface per area, in units of RT C times a length.
    """
    integral, _ = scipy.integrate.quad(
        _excess_root, 0.0, _gap(chi) / 2, args=(chi, binodal(chi)), epsabs=0.0
    )
    return 2.0 * math.sqrt(gradient) * float(integral)


def distance_between(chi: float, gradient: float, fraction: float) -> float:
    """Distance over which c goes from ``fraction`` to 1 - ``fraction`` of its jump.

    In a planar interface, kappa (c')^2 / 2 = RT [g(c) - g(c_a)].

    Args:
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.
        fraction: Between 0 and 1/2, both excluded.

    Returns:
        The distance, a length.
    """
    c_a = binodal(chi)
    half_jump = (0.5 - fraction) * _gap(chi)
    integral, _ = scipy.integrate.quad(lambda x: 1.0 / _excess_root(x, chi, c_a), 0.0, half_jump)
    return 2.0 * math.sqrt(gradient) * float(integral)


def gibbs_thomson_shift(chi: float, gradient: float, radius: float) -> float:
    """Shift mu / (RT) = gamma / (RT C r (c_b - c_a)) of a circular rich domain (2-D).

    Args:
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.
        radius: Radius r of the domain.
    """
    return interfacial_energy(chi, gradient) / (radius * _gap(chi))


def stripe_period(chi: float, gradient: float, length: float) -> float:
    """Period lambda = sqrt(2 gamma L / (RT C (g(1/2) - g(c_a)))), eqn 2.

    Args:
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.
        length: Size L of the particle across the stripes' normal.
    """
    return math.sqrt(2.0 * interfacial_energy(chi, gradient) * length / barrier(chi))


def coherent_shift(young: float, poisson: float, expansion: float, state: Coherency) -> float:
    """Drop of chi by coherency, for equal isotropic moduli and the eigenstrain ``expansion`` * c.

    E eta^2/(1 - nu) for coherent waves in 3-D or plane strain; E eta^2/2 for coherent waves in
    plane stress and for plane strain free in the plane; 0 for a wholly relaxed body.

    Args:
        young: Young's modulus in units of RT C.
        poisson: Poisson's ratio.
        expansion: eta = Omega C / 3, linear strain per unit composition.
        state: What the surroundings allow.

    Returns:
        Delta chi >= 0; the effective chi is chi minus this.
    """
    energy = young * expansion**2
    match state:
        case Coherency.COHERENT:
            return energy / (1.0 - poisson)
        case Coherency.COHERENT_PLANE_STRESS | Coherency.RELAXED_PLANE_STRAIN:
            return energy / 2.0
        case Coherency.RELAXED:
            return 0.0


def growth_rate(
    wavenumber: ArrayLike, composition: float, chi: float, gradient: float, mobility: float
) -> NDArray[np.float64]:
    """sigma(k) = -M k^2 [1/(c0 (1 - c0)) - 2 chi + gradient k^2], the linear rate of exp(i k x).

    Args:
        wavenumber: k, any shape.
        composition: Mean composition c0.
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared.
        mobility: M, length squared per time: D c0 (1 - c0) degenerate, D constant.

    Returns:
        Growth rates, the shape of ``wavenumber``; positive where the mode grows.
    """
    square = np.asarray(wavenumber, dtype=np.float64) ** 2
    return mobility * square * (_drive(composition, chi) - gradient * square)


def fastest_mode(composition: float, chi: float, gradient: float, mobility: float) -> FastestMode:
    """Maximum of :func:`growth_rate`: k_max = sqrt(B / (2 gradient)), rate M B^2 / (4 gradient).

    Here B = 2 chi - 1/(c0 (1 - c0)).

    Args:
        composition: Mean composition c0.
        chi: Interaction parameter.
        gradient: kappa / (RT), length squared, positive.
        mobility: M as in :func:`growth_rate`.

    Returns:
        The mode.

    Raises:
        InputError: If c0 lies outside the spinodal, where no mode grows.
    """
    drive = _drive(composition, chi)
    if drive <= 0.0:
        raise InputError(f"no mode grows: composition {composition:g} is stable at chi = {chi:g}")
    k = math.sqrt(drive / (2.0 * gradient))
    return FastestMode(k, 2.0 * math.pi / k, mobility * drive**2 / (4.0 * gradient))


def _drive(composition: float, chi: float) -> float:
    return 2.0 * chi - 1.0 / (composition * (1.0 - composition))


def _require_separation(chi: float) -> None:
    if not separates(chi):
        raise InputError(f"phases separate for chi > {CRITICAL_CHI:g} only, not at chi = {chi:g}")


def _logit(chi: float) -> float:
    """ln((1 - c_a)/c_a) = y from y = chi tanh(y/2); well-conditioned for any chi > 2."""
    _require_separation(chi)
    # tanh x >= x - x^3/3 makes this a lower bound; half of it keeps the sign safe from rounding.
    lower = 0.5 * math.sqrt(12.0 * (chi - 2.0) / chi)
    return float(
        scipy.optimize.brentq(lambda y: chi * math.tanh(y / 2) - y, lower, chi + 1.0, xtol=1e-15)
    )


def _gap(chi: float) -> float:
    """c_b - c_a."""
    return math.tanh(_logit(chi) / 2)


def _excess_root(offset: float, chi: float, c_a: float) -> float:
    """sqrt(2 (g(c) - g(c_a))) at c = 1/2 + offset."""
    excess = float(homogeneous_energy(0.5 + offset, chi) - homogeneous_energy(c_a, chi))
    return math.sqrt(2.0 * max(excess, 0.0))
