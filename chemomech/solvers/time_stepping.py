"""Second-order time stepping with local error control and steps that can be taken back.

PETSc's TS offers adaptive BDF too, but keeps its history to itself: a step could not be refused for
raising the free energy, nor the history be written down and read again. The scheme is short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.errors import ConvergenceError
from chemomech.solvers.newton import NewtonResult

Array = NDArray[np.float64]

#: Largest ratio of successive steps; variable-step BDF2 is stable up to 1 + sqrt(2).
MAX_GROWTH = 2.0
#: Aimed share of the tolerance.
SAFETY = 0.8
#: Shortest step, relative to the time reached or the first step, before the stepper gives up.
SMALLEST = 1e-8
#: Length of the step that makes the initial state consistent, in the problem's unit of time.
VANISHING = 1e-6
#: Rise of the energy, relative to the sum of its parts' magnitudes, that counts as round-off.
ENERGY_ROUND_OFF = 1e-12


class TransientProblem(Protocol):
    """What a problem must offer to be stepped in time.

    Attributes:
        unknowns: Functions to find; only the first has a time derivative.
        shift, history: dc/dt = shift c + history.
        is_closed: Whether the energy must not rise.
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


class NonlinearSolver(Protocol):
    """What the time stepper needs of Newton's method."""

    def solve(self) -> NewtonResult:
        """Solve for the unknowns, starting from their present values."""


