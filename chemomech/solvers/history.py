"""The last states of a run, and the difference formulas of BDF2 through them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: States that BDF2 and its error estimate look back on.
LEVELS = 3


class History:
    r"""Times and states of the last accepted steps, the newest first.

    A state is one array for each unknown. Beside the states, the integral over time of the rate at
    which what the first unknown conserves is released is kept by the same formula: the balance
    between the two then closes to the accuracy of the solver, not of the time scheme.

    Args:
        time: Time of the first state.
        state: The first state.
        released: What was released before.
        rate: Rate of the first unknown at that time, which stands in for a second state.
    """

    def __init__(self, time: float, state: list[Array], released: float, rate: Array) -> None:
        self.times = [time]
        self.states = [state]
        self.released = [released]
        self.rate = rate

    def push(self, time: float, state: list[Array], released: float) -> None:
        """Make a new state the newest; the oldest one that nothing looks back on is dropped."""
        self.times = [time, *self.times[: LEVELS - 1]]
        self.states = [state, *self.states[: LEVELS - 1]]
        self.released = [released, *self.released[: LEVELS - 1]]

    def difference(self, size: float) -> tuple[float, float, float]:
        r"""Coefficients a, b_0, b_1 of d/dt = a x + b_0 x_0 + b_1 x_1 after a step of ``size``.

        The derivative at the new time of the parabola through the new value x and the last two; of
        the chord where there is but one.
        """
        if len(self.times) == 1:
            return 1.0 / size, -1.0 / size, 0.0
        w = size / (self.times[0] - self.times[1])
        return (1 + 2 * w) / ((1 + w) * size), -(1 + w) / size, w**2 / ((1 + w) * size)

    def older_part(self, size: float) -> Array:
        """b_0 c_0 + b_1 c_1 for the first unknown c."""
        _, newest, second = self.difference(size)
        part = newest * self.states[0][0]
        return part if second == 0.0 else part + second * self.states[1][0]

    def integrate(self, rate: float, size: float) -> float:
        """Total released after a step of ``size`` that ends at the given rate of release."""
        shift, newest, second = self.difference(size)
        older = newest * self.released[0]
        if second != 0.0:
            older += second * self.released[1]
        return (rate - older) / shift

    def predict(self, size: float) -> tuple[list[Array], float]:
        """Extrapolated state, and the share of (result - prediction) that is the step's error.

        With p the predicted and c the exact value, c - p = E_p and (computed) - c = E_s are
        multiples of one derivative of c: the share is E_s / (E_s + E_p).
        """
        time = self.times[0] + size
        if len(self.times) == 1:
            first, *others = self.states[0]
            return [first + size * self.rate, *others], 0.5
        weights = _extrapolate(self.times, time)
        predicted = [
            sum(w * values for w, values in zip(weights, history, strict=True))
            for history in zip(*self.states, strict=True)
        ]
        if len(self.times) == 2:
            # The chord is of lower order than BDF2: the estimate is that of a first-order step.
            return predicted, size / (size + time - self.times[1])
        scaled = size / (self.difference(size)[0] * size)
        return predicted, scaled / (scaled + time - self.times[2])


def limit(guess: Array, last: Array, bounds: tuple[float, float]) -> Array:
    """A guess that at no node goes more than 0.9 of the last value's way to a bound; in place.

    Args:
        guess: Values to limit.
        last: Values within the bounds.
        bounds: Open interval.
    """
    lower, upper = bounds
    if math.isfinite(lower):
        np.maximum(guess, lower + 0.1 * (last - lower), out=guess)
    if math.isfinite(upper):
        np.minimum(guess, upper - 0.1 * (upper - last), out=guess)
    return guess


def _extrapolate(times: Sequence[float], time: float) -> list[float]:
    """Weights of the values at ``times`` in the polynomial through them, evaluated at ``time``."""
    return [
        math.prod((time - other) / (own - other) for other in times if other != own)
        for own in times
    ]
