"""Scalars of laws: plain numbers, UFL constants that may be changed, or fields."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.algorithms import expand_derivatives, expand_indices, replace, strip_variables
from ufl.algorithms.analysis import extract_coefficients, extract_constants, extract_type
from ufl.constantvalue import Zero
from ufl.core.expr import Expr
from ufl.geometry import GeometricQuantity

from chemomech.errors import InputError

Scalar: TypeAlias = float | Expr
"""A number, or a scalar UFL expression: a constant, a field, or what is made of them."""

ScalarOrTensor: TypeAlias = float | Expr
"""A scalar; or a symmetric positive UFL tensor, of as many rows as the mesh has dimensions."""

_ANYWHERE = (0.0,)


def evaluate(scalar: Scalar) -> float | None:
    """Return the value of a scalar that is the same everywhere; None if it varies in space."""
    if not isinstance(scalar, Expr):
        return float(scalar)
    if extract_coefficients(scalar) or extract_type(scalar, GeometricQuantity):
        return None
    values = {constant: constant.value for constant in extract_constants(scalar)}
    return float(scalar(_ANYWHERE, {c: v if c.ufl_shape else float(v) for c, v in values.items()}))


def evaluate_all(scalars: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the values of an array of scalars, of its shape; None if one varies in space."""
    values = [evaluate(scalar) for scalar in scalars.flat]
    if any(value is None for value in values):
        return None
    return np.array(values, dtype=np.float64).reshape(scalars.shape)


def vanishes(expression: Expr) -> bool:
    """Tell if a scalar UFL expression of constants as they are is zero, whatever its fields."""
    constants = {
        c: ufl.as_ufl(float(c.value)) for c in extract_constants(expression) if not c.ufl_shape
    }
    present = replace(expand_derivatives(expression), constants)
    return isinstance(expand_indices(strip_variables(present)), Zero)


def require_positive(value: Scalar, key: str) -> None:
    """Refuse what is no finite number above zero; fields are not looked at."""
    require(value, key, lambda number: number > 0.0, "positive")


def require(value: Scalar, key: str, is_right: Callable[[float], bool], what: str) -> None:
    """Refuse a number that is not finite or not ``what`` it must be; fields are not looked at."""
    number = evaluate(value)
    if number is not None and not (math.isfinite(number) and is_right(number)):
        raise InputError(f"must be {what}, got {number:g}", key=key)


def require_symmetric(matrix: NDArray[Any], key: str) -> None:
    """Refuse a matrix of scalars that is not symmetric at present; fields are not looked at."""
    numbers = evaluate_all(matrix)
    if numbers is not None and not np.allclose(numbers, numbers.T, rtol=1e-10, atol=0.0):
        raise InputError("must be symmetric", key=key)


def require_positive_definite(matrix: NDArray[Any], key: str) -> None:
    """Refuse a matrix of scalars that is not symmetric and positive definite at present."""
    require_symmetric(matrix, key)
    numbers = evaluate_all(matrix)
    if numbers is not None and np.linalg.eigvalsh(numbers).min() <= 0.0:
        raise InputError("must be positive in every direction", key=key)
