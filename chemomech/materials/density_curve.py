"""Evaluate a free-energy density and its derivatives by NumPy, without mesh or compilation."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import ufl
from numpy.typing import ArrayLike
from ufl import classes
from ufl.algorithms import expand_derivatives
from ufl.core.expr import Expr
from ufl.core.multiindex import FixedIndex
from ufl.corealg.traversal import unique_post_traversal

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.materials.free_energy import FreeEnergy

_OPERATORS: Mapping[type[Expr], Callable[..., Any]] = {
    classes.Sum: np.add,
    classes.Product: np.multiply,
    classes.Division: np.divide,
    classes.Power: np.power,
    classes.Abs: np.abs,
    classes.Real: np.real,
    classes.MinValue: np.minimum,
    classes.MaxValue: np.maximum,
    classes.Atan2: np.arctan2,
    classes.Conditional: np.where,
    classes.Indexed: operator.getitem,
    classes.LT: np.less,
    classes.GT: np.greater,
    classes.LE: np.less_equal,
    classes.GE: np.greater_equal,
    classes.EQ: np.equal,
    classes.NE: np.not_equal,
    classes.AndCondition: np.logical_and,
    classes.OrCondition: np.logical_or,
    classes.NotCondition: np.logical_not,
    classes.Ln: np.log,
    classes.Exp: np.exp,
    classes.Sqrt: np.sqrt,
    classes.Sin: np.sin,
    classes.Cos: np.cos,
    classes.Tan: np.tan,
    classes.Sinh: np.sinh,
    classes.Cosh: np.cosh,
    classes.Tanh: np.tanh,
    classes.Asin: np.arcsin,
    classes.Acos: np.arccos,
    classes.Atan: np.arctan,
}


@dataclass(frozen=True)
class DensityCurve:
    r"""g(c) + coherency (c - 1/2)^2 with its first and second derivative.

    Args:
        law: The free-energy density g; its numbers may be constants of a mesh, whose present values
            are taken.
        coherency: What coherent strain adds, see `phase_diagram.coherent_shift`.
    """

    law: FreeEnergy
    coherency: float = 0.0

    def energy(self, c: ArrayLike) -> FloatArray:
        """Evaluate g at compositions of any shape."""
        return self._evaluate(0, c)

    def potential(self, c: ArrayLike) -> FloatArray:
        """Evaluate the chemical potential g' at compositions of any shape."""
        return self._evaluate(1, c)

    def curvature(self, c: ArrayLike) -> FloatArray:
        """Evaluate g'', negative where the material is unstable, at compositions of any shape."""
        return self._evaluate(2, c)

    @cached_property
    def _derivatives(self) -> tuple[classes.Variable, list[list[Expr]]]:
        """The variable, and of g, g' and g'' all parts of the expression, operands first."""
        c = ufl.variable(ufl.as_ufl(0.5))
        orders = [ufl.as_ufl(self.law.density(c) + self.coherency * (c - 0.5) ** 2)]
        for _ in range(2):
            orders.append(expand_derivatives(ufl.diff(orders[-1], c)))
        return c, [list(unique_post_traversal(order)) for order in orders]

    def _evaluate(self, order: int, c: ArrayLike) -> FloatArray:
        points = np.asarray(c, dtype=np.float64)
        variable, derivatives = self._derivatives
        values: dict[Expr, Any] = {variable: points}
        with np.errstate(all="ignore"):
            for part in derivatives[order]:
                if part not in values:
                    values[part] = _evaluate_part(part, values)
        result = np.broadcast_to(np.float64(values[derivatives[order][-1]]), points.shape)
        if not np.isfinite(result).all():
            worst = points[~np.isfinite(result)].flat[0]
            raise InputError(
                f"the free energy is not finite at c = {worst:.6g}: bounds must exclude it"
            )
        return result


def _evaluate_part(part: Expr, values: Mapping[Expr, Any]) -> Any:  # noqa: ANN401
    """Evaluate one operator from the values of its operands, or a constant."""
    operands = part.ufl_operands
    if isinstance(part, classes.Zero):
        return 0.0
    if isinstance(part, classes.ScalarValue):
        return float(part)
    if isinstance(part, classes.Constant):
        return part.value
    if isinstance(part, classes.MultiIndex) and all(isinstance(i, FixedIndex) for i in part):
        return tuple(int(i) for i in part)
    if isinstance(part, classes.Variable):
        return values[operands[0]]
    if isinstance(part, classes.Label):
        return None
    evaluate = _OPERATORS.get(type(part))
    if evaluate is None:
        raise InputError(
            f"the free energy's phases cannot be found: {type(part).__name__} is no function of "
            "the composition alone"
        )
    return evaluate(*(values[operand] for operand in operands))
