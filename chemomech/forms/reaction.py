"""Lithium exchange through the surface (eqn 24), and the reservoir it is exchanged with."""

from __future__ import annotations

from collections.abc import Sequence

from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.geometry.measures import WeightedMeasure

Fluxes = Sequence[tuple[tuple[int, ...], Expr]]


def surface_flux(q: Expr, fluxes: Fluxes, ds: WeightedMeasure) -> Form | None:
    """Sum over groups of the integral of J q, with -M grad(mu) . n = J and n outward.

    J > 0 takes lithium out (delithiation), J < 0 puts it in; q = 1 gives the total outflow. Fluxes
    are pairs of facet tags and J (length / time, for the normalised composition).
    """
    terms = [flux * q * ds(tags) for tags, flux in fluxes]
    return sum(terms[1:], terms[0]) if terms else None


def reservoir_residual(
    level: Expr,
    test: Expr,
    fluxes: Fluxes,
    mu: Expr,
    drive: tuple[Expr, Expr, Expr],
    ds: WeightedMeasure,
    area: Expr,
) -> Form:
    r"""Equation of the one unknown mu_res: a held potential, a held current, or no exchange.

        a (oint J dS - T) + b (mu_res - T) + (1 - a - b) (mu_res - mean of mu over the surface) = 0

    With a = 1 the current T is held, with b = 1 the potential T, with neither mu_res follows the
    particle. The level mu_res is constant over the mesh, mu the potential that the reactions see;
    a, b and T are the drive, and the area is that of the surface on which the fluxes act.
    """
    hold_current, hold_potential, target = drive
    follow = 1 - hold_current - hold_potential
    share = 1.0 / area
    terms = []
    for tags, flux in fluxes:
        current = hold_current * (flux - share * target)
        potential = hold_potential * (level - target) + follow * (level - mu)
        terms.append((current + share * potential) * test * ds(tags))
    return sum(terms[1:], terms[0])
