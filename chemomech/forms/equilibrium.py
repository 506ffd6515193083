"""Mechanical equilibrium (eqns 19-20)."""

from __future__ import annotations

from collections.abc import Sequence

import ufl
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.geometry.measures import WeightedMeasure


def equilibrium_residual(energy: Form, unknown: Expr, test: Expr) -> Form:
    """dF/du[w] = (sigma, strain(w)) - (traction, w) = 0, from the free energy less external work.

    The same derivative with respect to the uniform eps_zz of generalised plane strain says that the
    mean sigma_zz vanishes. The unknown, u or eps_zz, is a coefficient of the energy, a scalar form.
    """
    return ufl.derivative(energy, unknown, test)


def traction_work(
    u: Expr, tractions: Sequence[tuple[tuple[int, ...], Expr]], ds: WeightedMeasure
) -> Form | None:
    """Sum over groups of the integral of t . u, the work of dead surface loads.

    Tractions are pairs of facet tags and vector t; ``ds`` is the facet measure with the domain's
    tags.
    """
    works = [ufl.dot(t, u) * ds(tags) for tags, t in tractions]
    return sum(works[1:], works[0]) if works else None
