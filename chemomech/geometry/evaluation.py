"""Integrals, norms and point values of fields on a domain."""

from __future__ import annotations

import math

import numpy as np
import ufl
from dolfinx import fem, geometry
from mpi4py import MPI
from numpy.typing import ArrayLike
from ufl.core.expr import Expr

from chemomech.arrays import FloatArray
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import compile_integral


def integrate(
    domain: Domain, expression: Expr | float, *, group: str | None = None, degree: int = 4
) -> float:
    """Integrate a scalar over a domain or one of its groups; collective.

    Args:
        domain: The domain.
        expression: The scalar, in any unit.
        group: Group of facets or of cells; None for the whole volume, in 2-D the area.
        degree: Quadrature degree.

    Returns:
        The integral, in that unit times m^3, times m^2 in 2-D or over facets of a solid, times m
        over facets in 2-D.

    Raises:
        InputError: There is no such group.
    """
    dimension = domain.mesh.topology.dim
    measure = domain.dx(degree)
    if group is not None and group in domain.cell_groups:
        measure = measure(domain.cell_tags_of(group))
    elif group is not None:
        measure = domain.ds(degree)(domain.tags(group))
        dimension -= 1
    total = compile_integral(ufl.as_ufl(expression) * measure, domain.mesh.comm)()
    return total * domain.length_unit**dimension


def compute_norm(domain: Domain, expression: Expr, *, degree: int = 4) -> float:
    """Compute the root of the mean square of a scalar, vector or tensor; collective.

    Args:
        domain: The domain.
        expression: What to measure, such as the difference of two fields.
        degree: Quadrature degree.

    Returns:
        sqrt(integral of e : e / volume), in the expression's unit: the L2 norm of a domain of
        volume one.
    """
    total = integrate(domain, ufl.inner(expression, expression), degree=degree)
    return math.sqrt(total / integrate(domain, 1.0, degree=degree))


def evaluate(domain: Domain, function: fem.Function, points: ArrayLike) -> FloatArray:
    """Evaluate a function at points; collective, the same on all ranks.

    Args:
        domain: The domain.
        function: A function on its mesh.
        points: Coordinates in m, shape ``(points, dimension)``, the same on all ranks.

    Returns:
        Values in the function's unit, shape ``(points,)``, or ``(points, components)`` of a vector
        or tensor; NaN at points outside.
    """
    mesh, comm = domain.mesh, domain.mesh.comm
    given = np.atleast_2d(np.asarray(points, dtype=np.float64)) / domain.length_unit
    places = np.zeros((len(given), 3))
    places[:, : given.shape[1]] = given
    tree = geometry.bb_tree(mesh, mesh.topology.dim)
    near = geometry.compute_collisions_points(tree, places)
    touching = geometry.compute_colliding_cells(mesh, near, places)
    counts = np.diff(touching.offsets)
    mine = np.flatnonzero(counts)
    cells = touching.array[touching.offsets[:-1][mine]]
    components = math.prod(function.function_space.value_shape)
    values = np.reshape(function.eval(places[mine], cells), (len(mine), components))
    # Ghost cells let several ranks find a point; the first one's value counts.
    finder = np.full(len(places), comm.size)
    finder[mine] = comm.rank
    comm.Allreduce(MPI.IN_PLACE, finder, op=MPI.MIN)
    first = finder[mine] == comm.rank
    total = np.zeros((len(places), components))
    total[mine[first]] = values[first]
    comm.Allreduce(MPI.IN_PLACE, total, op=MPI.SUM)
    total[finder == comm.size] = np.nan
    return total[:, 0] if not function.function_space.value_shape else total
