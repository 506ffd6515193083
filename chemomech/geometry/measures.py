"""Volume and surface measures with a weight, integrals and means by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ufl
from dolfinx import default_scalar_type, fem
from dolfinx.mesh import Mesh
from mpi4py import MPI
from ufl.core.expr import Expr
from ufl.form import Form


@dataclass(frozen=True)
class WeightedMeasure:
    """``f * measure`` is the UFL integral of f times a weight.

    Args:
        measure: UFL measure of cells or facets.
        weight: Factor of every integrand, such as 2 pi r of a round body; None for one.
    """

    measure: ufl.Measure
    weight: Expr | None = None

    def __call__(self, tags: tuple[int, ...]) -> WeightedMeasure:
        """The same measure on the cells or facets that bear one of the tags."""
        return WeightedMeasure(self.measure(tags), self.weight)

    def __rmul__(self, integrand: Expr | float) -> Form:
        return (integrand if self.weight is None else integrand * self.weight) * self.measure


def compile_integral(form: Form, comm: MPI.Comm) -> Callable[[], float]:
    """Compile a scalar form to a collective function for its present value."""
    compiled = fem.form(form)
    return lambda: float(comm.allreduce(fem.assemble_scalar(compiled)))


def compute_mean(expression: Expr, mesh: Mesh, dx: ufl.Measure | WeightedMeasure) -> float:
    """Integral of a scalar expression over a mesh / integral of one; collective."""
    one = fem.Constant(mesh, default_scalar_type(1.0))
    total, volume = (compile_integral(f * dx, mesh.comm)() for f in (expression, one))
    return total / volume
