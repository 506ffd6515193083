"""How long the next time step is to be."""

from __future__ import annotations

from chemomech.solvers.steps import Memory, StepControl

#: Largest ratio of successive steps by the order of the formula; variable-step BDF2 is stable up to
#: 1 + sqrt(2), BDF3 up to 1.53 (Calvo, Grande and Grigorieff, 1990).
MAX_GROWTH = {1: 2.0, 2: 2.0, 3: 1.5}
#: Smallest ratio of successive steps.
MIN_GROWTH = 0.2
#: Aimed share of the tolerance.
SAFETY = 0.8


def choose_size(memory: Memory, control: StepControl, target: float) -> tuple[float, bool]:
    """Choose the length of the next step.

    Args:
        memory: Of the steps so far.
        control: Choice of steps.
        target: Time that must not be passed.

    Returns:
        The length, and whether the step lands on ``target``.
    """
    left = target - memory.history.times[0]
    growth = MAX_GROWTH[memory.history.order]
    size = min(memory.proposal, control.max_step, growth * memory.last_size)
    if not control.adaptive:
        size = memory.proposal
    if size >= left * (1 - 1e-10):
        return left, True
    # Two even steps rather than one whole and a crumb.
    return (left / 2 if control.adaptive and 2 * size > left else size), False


def shorten(error: float, exponent: float) -> float:
    """Factor by which to repeat a step whose error, relative to the tolerance, is above 1.

    Args:
        error: The error.
        exponent: Power of the error with which the length of a step goes.
    """
    return max(MIN_GROWTH, SAFETY * error**exponent)


def propose_size(
    memory: Memory, size: float, error: float, exponent: float, rejected: int
) -> float:
    """Length to try after an accepted step.

    Args:
        memory: Of the steps so far, this one included.
        size: Length of the step.
        error: Its error relative to the tolerance.
        exponent: Power of the error with which the length of a step goes.
        rejected: Attempts refused before it.
    """
    growth = SAFETY * max(error, 1e-12) ** exponent
    proposal = size * min(MAX_GROWTH[memory.history.order], max(MIN_GROWTH, growth))
    # A step cut short to land says nothing against the last proposal.
    if rejected == 0 and growth >= 1:
        proposal = max(proposal, min(memory.proposal, size * growth))
    return proposal
