"""Steps that end at an event, begin anew after one, and go on from a memory."""

import copy

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.errors import ConvergenceError
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonResult, NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

TIGHT = NewtonSettings(relative_tolerance=1e-13, absolute_tolerance=1e-14, step_tolerance=1e-14)


def square(c):
    """c' = -c^2 from c = 1 gives 1 / (1 + t)."""
    return c**2


def create_stepper(problem, control, start=1.0):
    problem.c.x.array[:] = start
    return Bdf(problem, NewtonSolver(BlockSystem(problem), settings=TIGHT), control)


def level(problem):
    """Any of the values: all nodes have the same."""
    return problem.mesh.comm.bcast(float(problem.c.x.array[0]))


def falls_to(problem, value):
    return lambda: value - level(problem)


def advance_to_event(stepper, events, target=100.0):
    """Step until an event; return all steps."""
    steps = []
    while stepper.time < target:
        steps.append(stepper.advance(target, events))
        if steps[-1].event is not None:
            return steps
    raise AssertionError("no event")


@pytest.mark.parametrize("adaptive", [True, False])
def test_event_is_hit_not_overshot(scalar, adaptive):
    problem = scalar(square)
    stepper = create_stepper(problem, StepControl(1e-6, first_step=0.03, adaptive=adaptive))
    steps = advance_to_event(stepper, [falls_to(problem, 0.5)])
    assert level(problem) == pytest.approx(0.5, abs=1e-9)
    assert stepper.time == pytest.approx(1.0, abs=1e-3 if adaptive else 3e-3)
    assert all(step.event is None for step in steps[:-1])
    assert steps[-1].time == stepper.time
    assert stepper.time == pytest.approx(sum(step.size for step in steps), rel=1e-12)
    assert steps[-1].energies == problem.energies() == stepper.energies


def test_event_at_the_scheme_s_own_time(scalar):
    """c' = -1: the scheme is exact, and so is the time at which c has fallen to a value."""
    problem = scalar(lambda c: ufl.as_ufl(1.0))
    stepper = create_stepper(problem, StepControl(first_step=0.3, adaptive=False))
    steps = advance_to_event(stepper, [falls_to(problem, 0.123456)])
    assert stepper.time == pytest.approx(1 - 0.123456, abs=1e-9)
    assert steps[-1].rate == pytest.approx(1.0, rel=1e-6)
    assert steps[-1].released["c"] == pytest.approx(1 - 0.123456, abs=1e-9)


@pytest.mark.parametrize("order", [(0.6, 0.5), (0.5, 0.6)])
def test_first_event_wins(scalar, order):
    problem = scalar(lambda c: ufl.as_ufl(1.0))
    stepper = create_stepper(problem, StepControl(first_step=10.0, adaptive=False))
    steps = advance_to_event(stepper, [falls_to(problem, value) for value in order])
    assert steps[-1].event == order.index(0.6)
    assert level(problem) == pytest.approx(0.6, abs=1e-8)


def test_event_just_when_a_step_ends(scalar):
    """What is reached exactly at the end of a step has happened."""
    problem = scalar(lambda c: ufl.as_ufl(1.0))
    stepper = create_stepper(problem, StepControl(first_step=0.25, adaptive=False))
    count = 0

    def event():
        """Zero once the second step is done, to the last bit."""
        return 0.0 if level(problem) < 0.51 else -1.0

    for _ in range(2):
        step = stepper.advance(0.5, [event])
        count += 1
    assert count == 2
    assert step.event == 0
    assert step.size == pytest.approx(0.25)
    assert stepper.time == pytest.approx(0.5)


def test_event_a_hair_after_a_step(scalar):
    """What is nearer than the accuracy is found by a vanishing step, not by one of no length."""
    problem = scalar(lambda c: ufl.as_ufl(1.0))
    stepper = create_stepper(problem, StepControl(first_step=0.25, adaptive=False))
    step = stepper.advance(0.25, [falls_to(problem, 0.75 - 1e-13)])
    assert step.event is None
    step = stepper.advance(1.0, [falls_to(problem, 0.75 - 1e-13)])
    assert step.event == 0
    assert 0.0 < step.size < 1e-8
    assert level(problem) == pytest.approx(0.75, abs=1e-8)
    stepper.reset_history()
    stepper.advance(1.0)
    assert level(problem) == pytest.approx(0.5, abs=1e-8)


def test_events_that_do_not_happen_change_nothing(scalar):
    """But that steps are solved as exactly as they can be, as all are here."""
    runs = []
    for watched in (False, True):
        problem = scalar(square)
        stepper = create_stepper(problem, StepControl(newton_share=0.0))
        events = [falls_to(problem, -1.0)] if watched else []
        steps = [stepper.advance(3.0, events) for _ in range(12)]
        runs.append((steps, problem.c.x.array.copy()))
    assert runs[0][0] == runs[1][0]
    np.testing.assert_array_equal(runs[0][1], runs[1][1])


def test_stepping_goes_on_after_an_event(scalar, recall_exactly):
    """An event that nothing is done about leaves the scheme at third order."""
    errors = []
    for count in (20, 40, 80):
        problem, size = scalar(square), 1.0 / count
        memory = recall_exactly(problem, lambda time: 1 / (1 + time), size)
        newton = NewtonSolver(BlockSystem(problem), settings=TIGHT)
        control = StepControl(first_step=size, adaptive=False, newton_share=0.0)
        stepper = Bdf(problem, newton, control, memory)
        advance_to_event(stepper, [falls_to(problem, 0.7321)])
        while stepper.time < 1.0:
            stepper.advance(1.0)
        errors.append(np.abs(problem.c.x.array - 0.5).max())
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(rates, 3.0, atol=0.3)


