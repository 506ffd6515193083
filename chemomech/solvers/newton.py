"""Newton's method on a block system, by PETSc's SNES, within the bounds of the first unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.cahn_hilliard_schur import SchurMemory
from chemomech.solvers.options import SolverOptions
from chemomech.solvers.preconditioners import create_linear_solver
from chemomech.solvers.presets import PetscOptions, Preset

#: Share of the way to a bound that one Newton step may go.
FRACTION_TO_BOUND = 0.9

#: Share of Newton's absolute tolerance that suffices for a linear solve: round-off keeps it from
#: reducing a small right-hand side by the relative tolerance.
LINEAR_SHARE = 0.01

#: What the first unknown conserves may be out of balance by this much, as a change of that unknown.
BALANCE = 1e-12

#: Error that an unknown which is one for the whole mesh may have, where its own equation tells.
UNIFORM = 1e-9

#: Length of a Newton step, relative to the solution's, that is nothing but round-off.
ROUND_OFF = 1e-13

#: The one step of a linear problem must be as exact as Newton's method would make it.
LINEAR: PetscOptions = {"ksp_rtol": 1e-12}


@dataclass(frozen=True)
class NewtonResult:
    """How a nonlinear solve ended.

    Args:
        converged: Whether the tolerance was met.
        reason: PETSc's SNES reason.
        iterations: Newton iterations.
        linear_iterations: Krylov iterations in total.
        linear_reason: PETSc's KSP reason of the last linear solve.
    """

    converged: bool
    reason: int
    iterations: int
    linear_iterations: int
    linear_reason: int = 0

    def after(self, other: NewtonResult) -> NewtonResult:
        """This solve's ending with the iterations of another one before it."""
        return replace(
            self,
            iterations=self.iterations + other.iterations,
            linear_iterations=self.linear_iterations + other.linear_iterations,
        )


@dataclass(frozen=True)
class NewtonSettings:
    """Tolerances and limits of Newton's method.

    Args:
        relative_tolerance: Residual reduction that suffices.
        absolute_tolerance: Residual norm that suffices.
        step_tolerance: Length of a Newton step, relative to the solution's, that suffices: where
            round-off keeps the residual from falling, steps have become this short.
        max_iterations: Newton iterations before giving up.
    """

    relative_tolerance: float = 1e-8
    absolute_tolerance: float = 1e-9
    step_tolerance: float = 1e-9
    max_iterations: int = 15


