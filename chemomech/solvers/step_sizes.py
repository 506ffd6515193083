"""Choose the length of the next time step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chemomech.solvers.history import ORDER
from chemomech.solvers.steps import Memory, StepControl

#: Largest ratio of successive steps by the order of the formula; variable-step BDF2 is stable up to
#: 1 + sqrt(2), BDF3 up to 1.53 (Calvo, Grande and Grigorieff, 1990).
MAX_GROWTH = {1: 2.0, 2: 2.0, 3: 1.5}
#: Largest ratio of a step to one before it that was cut short to hit a time.
_AFTER_LANDING = 2.0
#: Smallest ratio of successive steps.
_MIN_GROWTH = 0.2
#: Aimed share of the tolerance.
SAFETY = 0.8


@dataclass(frozen=True)
class _Size:
    """Length of the next step; what it would be without a time to hit; whether it lands on that."""

    length: float
    wanted: float
    lands: bool


def choose_size(
    memory: Memory, control: StepControl, target: float, longest: float = math.inf
) -> _Size:
    """Choose the length of the next step, which passes neither ``target`` nor ``longest``."""
    left = target - memory.history.times[0]
    if not control.adaptive:
        size = memory.proposal
        return _Size(left, size, True) if size >= left * (1 - 1e-10) else _Size(size, size, False)
    growth = MAX_GROWTH[memory.history.order]
    size = min(memory.proposal, control.max_step, longest, growth * memory.last_size)
    if size >= left * (1 - 1e-10):
        return _Size(left, size, True)
    # Two even steps rather than one whole and a crumb.
    return _Size(left / 2 if 2 * size > left else size, size, False)


def relate(size: float, wanted: float) -> float:
    """Length that the next step's growth is limited against.

    A step cut short to hit a time says nothing against what was wanted, and what follows it may be
    twice as long: that happens once, where the limit is for every step.
    """
    return max(size, min(wanted, _AFTER_LANDING / MAX_GROWTH[ORDER] * size))


def shorten(error: float, exponent: float) -> float:
    """Factor by which to repeat a step whose error, relative to the tolerance, is above 1.

    ``exponent`` is the power of the error with which the length of a step goes.
    """
    return max(_MIN_GROWTH, SAFETY * error**exponent)


def propose_size(
    memory: Memory, size: float, error: float, exponent: float, rejected: int
) -> float:
    """Length to try after an accepted step, which the memory includes.

    ``error`` and ``exponent`` are as in `shorten`; ``rejected`` attempts were refused before it.
    """
    growth = SAFETY * max(error, 1e-12) ** exponent
    longest = MAX_GROWTH[memory.history.order] * memory.last_size
    proposal = min(longest, size * max(_MIN_GROWTH, growth))
    # A step cut short to land says nothing against the last proposal.
    if rejected == 0 and growth >= 1:
        proposal = max(proposal, min(memory.proposal, size * growth))
    return proposal