@dataclass(frozen=True)
class StepControl:
    """Choice of time steps.

    Args:
        tolerance: Bound on the root mean square over the domain of a step's local error in c.
        first_step: First step; None derives it from the initial rate.
        max_step: Longest step.
        adaptive: Whether steps follow the error; otherwise all are ``first_step``.
    """

    tolerance: float = 1e-3
    first_step: float | None = None
    max_step: float = math.inf
    adaptive: bool = True


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
    """

    number: int
    time: float
    size: float
    rejected: int
    newton_iterations: int
    linear_iterations: int
    rate: float
    energies: dict[str, float]


class Bdf2:
    r"""Variable-step BDF2 for the first unknown, everything else algebraic.

    dc/dt at the new time is the derivative of the parabola through the new value and the last two
    (of the chord, in the first step). The local error follows from the distance between the result
    and an extrapolation of one order more: both errors are known multiples of the same derivative.
    A step is refused and repeated shorter, from the exact former state, when Newton fails, the
    error exceeds the tolerance, or a closed system's energy rises.

    Args:
        problem: Problem whose unknowns hold the initial state; on return the algebraic unknowns
            are consistent with it.
        solver: Nonlinear solver of that problem.
        control: Choice of steps.

    Raises:
        ConvergenceError: If the initial state cannot be made consistent.
    """

    def __init__(
        self, problem: TransientProblem, solver: NonlinearSolver, control: StepControl
    ) -> None:
        self._problem = problem
        self._solver = solver
        self._control = control
        self._comm: MPI.Comm = problem.unknowns[0].function_space.mesh.comm
        self._number = 0
        self._times = [0.0]
        self._states = [self._copy_state()]
        self._initial_rate = self._make_consistent()
        self._states = [self._copy_state()]
        self._energies = problem.energies()
        self._last_size = math.inf
        self._first_proposal = control.first_step or self._estimate_first_step()
        self._proposal = self._first_proposal

    @property
    def time(self) -> float:
        """Time of the unknowns' present values."""
        return self._times[0]

    @property
    def energies(self) -> dict[str, float]:
        """Parts of the energy at :attr:`time`."""
        return self._energies

    def advance(self, target: float) -> Step:
        """Take one step that ends at ``target`` at the latest.

        Args:
            target: Time that must not be passed, and is hit exactly when it is near.

        Raises:
            ConvergenceError: If even a vanishing step fails; the state is the one before.
        """
        size, lands = self._choose_size(target)
        rejected = newton = linear = 0
        while True:
            result, error = self._attempt(size)
            newton, linear = newton + result.iterations, linear + result.linear_iterations
            energies = self._problem.energies() if result.converged else self._energies
            factor = self._judge(result, error, energies)
            if factor is None:
                break
            rejected += 1
            self._restore_state()
            self._check_retry(factor * size, result)
            size, lands = factor * size, False
        rate = self._max_norm(self._c - self._states[0][0]) / size
        self._accept(target if lands else self.time + size, size, energies)
        self._propose(size, error, rejected)
        return Step(self._number, self.time, size, rejected, newton, linear, rate, energies)

    @property
    def _c(self) -> Array:
        return self._problem.unknowns[0].x.array

    def _choose_size(self, target: float) -> tuple[float, bool]:
        """Length of the next step and whether it lands on ``target``."""
        left = target - self.time
        size = min(self._proposal, self._control.max_step, MAX_GROWTH * self._last_size)
        if not self._control.adaptive:
            size = self._proposal
        if size >= left * (1 - 1e-10):
            return left, True
        # Two even steps rather than one whole and a crumb.
        return (left / 2 if self._control.adaptive and 2 * size > left else size), False

    def _attempt(self, size: float) -> tuple[NewtonResult, float]:
        """Solve one step; the error is relative to the tolerance (0 where none is known)."""
        self._set_difference(size)
        predicted, share = self._predict(size)
        for unknown, values in zip(self._problem.unknowns, predicted, strict=True):
            unknown.x.array[:] = values
        self._c[:] = self._limit(predicted[0].copy())
        result = self._solver.solve()
        if not result.converged or not self._control.adaptive:
            return result, 0.0
        error = share * math.sqrt(self._problem.mean_square(self._c - predicted[0]))
        return result, error / self._control.tolerance

    def _set_difference(self, size: float) -> None:
        """Write dc/dt = shift c + history for a step of the given length into the problem."""
        values = [state[0] for state in self._states]
        if len(values) == 1:
            shift, history = 1.0 / size, -values[0] / size
        else:
            w = size / (self._times[0] - self._times[1])
            shift = (1 + 2 * w) / ((1 + w) * size)
            history = (w**2 / (1 + w) * values[1] - (1 + w) * values[0]) / size
        self._problem.shift.value = shift
        self._problem.history.x.array[:] = history

    def _predict(self, size: float) -> tuple[list[Array], float]:
        """Extrapolated state, and the share of (result - prediction) that is the step's error.

        With p the predicted and c the exact value, c - p = E_p and (computed) - c = E_s are
        multiples of one derivative of c: the share is E_s / (E_s + E_p).
        """
        time = self.time + size
        if len(self._times) == 1:
            first, *others = self._states[0]
            return [first + size * self._initial_rate, *others], 0.5
        weights = _extrapolate(self._times, time)
        predicted = [
            sum(w * values for w, values in zip(weights, history, strict=True))
            for history in zip(*self._states, strict=True)
        ]
        if len(self._times) == 2:
            # The chord is of lower order than BDF2: the estimate is that of a first-order step.
            return predicted, size / (size + time - self._times[1])
        scaled = size / (self._problem.shift.value * size)
        return predicted, scaled / (scaled + time - self._times[2])

    def _judge(
        self, result: NewtonResult, error: float, energies: dict[str, float]
    ) -> float | None:
        """Factor by which to shorten the step, or None to accept it."""
        if not result.converged:
            return 0.25
        if not self._control.adaptive:
            return None
        if error > 1:
            return max(0.2, SAFETY * error ** (-1 / 3))
        magnitude = sum(abs(part) for part in energies.values())
        rise = sum(energies.values()) - sum(self._energies.values())
        if self._problem.is_closed and rise > ENERGY_ROUND_OFF * magnitude:
            return 0.5
        return None

    def _check_retry(self, size: float, result: NewtonResult) -> None:
        """Raise if a shorter step is not allowed or would vanish."""
        if self._control.adaptive and size > SMALLEST * max(self.time, self._first_proposal):
            return
        raise ConvergenceError(
            f"the step from t = {self.time:g} (in the run's unit of time) failed "
            f"(PETSc's reason {result.reason}); a smaller tolerance or first step may help",
            reason=result.reason,
        )

    def _accept(self, time: float, size: float, energies: dict[str, float]) -> None:
        self._number += 1
        self._last_size = size
        self._energies = energies
        self._times = [time, *self._times[:2]]
        self._states = [self._copy_state(), *self._states[:2]]

    def _propose(self, size: float, error: float, rejected: int) -> None:
        """Choose the length to try next; a step cut short to land says nothing against the last."""
        if not self._control.adaptive:
            return
        growth = SAFETY * max(error, 1e-12) ** (-1 / 3)
        proposal = size * min(MAX_GROWTH, max(0.2, growth))
        if rejected == 0 and growth >= 1:
            proposal = max(proposal, min(self._proposal, size * growth))
        self._proposal = proposal

    def _make_consistent(self) -> Array:
        """Solve for the algebraic unknowns at the initial composition; return dc/dt.

        This is a backward Euler step so short that the composition does not move.
        """
        initial = self._c.copy()
        self._set_difference(VANISHING)
        result = self._solver.solve()
        rate = np.divide(self._c - initial, VANISHING, dtype=np.float64)
        self._c[:] = initial
        if not result.converged:
            raise ConvergenceError(
                f"the initial state cannot be made consistent (PETSc's reason {result.reason})",
                reason=result.reason,
            )
        return rate

    def _estimate_first_step(self) -> float:
        """Step over which the initial rate changes c by a tenth of the tolerance."""
        rate = math.sqrt(self._problem.mean_square(self._initial_rate))
        return min(0.1 * self._control.tolerance / rate if rate > 0 else 1.0, 1.0)

    def _copy_state(self) -> list[Array]:
        return [unknown.x.array.copy() for unknown in self._problem.unknowns]

    def _restore_state(self) -> None:
        for unknown, values in zip(self._problem.unknowns, self._states[0], strict=True):
            unknown.x.array[:] = values

    def _limit(self, guess: Array) -> Array:
        """A guess that at no node goes more than 0.9 of the last value's way to a bound."""
        lower, upper = self._problem.bounds
        last = self._states[0][0]
        if math.isfinite(lower):
            np.maximum(guess, lower + 0.1 * (last - lower), out=guess)
        if math.isfinite(upper):
            np.minimum(guess, upper - 0.1 * (upper - last), out=guess)
        return guess

    def _max_norm(self, values: Array) -> float:
        return float(self._comm.allreduce(np.abs(values).max(initial=0.0), op=MPI.MAX))


def _extrapolate(times: list[float], time: float) -> list[float]:
    """Weights of the values at ``times`` in the polynomial through them, evaluated at ``time``."""
    return [
        math.prod((time - other) / (own - other) for other in times if other != own)
        for own in times
    ]
