"""Fields derived from a state, at the mesh's vertices, for files and pictures."""

from __future__ import annotations

import numpy as np
import ufl
from basix.ufl import element
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray
from ufl.core.expr import Expr

from chemomech.problems.stress_measures import compute_scalars, name_scalars

Array = NDArray[np.float64]


class NodalProjection:
    r"""Value at vertex i: integral of f phi_i / integral of phi_i.

    This weighted mean over the cells around a vertex makes a continuous field of a stress that
    jumps between cells, without overshoot.

    Args:
        expression: UFL expression of any shape, read anew at each update.
        space: Lagrange space of degree 1 of the same value shape.
        degree: Quadrature degree.
        name: Name of the resulting function.

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

    def _assemble(self, form: fem.Form) -> Array:
        space = self.function.function_space
        vector = la.vector(space.dofmap.index_map, space.dofmap.index_map_bs)
        fem.assemble_vector(vector.array, form)
        vector.scatter_reverse(la.InsertMode.add)
        vector.scatter_forward()
        return vector.array


class StressFields:
    """Stress at the vertices and the scalars engineers read from it.

    Args:
        stress: 3 x 3 UFL tensor.
        mesh_space: A Lagrange space on the mesh (its mesh and cell are used).
        scale: Factor from the problem's unit of stress to pascal.
        tangent: Unit vector t along the wire, for the stress in its frame; None leaves that out.
        principal: Whether to compute the principal stresses.

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
        tensors = fem.functionspace(mesh, element("Lagrange", cell, 1, shape=(3, 3)))
        scalars = fem.functionspace(mesh, element("Lagrange", cell, 1))
        self._projection = NodalProjection(scale * stress, tensors, 2, "stress")
        self._principal = principal
        self._direction = None if tangent is None else _directions(tangent)
        names = name_scalars(in_wire_frame=tangent is not None, principal=principal)
        self._scalars = {name: fem.Function(scalars, name=name) for name in names}

    @property
    def fields(self) -> list[fem.Function]:
        """All fields, as of the last update."""
        return [self._projection.function, *self._scalars.values()]

    def update(self) -> None:
        """Recompute all fields from the present state; collective."""
        self._projection.update()
        stress = self._projection.function.x.array.reshape(-1, 3, 3)
        scalars = compute_scalars(stress, self._direction, principal=self._principal)
        for name, values in scalars.items():
            self._scalars[name].x.array[:] = values

    def max_von_mises(self) -> float:
        """Largest von Mises stress at any vertex (Pa); collective."""
        field = self._scalars["von_mises"]
        owned = field.x.array[: field.function_space.dofmap.index_map.size_local]
        return float(field.function_space.mesh.comm.allreduce(owned.max(initial=0.0), op=MPI.MAX))


def _directions(tangent: fem.Function) -> Array:
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
