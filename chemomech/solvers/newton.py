"""Newton's method on a block system, by PETSc's SNES, within the bounds of its fields."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from chemomech.forms.fields import Elastic, Uniform
from chemomech.solvers.balances import create_balances
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.cahn_hilliard_schur import SolverMemory
from chemomech.solvers.options import SolverOptions
from chemomech.solvers.preconditioners import create_linear_solver
from chemomech.solvers.presets import PetscOptions, Preset

#: Share of the way to a bound that one Newton step may go.
_FRACTION_TO_BOUND = 0.9

#: Share of Newton's absolute tolerance that suffices for a linear solve: round-off keeps it from
#: reducing a small right-hand side by the relative tolerance.
_LINEAR_SHARE = 0.01

#: Error that an unknown which is one for the whole mesh may have, where its own equation tells.
UNIFORM = 1e-9

#: Length of a Newton step, relative to the solution's, that is nothing but round-off.
_ROUND_OFF = 1e-13

#: The one step of a linear problem must be as exact as Newton's method would make it.
LINEAR: PetscOptions = {"ksp_rtol": 1e-12}


@dataclass(frozen=True)
class NewtonResult:
    """Outcome of a nonlinear solve: PETSc's SNES and KSP reasons, and iterations in total."""

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

    A Newton step of the length ``step_tolerance``, relative to the solution's, suffices: where
    round-off keeps the residual from falling, steps have become this short.
    """

    relative_tolerance: float = 1e-8
    absolute_tolerance: float = 1e-9
    step_tolerance: float = 1e-9
    max_iterations: int = 15


class NewtonSolver:
    """Solve a :class:`BlockSystem` with SNES; a linear one in one linear solve.

    Before PETSc's line search takes over, two things are done to each step. In each body of the
    mesh a constant is added to the part of each field that evolves so that the residuals of its
    block there sum to zero: what the field conserves is then conserved however loosely the linear
    system was solved. And the step is cut (never the solution clipped) where it would leave the
    open bounds of a field.

    PETSc's criteria of convergence apply, or an error of the evolving fields that suffices; and two
    more, for what a norm over all unknowns does not see: those balances, where they are not linear,
    and the equations of uniform unknowns. PETSc options by name, without dash, override everything
    else; in PETSc's database they stand behind the prefix.
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
        self._was_cut = False
        self._is_short = False
        self._verdict = 0
        self._accuracy = 0.0
        self._length = math.inf
        self._first_norm = 0.0
        fields = list(enumerate(system.fields))
        self._evolving = [index for index, field in fields if field.evolution is not None]
        self._uniform = [index for index, field in fields if field.is_uniform]
        # A displacement's equation is linear in it: where nothing else in it moves, its residual is
        # round-off from the first step on. Where C depends on c, what is left is of second order in
        # the step, as in the block of c, which is judged.
        self._judged = [
            index for index, field in fields if not isinstance(field.operator, Elastic | Uniform)
        ]
        self._last_norms: NDArray[np.float64] = np.zeros(len(self._judged))
        self._floor = _LINEAR_SHARE * settings.absolute_tolerance
        self.linear = create_linear_solver(system, preset)
        self.snes.setFunction(self._evaluate, system.residual)
        self.snes.setJacobian(self._linearise, system.jacobian, self.linear.matrix)
        defaults = self.linear.options
        if system.is_linear:
            defaults = {**defaults, **LINEAR}
        else:
            # Balances are asked for: a linear solve must not stop short of them.
            self.snes.ksp.setTolerances(atol=_LINEAR_SHARE**2 * settings.absolute_tolerance)
            # Kept: what petsc4py drops under MPI is not freed at once.
            self._change = system.jacobian.createVecLeft()
            self._balances = [
                balance for index in self._evolving for balance in create_balances(system, index)
            ]
            self.snes.setLineSearchPreCheck(self._adjust_step)
            self.snes.setConvergenceTest(self._judge)
        self._given = tuple(options or ())
        self._options = SolverOptions(prefix, {**defaults, **(options or {})})
        with self._options.in_force():
            self.snes.setFromOptions()
            self.linear.attach(self.snes.ksp)

    @property
    def memory(self) -> SolverMemory:
        """Memory of the preconditioner from one solve to the next."""
        return self.linear.memory

    @property
    def unused_options(self) -> list[str]:
        """Those of the options given to it that PETSc has not asked for; known after a solve."""
        return [name for name in self._given if self._options.is_unasked(name)]

    def recall(self, memory: SolverMemory) -> None:
        """Take over the memory of another solver of the same problem."""
        with self._options.in_force():
            self.linear.recall(memory)

    def close(self) -> None:
        """Free all that PETSc holds for it and its system, which can no longer be used; collective.

        What Python drops on several ranks waits there with its communicators, of which there are
        not enough for many models in one process. A second call does nothing.
        """
        if not self.snes:
            return
        self.snes.destroy()
        self.linear.close()
        if not self.system.is_linear:
            self._change.destroy()
            for balance in self._balances:
                balance.close()
        self.system.close()
        PETSc.garbage_cleanup(self.system.comm)

    def solve(self, accuracy: float = 0.0) -> NewtonResult:
        """Solve from the unknowns' present values; they hold the result (or the last iterate).

        The accuracy is the error of the evolving fields that suffices, as root mean square over
        their dofs; zero asks for the tolerances.
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
        """Tell if PETSc took a step for converged that was short for another reason.

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
        for index, motions in self.system.free_motions:
            begin, end = self.system.offsets[index : index + 2]
            values = vector.array_w[begin:end]
            shares = self.system.comm.allreduce((motions * values).sum(axis=1))
            values -= (shares[:, None] * motions).sum(axis=0)

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
            if change < _ROUND_OFF * length or self._is_balanced():
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
        """Tell if the rest that the last step has left is within the accuracy asked for.

        The error it began with was about as large as the step, and has fallen as the residual has:
        as that of the block that has fallen least, for one of large numbers hides all others.
        """
        before, self._last_norms = self._last_norms, self._measure_blocks()
        shares = self._last_norms / np.maximum(before, np.finfo(float).tiny)
        share = float(np.max(shares, initial=0.0))
        return not self._was_cut and self._length * share < self._accuracy

    def _measure_blocks(self) -> NDArray[np.float64]:
        """Norms of the residual of each block that is judged."""
        parts = [self.system.block(self.system.residual, index) for index in self._judged]
        squares = np.array([part @ part for part in parts])
        return np.sqrt(self.system.comm.allreduce(squares))

    def _is_balanced(self) -> bool:
        """Tell if conserved fields are balanced, and the residuals of uniform ones small.

        Both are compared with what the matrices of the last step say an unknown would change.
        """
        system = self.system
        if not all(balance.is_closed() for balance in self._balances):
            return False
        for index in self._uniform:
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
        self.system.jacobian.mult(step, self._change)
        for balance in self._balances:
            balance.restore(step, self._change)
        self._keep_within_bounds(x, step)
        self._is_short = step.norm() < self.snes.getTolerances()[2] * x.norm()
        parts = [self.system.block(step, index) for index in self._evolving]
        mine = np.array([[part @ part, len(part)] for part in parts]).reshape(-1, 2)
        squares, dofs = self.system.comm.allreduce(mine.sum(axis=0))
        self._length = math.sqrt(squares / max(dofs, 1.0))
        return True

    def _keep_within_bounds(self, x: PETSc.Vec, step: PETSc.Vec) -> None:
        """Shorten ``step`` (SNES subtracts it): no value passes 0.9 of its way to a bound."""
        bounded = [
            (index, field.bounds)
            for index, field in enumerate(self.system.fields)
            if np.isfinite(field.bounds).any()
        ]
        if not bounded:
            return
        needed = 0.0
        for index, (lower, upper) in bounded:
            values, change = self.system.block(x, index), -self.system.block(step, index)
            room = np.where(change > 0, upper - values, values - lower)
            needed = max(needed, float(np.max(np.abs(change) / room, initial=0.0)))
        needed = self.system.comm.allreduce(needed, op=MPI.MAX)
        self._was_cut = needed > _FRACTION_TO_BOUND
        if self._was_cut:
            step.scale(_FRACTION_TO_BOUND / needed)
