"""The formulas through the last states, on steps of uneven length, against polynomials."""

import math

import numpy as np
import pytest

from chemomech.solvers.history import LEVELS, ORDER, History
from chemomech.solvers.step_sizes import MAX_GROWTH

#: Times of the states, oldest first, and the length of the next step.
TIMES = [0.3, 0.8, 1.0, 1.7]
NEXT = 0.6


def create_history(values, levels=LEVELS, rate=0.0):
    """The last ``levels`` states of two unknowns, of which the second is twice the first."""
    history = None
    for time in TIMES[-levels:]:
        first = np.array([values(time), -values(time)])
        state = [first, 2 * first]
        if history is None:
            history = History([time], [state], [[values(time)]], {0: np.array([rate, -rate])})
        else:
            history.push(time, state, [values(time)])
    return history


def power(degree):
    return lambda time: time**degree


@pytest.mark.parametrize("levels", range(1, LEVELS + 1))
def test_derivative_is_exact_to_the_formula_s_order(levels):
    """Of t^p for every p up to the order, not of the next power."""
    new = TIMES[-1] + NEXT
    for degree in range(ORDER + 2):
        history = create_history(power(degree), levels)
        assert history.order == min(levels, ORDER)
        shift, *_ = history.difference(NEXT)
        found = shift * new**degree + history.older_part(NEXT, 0)[0]
        expected = degree * new ** (degree - 1)
        assert (found == pytest.approx(expected, rel=1e-11, abs=1e-11)) == (degree <= history.order)


def test_first_difference_is_the_chord():
    """a = 1 / h and b = -1 / h, and the other components follow with their own values."""
    history = create_history(power(1), 1)
    assert history.difference(0.5) == pytest.approx([2.0, -2.0])
    np.testing.assert_allclose(history.older_part(0.5, 0), [-2 * TIMES[-1], 2 * TIMES[-1]])


def test_even_steps_give_the_weights_of_the_books():
    weights = create_growing(ORDER, 1.0).difference(1.0)
    assert weights == pytest.approx([11 / 6, -3, 3 / 2, -1 / 3])


@pytest.mark.parametrize("levels", range(2, LEVELS + 1))
def test_prediction_is_exact_for_the_polynomial_through_the_states(levels):
    new = TIMES[-1] + NEXT
    for degree in range(levels + 1):
        predicted, _ = create_history(power(degree), levels).predict(NEXT, 0)
        assert (predicted[0] == pytest.approx(new**degree, rel=1e-11)) == (degree < levels)


@pytest.mark.parametrize("levels", range(2, LEVELS + 1))
def test_guess_looks_back_on_one_state_less_where_there_are_all(levels):
    """Of all unknowns."""
    new, used = TIMES[-1] + NEXT, min(levels, LEVELS - 1)
    for degree in range(levels + 1):
        first, second = create_history(power(degree), levels).guess(NEXT)
        assert (first[0] == pytest.approx(new**degree, rel=1e-11)) == (degree < used)
        np.testing.assert_allclose(second, 2 * first, rtol=1e-14)


def test_first_prediction_follows_the_rate():
    history = create_history(power(1), 1, rate=1.0)
    first, second = history.guess(NEXT)
    np.testing.assert_allclose(first, [TIMES[-1] + NEXT, -TIMES[-1] - NEXT])
    np.testing.assert_array_equal(history.predict(NEXT, 0)[0], first)
    # Nothing is known of the rates of the others.
    np.testing.assert_allclose(second, [2 * TIMES[-1], -2 * TIMES[-1]])


@pytest.mark.parametrize(("levels", "degree"), [(1, 2), (LEVELS, ORDER + 1)])
def test_share_of_the_correction_is_the_error(levels, degree):
    """Of t^(p + 1), whose derivative of that order is the same everywhere, to the last digit.

    The result of a step is what makes the formula equal to the true derivative.
    """
    time, new = TIMES[-1], TIMES[-1] + NEXT
    history = create_history(power(degree), levels, rate=degree * time ** (degree - 1))
    predicted, share = history.predict(NEXT, 0)
    shift, *_ = history.difference(NEXT)
    result = (degree * new ** (degree - 1) - history.older_part(NEXT, 0)[0]) / shift
    error = result - new**degree
    assert abs(error) > 1e-3
    assert share * (result - predicted[0]) == pytest.approx(error, rel=1e-9)


@pytest.mark.parametrize("levels", [2, 3])
def test_share_while_states_are_few_is_that_of_the_order_below(levels):
    """What backward differences over one state less would leave, for a power they cannot follow."""
    new, degree = TIMES[-1] + NEXT, levels
    history, lower = (create_history(power(degree), count) for count in (levels, levels - 1))
    assert history.estimated_order == lower.order
    predicted, share = history.predict(NEXT, 0)
    shift, *_ = lower.difference(NEXT)
    error = (degree * new ** (degree - 1) - lower.older_part(NEXT, 0)[0]) / shift - new**degree
    gap = new**degree - predicted[0]
    assert share == pytest.approx(error / (error + gap), rel=1e-9)


@pytest.mark.parametrize("levels", range(1, LEVELS + 1))
def test_release_is_integrated_by_the_same_formula(levels):
    degree, new = min(levels, ORDER), TIMES[-1] + NEXT
    history = create_history(power(degree), levels)
    rate = degree * new ** (degree - 1)
    assert history.integrate([rate], NEXT) == pytest.approx([new**degree], rel=1e-12)


def test_no_more_is_kept_than_is_looked_back_on():
    history = create_history(power(1))
    history.push(2.0, [np.full(2, 2.0)] * 2, [2.0])
    assert history.times == [2.0, *TIMES[:0:-1]]
    assert [state[0][0] for state in history.states] == history.times
    assert history.released == [[time] for time in history.times]


def create_growing(order, ratio):
    """As many states as the formula looks back on, each step ``ratio`` times the one before."""
    history = History([0.0], [[np.zeros(1)]], [[0.0]], {0: np.zeros(1)})
    for time in np.cumsum(ratio ** np.arange(order - 1.0)):
        history.push(time, [np.zeros(1)], [0.0])
    return history


@pytest.mark.parametrize(("order", "limit"), [(2, 1 + math.sqrt(2)), (3, (1 + math.sqrt(5)) / 2)])
def test_growing_steps_are_stable_up_to_the_known_ratio(order, limit):
    """Of the solutions of c' = 0 all but the constant die out, as long as steps grow slowly."""
    assert MAX_GROWTH[order] < limit
    for ratio in (1.0, MAX_GROWTH[order], 0.99 * limit, 1.01 * limit):
        history = create_growing(order, ratio)
        roots = np.roots(history.difference(ratio ** (order - 1.0)))
        constant = np.argmin(np.abs(roots - 1.0))
        assert roots[constant] == pytest.approx(1.0, abs=1e-9)
        assert (np.abs(np.delete(roots, constant)).max() < 1.0) == (ratio < limit)
