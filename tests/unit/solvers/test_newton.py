import math

import numpy as np
import pytest
import ufl
from mpi4py import MPI
from petsc4py import PETSc

from chemomech.problems.conditions import Loads, Traction
from chemomech.problems.rollers import Roller
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf


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
    problem.mass_coefficient = None
    system = BlockSystem(problem)
    assert system.is_linear
    result = NewtonSolver(system).solve()
    assert (result.converged, result.iterations) == (True, 1)
    np.testing.assert_allclose(problem.c.x.array, 2.0, rtol=1e-9)


def test_a_later_nonlinear_solve_is_not_taken_for_linear(scalar):
    """Solvers share their options' prefix, not their kind."""
    linear = scalar(lambda c: 3 * c - 6)
    linear.mass_coefficient = None
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


class Judging:
    """A solver that compares what it leaves with what an exact one finds from the same guess."""

    memory = None

    def __init__(self, problem, preset):
        system = BlockSystem(problem)
        self._problem, self._solver = problem, NewtonSolver(system, preset)
        tight = NewtonSettings(1e-11, 1e-11, 1e-12, 40)
        self._exact = NewtonSolver(BlockSystem(problem), Preset.DIRECT, tight)
        self.shares, self.starts, self.iterations = [], [], []

    def solve(self, accuracy=0.0):
        if accuracy == 0.0:
            return self._solver.solve()
        begin = self._copy()
        assert self._exact.solve().converged
        exact = self._problem.c.x.array.copy()
        self._restore(begin)
        self.starts.append(self._measure_error(exact) / accuracy)
        result = self._solver.solve(accuracy)
        self.shares.append(self._measure_error(exact) / accuracy)
        self.iterations.append(result.iterations)
        return result

    def _copy(self):
        return [field.function.x.array.copy() for field in self._problem.fields]

    def _restore(self, state):
        for field, values in zip(self._problem.fields, state, strict=True):
            field.function.x.array[:] = values

    def _measure_error(self, exact):
        """Root mean square over the nodes."""
        size = self._problem.c.function_space.dofmap.index_map.size_local
        error = self._problem.c.x.array[:size] - exact[:size]
        squares, count = MPI.COMM_WORLD.allreduce(np.array([error @ error, size]))
        return math.sqrt(squares / count)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", [None, "plane_strain", "generalised_plane_strain"])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_what_is_left_is_within_the_accuracy(create_chemo_mechanics, assumption, preset, tolerance):
    """At each step of a solution that separates, from the guess that the last ones give.

    The residual is no norm of the error: what it says may be wrong by a factor, but not by so much
    that Newton's error would come to the tolerance of the step.
    """
    problem = create_chemo_mechanics(assumption)
    solver = Judging(problem, preset)
    stepper = Bdf(problem, solver, StepControl(tolerance))
    for _ in range(40):
        stepper.advance(1e9)
    assert np.median(solver.shares) < 1.0
    assert max(solver.shares) < 1.0 / StepControl().newton_share
    # There was something to solve, and it was not solved to the end.
    assert np.median(solver.starts) > 3.0
    assert max(solver.shares) > 1e-2
    assert np.mean(solver.iterations) < 2.5


def test_a_step_cut_short_is_never_accurate_enough(scalar):
    """From the edge of the bounds each step goes nine tenths of the way back, or less."""
    problem = scalar(lambda c: ufl.ln(c / (1 - c)) - 3.0, bounds=(0.0, 1.0))
    problem.c.x.array[:] = 1e-3
    result = NewtonSolver(BlockSystem(problem)).solve(accuracy=0.05)
    assert result.converged
    np.testing.assert_allclose(problem.c.x.array, 1 / (1 + math.exp(-3.0)), atol=0.05)


@pytest.mark.parametrize("preset", list(Preset))
def test_options_of_a_solver_are_its_own(create_chemo_mechanics, preset):
    """A later solver of the same prefix must not find them; what others have set stays."""
    database = PETSc.Options("chemomech_")
    before = database.getAll()
    database["ksp_rtol"] = 0.5
    options = {"ksp_rtol": 1e-3, "mass_ksp_max_it": 5, "snes_nonsense": 1}
    try:
        newton = NewtonSolver(
            BlockSystem(create_chemo_mechanics("plane_strain")), preset, options=options
        )
        assert newton.snes.ksp.getTolerances()[0] == 1e-3
        assert newton.solve().converged
        # The direct solver has no mass matrix to sweep.
        idle = ["mass_ksp_max_it"] if preset is Preset.DIRECT else []
        assert newton.unused_options == [*idle, "snes_nonsense"]
        assert database.getAll() == before | {"ksp_rtol": "0.5"}
    finally:
        database.delValue("ksp_rtol")


#: 500 MPa in units of R T C.
PULL = 10.9
GRIPS = [Roller("left"), Roller("bottom")]


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize(
    ("assumption", "imbalance"), [("plane_strain", 0.0), ("generalised_plane_strain", 5e-9)]
)
def test_a_floating_bar_under_load_takes_the_steps_of_a_held_one(
    create_chemo_mechanics, assumption, preset, imbalance
):
    """Nothing holds its rigid motion, which no round-off of its loads may bring into a step.

    The tolerances of the residual lie below its round-off: only a short step ends the solve. The
    mean stress is that of the load: test equilibrium with the displacement u = x.
    """
    pull = Traction("right", (PULL * (1 + imbalance), 0.0))
    settings = NewtonSettings(relative_tolerance=1e-15, absolute_tolerance=1e-15)
    iterations = []
    for loads in (Loads(GRIPS, [pull]), Loads((), [pull, Traction("left", (-PULL, 0.0))])):
        problem = create_chemo_mechanics(assumption, loads)
        result = NewtonSolver(BlockSystem(problem), preset, settings).solve()
        assert result.converged
        iterations.append(result.iterations)
    assert iterations[1] <= iterations[0] + 1
    mean = problem.compile_integral(problem.stress()[0, 0])() / problem.volume
    assert mean == pytest.approx(PULL, rel=1e-7)
    owned = problem.u.x.array[: len(problem.solid.operator.find_free_motions()[0])]
    moved = [
        MPI.COMM_WORLD.allreduce(mode @ owned)
        for mode in problem.solid.operator.find_free_motions()
    ]
    np.testing.assert_allclose(moved, 0.0, atol=1e-12)
