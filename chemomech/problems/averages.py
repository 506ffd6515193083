"""Means over a particle."""

from __future__ import annotations

import ufl
from dolfinx import default_scalar_type, fem
from dolfinx.mesh import Mesh
from ufl.core.expr import Expr

from chemomech.geometry.measures import WeightedMeasure, compile_integral


def compute_mean(expression: Expr, mesh: Mesh, dx: ufl.Measure | WeightedMeasure) -> float:
    """Integral of ``expression`` / integral of one; collective.

    Args:
        expression: Scalar field, or UFL expression of one.
        mesh: Where it is averaged.
        dx: Volume measure of the mesh.
    """
    one = fem.Constant(mesh, default_scalar_type(1.0))
    total, volume = (compile_integral(f * dx, mesh.comm)() for f in (expression, one))
    return total / volume
