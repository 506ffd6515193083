"""Solve a problem in which nothing evolves."""

from __future__ import annotations

from contextlib import closing

from chemomech.errors import ConvergenceError
from chemomech.solvers.block_system import BlockProblem, BlockSystem
from chemomech.solvers.failures import describe_linear, describe_newton
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset, choose_preset


def solve(problem: BlockProblem, preset: Preset | None = None) -> None:
    """Solve for the unknowns of a problem without time, such as `StaticStress`; collective.

    Whoever solves the same problem many times keeps a `NewtonSolver`, and with it the factors of
    what does not change.

    Args:
        problem: The problem; its unknowns hold the first guess, then the solution.
        preset: Linear solver; None chooses by size and dimension.

    Raises:
        ConvergenceError: No solution was found.
    """
    system = BlockSystem(problem)
    if preset is None:
        dimension = system.fields[0].function.function_space.mesh.topology.dim
        preset = choose_preset(system.residual.getSize(), dimension)
    with closing(NewtonSolver(system, preset)) as solver:
        result = solver.solve()
    if not result.converged:
        why = (
            f"the linear solver {describe_linear(result.linear_reason)}"
            if system.is_linear
            else describe_newton(result.reason, result.linear_reason)
        )
        raise ConvergenceError(f"the problem has no solution: {why}", reason=result.reason)
