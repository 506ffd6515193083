"""Third-order time stepping with local error control and steps that can be taken back.

PETSc's TS offers adaptive BDF too, but keeps its history to itself: a step could not be refused for
raising the free energy, nor the history be written down and read again. The scheme is short.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy import optimize

from chemomech.errors import ConvergenceError
from chemomech.solvers.history import History, limit
from chemomech.solvers.newton import NewtonResult
from chemomech.solvers.steps import Memory, NonlinearSolver, Step, StepControl, TransientProblem

Array = NDArray[np.float64]

#: Largest ratio of successive steps by the order of the formula; variable-step BDF2 is stable up to
#: 1 + sqrt(2), BDF3 up to 1.53 (Calvo, Grande and Grigorieff, 1990).
MAX_GROWTH = {1: 2.0, 2: 2.0, 3: 1.5}
#: Aimed share of the tolerance.
SAFETY = 0.8
#: Shortest step, relative to the time reached or the first step, before the stepper gives up.
SMALLEST = 1e-8
#: Length of the step that makes a state consistent, in the problem's unit of time.
VANISHING = 1e-6
#: Rise of the energy, relative to the sum of its parts' magnitudes, that counts as round-off.
ENERGY_ROUND_OFF = 1e-12
#: Accuracy, relative to the step, with which the time of an event is found.
EVENT_ACCURACY = 1e-9

#: Factor by which a step is shortened after Newton's method has failed.
_AFTER_FAILURE = 0.25

Event = Callable[[], float]
"""A collective function of the present state that is negative until something happens."""


class _TrialFailedError(Exception):
    """Newton's method has failed while an event was looked for."""


