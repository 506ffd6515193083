"""Stress at the mesh's vertices, for files, pictures and extrema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import ufl
from basix.ufl import element
from dolfinx import fem, la
from mpi4py import MPI
from ufl.core.expr import Expr

from chemomech.arrays import FloatArray
from chemomech.geometry.domain import Domain
from chemomech.problems.stress_measures import (
    compute_components,
    compute_invariants,
    name_scalars,
)

#: Rows and columns of the components that a symmetric tensor has, and where each of nine is.
_COMPONENTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_PLACES = (0, 3, 4, 3, 1, 5, 4, 5, 2)


class NodalProjection:
    r"""Value at vertex i: integral of f phi_i / integral of phi_i.

    This weighted mean over the cells around a vertex makes a continuous field of a stress that
    jumps between cells, without overshoot.

    The expression may be of any shape and is read anew at each update; the Lagrange space of
    degree 1 has the same.

    Attributes:
        function: The projected field.
    """

    def __init__(self, expression: Expr, space: fem.FunctionSpace, degree: int, name: str) -> None:
        test = ufl.TestFunction(space)
        dx = ufl.Measure("dx", domain=space.mesh, metadata={"quadrature_degree": degree})
        self._form = fem.form(ufl.inner(expression, test) * dx)
        self.function = fem.Function(space, name=name)
        one = fem.Constant(space.mesh, np.ones(space.value_shape))
        weights = fem.form(ufl.inner(one, test) * dx)
        self._weights = self._assemble(weights)

    def update(self) -> None:
        """Project the expression's present value; collective."""
        self.function.x.array[:] = self._assemble(self._form) / self._weights

    def _assemble(self, form: fem.Form) -> FloatArray:
        vector = fem.assemble_vector(form)
        vector.scatter_reverse(la.InsertMode.add)
        vector.scatter_forward()
        return vector.array


class _Stressed(Protocol):
    """A problem with a stress."""

    domain: Domain

    def stress(self) -> Expr:
        """Return the stress, a symmetric 3 x 3 UFL tensor."""


class StressFields:
    """Stress at the vertices and the scalars engineers read from it.

    The stress is a symmetric 3 x 3 UFL tensor, the scale the factor from its unit to pascal, the
    space any Lagrange space on the mesh. The tangent t is the unit vector along the wire; None
    leaves its frame out.

    Attributes:
        fields: Functions ``stress`` (3 x 3), ``von_mises``, ``hydrostatic``; with a tangent,
            ``stress_along`` (sigma_tt), ``stress_normal`` (sigma_nn) and ``stress_shear``
            (sigma_tn), n = z x t; if asked for, ``principal_1`` >= ``principal_2`` >=
            ``principal_3``. In Pa; tension positive.
    """

    def __init__(
        self,
        stress: Expr,
        mesh_space: fem.FunctionSpace,
        scale: float,
        tangent: fem.Function | None = None,
        *,
        principal: bool = False,
    ) -> None:
        mesh = mesh_space.mesh
        cell = mesh.basix_cell()
        vectors, tensors = (
            fem.functionspace(mesh, element("Lagrange", cell, 1, shape=shape))
            for shape in ((len(_COMPONENTS),), (3, 3))
        )
        components = ufl.as_vector([stress[place] for place in _COMPONENTS])
        self._projection = NodalProjection(components, vectors, 2, "components")
        self._scale = scale
        self._principal = principal
        self._direction = None if tangent is None else _directions(tangent)
        names = name_scalars(in_wire_frame=tangent is not None, principal=principal)
        scalars = fem.functionspace(mesh, element("Lagrange", cell, 1))
        self.fields = [
            fem.Function(tensors, name="stress"),
            *(fem.Function(scalars, name=name) for name in names),
        ]

    def update(self) -> None:
        """Recompute all fields from the present state; collective."""
        self.update_invariants()
        self.update_components()

    def update_invariants(self) -> None:
        """Recompute ``stress``, ``von_mises`` and ``hydrostatic``; collective."""
        self._projection.update()
        components = self._projection.function.x.array.reshape(-1, len(_COMPONENTS))
        self.fields[0].x.array[:] = self._scale * components.take(_PLACES, axis=1).ravel()
        stress = self.fields[0].x.array.reshape(-1, 3, 3)
        _assign(self.fields[1:3], compute_invariants(stress))

    def update_components(self) -> None:
        """Recompute the fields that follow from the stress of `update_invariants`."""
        stress = self.fields[0].x.array.reshape(-1, 3, 3)
        components = compute_components(stress, self._direction, principal=self._principal)
        _assign(self.fields[3:], components)

    def max_von_mises(self) -> float:
        """Largest von Mises stress at any vertex (Pa); collective."""
        field = self.fields[1]
        owned = field.x.array[: field.function_space.dofmap.index_map.size_local]
        return float(field.function_space.mesh.comm.allreduce(owned.max(initial=0.0), op=MPI.MAX))


def compute_stress(problem: _Stressed, scale: float = 1.0) -> dict[str, fem.Function]:
    """Compute the stress of a problem's present state at the vertices; collective.

    ``scale`` is the factor from the problem's unit of stress to that of the result.

    Returns:
        Functions ``stress`` (3 x 3), ``von_mises`` and ``hydrostatic`` by name; tension positive.
    """
    mesh = problem.domain.mesh
    space = fem.functionspace(mesh, element("Lagrange", mesh.basix_cell(), 1))
    fields = StressFields(problem.stress(), space, scale)
    fields.update()
    return {str(field.name): field for field in fields.fields}


def _assign(fields: Sequence[fem.Function], scalars: Mapping[str, FloatArray]) -> None:
    for field, values in zip(fields, scalars.values(), strict=True):
        field.x.array[:] = values


def _directions(tangent: fem.Function) -> FloatArray:
    """Unit tangent at the vertices, shape (vertices, 3), from one given cell by cell."""
    mesh = tangent.function_space.mesh
    dimension = mesh.geometry.dim
    vectors = element("Lagrange", mesh.basix_cell(), 1, shape=(dimension,))
    projection = NodalProjection(tangent, fem.functionspace(mesh, vectors), 1, "tangent")
    projection.update()
    mean = projection.function.x.array.reshape(-1, dimension)
    directions = np.zeros((len(mean), 3))
    directions[:, :dimension] = mean / np.linalg.norm(mean, axis=1)[:, None]
    return directions
