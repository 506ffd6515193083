"""Means over a particle."""

from __future__ import annotations

import ufl
from dolfinx import default_scalar_type, fem
from dolfinx.mesh import Mesh
from ufl.core.expr import Expr


def compute_mean(expression: Expr, mesh: Mesh) -> float:
    """Integral of ``expression`` over the mesh / its volume; collective.

    Args:
        expression: Scalar field or UFL expression.
        mesh: Where it is averaged.
    """
    one = fem.Constant(mesh, default_scalar_type(1.0))
    forms = [fem.form(integrand * ufl.dx(mesh)) for integrand in (expression, one)]
    total, volume = (mesh.comm.allreduce(fem.assemble_scalar(form)) for form in forms)
    return float((total / volume).real)
