"""Events that end a time step: functions of the state, and where the first one reaches zero."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from scipy import optimize

#: Accuracy, relative to the step, with which the time of an event is found.
_EVENT_ACCURACY = 1e-9

Event = Callable[[], float]
"""A collective function of the present state that is negative until something happens."""


class _TrialFailedError(Exception):
    """The state after a step cannot be found."""


def measure_nearest(events: Sequence[Event]) -> float:
    """The largest of the events' functions: none has happened while it is negative."""
    return max((event() for event in events), default=-math.inf)


def locate_first(
    events: Sequence[Event], attempt: Callable[[float], bool], start: float, size: float, end: float
) -> float | None:
    """Find the length of the step that ends at the first event; its state is the present one then.

    Args:
        events: The events.
        attempt: Makes the state after a step of a given length the present one; says whether it
            could.
        start: What the nearest event's function is before the step; negative.
        size: Length of a step at whose end an event has happened.
        end: What the function is there.

    Returns:
        The length; None where an attempt has failed on the way.
    """
    known = {0.0: start, size: end}

    def measure_after(length: float) -> float:
        if length in known:
            return known[length]
        if not attempt(length):
            raise _TrialFailedError
        return measure_nearest(events)

    accuracy = _EVENT_ACCURACY * size
    try:
        found = float(optimize.brentq(measure_after, 0.0, size, xtol=accuracy, rtol=1e-12))
    except _TrialFailedError:
        return None
    # What all but happened in the step before is found at once; no step has no length.
    found = max(found, accuracy)
    return found if attempt(found) else None