class Bdf:
    r"""Variable-step BDF3 for the first unknown, everything else algebraic.

    dc/dt at the new time is the derivative of the cubic through the new value and the last three
    (the chord, in the first step; the parabola, in the second). The local error follows from the
    distance between the result and an extrapolation through four values: both errors are known
    multiples of the same derivative.
    A step is refused and repeated shorter, from the exact former state, when Newton fails, the
    error exceeds the tolerance, or a closed system's energy rises.

    Args:
        problem: Problem whose unknowns hold the initial state; on return the algebraic unknowns
            are consistent with it.
        solver: Nonlinear solver of that problem.
        control: Choice of steps.
        memory: Of an earlier stepper, to go on from: its newest state becomes the unknowns'.

    Raises:
        ConvergenceError: If the initial state cannot be made consistent.
    """

    def __init__(
        self,
        problem: TransientProblem,
        solver: NonlinearSolver,
        control: StepControl,
        memory: Memory | None = None,
    ) -> None:
        self._problem = problem
        self._solver = solver
        self._control = control
        self._comm: MPI.Comm = problem.unknowns[0].function_space.mesh.comm
        if memory is None:
            self._memory = self._begin(number=0, time=0.0, released=0.0)
        else:
            self._memory = memory
            self._solver.recall(memory.solver)
            self._restore_state()
        self._energies = problem.energies()

    @property
    def time(self) -> float:
        """Time of the unknowns' present values."""
        return self._history.times[0]

    @property
    def energies(self) -> dict[str, float]:
        """Parts of the energy at :attr:`time`."""
        return self._energies

    @property
    def memory(self) -> Memory:
        """What a stepper must know to go on from here; not a copy."""
        self._memory.solver = self._solver.memory
        return self._memory

    @property
    def unused_options(self) -> list[str]:
        """Options given to the solver that nobody has asked for."""
        return self._solver.unused_options

    def present(self) -> Step:
        """The present state in the form of a step of no length."""
        released = self._history.released[0]
        return Step(self._memory.number, self.time, 0.0, 0, 0, 0, 0.0, self._energies, released)

    def jump(self) -> None:
        """Begin anew at the present composition after something outside has changed at once.

        The algebraic unknowns are made consistent with it; the history, which no formula may look
        across, is dropped.

        Raises:
            ConvergenceError: If the state cannot be made consistent.
        """
        number, released = self._memory.number, self._history.released[0]
        self._memory = self._begin(number, self.time, released)
        self._energies = self._problem.energies()

    def advance(self, target: float, events: Sequence[Event] = ()) -> Step:
        """Take one step that ends at ``target`` at the latest, and at the first event.

        Args:
            target: Time that must not be passed, and is hit exactly when it is near.
            events: Functions of the state, negative at present; the step ends where the first one
                reaches zero.

        Raises:
            ConvergenceError: If even a vanishing step fails; the state is the one before.
        """
        size, lands = self._choose_size(target)
        before, event = _happens(events), None
        # An event is looked for among exact states: its function must not be rough.
        accuracy = 0.0 if events else self._control.newton_share * self._control.tolerance
        rejected = newton = linear = 0
        while True:
            result, error = self._attempt(size, accuracy)
            energies = self._problem.energies() if result.converged else self._energies
            if result.converged and accuracy and self._rises(energies):
                result = self._solver.solve().after(result)
                energies = self._problem.energies()
            newton, linear = newton + result.iterations, linear + result.linear_iterations
            factor = self._judge(result, error, energies)
            # Also at zero to the last bit: the next step could not begin with an event at hand.
            if factor is None and events and (after := _happens(events)) >= 0.0:
                found, result = self._locate(events, (0.0, before), (size, after))
                if found is None:
                    factor = _AFTER_FAILURE
                else:
                    size, lands = found, False
                    event = int(np.argmax([function() for function in events]))
                    energies = self._problem.energies()
            if factor is None:
                break
            rejected += 1
            self._restore_state()
            self._check_retry(factor * size, result)
            size, lands = factor * size, False
        rate = self._max_norm(self._c - self._history.states[0][0]) / size
        exponent = self._exponent
        self._accept(target if lands else self.time + size, size, energies)
        if event is None:
            self._propose(size, error, exponent, rejected)
        released = self._history.released[0]
        return Step(
            self._memory.number, self.time, size, rejected, newton, linear, rate, energies,
            released, event,
        )  # fmt: skip

    @property
    def _history(self) -> History:
        return self._memory.history

    @property
    def _exponent(self) -> float:
        """Power of the error with which the length of a step goes."""
        return -1.0 / (self._history.estimated_order + 1)

    @property
    def _c(self) -> Array:
        return self._problem.unknowns[0].x.array

    def _begin(self, number: int, time: float, released: float) -> Memory:
        """Memory of a stepper that starts at the unknowns' present values."""
        self._memory = Memory(
            number,
            History(time, self._copy_state(), released, np.zeros_like(self._c)),
            last_size=math.inf,
            proposal=math.inf,
            first_proposal=math.inf,
        )
        rate = self._make_consistent()
        first = self._control.first_step or self._estimate_first_step(rate)
        history = History(time, self._copy_state(), released, rate)
        return Memory(number, history, math.inf, first, first)

    def _choose_size(self, target: float) -> tuple[float, bool]:
        """Length of the next step and whether it lands on ``target``."""
        left = target - self.time
        memory = self._memory
        growth = MAX_GROWTH[self._history.order]
        size = min(memory.proposal, self._control.max_step, growth * memory.last_size)
        if not self._control.adaptive:
            size = memory.proposal
        if size >= left * (1 - 1e-10):
            return left, True
        # Two even steps rather than one whole and a crumb.
        return (left / 2 if self._control.adaptive and 2 * size > left else size), False

    def _attempt(self, size: float, accuracy: float = 0.0) -> tuple[NewtonResult, float]:
        """Solve one step; the error is relative to the tolerance (0 where none is known)."""
        self._set_difference(size)
        for unknown, values in zip(self._problem.unknowns, self._history.guess(size), strict=True):
            unknown.x.array[:] = values
        limit(self._c, self._history.states[0][0], self._problem.bounds)
        result = self._solver.solve(accuracy)
        if not result.converged or not self._control.adaptive:
            return result, 0.0
        predicted, share = self._history.predict(size)
        error = share * math.sqrt(self._problem.mean_square(self._c - predicted))
        return result, error / self._control.tolerance

    def _set_difference(self, size: float) -> None:
        """Write dc/dt = shift c + history for a step of the given length into the problem."""
        self._problem.shift.value = self._history.difference(size)[0]
        self._problem.history.x.array[:] = self._history.older_part(size)

    def _judge(
        self, result: NewtonResult, error: float, energies: dict[str, float]
    ) -> float | None:
        """Factor by which to shorten the step, or None to accept it."""
        if not result.converged:
            return _AFTER_FAILURE
        if not self._control.adaptive:
            return None
        if error > 1:
            return max(0.2, SAFETY * error**self._exponent)
        return 0.5 if self._rises(energies) else None

    def _rises(self, energies: dict[str, float]) -> bool:
        """Whether the energy of a closed system has risen."""
        magnitude = sum(abs(part) for part in energies.values())
        rise = sum(energies.values()) - sum(self._energies.values())
        return self._problem.is_closed and rise > ENERGY_ROUND_OFF * magnitude

    def _check_retry(self, size: float, result: NewtonResult) -> None:
        """Raise if a shorter step is not allowed or would vanish."""
        shortest = SMALLEST * max(self.time, self._memory.first_proposal)
        if self._control.adaptive and size > shortest:
            return
        raise ConvergenceError(
            f"the step from t = {self.time:g} (in the run's unit of time) failed "
            f"(PETSc's reason {result.reason}); a smaller tolerance or first step may help",
            reason=result.reason,
        )

    def _locate(
        self, events: Sequence[Event], start: tuple[float, float], end: tuple[float, float]
    ) -> tuple[float | None, NewtonResult]:
        """Find the length of the step that ends at the first event, and solve its state.

        Args:
            events: The events.
            start: Length of no step, and how far the events are from happening then.
            end: Length of the step in which one happens, and how far it has gone.

        Returns:
            The length, None where Newton's method failed on the way: a shorter step may come closer
            without it; and how the last solve ended.
        """
        known, size = dict((start, end)), end[0]
        result = NewtonResult(True, 0, 0, 0)

        def happens_after(length: float) -> float:
            nonlocal result
            if length in known:
                return known[length]
            self._restore_state()
            result, _ = self._attempt(length)
            if not result.converged:
                raise _TrialFailedError
            return _happens(events)

        accuracy = EVENT_ACCURACY * size
        try:
            found = float(optimize.brentq(happens_after, 0.0, size, xtol=accuracy, rtol=1e-12))
            # What all but happened in the step before is found at once; no step has no length.
            found = max(found, accuracy)
            known.clear()
            happens_after(found)
        except _TrialFailedError:
            return None, result
        return found, result

    def _accept(self, time: float, size: float, energies: dict[str, float]) -> None:
        released = self._history.integrate(self._problem.outflow(), size)
        self._history.push(time, self._copy_state(), released)
        self._memory.number += 1
        self._memory.last_size = size
        self._energies = energies

    def _propose(self, size: float, error: float, exponent: float, rejected: int) -> None:
        """Choose the length to try next; a step cut short to land says nothing against the last."""
        if not self._control.adaptive:
            return
        growth = SAFETY * max(error, 1e-12) ** exponent
        proposal = size * min(MAX_GROWTH[self._history.order], max(0.2, growth))
        if rejected == 0 and growth >= 1:
            proposal = max(proposal, min(self._memory.proposal, size * growth))
        self._memory.proposal = proposal

    def _make_consistent(self) -> Array:
        """Solve for the algebraic unknowns at the present composition; return dc/dt.

        This is a backward Euler step so short that the composition does not move.
        """
        initial = self._c.copy()
        self._set_difference(VANISHING)
        result = self._solver.solve()
        rate = np.divide(self._c - initial, VANISHING, dtype=np.float64)
        self._c[:] = initial
        if not result.converged:
            which = f"state at t = {self.time:g} (in the run's unit of time)"
            raise ConvergenceError(
                f"the {which if self.time else 'initial state'} cannot be made consistent "
                f"(PETSc's reason {result.reason})",
                reason=result.reason,
            )
        return rate

    def _estimate_first_step(self, initial_rate: Array) -> float:
        """Step over which the initial rate changes c by a tenth of the tolerance."""
        rate = math.sqrt(self._problem.mean_square(initial_rate))
        return min(0.1 * self._control.tolerance / rate if rate > 0 else 1.0, 1.0)

    def _copy_state(self) -> list[Array]:
        return [unknown.x.array.copy() for unknown in self._problem.unknowns]

    def _restore_state(self) -> None:
        state = self._history.states[0]
        for unknown, values in zip(self._problem.unknowns, state, strict=True):
            unknown.x.array[:] = values

    def _max_norm(self, values: Array) -> float:
        return float(self._comm.allreduce(np.abs(values).max(initial=0.0), op=MPI.MAX))


def _happens(events: Sequence[Event]) -> float:
    """The largest of the events' functions: none has happened while it is negative."""
    return max((function() for function in events), default=-math.inf)
