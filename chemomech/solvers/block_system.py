"""A nonlinear system in blocks, assembled block by block into PETSc objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import ufl
from dolfinx import fem, la
from numpy.typing import NDArray
from petsc4py import PETSc
from ufl.form import Form

from chemomech.solvers.jacobian_blocks import JacobianBlock


class BlockProblem(Protocol):
    """What a problem must offer to be solved."""

    @property
    def unknowns(self) -> Sequence[fem.Function]:
        """Functions to find, one a block."""

    @property
    def residuals(self) -> Sequence[Form]:
        """UFL linear forms that must vanish, one a block."""

    @property
    def linearised(self) -> Sequence[Form]:
        """The forms that are differentiated for the Jacobian: those, or an approximation."""

    @property
    def conditions(self) -> Sequence[Sequence[fem.DirichletBC]]:
        """Dirichlet conditions, a list for each block."""

    @property
    def varying(self) -> Sequence[fem.Constant | fem.Function]:
        """What the Jacobian may depend on and changes between solves without being unknown."""

    @property
    def step_factor(self) -> fem.Constant | None:
        """What the Jacobian is in parts a multiple of and changes with the time step, or None."""

    @property
    def displacement_block(self) -> int | None:
        """Number of the block that holds a displacement; None if there is none."""

    @property
    def uniform_blocks(self) -> Sequence[int]:
        """Numbers of the blocks that hold one unknown for the whole mesh."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval for the first unknown."""

    def rigid_modes(self, *, supported: bool) -> list[NDArray[np.float64]]:
        """Rigid motions of the displacement as owned dof arrays: all, or those left free."""


class BlockSystem:
    """Residual vector and nested Jacobian of a :class:`BlockProblem`.

    The flat vector of rank r is the concatenation of the owned parts of all blocks. A Jacobian
    block whose form holds neither an unknown nor the step is assembled here, and again only where a
    parameter in it has changed.

    Args:
        problem: Unknowns and forms; the unknowns are overwritten by the solver.

    Attributes:
        jacobian: MatNest of the blocks.
        x: Flat solution vector.
        residual: Flat residual vector.
    """

    def __init__(self, problem: BlockProblem) -> None:
        self.problem = problem
        self.comm: PETSc.Comm = problem.unknowns[0].function_space.mesh.comm
        self._residual_forms = [fem.form(form) for form in problem.residuals]
        spaces = [unknown.function_space for unknown in problem.unknowns]
        self._local = [
            la.vector(space.dofmap.index_map, space.dofmap.index_map_bs) for space in spaces
        ]
        self.sizes = [
            space.dofmap.index_map.size_local * space.dofmap.index_map_bs for space in spaces
        ]
        self.offsets = np.concatenate(([0], np.cumsum(self.sizes)))
        self._create_jacobian()
        self.x = self.jacobian.createVecRight()
        self.residual = self.jacobian.createVecLeft()

    @property
    def size(self) -> int:
        """Number of unknowns over all ranks."""
        return int(self.x.getSize())

    @property
    def is_linear(self) -> bool:
        """Whether the Jacobian does not depend on the unknowns, so that one linear solve does."""
        return all(block.is_constant for block in self._blocks)

    def block(self, vector: PETSc.Vec, index: int) -> NDArray[np.float64]:
        """Copy of one block's owned part of a flat vector."""
        begin, end = self.offsets[index : index + 2]
        return vector.array_r[begin:end].copy()

    def gather_unknowns(self) -> None:
        """Copy the unknowns' owned values into ``x``, Dirichlet values imposed."""
        for unknown, conditions in zip(self.problem.unknowns, self.problem.conditions, strict=True):
            for condition in conditions:
                condition.set(unknown.x.array)
        parts = zip(self.problem.unknowns, self.sizes, strict=True)
        self.x.setArray(np.concatenate([unknown.x.array[:size] for unknown, size in parts]))

    def scatter_unknowns(self, x: PETSc.Vec) -> None:
        """Copy a flat vector into the unknowns, ghosts included."""
        for index, unknown in enumerate(self.problem.unknowns):
            unknown.x.array[: self.sizes[index]] = self.block(x, index)
            unknown.x.scatter_forward()

    def assemble_residual(self, x: PETSc.Vec, residual: PETSc.Vec) -> None:
        """Evaluate the residual at ``x``; rows of Dirichlet dofs hold x - value."""
        self.scatter_unknowns(x)
        parts = []
        for index, (form, local) in enumerate(zip(self._residual_forms, self._local, strict=True)):
            local.array[:] = 0
            fem.assemble_vector(local.array, form)
            local.scatter_reverse(la.InsertMode.add)
            for condition in self.problem.conditions[index]:
                condition.set(local.array, self.problem.unknowns[index].x.array, -1.0)
            parts.append(local.array[: self.sizes[index]])
        residual.setArray(np.concatenate(parts))

    def assemble_jacobian(self) -> bool:
        """Refresh the blocks that change with the unknowns or the step (collective).

        Returns:
            Whether a parameter has changed what is otherwise constant.
        """
        changes = [block.refresh() for block in self._blocks]
        self.jacobian.assemble()
        return any(changes)

    def create_null_space(self) -> PETSc.NullSpace | None:
        """Null space of the whole Jacobian: free rigid motions of the displacement, or None."""
        index = self.problem.displacement_block
        modes = self.problem.rigid_modes(supported=True)
        if index is None or not modes:
            return None
        vectors = []
        for mode in modes:
            vector = self.x.duplicate()
            vector.array_w[self.offsets[index] : self.offsets[index + 1]] = mode
            vectors.append(vector)
        return PETSc.NullSpace().create(vectors=vectors, comm=self.comm)

    def create_near_null_space(self) -> PETSc.NullSpace:
        """All rigid motions as vectors of the displacement block, for algebraic multigrid."""
        index = self.problem.displacement_block
        vectors = []
        for mode in self.problem.rigid_modes(supported=False):
            vector = self.jacobian.getNestSubMatrix(index, index).createVecRight()
            vector.array_w[:] = mode
            vectors.append(vector)
        return PETSc.NullSpace().create(vectors=vectors, comm=self.comm)

    def _create_jacobian(self) -> None:
        problem = self.problem
        blocks: list[list[PETSc.Mat | None]] = []
        self._blocks: list[JacobianBlock] = []
        for residual, rows in zip(problem.linearised, problem.conditions, strict=True):
            blocks.append([])
            for unknown, columns in zip(problem.unknowns, problem.conditions, strict=True):
                trial = ufl.TrialFunction(unknown.function_space)
                block = ufl.derivative(residual, unknown, trial)
                blocks[-1].append(self._create_block(block, [*rows, *columns]))
        self.jacobian = PETSc.Mat().createNest(blocks, comm=self.comm)
        self.jacobian.setUp()
        self.jacobian.assemble()

    def _create_block(self, jacobian: Form, conditions: list[fem.DirichletBC]) -> PETSc.Mat | None:
        """Create one block's matrix; None if it is zero."""
        jacobian = ufl.algorithms.expand_derivatives(jacobian)
        if jacobian.empty():
            return None
        varying = {*self.problem.unknowns, *self.problem.varying}
        block = JacobianBlock(jacobian, conditions, self.problem.step_factor, varying)
        self._blocks.append(block)
        return block.matrix
