import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.errors import ConvergenceError
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.history import History
from chemomech.solvers.newton import NewtonResult, NewtonSettings, NewtonSolver
from chemomech.solvers.steps import Memory, StepControl
from chemomech.solvers.time_stepping import Bdf

TIGHT = NewtonSettings(relative_tolerance=1e-13, absolute_tolerance=1e-14, step_tolerance=1e-14)


def square(c):
    """c' = -c^2 from c = 1 gives 1 / (1 + t)."""
    return c**2


def create_stepper(problem, control, start=1.0, solver=None):
    problem.c.x.array[:] = start
    newton = NewtonSolver(BlockSystem(problem), settings=TIGHT)
    return Bdf(problem, solver(newton) if solver else newton, control)


def run(stepper, end):
    steps = []
    while stepper.time < end:
        steps.append(stepper.advance(end))
    return steps


class Failing:
    """A solver that fails at chosen calls, leaving a spoilt state behind."""

    memory = None

    def __init__(self, solver, problem, calls):
        self._solver, self._problem, self._left, self._calls = solver, problem, 0, calls

    def solve(self, accuracy=0.0):
        self._left += 1
        result = self._solver.solve(accuracy)
        if self._left not in self._calls:
            return result
        self._problem.c.x.array[:] = np.nan
        return NewtonResult(converged=False, reason=-3, iterations=1, linear_iterations=1)


def measure_orders(errors):
    """From errors with halved steps."""
    return np.log2(np.array(errors[:-1]) / errors[1:])


def test_fixed_steps_converge_at_second_order(scalar):
    """The one step of backward Euler with which they begin leaves an error of second order."""
    errors = []
    for count in (10, 20, 40):
        problem = scalar(square)
        control = StepControl(first_step=1.0 / count, adaptive=False)
        steps = run(create_stepper(problem, control), 1.0)
        assert len(steps) == count
        errors.append(np.abs(problem.c.x.array - 0.5).max())
    np.testing.assert_allclose(measure_orders(errors), 2.0, atol=0.15)


def test_fixed_steps_from_exact_values_converge_at_third_order(scalar, recall_exactly):
    errors = []
    for count in (20, 40, 80):
        problem, size = scalar(square), 1.0 / count
        newton = NewtonSolver(BlockSystem(problem), settings=TIGHT)
        memory = recall_exactly(problem, lambda time: 1 / (1 + time), size)
        control = StepControl(first_step=size, adaptive=False, newton_share=0.0)
        steps = run(Bdf(problem, newton, control, memory), 1.0)
        assert len(steps) == count
        errors.append(np.abs(problem.c.x.array - 0.5).max())
        # c changes by nothing but what is released, by the same formula.
        assert abs(steps[-1].released["c"] - 0.5) == pytest.approx(errors[-1], rel=1e-6)
    np.testing.assert_allclose(measure_orders(errors), 3.0, atol=0.2)


def test_steps_grow_no_faster_than_the_formula_bears(scalar):
    """From a first step far too short: twofold while it is of second order, 1.5 from then on."""
    control = StepControl(tolerance=1e-3, first_step=1e-6)
    sizes = [step.size for step in run(create_stepper(scalar(square), control), 50.0)][:-2]
    ratios = np.array(sizes[1:]) / sizes[:-1]
    np.testing.assert_allclose(ratios[:1], 2.0, rtol=1e-12)
    np.testing.assert_allclose(ratios[1:11], 1.5, rtol=1e-12)
    assert ratios[1:].max() <= 1.5 * (1 + 1e-12)
    assert sizes[-1] > 1e5 * sizes[0]


class Counting:
    """A solver that keeps what it was asked for, and is off by a part of it on demand."""

    memory = None

    def __init__(self, solver, problem, offset=0.0):
        self._solver, self._problem, self._offset = solver, problem, offset
        self.asked = []

    def solve(self, accuracy=0.0):
        self.asked.append(accuracy)
        result = self._solver.solve(accuracy)
        self._problem.c.x.array[:] += self._offset * accuracy
        return result


def test_newton_s_method_is_given_its_share_of_the_tolerance(scalar):
    """But none to make a state consistent, and none while events are watched for."""
    problem = scalar(square)
    solvers = []

    def count(newton):
        solvers.append(Counting(newton, problem))
        return solvers[0]

    control = StepControl(tolerance=1e-4, first_step=0.01, newton_share=0.25)
    stepper = create_stepper(problem, control, solver=count)
    stepper.advance(1e9)
    stepper.advance(1e9, [lambda: -1.0])
    assert solvers[0].asked == [0.0, 0.25 * 1e-4, 0.0]


