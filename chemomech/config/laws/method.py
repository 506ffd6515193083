"""Methods that a user's law must have: what they are called with, and what they return."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from ufl.core.expr import Expr

from chemomech.errors import InputError
from chemomech.materials.mobility import UNSTRAINED, Strains

_Shape = tuple[int, ...]
Returned = Any
"""What a user's method returned: a number, a UFL expression, an array or rows of these."""


@dataclass(frozen=True)
class Method:
    """A method of a law.

    Args:
        arguments: What it is called with, by name.
        result: What it returns, in words.
        shapes: Shapes of that.
    """

    arguments: dict[str, Expr | Strains]
    result: str
    shapes: tuple[_Shape, ...] = ((),)

    def require(self, law: object, name: str) -> None:
        """Call the method of a law with plain numbers.

        Raises:
            InputError: It takes other arguments, or returns something of another shape.
        """
        call = f"{type(law).__name__}.{name}"
        wanted = f"{name}({', '.join(self.arguments)})"
        try:
            inspect.signature(getattr(law, name)).bind(*self.arguments.values())
        except TypeError as error:
            raise InputError(f"{call} must be {wanted}: {error}") from error
        shape = _find_shape(getattr(law, name)(*self.arguments.values()))
        if shape not in self.shapes:
            raise InputError(f"{call} must return {self.result}, not what has the shape {shape}")


_HALF, _NONE = ufl.as_ufl(0.5), ufl.as_ufl(0.0)
METHODS = {
    "density": Method({"c": _HALF}, "a scalar"),
    "value": Method(
        {"c": _HALF, "strains": UNSTRAINED},
        "a scalar, or a symmetric tensor of as many rows as the mesh has dimensions",
        ((), (2, 2), (3, 3)),
    ),
    "stiffness": Method({}, "a Mandel matrix of the shape (6, 6), in Pa", ((6, 6),)),
    "strain": Method({"c": _HALF}, "a tensor of the shape (3, 3)", ((3, 3),)),
    "flux": Method({"c": _HALF, "mu": _NONE, "reservoir": _NONE}, "a scalar"),
}
"""Methods of laws, by name."""


def _find_shape(value: Returned) -> _Shape:
    """Find the shape of numbers, UFL expressions, arrays or rows of these."""
    if isinstance(value, Expr):
        return tuple(value.ufl_shape)
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, str) or not isinstance(value, Iterable):
        return ()
    shapes = [_find_shape(entry) for entry in value]
    return (len(shapes), *(shapes[0] if len(set(shapes)) == 1 else ()))
