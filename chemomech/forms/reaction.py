"""Lithium exchange through the surface (eqn 24)."""

from __future__ import annotations

from collections.abc import Sequence

import ufl
from ufl.core.expr import Expr
from ufl.form import Form


def surface_flux(
    q: Expr, fluxes: Sequence[tuple[tuple[int, ...], Expr]], ds: ufl.Measure
) -> Form | None:
    """Sum over groups of the integral of J q, with -M grad(mu) . n = J and n outward.

    J > 0 takes lithium out (delithiation), J < 0 puts it in.

    Args:
        q: Test function; 1 gives the total outflow.
        fluxes: Pairs of facet tags and flux J (length / time, for the normalised composition).
        ds: Facet measure with the domain's tags.
    """
    terms = [flux * q * ds(tags) for tags, flux in fluxes]
    return sum(terms[1:], terms[0]) if terms else None
