"""Error-controlled BDF2 for codes that leave time stepping to their users."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pfhub_codes.entry import Clock

Array = NDArray[np.float64]
Solve = Callable[[float, Array, Array], Array | None]
"""From shift, history and a first guess to c with shift c + history = dc/dt; None if it failed."""

SAFETY, GROWTH, SHRINKING = 0.8, 2.0, 0.2


def march(
    c: Array,
    solve: Solve,
    norm: Callable[[Array], float],
    *,
    end: float,
    tolerance: float,
    first: float,
    clock: Clock,
) -> tuple[Array, float, int]:
    """Integrate dc/dt to a time.

    The first two steps, of length ``first``, are backward Euler and BDF2 without an error estimate;
    then the distance to a parabola through the last three values tells the local error.

    Args:
        c: Composition at t = 0.
        solve: One implicit step.
        norm: Root mean square over the domain of a field given by its coefficients.
        end: Time to reach.
        tolerance: Bound on the root mean square of a step's error.
        first: First step.
        clock: Stops the march at its limit.

    Returns:
        Composition, time reached and number of steps.
    """
    states, times = deque([c], maxlen=3), deque([0.0], maxlen=3)
    size, steps = first, 0
    while times[0] < end and not clock.is_over():
        size = min(size, end - times[0])
        guess = _extrapolate(states, times, size)
        new = solve(*_difference(states, times, size), guess)
        error = 0.0
        if new is not None and len(states) == 3:
            error = _share(times, size) * norm(new - guess) / tolerance
        if new is None or error > 1:
            size *= 0.25 if new is None else max(SHRINKING, SAFETY * error ** (-1 / 3))
            continue
        states.appendleft(new)
        times.appendleft(end if size == end - times[0] else times[0] + size)
        steps += 1
        if error > 0:
            size *= min(GROWTH, max(SHRINKING, SAFETY * error ** (-1 / 3)))
    return states[0], times[0], steps


def _difference(states: deque[Array], times: deque[float], size: float) -> tuple[float, Array]:
    """Shift and history of dc/dt at the end of a step."""
    if len(states) == 1:
        return 1 / size, -states[0] / size
    ratio = size / (times[0] - times[1])
    older = ratio**2 / (1 + ratio) * states[1] - (1 + ratio) * states[0]
    return (1 + 2 * ratio) / (1 + ratio) / size, older / size


def _extrapolate(states: deque[Array], times: deque[float], size: float) -> Array:
    """Value of the polynomial through all known states at the end of a step."""
    new, value = times[0] + size, np.zeros_like(states[0])
    for i, state in enumerate(states):
        others = [time for j, time in enumerate(times) if j != i]
        value += state * np.prod([(new - time) / (times[i] - time) for time in others])
    return value


def _share(times: deque[float], size: float) -> float:
    """BDF2's error over its distance from the extrapolation: both are multiples of c'''."""
    ratio = size / (times[0] - times[1])
    corrector = size**3 * (1 + ratio) ** 2 / (ratio * (1 + 2 * ratio))
    predictor = np.prod([times[0] + size - time for time in times])
    return float(corrector / (corrector + predictor))
