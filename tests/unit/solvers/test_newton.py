import math

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver


@pytest.mark.parametrize("start", [1e-9, 0.5, 1 - 1e-9])
@pytest.mark.parametrize("potential", [-12.0, 0.3, 12.0])
def test_newton_stays_within_the_bounds(scalar, start, potential):
    """ln(c / (1 - c)) = p has the root 1 / (1 + exp(-p)); no iterate may leave (0, 1).

    Outside the logarithm is not a number, and the solver would not come back.
    """
    problem = scalar(lambda c: ufl.ln(c / (1 - c)) - potential, bounds=(0.0, 1.0))
    problem.c.x.array[:] = start
    settings = NewtonSettings(relative_tolerance=1e-12, step_tolerance=1e-15, max_iterations=60)
    result = NewtonSolver(BlockSystem(problem), settings=settings).solve()
    assert result.converged
    np.testing.assert_allclose(problem.c.x.array, 1 / (1 + math.exp(-potential)), rtol=1e-6)


def test_newton_converges_quadratically(scalar):
    """c^2 = 2 from 1: errors of Heron's iteration fall below 1e-11 in five steps."""
    problem = scalar(lambda c: c**2 - 2)
    problem.c.x.array[:] = 1.0
    settings = NewtonSettings(relative_tolerance=1e-12, absolute_tolerance=1e-14)
    result = NewtonSolver(BlockSystem(problem), settings=settings).solve()
    assert result.converged
    assert result.iterations <= 5
    np.testing.assert_allclose(problem.c.x.array, math.sqrt(2), rtol=1e-11)


def test_failure_is_told(scalar):
    problem = scalar(lambda c: c**2 + 1)
    problem.c.x.array[:] = 1.0
    result = NewtonSolver(BlockSystem(problem), settings=NewtonSettings(max_iterations=3)).solve()
    assert not result.converged
    assert result.reason < 0


def test_a_step_cut_short_at_a_bound_is_no_convergence(scalar):
    """A node on its way out of the bounds holds all others back, far from their solution."""

    def reaction(c):
        x, y = ufl.SpatialCoordinate(c.function_space.mesh)
        return c - ufl.conditional(x + y < 1 / 3, -5.0, 0.9)

    problem = scalar(reaction, bounds=(0.0, 1.0))
    problem.c.x.array[:] = 0.5
    corner = np.isclose(problem.c.function_space.tabulate_dof_coordinates(), 0.0).all(axis=1)
    problem.c.x.array[corner] = 1e-12
    result = NewtonSolver(BlockSystem(problem)).solve()
    assert not result.converged


def test_linear_problem_takes_one_linear_solve(scalar):
    problem = scalar(lambda c: 3 * c - 6)
    problem.step_factor = None
    system = BlockSystem(problem)
    assert system.is_linear
    result = NewtonSolver(system).solve()
    assert (result.converged, result.iterations) == (True, 1)
    np.testing.assert_allclose(problem.c.x.array, 2.0, rtol=1e-9)


def test_a_later_nonlinear_solve_is_not_taken_for_linear(scalar):
    """Solvers share their options' prefix, not their kind."""
    linear = scalar(lambda c: 3 * c - 6)
    linear.step_factor = None
    NewtonSolver(BlockSystem(linear)).solve()
    problem = scalar(lambda c: c**2 - 2)
    problem.c.x.array[:] = 1.0
    result = NewtonSolver(BlockSystem(problem)).solve()
    assert result.iterations > 1
    assert (
        problem.mesh.comm.allreduce(
            np.abs(problem.c.x.array - math.sqrt(2)).max(initial=0.0), op=MPI.MAX
        )
        < 1e-6
    )
