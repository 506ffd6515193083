"""Third-order time stepping with local error control and steps that can be taken back.

PETSc's TS offers adaptive BDF too, but keeps its history to itself: a step could not be refused for
raising the free energy, nor the history be written down and read again. The scheme is short.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.forms.fields import find_given_up
from chemomech.solvers.events import Event, locate_first, measure_nearest
from chemomech.solvers.failures import StepError, describe_newton
from chemomech.solvers.history import History
from chemomech.solvers.newton import NewtonResult, NewtonSolver
from chemomech.solvers.step_sizes import choose_size, propose_size, relate, shorten
from chemomech.solvers.steps import Memory, Step, StepControl, TransientProblem

#: Shortest step, relative to the first one since the last jump, before the stepper gives up.
_SMALLEST = 1e-8
#: Shortest step, relative to the time reached, that moves a clock of double precision.
_CLOCK = 1e-14
#: Length of the step that makes a state consistent, in the problem's unit of time.
_VANISHING = 1e-6
#: Rise of the energy, relative to the sum of its parts' magnitudes, that no shorter step can avoid:
#: Newton's method leaves an error, and at rest nothing else is left to fall.
_ENERGY_ROUND_OFF = 1e-10
#: Factor by which a step is shortened after Newton's method has failed.
_AFTER_FAILURE = 0.25


@dataclass
class _Trial:
    """An attempted step: how its last solve ended, and the iterations of all.

    The error is relative to the tolerance, 0 where none is known. A factor tells to repeat it so
    much shorter; with None it can be accepted. The event is the number of that which ends it.
    """

    size: float
    result: NewtonResult
    newton: int
    linear: int
    error: float
    energies: dict[str, float]
    factor: float | None
    event: int | None = None


class Bdf:
    r"""Variable-step BDF3 for the fields that evolve, everything else algebraic.

    dx/dt at the new time is the derivative of the cubic through the new value and the last three
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

    Attributes:
        longest: Length that adaptive steps must not exceed for now; infinite at first.

    Raises:
        StepError: If the initial state cannot be made consistent.
    """

    def __init__(
        self,
        problem: TransientProblem,
        solver: NewtonSolver,
        control: StepControl,
        memory: Memory | None = None,
    ) -> None:
        self._problem = problem
        self._solver = solver
        self._control = control
        self.longest = math.inf
        self._fields = problem.fields
        self._evolving = {
            index: field.evolution
            for index, field in enumerate(problem.fields)
            if field.evolution is not None
        }
        self._comm: MPI.Comm = problem.fields[0].function.function_space.mesh.comm
        if memory is None:
            self._memory = self._begin(0, 0.0, [0.0] * len(self._evolving))
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
    def number(self) -> int:
        """Number of steps accepted so far."""
        return self._memory.number

    @property
    def energies(self) -> dict[str, float]:
        """Parts of the energy at :attr:`time`."""
        return self._energies

    @property
    def memory(self) -> Memory:
        """All that a stepper must know to go on from here; not a copy."""
        self._memory.solver = self._solver.memory
        return self._memory

    @property
    def unused_options(self) -> list[str]:
        """Options given to the solver that nobody has asked for."""
        return self._solver.unused_options

    def close(self) -> None:
        """Free all that its solver holds; no step can be taken any more. Collective.

        Unknowns keep their values. ``contextlib.closing(stepper)`` does it at the end of a block.
        """
        self._solver.close()

    def present(self) -> Step:
        """The present state in the form of a step of no length."""
        return Step(
            self._memory.number, self.time, 0.0, 0, 0, 0, 0.0, self._energies, self._released
        )

    def reset_history(self) -> None:
        """Begin anew at the present composition after something outside has changed at once.

        The algebraic unknowns are made consistent with it; the history, which no formula may look
        across, is dropped.
        """
        number, released = self._memory.number, self._history.released[0]
        self._memory = self._begin(number, self.time, released)
        self._energies = self._problem.energies()

    @contextmanager
    def interpolate(self, time: float) -> Iterator[None]:
        """Let the unknowns hold the state at a time within the last step while the block runs.

        It is that of the polynomial whose derivative the step's formula is, as exact as the steps.
        """
        values = self._history.interpolate(time)
        self._limit(values)
        self._set_state(values)
        try:
            yield
        finally:
            self._restore_state()

    def advance(self, target: float, events: Sequence[Event] = ()) -> Step:
        """Take one step that ends at ``target`` at the latest, and at the first event.

        The target is hit exactly when it is near. Events are functions of the state, negative at
        present; the step ends where the first one reaches zero.

        Raises:
            StepError: If even a vanishing step fails; the state is the one before.
        """
        chosen = choose_size(self._memory, self._control, target, self.longest)
        size, lands, wanted = chosen.length, chosen.lands, chosen.wanted
        before = measure_nearest(events)
        rejected = newton = linear = 0
        while True:
            trial = self._try(size, events, before)
            newton, linear = newton + trial.newton, linear + trial.linear
            if trial.factor is None:
                break
            rejected += 1
            self._restore_state()
            self._check_retry(trial.factor * size, trial)
            size = wanted = trial.factor * size
            lands = False
        former = self._history.states[0]
        moved = (self._values(index) - former[index] for index in self._evolving)
        fastest = max(float(np.abs(change).max(initial=0.0)) for change in moved)
        rate = self._comm.allreduce(fastest, op=MPI.MAX) / trial.size
        exponent = self._exponent
        lands = lands and trial.event is None
        self._accept(target if lands else self.time + trial.size, trial)
        if trial.event is None and self._control.adaptive:
            self._memory.last_size = relate(trial.size, wanted)
            self._memory.proposal = propose_size(
                self._memory, trial.size, trial.error, exponent, rejected
            )
        return Step(
            self._memory.number, self.time, trial.size, rejected, newton, linear, rate,
            trial.energies, self._released, trial.event,
        )  # fmt: skip

    @property
    def _history(self) -> History:
        return self._memory.history

    @property
    def _released(self) -> dict[str, float]:
        """Release of each evolving field so far, by its name."""
        names = (self._fields[index].name for index in self._evolving)
        return dict(zip(names, self._history.released[0], strict=True))

    @property
    def _exponent(self) -> float:
        """Power of the error with which the length of a step goes."""
        return -1.0 / (self._history.estimated_order + 1)

    def _values(self, index: int) -> FloatArray:
        """Present values of one unknown; not a copy."""
        return self._fields[index].function.x.array

    def _begin(self, number: int, time: float, released: list[float]) -> Memory:
        """Memory of a stepper that starts at the unknowns' present values."""
        for field in self._fields:
            field.impose_conditions()
        self._stand_still(number, time, released)
        if self._has_driven_dofs:
            self._solve_vanishing_step()
            self._stand_still(number, time, released)
        rates = self._make_consistent()
        first = self._control.first_step or self._estimate_first_step(rates)
        history = History([time], [self._copy_state()], [released], rates)
        return Memory(number, history, math.inf, first, first)

    def _stand_still(self, number: int, time: float, released: list[float]) -> None:
        """Remember the unknowns' present values as a state in which nothing moves."""
        still = {index: np.zeros_like(self._values(index)) for index in self._evolving}
        history = History([time], [self._copy_state()], [released], still)
        self._memory = Memory(number, history, math.inf, math.inf, math.inf)

    @property
    def _has_driven_dofs(self) -> bool:
        """Tell if some values of evolving fields follow at once from another field that is held."""
        given_up = ((find_given_up(self._fields, index), index) for index in self._evolving)
        return any(held != index for rows, index in given_up for held, _ in rows)

    def _try(self, size: float, events: Sequence[Event], before: float) -> _Trial:
        """Attempt a step and judge it; where an event happens in it, end it there.

        ``before`` tells how far the nearest one is from happening at present; negative.
        """
        # An event is looked for among exact states: its function must not be rough.
        accuracy = 0.0 if events else self._control.newton_share * self._control.tolerance
        result, error = self._attempt(size, accuracy)
        energies = self._problem.energies() if result.converged else self._energies
        if result.converged and accuracy and self._rises(energies):
            result = self._solver.solve().after(result)
            energies = self._problem.energies()
        factor = self._judge(result, error, energies)
        cost = result.iterations, result.linear_iterations
        trial = _Trial(size, result, *cost, error, energies, factor)
        # Also at zero to the last bit: the next step could not begin with an event at hand.
        if factor is None and events and (after := measure_nearest(events)) >= 0.0:
            self._end_at_event(trial, events, before, after)
        return trial

    def _end_at_event(
        self, trial: _Trial, events: Sequence[Event], before: float, after: float
    ) -> None:
        """Shorten a step to where the first event happens; its state is the present one then."""

        def attempt(length: float) -> bool:
            self._restore_state()
            trial.result, _ = self._attempt(length)
            return trial.result.converged

        found = locate_first(events, attempt, before, trial.size, after)
        if found is None:
            # A shorter step may come closer without it.
            trial.factor = _AFTER_FAILURE
            return
        trial.size = found
        trial.event = int(np.argmax([event() for event in events]))
        trial.energies = self._problem.energies()

    def _attempt(self, size: float, accuracy: float = 0.0) -> tuple[NewtonResult, float]:
        """Solve one step; the error is relative to the tolerance (0 where none is known)."""
        self._set_difference(size)
        guess = self._history.guess(size)
        self._limit(guess)
        self._set_state(guess)
        result = self._solver.solve(accuracy)
        if not result.converged or not self._control.adaptive:
            return result, 0.0
        error = max(self._estimate_error(size, index) for index in self._evolving)
        return result, error / self._control.tolerance

    def _estimate_error(self, size: float, index: int) -> float:
        """Root mean square of a step's local error in one evolving field."""
        predicted, share = self._history.predict(size, index)
        distance = self._values(index) - predicted
        return share * math.sqrt(self._evolving[index].mean_square(distance))

    def _set_difference(self, size: float) -> None:
        """Write dx/dt = a x + history for a step of the given length into the problem."""
        self._problem.mass_coefficient.value = self._history.difference(size)[0]
        for index, evolution in self._evolving.items():
            evolution.history.x.array[:] = self._history.older_part(size, index)

    def _judge(
        self, result: NewtonResult, error: float, energies: dict[str, float]
    ) -> float | None:
        """Factor by which to shorten the step, or None to accept it."""
        if not result.converged:
            return _AFTER_FAILURE
        if not self._control.adaptive:
            return None
        if error > 1:
            return shorten(error, self._exponent)
        return 0.5 if self._rises(energies) else None

    def _rises(self, energies: dict[str, float]) -> bool:
        """Tell if the energy of a closed system has risen."""
        magnitude = sum(abs(part) for part in energies.values())
        rise = sum(energies.values()) - sum(self._energies.values())
        return self._problem.is_closed and rise > _ENERGY_ROUND_OFF * magnitude

    def _check_retry(self, size: float, trial: _Trial) -> None:
        """Raise if a shorter step is not allowed or would vanish."""
        shortest = max(_SMALLEST * self._memory.first_proposal, _CLOCK * self.time)
        if self._control.adaptive and size > shortest:
            return
        raise StepError(_explain(trial), self.time, trial.size, trial.result.reason)

    def _accept(self, time: float, trial: _Trial) -> None:
        outflows = [evolution.outflow() for evolution in self._evolving.values()]
        released = self._history.integrate(outflows, trial.size)
        self._history.push(time, self._copy_state(), released)
        self._memory.number += 1
        self._memory.last_size = trial.size
        self._energies = trial.energies

    def _make_consistent(self) -> dict[int, FloatArray]:
        """Solve for the algebraic unknowns at the present state; return the evolving ones' rates.

        This is a backward Euler step so short that nothing moves.
        """
        initial = {index: self._values(index).copy() for index in self._evolving}
        self._solve_vanishing_step()
        rates = {}
        for index, values in initial.items():
            rates[index] = np.divide(self._values(index) - values, _VANISHING, dtype=np.float64)
            self._values(index)[:] = values
        return rates

    def _solve_vanishing_step(self) -> None:
        self._set_difference(_VANISHING)
        result = self._solver.solve()
        if not result.converged:
            why = describe_newton(result.reason, result.linear_reason)
            raise StepError(why, self.time, 0.0, result.reason)

    def _estimate_first_step(self, rates: Mapping[int, FloatArray]) -> float:
        """Step over which no field changes by more than a tenth of the tolerance."""
        squares = (self._evolving[index].mean_square(rate) for index, rate in rates.items())
        rate = math.sqrt(max(squares))
        return min(0.1 * self._control.tolerance / rate if rate > 0 else 1.0, 1.0)

    def _limit(self, values: list[FloatArray]) -> None:
        """Let a guess at no node go more than 0.9 of the last value's way to a bound; in place."""
        for field, guess, last in zip(self._fields, values, self._history.states[0], strict=True):
            lower, upper = field.bounds
            if math.isfinite(lower):
                np.maximum(guess, lower + 0.1 * (last - lower), out=guess)
            if math.isfinite(upper):
                np.minimum(guess, upper - 0.1 * (upper - last), out=guess)

    def _copy_state(self) -> list[FloatArray]:
        return [field.function.x.array.copy() for field in self._fields]

    def _restore_state(self) -> None:
        self._set_state(self._history.states[0])

    def _set_state(self, state: list[FloatArray]) -> None:
        for field, values in zip(self._fields, state, strict=True):
            field.function.x.array[:] = values


def _explain(trial: _Trial) -> str:
    """Why an attempted step was refused."""
    result = trial.result
    if not result.converged:
        return describe_newton(result.reason, result.linear_reason)
    if trial.error > 1:
        return f"the error in composition is {trial.error:.2g} times the tolerance"
    return "the free energy of a closed particle rises"
