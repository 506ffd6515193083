"""Time steps: protocol of the problem, control, outcome, memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dolfinx import fem

from chemomech.forms.fields import Field
from chemomech.solvers.cahn_hilliard_schur import SolverMemory
from chemomech.solvers.history import History


class TransientProblem(Protocol):
    """A problem that can be stepped in time.

    Attributes:
        mass_coefficient: a in dx/dt = a x + history of each field that evolves.
    """

    mass_coefficient: fem.Constant

    @property
    def fields(self) -> Sequence[Field]:
        """Fields to find."""

    @property
    def is_closed(self) -> bool:
        """True if the energy must not rise."""

    def energies(self) -> dict[str, float]:
        """Parts of the energy."""


@dataclass(frozen=True)
class StepControl:
    """Choice of time steps.

    Args:
        tolerance: Bound on the root mean square over the domain of a step's local error in each
            evolving field.
        first_step: First step; None derives it from the initial rate.
        max_step: Longest step.
        adaptive: Whether steps follow the error; otherwise all are ``first_step``.
        newton_share: Share of the tolerance that Newton's method may leave as its own error; zero
            solves each step as exactly as it can.
    """

    tolerance: float = 1e-3
    first_step: float | None = None
    max_step: float = math.inf
    adaptive: bool = True
    newton_share: float = 0.3


@dataclass(frozen=True)
class Step:
    """An accepted time step: its number, the time reached, its length and what it took.

    Iterations are those of all attempts, ``rejected`` the attempts refused. The rate is the largest
    |dx/dt| of an evolving field at any node over the step. Released is the integral over time of
    the outflow of each evolving field, by the scheme's own formula, by the field's name. The event
    is the number of that at which the step was ended; None where it ended by itself.
    """

    number: int
    time: float
    size: float
    rejected: int
    newton_iterations: int
    linear_iterations: int
    rate: float
    energies: dict[str, float]
    released: Mapping[str, float]
    event: int | None = None


@dataclass
class Memory:
    """State of a stepper, complete enough to go on from.

    Args:
        number: Steps accepted so far.
        history: Last states, with their times.
        last_size: Length of the last step, against which the next one's growth is limited; more
            where it was cut short to hit a time; infinite before the first and after a jump.
        proposal: Length to try next.
        first_proposal: Length tried first since the last jump.
        solver: Memory of the nonlinear solver.
    """

    number: int
    history: History
    last_size: float
    proposal: float
    first_proposal: float
    solver: SolverMemory = field(default_factory=dict)
