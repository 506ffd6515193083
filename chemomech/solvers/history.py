"""The last states of a run, and the backward differentiation formulas through them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chemomech.arrays import FloatArray

#: Highest order of the formulas. BDF3 damps all that decays without swinging, as gradient flows do.
ORDER = 3
#: States that the formula and its error estimate look back on.
LEVELS = ORDER + 1


@dataclass(eq=False)
class History:
    r"""Times and states of the last accepted steps, the newest first.

    A state is one array for each unknown. Beside the states, the integral over time of the rate at
    which what an evolving field conserves is released is kept by the same formula: the balance
    between the two then closes to the accuracy of the solver, not of the time scheme. Rates, by an
    evolving field's place in a state, are those at the first state's time; they stand in for a
    second state.
    """

    times: list[float]
    states: list[list[FloatArray]]
    released: list[list[float]]
    rates: Mapping[int, FloatArray]

    def push(self, time: float, state: list[FloatArray], released: list[float]) -> None:
        """Make a new state the newest; the oldest one that nothing looks back on is dropped."""
        self.times = [time, *self.times[: LEVELS - 1]]
        self.states = [state, *self.states[: LEVELS - 1]]
        self.released = [released, *self.released[: LEVELS - 1]]

    @property
    def order(self) -> int:
        """Order of the formula for the next step: it rises by one a step until :data:`ORDER`."""
        return min(len(self.times), ORDER)

    @property
    def estimated_order(self) -> int:
        """Order whose error the next step's estimate is of: one less while states are few."""
        return max(len(self.times) - 1, 1)

    def difference(self, size: float) -> list[float]:
        r"""Coefficients a, b_0, b_1, .. of d/dt = a x + b_0 x_0 + b_1 x_1 .. after a step.

        The derivative at the new time of the polynomial through the new value x and the last ones.
        """
        return self._differentiate(size, self.order)

    def older_part(self, size: float, index: int) -> FloatArray:
        """b_0 x_0 + b_1 x_1 + .. for one unknown x."""
        _, *older = self.difference(size)
        return _combine(older, [state[index] for state in self.states])

    def integrate(self, outflows: Sequence[float], size: float) -> list[float]:
        """Totals released after a step of ``size`` that ends at the given rates of release."""
        coefficient, *older = self.difference(size)
        return [
            (outflow - sum(b * old for b, old in zip(older, totals, strict=False))) / coefficient
            for outflow, totals in zip(outflows, zip(*self.released, strict=True), strict=True)
        ]

    def predict(self, size: float, index: int) -> tuple[FloatArray, float]:
        """Extrapolated unknown, and the share of the distance to it that is the step's error.

        With p the predicted and c the exact value, c - p = E_p and (computed) - c = E_s are
        multiples of one derivative of c: the share is E_s / (E_s + E_p). Where there are too few
        states for a prediction of the formula's order, E_s is that of the order below.
        """
        order = self.estimated_order
        solved = 1.0 / self._differentiate(size, order)[0]
        reach = size if len(self.times) == 1 else self.times[0] + size - self.times[order]
        return self._extrapolate(size, index, LEVELS), solved / (solved + reach)

    def guess(self, size: float) -> list[FloatArray]:
        """State from which to start solving: one degree lower than what the error is taken from.

        The cubic doubles and redoubles what Newton's method has left over in the last states.
        """
        return [self._extrapolate(size, index, LEVELS - 1) for index in range(len(self.states[0]))]

    def interpolate(self, time: float) -> list[FloatArray]:
        """State at a time within the last step, by the polynomial that its formula differentiates.

        That is the cubic through the newest four states, once there are so many.
        """
        size = time - self.times[0]
        return [self._extrapolate(size, index, LEVELS) for index in range(len(self.states[0]))]

    def _extrapolate(self, size: float, index: int, levels: int) -> FloatArray:
        """One unknown by the polynomial through so many of the last states, if they exist."""
        values = [state[index] for state in self.states[:levels]]
        if len(values) == 1:
            rate = self.rates.get(index)
            return values[0].copy() if rate is None else values[0] + size * rate
        times = self.times[:levels]
        return _combine(_extrapolate(times, self.times[0] + size), values)

    def _differentiate(self, size: float, order: int) -> list[float]:
        """Weights of the new value and the last ones in the derivative at the new time."""
        time = self.times[0] + size
        times = self.times[:order]
        weights = [sum(1.0 / (time - other) for other in times)]
        for index, own in enumerate(times):
            others = [other for position, other in enumerate(times) if position != index]
            shares = math.prod((time - other) / (own - other) for other in others)
            weights.append(shares / (own - time))
        return weights


def _combine(weights: Sequence[float], values: Sequence[FloatArray]) -> FloatArray:
    """Weighted sum of as many of the values as there are weights."""
    total = weights[0] * values[0]
    for weight, value in zip(weights[1:], values[1:], strict=False):
        total += weight * value
    return total


def _extrapolate(times: Sequence[float], time: float) -> list[float]:
    """Weights of the values at ``times`` in the polynomial through them, evaluated at ``time``."""
    return [
        math.prod((time - other) / (own - other) for other in times if other != own)
        for own in times
    ]