def test_rise_of_energy_within_newton_s_share_is_solved_away(scalar):
    """c' = -c^2 loses energy; an error of the solver that raises it does not count."""
    problem = scalar(square, is_closed=True)
    solvers = []

    def count(newton):
        solvers.append(Counting(newton, problem, offset=1.0))
        return solvers[0]

    # The step's own change is a tenth of the share.
    control = StepControl(tolerance=1e-2, first_step=1e-4, newton_share=0.1)
    step = create_stepper(problem, control, solver=count).advance(1e9)
    assert step.rejected == 0
    assert step.newton_iterations >= 2
    assert solvers[0].asked == [0.0, 1e-3, 0.0]
    # Backward Euler's root of (c - 1) / h = -c^2.
    exact = (np.sqrt(1 + 4e-4) - 1) / 2e-4
    np.testing.assert_allclose(problem.c.x.array, exact, rtol=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_inexact_steps_stay_within_the_tolerance_of_exact_ones(scalar, share):
    """Errors of a contracting equation add up to less than the sum of all."""
    results = []
    for newton_share in (0.0, share):
        problem = scalar(square)
        control = StepControl(1e-4, first_step=0.02, adaptive=False, newton_share=newton_share)
        steps = run(create_stepper(problem, control), 1.0)
        results.append((problem.c.x.array.copy(), sum(step.newton_iterations for step in steps)))
    (exact, many), (inexact, few) = results
    assert np.abs(inexact - exact).max() < share * 1e-4 * len(steps)
    assert few < many


def test_adaptive_steps_keep_the_local_error(scalar):
    """Errors of a contracting equation add up to less than the sum of the local ones."""
    errors, counts = [], []
    for tolerance in (1e-4, 1e-6):
        problem = scalar(square)
        steps = run(create_stepper(problem, StepControl(tolerance=tolerance)), 4.0)
        errors.append(np.abs(problem.c.x.array - 0.2).max())
        counts.append(len(steps))
        assert errors[-1] < tolerance * len(steps)
    # The local error of a third-order scheme is of fourth order in the step.
    assert 100 ** (1 / 4) / 1.5 < counts[1] / counts[0] < 100 ** (1 / 4) * 1.5


def test_targets_are_hit_exactly_and_steps_bounded(scalar):
    stepper = create_stepper(scalar(square), StepControl(max_step=0.3))
    for target in (0.7, 0.7 + 1e-3, 2.0):
        steps = run(stepper, target)
        assert stepper.time == target
        assert max(step.size for step in steps) <= 0.3


def test_failed_step_is_taken_back_and_shortened(scalar):
    """The state after a refused attempt is as if that attempt had never been."""
    problem, undisturbed = scalar(square), scalar(square)
    control = StepControl(first_step=0.1)
    stepper = create_stepper(problem, control, solver=lambda newton: Failing(newton, problem, {2}))
    step = stepper.advance(1.0)
    assert step.rejected == 1
    assert step.size < 0.1
    reference = create_stepper(undisturbed, StepControl(first_step=step.size))
    reference.advance(1.0)
    np.testing.assert_allclose(problem.c.x.array, undisturbed.c.x.array, rtol=1e-12)


def test_fixed_step_that_fails_ends_the_run(scalar):
    problem = scalar(square)
    control = StepControl(first_step=0.1, adaptive=False)
    stepper = create_stepper(problem, control, solver=lambda newton: Failing(newton, problem, {3}))
    stepper.advance(1.0)
    before = problem.c.x.array.copy()
    with pytest.raises(ConvergenceError, match="failed") as caught:
        stepper.advance(1.0)
    assert caught.value.reason == -3
    assert stepper.time == pytest.approx(0.1)
    np.testing.assert_array_equal(problem.c.x.array, before)


def test_state_that_cannot_be_made_consistent_is_refused(scalar):
    problem = scalar(square)
    with pytest.raises(ConvergenceError, match="initial state"):
        create_stepper(problem, StepControl(), solver=lambda newton: Failing(newton, problem, {1}))


def test_closed_system_may_not_gain_energy(scalar):
    """c' = c raises c^2 however short the step: refused, and the state stays what it was."""
    open_system = create_stepper(scalar(lambda c: -c), StepControl(first_step=0.01))
    assert open_system.advance(1.0).rejected == 0
    closed = create_stepper(scalar(lambda c: -c, is_closed=True), StepControl(first_step=0.01))
    before = closed.energies["square"]
    with pytest.raises(ConvergenceError, match=r"failed.*the free energy .* rises"):
        closed.advance(1.0)
    assert closed.time == 0.0
    assert closed.energies["square"] == before


def test_rate_is_that_of_the_step(scalar):
    problem = scalar(lambda c: ufl.as_ufl(3.0))
    step = create_stepper(problem, StepControl()).advance(1.0)
    assert step.rate == pytest.approx(3.0, rel=1e-6)
    assert step.energies == problem.energies()


def test_closed_system_may_gain_what_newton_s_method_leaves(scalar):
    """At rest the energy is as high after a step as before, but for the solver's own error."""

    class Trembling:
        """Off by a share of 1e-11 in every other solve."""

        memory = None

        def __init__(self, solver, problem):
            self._solver, self._problem, self._sign = solver, problem, 1.0

        def solve(self, accuracy=0.0):
            result = self._solver.solve(accuracy)
            self._sign = -self._sign
            self._problem.c.x.array[:] += self._sign * 1e-11
            return result

    problem = scalar(lambda c: 1e-20 * c, is_closed=True)
    stepper = create_stepper(
        problem, StepControl(first_step=0.01), solver=lambda newton: Trembling(newton, problem)
    )
    assert sum(step.rejected for step in run(stepper, 100.0)) == 0


def test_first_step_after_a_switch_may_shrink_however_late_it_is(scalar):
    """Limits are relative to the stage's own first step, not to the time reached."""
    problem = scalar(square)
    stepper = create_stepper(
        problem,
        StepControl(first_step=1e-3),
        solver=lambda newton: Failing(newton, problem, set(range(2, 8))),
    )
    stepper.memory.history.times[0] = 3.6e5
    step = stepper.advance(4e5)
    assert step.rejected == 6
    assert step.size == pytest.approx(1e-3 / 4**6)


def test_step_recovers_at_once_after_one_that_had_to_land(scalar):
    """Times to hit, as of noise, apart by less than two steps: one step each from then on."""
    stepper = create_stepper(scalar(lambda c: 1e-6 * c), StepControl(first_step=0.1))
    sizes = []
    for interval in range(1, 40):
        sizes += [step.size for step in run(stepper, float(interval))]
    assert len(sizes) < 39 + 8
    np.testing.assert_allclose(sizes[-30:], 1.0, rtol=1e-9)


def test_state_within_a_step_is_as_exact_as_a_step_to_that_time(create_chemo_mechanics):
    """Half way through a step c, mu and u have an error of fourth order, as where steps land."""
    problem = create_chemo_mechanics()
    newton = NewtonSolver(BlockSystem(problem), settings=NewtonSettings(1e-10, 1e-11))
    fine, middle = 0.1, 24
    control = StepControl(first_step=fine, adaptive=False, newton_share=0.0)
    stepper = Bdf(problem, newton, control)
    run(stepper, 60 * fine)
    states = []
    for _ in range(middle + 9):
        stepper.advance(1e9)
        states.append([field.function.x.array.copy() for field in problem.fields])

    def measure_error(stride):
        """Of each unknown half way through a step of so many fine ones, and at its end."""
        size, rate = stride * fine, np.zeros_like(problem.c.x.array)
        history = History([-3 * size], [states[middle - 3 * stride]], [[0.0]], {0: rate})
        for back in (2, 1, 0):
            history.push(-back * size, states[middle - back * stride], [0.0])
        control = StepControl(first_step=size, adaptive=False, newton_share=0.0)
        coarse = Bdf(problem, newton, control, Memory(3, history, size, size, size))
        coarse.advance(1e9)
        landed = _measure_distances(problem, states[middle + stride])
        with coarse.interpolate(0.5 * size):
            halfway = _measure_distances(problem, states[middle + stride // 2])
        # And nothing of it is left.
        np.testing.assert_array_equal(problem.c.x.array, coarse.memory.history.states[0][0])
        return halfway, landed

    halfway, landed = map(np.array, zip(*map(measure_error, (8, 4, 2)), strict=True))
    assert (np.log2(halfway[:-1] / halfway[1:]) > 3.5).all()
    assert (halfway < 2 * landed).all()


def _measure_distances(problem, state):
    """Largest difference of each unknown from a state, on all ranks."""
    comm = problem.domain.mesh.comm
    pairs = zip(problem.unknowns, state, strict=True)
    mine = [float(np.abs(unknown.x.array - values).max()) for unknown, values in pairs]
    return [comm.allreduce(distance, op=MPI.MAX) for distance in mine]
