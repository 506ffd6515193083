"""Chemical eigenstrain: the strain a stress-free material takes at composition c (eqn 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.core.expr import Expr

from chemomech.errors import InputError

_IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class EigenstrainLaw(Protocol):
    """What an eigenstrain must offer; a new law is one such class."""

    def strain(self, c: Expr, rotation: Expr | None) -> Expr:
        """Eigenstrain e*(c) in global axes, a 3 x 3 UFL tensor."""


@dataclass(frozen=True)
class Eigenstrain:
    """e*(c) = E (c - c_ref): Vegard's law with a strain tensor E per unit composition.

    Args:
        expansion: Symmetric 3 x 3 tensor E (dimensionless).
        reference: Composition c_ref of the stress-free state.
        in_wire_frame: Whether E is given along (wire, across, out of plane) rather than (x, y, z).

    Raises:
        InputError: If the tensor is not symmetric 3 x 3.
    """

    expansion: tuple[tuple[float, ...], ...]
    reference: float
    in_wire_frame: bool = False

    def __post_init__(self) -> None:
        tensor = self.tensor
        if tensor.shape != (3, 3) or not np.allclose(tensor, tensor.T, rtol=1e-12):
            raise InputError(
                "the strain per unit composition must be a symmetric 3 x 3 tensor",
                key="mechanics.eigenstrain.tensor",
            )

    @classmethod
    def isotropic(cls, expansion: float, reference: float) -> Self:
        """Create e*(c) = eta (c - c_ref) I with eta = Omega C / 3.

        Args:
            expansion: Linear expansion eta per unit composition.
            reference: Composition of the stress-free state.
        """
        return cls(tuple(tuple(expansion * x for x in row) for row in _IDENTITY), reference)

    @property
    def tensor(self) -> NDArray[np.float64]:
        """The tensor E as an array, shape (3, 3)."""
        return np.array(self.expansion, dtype=np.float64)

    def strain(self, c: Expr, rotation: Expr | None) -> Expr:
        """Eigenstrain in global axes, a 3 x 3 UFL tensor.

        Args:
            c: Composition.
            rotation: 3 x 3 tensor whose columns are the wire axes; needed for the wire frame only.
        """
        tensor = ufl.as_matrix(self.tensor.tolist())
        if self.in_wire_frame:
            tensor = rotate_from_wire(tensor, rotation)
        return (c - self.reference) * tensor


def rotate_from_wire(tensor: Expr, rotation: Expr | None) -> Expr:
    """R t R^T: a tensor t given along (wire, across, out of plane), in global axes.

    Args:
        tensor: 3 x 3 UFL tensor in the wire's axes.
        rotation: 3 x 3 UFL tensor R whose columns are the wire's axes.

    Raises:
        InputError: There is no rotation.
    """
    if rotation is None:
        raise InputError(
            "a strain given along the wire needs the wire's axes; none were found or given",
            key="mechanics.eigenstrain.frame",
        )
    return rotation * tensor * rotation.T
