"""What time stepping needs of a problem and a solver, how it is controlled, and what it tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from chemomech.solvers.cahn_hilliard_schur import SchurMemory
from chemomech.solvers.history import History
from chemomech.solvers.newton import NewtonResult

Array = NDArray[np.float64]


class TransientProblem(Protocol):
    """What a problem must offer to be stepped in time.

    Attributes:
        unknowns: Functions to find; only the first has a time derivative.
        shift, history: dc/dt = shift c + history.
    """

    unknowns: list[fem.Function]
    shift: fem.Constant
    history: fem.Function

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval for the first unknown."""

    @property
    def is_closed(self) -> bool:
        """Whether the energy must not rise."""

    def energies(self) -> dict[str, float]:
        """Parts of the energy."""

    def mean_square(self, values: Array) -> float:
        """Mean over the domain of the square of a field of the first unknown's space."""

    def outflow(self) -> float:
        """Rate at which what the first unknown conserves is released."""


class NonlinearSolver(Protocol):
    """What the time stepper needs of Newton's method."""

    @property
    def memory(self) -> SchurMemory | None:
        """What the solver keeps from one solve to the next; None if nothing."""

    @property
    def unused_options(self) -> list[str]:
        """Options given to it that nobody has asked for."""

    def recall(self, memory: SchurMemory | None) -> None:
        """Take over the memory of another solver of the same problem."""

    def solve(self, accuracy: float = 0.0) -> NewtonResult:
        """Solve for the unknowns, starting from their present values.

        Args:
            accuracy: Error of the first unknown that suffices; zero for as exact as it can.
        """


@dataclass(frozen=True)
class StepControl:
    """Choice of time steps.

    Args:
        tolerance: Bound on the root mean square over the domain of a step's local error in c.
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
    """An accepted time step.

    Args:
        number: Steps accepted so far.
        time: Time reached.
        size: Length of the step.
        rejected: Attempts refused before this one.
        newton_iterations: Newton iterations of all attempts.
        linear_iterations: Krylov iterations of all attempts.
        rate: Largest |dc/dt| at any node over the step.
        energies: Parts of the energy at the new time.
        released: Integral over time of the problem's outflow, by the scheme's own formula.
        event: Number of the event at which the step was ended; None where it ended by itself.
    """

    number: int
    time: float
    size: float
    rejected: int
    newton_iterations: int
    linear_iterations: int
    rate: float
    energies: dict[str, float]
    released: float = 0.0
    event: int | None = None


@dataclass
class Memory:
    """What a stepper must know to go on as if nothing had happened.

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
    solver: SchurMemory | None = None
