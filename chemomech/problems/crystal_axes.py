"""The axes of a crystal in each cell of a mesh, which may have several grains."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray
from ufl.core.expr import Expr

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.geometry.domain import Domain
from chemomech.problems.grading import require_separate

Orientation = Callable[[FloatArray], FloatArray]
"""Axes of cells from their midpoints in nm, shape (3, n): shape (n, 3, 3), or (3, 3) for all."""

#: Entries of a rotation below this are zero: cos(90 deg) is 6e-17.
_ROUNDING = 1e-12
#: What R^T R may differ from 1 by, entry by entry.
_NOT_SQUARE = 1e-6


class CrystalAxes:
    """Axes of the crystal in each cell, constant there.

    In 2-D, where z is one and the same axis in all cells, the entries that tilt it are left out of
    the forms, so that a crystal that is turned about z alone is seen to have no shear out of the
    plane. They must then stay zero.

    Args:
        domain: The mesh.
        grains: Axes by group of cells, their columns those of a matrix of shape (3, 3), or as an
            `Orientation`. None stands for all cells that no other grain has.

    Attributes:
        tensor: The axes, columns of a 3 x 3 UFL tensor.

    Raises:
        InputError: A group is unknown, two share cells, a cell is in none, or its axes are not
            perpendicular and of length 1.
    """

    def __init__(
        self, domain: Domain, grains: Mapping[str | None, ArrayLike | Orientation]
    ) -> None:
        self._domain, self._grains = domain, grains
        require_separate([name for name in grains if name is not None], domain, "one orientation")
        space = fem.functionspace(domain.mesh, ("DG", 0, (3, 3)))
        self._owned = space.dofmap.index_map.size_local
        self._midpoints = space.tabulate_dof_coordinates().T * (domain.length_unit / 1e-9)
        self._places = {
            name: slice(None) if name is None else space.dofmap.list[domain.cells(name), 0]
            for name in sorted(grains, key=lambda name: name is not None)
        }
        values = self._evaluate()
        self._used = self._choose_entries(values)
        self._function = fem.Function(space, name="crystal_axes")
        self._write(values)
        self.tensor: Expr = ufl.as_matrix(
            [
                [self._function[i, j] if self._used[i, j] else 0.0 for j in range(3)]
                for i in range(3)
            ]
        )

    def update(self) -> None:
        """Take over orientations that have changed; collective.

        Raises:
            InputError: A crystal would be tilted out of the plane that was not before, or its axes
                are not perpendicular and of length 1.
        """
        values = self._evaluate()
        if (self._find_nonzero(values) & ~self._used).any():
            raise InputError(
                "would tilt a crystal out of the plane; the forms are made without that: make the "
                "model anew"
            )
        self._write(values)

    def _evaluate(self) -> FloatArray:
        """Axes at all dofs, ghosts included, shape (dofs, 3, 3)."""
        values = np.tile(np.eye(3), (self._midpoints.shape[1], 1, 1))
        is_missing = np.ones(len(values), dtype=bool)
        for name, places in self._places.items():
            grain = self._grains[name]
            values[places] = grain(self._midpoints[:, places]) if callable(grain) else grain
            is_missing[places] = False
        values[np.abs(values) < _ROUNDING] = 0.0
        self._require_rotations(values[: self._owned], is_missing[: self._owned])
        return values

    def _require_rotations(self, values: FloatArray, is_missing: NDArray[np.bool_]) -> None:
        """Refuse cells of this rank without axes, or whose axes are none; collective."""
        is_infinite = ~np.isfinite(values).all(axis=(1, 2))
        rotations = values[~is_infinite]
        defects = np.abs(rotations.swapaxes(1, 2) @ rotations - np.eye(3)).max(axis=(1, 2))
        mine = np.array([is_missing.sum(), is_infinite.sum(), (defects > _NOT_SQUARE).sum()])
        for count, what in zip(
            self._domain.mesh.comm.allreduce(mine),
            (
                "cells have no orientation: give one without cells, for what is left",
                "cells have an orientation that is not finite: look at its formula or function",
                "cells have axes that are not perpendicular and of length 1",
            ),
            strict=True,
        ):
            if count:
                raise InputError(f"{count} {what}")

    def _find_nonzero(self, values: FloatArray) -> NDArray[np.bool_]:
        """Find the entries that are not zero everywhere; collective."""
        nonzero = (values[: self._owned] != 0.0).any(axis=0)
        return np.asarray(self._domain.mesh.comm.allreduce(nonzero, op=MPI.BOR))

    def _choose_entries(self, values: FloatArray) -> NDArray[np.bool_]:
        """Choose the entries that the forms hold."""
        along_z = self._find_nonzero(values)[2]
        if self._domain.mesh.geometry.dim == 3 or along_z.sum() > 1:
            return np.ones((3, 3), dtype=bool)
        # The other two axes lie in the plane, and may be turned about z later on.
        return np.array([~along_z, ~along_z, along_z])

    def _write(self, values: FloatArray) -> None:
        self._function.x.array[:] = values.ravel()
        self._function.x.scatter_forward()
