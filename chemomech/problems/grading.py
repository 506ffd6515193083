"""Factors that vary in space, one value a cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.domain import Domain
from chemomech.geometry.formula import Unroll, evaluate_formula


def create_factor_by_place(formula: str, domain: Domain, unroll: Unroll | None) -> fem.Function:
    """Create a factor from a formula, positive everywhere, at each cell's midpoint; collective.

    Formula and ``unroll``, None without a wire, are as `evaluate_formula` takes them.
    """
    factor = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)), name="factor")
    scale = domain.length_unit / 1e-9
    factor.interpolate(lambda x: evaluate_formula(formula, x * scale, unroll))
    factor.x.scatter_forward()
    lowest = domain.mesh.comm.allreduce(float(factor.x.array.min(initial=np.inf)), op=MPI.MIN)
    if not lowest > 0.0:
        raise InputError(f"must be a factor above zero everywhere, goes down to {lowest:g}")
    return factor


def require_separate(groups: Iterable[str], domain: Domain, what: str) -> None:
    """Refuse groups of cells that share cells, which can have ``what`` only.

    Raises:
        InputError: They do, or a group is unknown.
    """
    tags = {name: set(domain.cell_tags_of(name)) for name in groups}
    for one, other in combinations(tags, 2):
        if tags[one] & tags[other]:
            raise InputError(f"{one!r} and {other!r} share cells, which can have {what} only")


def create_factor_by_group(values: Mapping[str, float], domain: Domain) -> fem.Function:
    """Create a factor with a value in each group of cells, and one in all other cells.

    Raises:
        InputError: A group is unknown, or two of them share cells.
    """
    require_separate(values, domain, "one factor")
    factor = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)), name="factor")
    factor.x.array[:] = 1.0
    for name, value in values.items():
        dofs = factor.function_space.dofmap.list[domain.cells(name), 0]
        factor.x.array[dofs] = value
    factor.x.scatter_forward()
    return factor
