"""How fast composition waves can grow or decay, by theory, from any free energy and mobility."""

from __future__ import annotations

import math
from functools import cached_property

import ufl
from basix.ufl import element
from dolfinx import fem
from mpi4py import MPI
from ufl.algorithms import expand_derivatives, extract_coefficients
from ufl.core.expr import Expr

from chemomech.materials.scalars import ScalarOrTensor
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.stress_fields import NodalProjection


class WaveGrowth:
    r"""Rate of the fastest wave in an endless uniform solid of a composition: M g''^2 / (4 kappa).

    Of tensors, M / kappa is the largest for any direction of the wave, or up to sqrt(3) times that.

    That is for g'' < 0; elsewhere, and without a gradient energy, it is zero. Boundaries,
    interfaces and the strain of a coherent solid slow waves down or let them decay: the rate tells
    in what time something could happen, not that it does; see `misses_strain`.
    """

    def __init__(self, problem: ChemoMechanics) -> None:
        self._problem = problem
        self._comm: MPI.Comm = problem.domain.mesh.comm
        gradient = problem.energy_density.gradient_coefficient
        c = ufl.variable(problem.c)
        curvature = ufl.diff(ufl.diff(problem.energy_density.chemical(c), c), c)
        instability = ufl.max_value(-curvature, 0.0)
        mesh = problem.domain.mesh
        mobility = ufl.as_ufl(problem.mobility.value(problem.c, problem.strains()))
        if mobility.ufl_shape or ufl.as_ufl(gradient).ufl_shape:
            ratio, least = _compare(mobility, gradient, mesh.geometry.dim)
        else:
            ratio, least = mobility / gradient, gradient
        rate = ufl.conditional(ufl.gt(least, 0.0), ratio * instability**2 / 4, 0.0)
        cells = fem.functionspace(mesh, element("DG", mesh.basix_cell(), 0))
        degree = problem.discretisation.chemical_quadrature
        self._rates = NodalProjection(rate, cells, degree, "growth")
        # M g'' is the diffusivity of a gradient of c; where g'' is small, waves decay otherwise.
        self._diffusivity = _bound_below(mobility) * ufl.max_value(curvature, 1.0)
        self._degree = degree

    @cached_property
    def misses_strain(self) -> bool:
        """True where strain may make a homogeneous state unstable though g'' > 0.

        The elastic energy is not quadratic in c and strain together then, as with a stiffness C(c).
        """
        return _depends_on_strain(self._problem)

    @cached_property
    def _diffusivities(self) -> NodalProjection:
        """Compiled when first asked for: only what may be stationary needs it."""
        cells = self._rates.function.function_space
        return NodalProjection(self._diffusivity, cells, self._degree, "diffusivity")

    def compute_highest(self) -> float:
        """Highest of the cells' mean rates, in the problem's unit of time; collective."""
        self._rates.update()
        highest = float(self._rates.function.x.array.max(initial=0.0))
        return self._comm.allreduce(highest, op=MPI.MAX)

    def compute_least_diffusivity(self) -> float:
        """Lowest of the cells' means of M max(g'', 1), in the problem's units; collective.

        Of tensors, M is the least for any direction, or down to 1 / sqrt(3) of that.
        """
        self._diffusivities.update()
        least = float(self._diffusivities.function.x.array.min(initial=math.inf))
        return self._comm.allreduce(least, op=MPI.MIN)


def _depends_on_strain(problem: ChemoMechanics) -> bool:
    """Tell whether the curvature of the elastic energy by c, as it acts on lithium, holds u."""
    if problem.solid is None or not problem.coupling.in_bulk:
        return False
    c, strain = ufl.variable(problem.c), problem.solid.strain()
    curvature = ufl.diff(ufl.diff(problem.solid.mechanics.energy(c, strain), c), c)
    return problem.u in extract_coefficients(expand_derivatives(curvature))


def _bound_below(mobility: Expr) -> Expr:
    """Bound from below of n.M n for all directions n."""
    if not mobility.ufl_shape:
        return mobility
    inverse = ufl.inv(mobility)
    return 1 / ufl.sqrt(ufl.tr(inverse * inverse))


def _compare(mobility: Expr, gradient: ScalarOrTensor, size: int) -> tuple[Expr, Expr]:
    """Bound of n.M n / n.kappa n for all directions n, and what is zero where kappa is singular."""
    tensors = [
        one if one.ufl_shape else one * ufl.Identity(size)
        for one in (mobility, ufl.as_ufl(gradient))
    ]
    ratios = ufl.inv(tensors[1]) * tensors[0]
    # All eigenvalues are positive: the largest is at most the root of the sum of their squares.
    return ufl.sqrt(ufl.tr(ratios * ratios)), ufl.det(tensors[1])
