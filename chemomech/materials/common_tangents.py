"""Spinodals and common tangents of a free-energy density, from its lower convex hull."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.materials.density_curve import DensityCurve

# Compositions are sampled ever more coarsely up to here.
_FAR = 1e3
# Curvature, in units of its median, below which barriers drown in rounding errors: chi = 2 + 1e-6.
_FLAT = 1e-6
# Difference of potentials, in units of RT, that is none: three phases on one tangent have it.
_TIE = 1e-9
# Newton's method squares its errors; what takes longer creeps to a bound, half the way at a time.
_ITERATIONS = 60
_EPS = 4.0 * np.finfo(float).eps
# Abscissae of the logistic map that crowds points at both ends of an interval: as close as 1e-13
# of its length. The trapezoidal rule on them integrates to rounding errors.
LOGISTIC = np.linspace(-30.0, 30.0, 401)


@dataclass(frozen=True)
class Tangent:
    """Two compositions at which a line of the slope ``potential`` touches g."""

    poor: float
    rich: float
    potential: float


def find_spinodals(
    curve: DensityCurve, lower: float, upper: float
) -> tuple[tuple[float, float], ...]:
    """Find the intervals in which g'' < 0, increasing."""
    first, last = max(lower, -1.0), min(upper, 2.0)
    if first >= last:
        first, last = lower, upper
    near = np.linspace(first, last, 1203)[1:-1]
    spread = 0.5 + np.sinh(np.linspace(-math.asinh(_FAR), math.asinh(_FAR), 1201))
    points = np.unique(np.concatenate((cluster_points(lower, upper), near, spread)))
    points = points[(points > lower) & (points < upper)]
    points = _add_minima(curve, points)
    curvature = curve.curvature(points)
    unstable = curvature < -_FLAT * np.median(np.abs(curve.curvature(near)))
    edges = np.flatnonzero(unstable[1:] != unstable[:-1])
    roots = list(_find_zeros(curve, points[edges], points[edges + 1]))
    ends = [*([lower] if unstable[0] else []), *roots, *([upper] if unstable[-1] else [])]
    return tuple((float(a), float(b)) for a, b in zip(ends[::2], ends[1::2], strict=True))


def find_tangents(
    curve: DensityCurve, lower: float, upper: float, spinodals: Sequence[tuple[float, float]]
) -> list[Tangent]:
    """Find the tangents of the lower convex hull, given the intervals in which g'' < 0.

    Returns:
        The tangents, from poor to rich; none where one phase is stable at all compositions.
    """
    ends = [lower, *(end for interval in spinodals for end in interval), upper]
    pairs = zip(ends[::2], ends[1::2], strict=True)
    return _find_hull(curve, [_Branch(curve, *pair) for pair in pairs if pair[0] < pair[1]])


def cluster_points(lower: float, upper: float) -> FloatArray:
    """Place points in an open interval, crowded at both ends."""
    share = 1.0 / (1.0 + np.exp(np.abs(LOGISTIC)))
    length = upper - lower
    points = np.where(LOGISTIC < 0.0, lower + length * share, upper - length * share)
    return np.asarray(points, dtype=np.float64)


class _Branch:
    """An interval on which g is convex, sampled densely at its ends.

    Args:
        curve: The density.
        lower: Its lower end.
        upper: Its upper end.
    """

    def __init__(self, curve: DensityCurve, lower: float, upper: float) -> None:
        self.lower, self.upper = lower, upper
        self._c = cluster_points(lower, upper)
        self._energy, self._potential = curve.energy(self._c), curve.potential(self._c)

    @property
    def potentials(self) -> tuple[float, float]:
        """Potentials at both ends."""
        return float(self._potential[0]), float(self._potential[-1])

    def locate(self, potential: float) -> float:
        """Find the composition of this branch at a potential, as close as samples allow."""
        return float(np.interp(potential, self._potential, self._c))

    def find_lowest(self, potential: float) -> float:
        """Find the least g - potential * c on this branch's samples."""
        return float(np.min(self._energy - potential * self._c))

    def step(self, c: float, change: float) -> float:
        """Return ``c + change``, or half way to the end where this lies beyond."""
        if self.lower < c + change < self.upper:
            return c + change
        return (c + (self.upper if change > 0.0 else self.lower)) / 2.0


def _find_hull(curve: DensityCurve, branches: Sequence[_Branch]) -> list[Tangent]:
    """Find the lower convex hull's tangents: from each branch to the first that is stabler."""
    found, k = [], 0
    while k + 1 < len(branches):
        others = range(k + 1, len(branches))
        tangents = {other: _find_tangent(curve, branches[k], branches[other]) for other in others}
        touching = {other: tangent for other, tangent in tangents.items() if tangent is not None}
        if not touching:
            k += 1
            continue
        first = min(tangent.potential for tangent in touching.values()) + _TIE
        # Of branches that meet one tangent the nearest comes first.
        k = min(other for other, tangent in touching.items() if tangent.potential <= first)
        found.append(touching[k])
    return found


def _find_tangent(curve: DensityCurve, left: _Branch, right: _Branch) -> Tangent | None:
    """Find the common tangent of two branches; None where they are never in equilibrium."""
    low = max(right.potentials[0], left.potentials[0] - _TIE)
    high = min(left.potentials[1], right.potentials[1] + _TIE)

    def compare(potential: float) -> float:
        return right.find_lowest(potential) - left.find_lowest(potential)

    if low > high or compare(low) < 0.0 or compare(high) > 0.0:
        return None
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if compare(middle) > 0.0 else (low, middle)
    return _refine_tangent(curve, left, right, (low + high) / 2.0)


def _refine_tangent(
    curve: DensityCurve, left: _Branch, right: _Branch, potential: float
) -> Tangent:
    """Solve g'(c_a) = g'(c_b) = slope of the line between both by Newton's method."""
    c = np.array([left.locate(potential), right.locate(potential)])
    ends = np.array([[branch.lower, branch.upper] for branch in (left, right)])
    for _ in range(_ITERATIONS):
        energy = curve.energy(c)
        potential = float((energy[1] - energy[0]) / (c[1] - c[0]))
        change = (potential - curve.potential(c)) / curve.curvature(c)
        room = np.min(np.abs(ends - c[:, None]), axis=1)
        c = np.array([left.step(c[0], change[0]), right.step(c[1], change[1])])
        if np.all(np.abs(change) <= 1e-12 * room + _EPS):
            break
    return Tangent(float(c[0]), float(c[1]), potential)


def _add_minima(curve: DensityCurve, points: FloatArray) -> FloatArray:
    """Add the local minima of g'', which may dip below zero between two points."""
    for _ in range(3):
        curvature = curve.curvature(points)
        lowest = (curvature[1:-1] <= curvature[:-2]) & (curvature[1:-1] < curvature[2:])
        k = 1 + np.flatnonzero(lowest)
        finer = np.linspace(points[k - 1], points[k + 1], 9)
        points = np.union1d(points, finer)
    return points


def _find_zeros(curve: DensityCurve, left: FloatArray, right: FloatArray) -> FloatArray:
    """Find the zeros of g'' in intervals at whose ends it has different signs."""
    rising = curve.curvature(right) > curve.curvature(left)
    columns = np.arange(len(left))
    for _ in range(11):
        points = np.linspace(left, right, 33)
        beyond = (curve.curvature(points) > 0.0) == rising
        k = np.maximum(np.argmax(beyond, axis=0), 1)
        left, right = points[k - 1, columns], points[k, columns]
    return np.asarray((left + right) / 2.0, dtype=np.float64)
