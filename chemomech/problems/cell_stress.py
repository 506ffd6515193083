"""The mean stress of each cell, of the whole mesh on one rank."""

from __future__ import annotations

from dataclasses import dataclass

import basix
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ufl.core.expr import Expr

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes
from chemomech.geometry.domain import Domain

#: Decimals, in mesh units, to which midpoints are compared when cells are put in order.
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class CellValues:
    """Stress, composition and volume by cell, in an order that no number of ranks changes.

    Corners are in m, shape (n, corners, gdim), edges pairs of them, shape (edges, 2). Volumes are
    in m^3, in 2-D areas in m^2, mean stress tensors in Pa, shape (n, 3, 3), tension positive.
    Composition has the shape (n, corners), the unit vector along the wire, or None, (n, 3).
    """

    corners: FloatArray
    edges: NDArray[np.int64]
    volumes: FloatArray
    stress: FloatArray
    composition: FloatArray
    mean_composition: FloatArray
    tangent: FloatArray | None

    @property
    def midpoints(self) -> FloatArray:
        """Mean of the corners of each cell in m, shape (n, gdim)."""
        return np.asarray(self.corners.mean(axis=1))


class CellStress:
    r"""Integral of sigma over a cell / volume of the cell, for every cell of the mesh.

    These are the stresses of the elements themselves: unlike the fields at the vertices they are
    not smoothed over neighbouring cells, which would take the top off a jump between two phases.
    """

    def __init__(
        self,
        stress: Expr,
        composition: fem.Function,
        domain: Domain,
        scale: float,
        tangent: fem.Function | None = None,
        excluded: BoolArray | None = None,
    ) -> None:
        mesh = domain.mesh
        _require_linear(composition)
        self._domain, self._composition, self._tangent = domain, composition, tangent
        self._owned = mesh.topology.index_map(mesh.topology.dim).size_local
        self._kept = np.ones(self._owned, dtype=np.bool_)
        if excluded is not None:
            self._kept = ~_require_marks(excluded, self._owned, domain)
        dx = domain.dx(2)
        self._spaces = [fem.functionspace(mesh, ("DG", 0, shape)) for shape in ((3, 3), (), ())]
        integrands = (scale * stress, composition, ufl.as_ufl(1.0))
        self._forms = [
            fem.form(ufl.inner(integrand, ufl.TestFunction(space)) * dx)
            for integrand, space in zip(integrands, self._spaces, strict=True)
        ]

    def gather(self) -> CellValues | None:
        """Bring the present state of all cells to rank 0; collective, None on other ranks."""
        mesh = self._domain.mesh
        parts = mesh.comm.gather([values[self._kept] for values in self._compute()], root=0)
        if parts is None:
            return None
        corners, stress, composition, mean, volumes, tangent = map(
            np.concatenate, zip(*parts, strict=True)
        )
        # Sums taken in one order give the same digits however the cells were dealt out.
        order = np.lexsort(np.round(corners.mean(axis=1), _DECIMALS).T)
        unit = self._domain.length_unit
        cell = mesh.basix_cell()
        return CellValues(
            corners=corners[order] * unit,
            edges=np.array(basix.topology(cell)[1], dtype=np.int64),
            volumes=volumes[order] * unit**mesh.topology.dim,
            stress=stress[order],
            composition=composition[order],
            mean_composition=mean[order],
            tangent=None if self._tangent is None else tangent[order],
        )

    def _compute(self) -> list[FloatArray]:
        """Corners, stress, composition, its mean, volumes and tangents of the owned cells."""
        mesh, owned = self._domain.mesh, self._owned
        stress, composition, volumes = (
            self._integrate(form, space)
            for form, space in zip(self._forms, self._spaces, strict=True)
        )
        corners = self._composition.function_space.dofmap.list[:owned]
        nodes = get_cell_nodes(mesh.geometry)[:owned, : corners.shape[1]]
        return [
            mesh.geometry.x[nodes][:, :, : mesh.geometry.dim],
            (stress / volumes).reshape(-1, 3, 3),
            self._composition.x.array[corners],
            (composition / volumes)[:, 0],
            volumes[:, 0],
            self._directions(),
        ]

    def _integrate(self, form: fem.Form, space: fem.FunctionSpace) -> FloatArray:
        """Integrals over the owned cells, shape (cells, components)."""
        vector = fem.assemble_vector(form).array.reshape(-1, space.dofmap.index_map_bs)
        return np.asarray(vector[space.dofmap.list[: self._owned, 0]])

    def _directions(self) -> FloatArray:
        """Tangents of the owned cells, shape (cells, 3); zero without a wire."""
        directions = np.zeros((self._owned, 3))
        if self._tangent is not None:
            space = self._tangent.function_space
            vectors = self._tangent.x.array.reshape(-1, space.dofmap.index_map_bs)
            directions[:, : vectors.shape[1]] = vectors[space.dofmap.list[: self._owned, 0]]
        return directions


def _require_linear(composition: fem.Function) -> None:
    element = composition.function_space.ufl_element()
    if element.degree != 1 or element.discontinuous:
        raise InputError(
            "stress statistics need a composition that is continuous and of degree 1",
            key="composition",
        )


def _require_marks(excluded: BoolArray, owned: int, domain: Domain) -> BoolArray:
    """The marks, which must be one for each owned cell on every rank."""
    marks = np.asarray(excluded, dtype=np.bool_)
    shapes = domain.mesh.comm.allgather((marks.shape, (owned,)))
    wrong = [pair for pair in shapes if pair[0] != pair[1]]
    if wrong:
        given, needed = wrong[0]
        raise InputError(
            f"needs one mark for each cell of a rank, shape {needed}, got {given}", key="excluded"
        )
    return marks
