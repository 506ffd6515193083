"""Balances of what fields conserve, which a loosely solved linear system would upset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from chemomech.geometry.components import find_bodies
from chemomech.solvers.block_system import BlockSystem

#: What a field conserves may be out of balance by this much, as a change of that field.
_TOLERANCE = 1e-12


def create_balances(system: BlockSystem, index: int) -> list[_Balance]:
    """Balances of a conserved field, one for each body of the mesh.

    In a body in which values are held, what the field conserves comes and goes.
    """
    count, bodies = find_bodies(system.fields[index].function.function_space)
    bodies = bodies[: system.sizes[index]]
    held = [bodies[system.find_held_rows(index, other)] for other in range(len(system.fields))]
    mine = np.bincount(np.concatenate(held), minlength=count)
    is_closed = system.comm.allreduce(mine) == 0
    return [_Balance(system, index, bodies == body) for body in np.flatnonzero(is_closed)]


class _Balance:
    """The sum of the residuals of a conserved field's block in one body.

    A test function equal to one everywhere makes the sum a balance of what the field conserves.
    """

    def __init__(self, system: BlockSystem, index: int, body: NDArray[np.bool_]) -> None:
        self._system = system
        self._index = index
        self._body = body
        diagonal = system.jacobian.getNestSubMatrix(index, index)
        # Kept: what petsc4py drops under MPI is not freed at once.
        self._ones, self._weights = diagonal.createVecRight(), diagonal.createVecLeft()
        self._ones.setArray(body.astype(np.float64))

    def close(self) -> None:
        """Free the vectors; collective."""
        self._ones.destroy()
        self._weights.destroy()

    def is_closed(self) -> bool:
        """Tell if the sum is small beside what the field would change, as of the last step."""
        total = self._system.block(self._system.residual, self._index)[self._body].sum()
        mine = np.array([total, self._weights.array_r.sum()])
        total, weight = self._system.comm.allreduce(mine)
        return not abs(total) > _TOLERANCE * abs(weight)

    def restore(self, step: PETSc.Vec, change: PETSc.Vec) -> None:
        """Shift the field's part of ``step`` so that the sum, linearised, is zero.

        SNES subtracts the step; ``change`` is the Jacobian times it.
        """
        system = self._system
        begin, end = system.offsets[self._index : self._index + 2]
        diagonal = system.jacobian.getNestSubMatrix(self._index, self._index)
        diagonal.mult(self._ones, self._weights)
        rest = (
            system.block(system.residual, self._index)[self._body].sum()
            - change.array_r[begin:end][self._body].sum()
        )
        rest, weight = system.comm.allreduce(np.array([rest, self._weights.array_r.sum()]))
        step.array_w[begin:end] += rest / weight * self._body