class NewtonSolver:
    """Solve a :class:`BlockSystem` with SNES; a linear one in one linear solve.

    Before PETSc's line search takes over, two things are done to each step. A constant is added to
    the first unknown's part so that the residuals of its block sum to zero: what that block
    conserves is then conserved however loosely the linear system was solved. And the step is cut
    (never the solution clipped) where it would leave the open bounds of the first unknown.

    PETSc's criteria of convergence apply, or an error of the first unknown that suffices; and two
    more, for what a norm over all unknowns does not see: that balance, where it is not linear, and
    the equations of uniform unknowns.

    Args:
        system: Blocks to solve.
        preset: Linear solver.
        settings: Tolerances.
        options: PETSc options by name without dash; they override everything else.
        prefix: Prefix of those options in PETSc's database.
    """

    def __init__(
        self,
        system: BlockSystem,
        preset: Preset = Preset.DIRECT,
        settings: NewtonSettings | None = None,
        options: PetscOptions | None = None,
        prefix: str = "chemomech_",
    ) -> None:
        self.system = system
        settings = settings or NewtonSettings()
        self.snes = PETSc.SNES().create(system.comm)
        self.snes.setOptionsPrefix(prefix)
        self.snes.setType("ksponly" if system.is_linear else "newtonls")
        self.snes.setTolerances(
            rtol=settings.relative_tolerance,
            atol=settings.absolute_tolerance,
            stol=settings.step_tolerance,
            max_it=settings.max_iterations,
        )
        self._rigid = np.array(system.problem.rigid_modes(supported=True))
        self._was_cut = False
        self._is_short = False
        self._verdict = 0
        self._accuracy = 0.0
        self._length = math.inf
        self._first_norm = 0.0
        # Of the blocks of c and mu: a displacement's residual is round-off from the first step on.
        others = {system.problem.displacement_block, *system.problem.uniform_blocks}
        self._judged = [index for index in range(len(system.sizes)) if index not in others]
        self._last_norms: NDArray[np.float64] = np.zeros(len(self._judged))
        self._floor = LINEAR_SHARE * settings.absolute_tolerance
        self.linear = create_linear_solver(system, preset)
        self.snes.setFunction(self._evaluate, system.residual)
        self.snes.setJacobian(self._linearise, system.jacobian, self.linear.matrix)
        defaults = self.linear.options
        if system.is_linear:
            defaults = {**defaults, **LINEAR}
        else:
            # Balances are asked for: a linear solve must not stop short of them.
            self.snes.ksp.setTolerances(atol=LINEAR_SHARE**2 * settings.absolute_tolerance)
            # Kept: what petsc4py drops under MPI is not freed at once.
            self._change = system.jacobian.createVecLeft()
            diagonal = system.jacobian.getNestSubMatrix(0, 0)
            self._ones, self._weights = diagonal.createVecRight(), diagonal.createVecLeft()
            self._ones.set(1.0)
            self.snes.setLineSearchPreCheck(self._adjust_step)
            self.snes.setConvergenceTest(self._judge)
        self._given = tuple(options or ())
        self._options = SolverOptions(prefix, {**defaults, **(options or {})})
        with self._options.in_force():
            self.snes.setFromOptions()
            self.linear.attach(self.snes.ksp)

    @property
    def memory(self) -> SchurMemory | None:
        """What the preconditioner keeps from one solve to the next; None if nothing."""
        return self.linear.memory

    @property
    def unused_options(self) -> list[str]:
        """Those of the options given to it that PETSc has not asked for; known after a solve."""
        return [name for name in self._given if self._options.is_unasked(name)]

    def recall(self, memory: SchurMemory | None) -> None:
        """Take over the memory of another solver of the same problem."""
        self.linear.recall(memory)

    def solve(self, accuracy: float = 0.0) -> NewtonResult:
        """Solve from the unknowns' present values; they hold the result (or the last iterate).

        Args:
            accuracy: Error of the first unknown that suffices, as root mean square over its dofs;
                zero asks for the tolerances.
        """
        self._accuracy = accuracy
        self.system.gather_unknowns()
        self._remove_rigid_motion(self.system.x)
        self._verdict = 0
        with self._options.in_force():
            self.snes.solve(None, self.system.x)
        self._remove_rigid_motion(self.system.x)
        self.system.scatter_unknowns(self.system.x)
        reason = self.snes.getConvergedReason()
        linear_reason = int(self.snes.ksp.getConvergedReason())
        if reason == PETSc.SNES.ConvergedReason.DIVERGED_LINEAR_SOLVE:
            self.linear.recover(self.snes.ksp)
        return NewtonResult(
            converged=reason > 0 and not self._is_stuck(reason),
            reason=int(reason),
            iterations=self.snes.getIterationNumber(),
            linear_iterations=self.snes.getLinearSolveIterations(),
            linear_reason=linear_reason,
        )

    def _is_stuck(self, reason: int) -> bool:
        """Whether PETSc took a step for converged that was short for another reason.

        It was cut at a bound, or the line search found no length at which the residual falls: PETSc
        then compares what is left of the step with the solution, and asks nobody. Only where the
        whole step was short is it round-off that keeps the residual from falling.
        """
        if self.system.is_linear or reason != PETSc.SNES.ConvergedReason.CONVERGED_SNORM_RELATIVE:
            return False
        return self._was_cut or (self._verdict != reason and not self._is_short)

    def _remove_rigid_motion(self, vector: PETSc.Vec) -> None:
        """Take out of a flat vector what moves a floating body without straining it.

        The equations do not determine that part of the solution, nor can they balance it in the
        residual, where it is the round-off of tractions. FGMRES preconditions from the right, where
        PETSc does not do this: round-off would pile up step by step, and extrapolation in time make
        it grow until it drowns the strains. A Newton step would never become short, for the
        preconditioner's tiny shift makes a large motion of a small imbalance.
        Not by PETSc's own removal either: it sums in an order that depends on where vectors happen
        to lie in memory, and no two runs would be the same to the last bit.
        """
        if not len(self._rigid):
            return
        index = self.system.problem.displacement_block
        assert index is not None
        begin, end = self.system.offsets[index : index + 2]
        values = vector.array_w[begin:end]
        shares = self.system.comm.allreduce((self._rigid * values).sum(axis=1))
        values -= (shares[:, None] * self._rigid).sum(axis=0)

    def _evaluate(self, snes: PETSc.SNES, x: PETSc.Vec, residual: PETSc.Vec) -> None:
        del snes
        self.system.assemble_residual(x, residual)
        self._remove_rigid_motion(residual)

    def _linearise(
        self, snes: PETSc.SNES, x: PETSc.Vec, jacobian: PETSc.Mat, matrix: PETSc.Mat
    ) -> None:
        del snes, x, jacobian, matrix
        new_parameters = self.system.assemble_jacobian()
        # PETSc factorises a matrix anew only once it was touched: many right-hand sides of a linear
        # problem, as of many compositions, cost one factorisation.
        if new_parameters or not self.system.is_linear:
            self.linear.refresh(new_parameters=new_parameters)

    def _judge(self, snes: PETSc.SNES, iteration: int, norms: tuple[float, float, float]) -> int:
        """Test of convergence as PETSc calls it: the reason, 0 to go on."""
        self._verdict = self._test(snes, iteration, norms)
        return self._verdict

    def _test(self, snes: PETSc.SNES, iteration: int, norms: tuple[float, float, float]) -> int:
        """PETSc's default test of convergence, and the balances."""
        length, change, residual = norms
        reasons = PETSc.SNES.ConvergedReason
        relative, absolute, step, _ = snes.getTolerances()
        if iteration == 0:
            self._first_norm = residual
            self._last_norms = self._measure_blocks()
            self._length = math.inf
        if not math.isfinite(residual):
            return int(reasons.DIVERGED_FUNCTION_NANORINF)
        if iteration and change < step * length:
            # Short enough for the fields; the balances give way to nothing but round-off.
            if change < ROUND_OFF * length or self._is_balanced():
                return int(reasons.CONVERGED_SNORM_RELATIVE)
            return int(reasons.ITERATING)
        enough = max(absolute, relative * self._first_norm * (iteration > 0))
        if residual > enough and not self._is_accurate():
            return int(reasons.ITERATING)
        # Not even a good first guess is good enough: extrapolated from step to step, what it leaves
        # would grow, and balances, which a norm does not see, be lost with it.
        if iteration == 0 or not self._is_balanced():
            return int(reasons.ITERATING)
        is_absolute = residual < absolute
        return int(reasons.CONVERGED_FNORM_ABS if is_absolute else reasons.CONVERGED_FNORM_RELATIVE)

    def _is_accurate(self) -> bool:
        """Whether what the last step has left over is within the accuracy asked for.

        The error it began with was about as large as the step, and has fallen as the residual has:
        as that of the block that has fallen least, for one of large numbers hides all others.
        """
        before, self._last_norms = self._last_norms, self._measure_blocks()
        share = float(np.max(self._last_norms / np.maximum(before, np.finfo(float).tiny)))
        return not self._was_cut and self._length * share < self._accuracy

    def _measure_blocks(self) -> NDArray[np.float64]:
        """Norms of the residual of each block that is judged."""
        parts = [self.system.block(self.system.residual, index) for index in self._judged]
        squares = np.array([part @ part for part in parts])
        return np.sqrt(self.system.comm.allreduce(squares))

    def _is_balanced(self) -> bool:
        """Whether the first block's residuals sum to zero, and those of uniform blocks are small.

        Both are compared with what the matrices of the last step say an unknown would change.
        """
        system = self.system
        total = system.block(system.residual, 0).sum()
        total, weight = system.comm.allreduce(np.array([total, self._weights.array_r.sum()]))
        if abs(total) > BALANCE * abs(weight):
            return False
        for index in system.problem.uniform_blocks:
            matrix = system.jacobian.getNestSubMatrix(index, index)
            mine = np.array([system.block(system.residual, index).sum(), 0.0])
            mine[1] = matrix.getDiagonal().array_r.sum()
            rest, diagonal = system.comm.allreduce(mine)
            if abs(rest) > max(UNIFORM * abs(diagonal), self._floor):
                return False
        return True

    def _adjust_step(self, x: PETSc.Vec, step: PETSc.Vec) -> bool:
        self.linear.note(self.snes.ksp.getIterationNumber())
        self._remove_rigid_motion(step)
        self._balance(step)
        self._keep_within_bounds(x, step)
        self._is_short = step.norm() < self.snes.getTolerances()[2] * x.norm()
        first = self.system.block(step, 0)
        squares, dofs = self.system.comm.allreduce(np.array([first @ first, len(first)]))
        self._length = math.sqrt(squares / dofs)
        return True

    def _balance(self, step: PETSc.Vec) -> None:
        """Shift the first block of ``step`` so that its residuals, linearised, sum to zero.

        A test function equal to one everywhere makes the sum a balance of what the first unknown
        conserves.
        """
        system = self.system
        system.jacobian.mult(step, self._change)
        system.jacobian.getNestSubMatrix(0, 0).mult(self._ones, self._weights)
        rest = system.block(system.residual, 0).sum() - system.block(self._change, 0).sum()
        rest, weight = system.comm.allreduce(np.array([rest, self._weights.array_r.sum()]))
        step.array_w[: system.sizes[0]] += rest / weight

    def _keep_within_bounds(self, x: PETSc.Vec, step: PETSc.Vec) -> None:
        """Shorten ``step`` (SNES subtracts it): no value passes 0.9 of its way to a bound."""
        lower, upper = self.system.problem.bounds
        if not np.isfinite([lower, upper]).any():
            return
        values, change = self.system.block(x, 0), -self.system.block(step, 0)
        room = np.where(change > 0, upper - values, values - lower)
        needed = np.abs(change).max(initial=0.0) and np.max(np.abs(change) / room)
        needed = self.system.comm.allreduce(float(needed), op=MPI.MAX)
        self._was_cut = needed > FRACTION_TO_BOUND
        if self._was_cut:
            step.scale(FRACTION_TO_BOUND / needed)
