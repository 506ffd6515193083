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
_OUT_OF_PLANE = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]], dtype=bool)


class CrystalAxes:
    """Axes of the crystal in each cell, constant there.

    In 2-D entries that vanish in all cells are left out of the forms, so that a crystal that is
    turned about z alone is seen to have no shear out of the plane. They must then stay zero.

    Args:
        domain: The mesh.
        grains: Axes by group of cells, their columns those of a matrix of shape (3, 3), or as an
            `Orientation`. None stands for all cells that no other grain has.

    Attributes:
        tensor: The axes, columns of a 3 x 3 UFL tensor.

    Raises:
        InputError: A group is unknown, two share cells, or a cell is in none.
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
            InputError: A crystal would be tilted out of the plane that was not before.
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
        values = np.full((self._midpoints.shape[1], 3, 3), np.nan)
        for name, places in self._places.items():
            grain = self._grains[name]
            values[places] = grain(self._midpoints[:, places]) if callable(grain) else grain
        values[np.abs(values) < _ROUNDING] = 0.0
        missing = int(np.isnan(values[: self._owned]).any(axis=(1, 2)).sum())
        if missing := self._domain.mesh.comm.allreduce(missing):
            raise InputError(
                f"{missing} cells have no orientation: give one without cells, for what is left"
            )
        return values

    def _find_nonzero(self, values: FloatArray) -> NDArray[np.bool_]:
        """Find the entries that are not zero everywhere; collective."""
        nonzero = (values[: self._owned] != 0.0).any(axis=0)
        return np.asarray(self._domain.mesh.comm.allreduce(nonzero, op=MPI.BOR))

    def _choose_entries(self, values: FloatArray) -> NDArray[np.bool_]:
        """Choose the entries that the forms hold."""
        used = self._find_nonzero(values)
        if self._domain.mesh.geometry.dim == 3:
            return np.ones((3, 3), dtype=bool)
        # Upright crystals may be turned about z later on.
        return used if (used & _OUT_OF_PLANE).any() else ~_OUT_OF_PLANE

    def _write(self, values: FloatArray) -> None:
        self._function.x.array[:] = values.ravel()
        self._function.x.scatter_forward()
