"""Weak Cahn-Hilliard equation (eqns 16-22 with mu per RT and the mobility divided by RT)."""

from __future__ import annotations

import ufl
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.geometry.measures import WeightedMeasure


def composition_residual(
    mu: Expr, q: Expr, *, rate: Expr, mobility: Expr, dx: WeightedMeasure
) -> Form:
    """(dc/dt, q) + (M(c) grad mu, grad q) = 0; fluxes through the surface are added by others.

    The rate is the discrete dc/dt, mu that at the new time; M(c) is a scalar or a tensor.
    """
    return rate * q * dx + ufl.inner(mobility * ufl.grad(mu), ufl.grad(q)) * dx


def chemical_potential_residual(
    mu: Expr, v: Expr, energy: Form, c: Expr, dx: WeightedMeasure
) -> Form:
    """(mu, v) - dF/dc[v] = 0, with F the free energy; no flux of grad c through the surface.

    The energy F(c, u) is a scalar form, c a coefficient of it.
    """
    return mu * v * dx - ufl.derivative(energy, c, v)