class Failing:
    """A solver that fails at some of its calls, counted from one."""

    memory = None

    def __init__(self, solver, calls):
        self._solver, self._calls, self._count = solver, calls, 0

    def solve(self, accuracy=0.0):
        self._count += 1
        result = self._solver.solve(accuracy)
        if self._count not in self._calls:
            return result
        return NewtonResult(converged=False, reason=-3, iterations=1, linear_iterations=1)


def test_failure_on_the_way_to_an_event_is_told(scalar):
    """Where steps have one length, there is no shorter one; the state is the one before."""
    problem = scalar(square)
    problem.c.x.array[:] = 1.0
    newton = Failing(NewtonSolver(BlockSystem(problem), settings=TIGHT), range(3, 100))
    stepper = Bdf(problem, newton, StepControl(first_step=10.0, adaptive=False))
    with pytest.raises(ConvergenceError) as caught:
        stepper.advance(100.0, [falls_to(problem, 0.5)])
    assert caught.value.reason == -3
    assert stepper.time == 0.0
    assert level(problem) == 1.0


def test_failure_on_the_way_to_an_event_shortens_the_step(scalar):
    """Call 1 makes the state consistent, 2 takes the step, 3 is the first trial on the way."""
    problem = scalar(square)
    problem.c.x.array[:] = 1.0
    newton = Failing(NewtonSolver(BlockSystem(problem), settings=TIGHT), [3])
    stepper = Bdf(problem, newton, StepControl(1e-2, first_step=0.03))
    events = [falls_to(problem, 0.98)]
    first = stepper.advance(100.0, events)
    assert first.rejected == 1
    assert first.size == pytest.approx(0.03 / 4)
    assert first.event is None
    assert advance_to_event(stepper, events)[-1].event == 0
    assert level(problem) == pytest.approx(0.98, abs=1e-9)


def test_after_a_jump_the_order_is_kept(scalar):
    """c' = -1 until c = 1/2, then c' = +c: the history is not looked back on across the kink."""
    errors = []
    for count in (10, 20, 40):
        problem, switch = create_switched(scalar)
        stepper = create_stepper(problem, StepControl(first_step=1.0 / count, adaptive=False))
        advance_to_event(stepper, [falls_to(problem, 0.5)])
        assert stepper.time == pytest.approx(0.5, abs=1e-8)
        switch.value = 1.0
        before = stepper.present()
        stepper.reset_history()
        after = stepper.present()
        assert (after.number, after.time, after.released) == (
            before.number, before.time, before.released,
        )  # fmt: skip
        assert level(problem) == pytest.approx(0.5, abs=1e-9)
        while stepper.time < 1.5:
            step = stepper.advance(1.5)
        errors.append(abs(level(problem) - 0.5 * np.e))
        # c changes by nothing but what is released.
        assert step.released["c"] == pytest.approx(1.0 - level(problem), abs=1e-10)
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(rates, 2.0, atol=0.2)


def create_switched(scalar):
    """A problem with c' = -1 that a constant turns into c' = +c."""
    constants = []

    def reaction(c):
        constants.append(fem.Constant(c.function_space.mesh, 0.0))
        return (1 - constants[0]) * 1.0 - constants[0] * c

    problem = scalar(reaction)
    problem.varying = (*problem.varying, constants[0])
    return problem, constants[0]


def test_first_step_after_a_jump_is_as_at_the_start(scalar):
    """Step length, result and all: a jump forgets but time and number."""
    problem, fresh = scalar(square), scalar(square)
    stepper = create_stepper(problem, StepControl())
    for _ in range(6):
        stepper.advance(1e9)
    stepper.reset_history()
    restarted = create_stepper(fresh, StepControl(), start=level(problem))
    ours, theirs = stepper.advance(1e9), restarted.advance(1e9)
    assert ours.size == pytest.approx(theirs.size, rel=1e-6)
    assert level(problem) == pytest.approx(level(fresh), rel=1e-9)
    assert ours.number == 7


def follow(stepper, problem, count=6):
    """Steps from here, and where they lead."""
    steps = [stepper.advance(1e9) for _ in range(count)]
    return steps, [field.function.x.array.copy() for field in problem.fields]


def require_same(ours, theirs):
    """Bitwise."""
    assert ours[0] == theirs[0]
    for mine, other in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("before", [0, 1, 2, 7])
def test_memory_determines_the_future(scalar, before):
    problem, other = scalar(square), scalar(square)
    stepper = create_stepper(problem, StepControl())
    for _ in range(before):
        stepper.advance(1e9)
    memory = copy.deepcopy(stepper.memory)
    newton = NewtonSolver(BlockSystem(other), settings=TIGHT)
    other.c.x.array[:] = 0.987
    resumed = Bdf(other, newton, StepControl(), memory)
    assert resumed.present() == stepper.present()
    assert resumed.energies == stepper.energies
    require_same(follow(resumed, other), follow(stepper, problem))


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", [None, "plane_strain", "generalised_plane_strain"])
def test_memory_determines_a_particle_s_future(create_chemo_mechanics, assumption, preset):
    problem, other = create_chemo_mechanics(assumption), create_chemo_mechanics(assumption)
    stepper = Bdf(problem, NewtonSolver(BlockSystem(problem), preset), StepControl())
    for _ in range(5):
        stepper.advance(1e9)
    memory = copy.deepcopy(stepper.memory)
    resumed = Bdf(other, NewtonSolver(BlockSystem(other), preset), StepControl(), memory)
    ours, theirs = follow(resumed, other), follow(stepper, problem)
    if problem.domain.mesh.comm.size == 1:
        require_same(ours, theirs)
    # On several ranks MUMPS adds up in the order in which messages come: no two runs are the same
    # to the last bit, interrupted or not.
    for mine, their in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(mine, their, rtol=0, atol=1e-11)
