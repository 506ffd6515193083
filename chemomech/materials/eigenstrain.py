"""Chemical eigenstrain: the strain a stress-free material takes at composition c (eqn 10)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import ufl
from ufl.core.expr import Expr

from chemomech.errors import InputError
from chemomech.materials.scalars import Scalar, evaluate


class EigenstrainLaw(Protocol):
    """Protocol of an eigenstrain law; a new law is one such class."""

    def strain(self, c: Expr) -> Expr:
        """Return the eigenstrain e*(c), a 3 x 3 UFL tensor.

        It is in global axes; in local ones it goes into a `TurnedEigenstrain`.
        """


@dataclass(frozen=True)
class Eigenstrain:
    """e*(c) = E (c - c_ref): Vegard's law with a strain tensor E per unit composition.

    Args:
        expansion: Symmetric 3 x 3 tensor E (dimensionless), rows of numbers or UFL scalars.
        reference: Composition c_ref of the stress-free state.

    Raises:
        InputError: If the tensor is not symmetric 3 x 3.
    """

    expansion: Sequence[Sequence[Scalar]]
    reference: Scalar

    def __post_init__(self) -> None:
        self.require_symmetry()

    def require_symmetry(self) -> None:
        """Refuse what is no symmetric 3 x 3 tensor at present; fields are not looked at."""
        if [len(row) for row in self.expansion] != [3, 3, 3] or not self._is_symmetric():
            raise InputError(
                "the strain per unit composition must be a symmetric 3 x 3 tensor",
                key="expansion",
            )

    @classmethod
    def isotropic(cls, expansion: Scalar, reference: Scalar) -> Self:
        """Create e*(c) = eta (c - c_ref) I with eta = Omega C / 3."""
        rows = [[expansion if i == j else 0.0 for j in range(3)] for i in range(3)]
        return cls(rows, reference)

    def _is_symmetric(self) -> bool:
        pairs = [(self.expansion[i][j], self.expansion[j][i]) for i, j in ((0, 1), (0, 2), (1, 2))]
        numbers = [(evaluate(one), evaluate(other)) for one, other in pairs]
        return all(
            a is None or b is None or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-8)
            for a, b in numbers
        )

    def strain(self, c: Expr) -> Expr:
        """Return the eigenstrain; see `EigenstrainLaw.strain`."""
        return (c - self.reference) * ufl.as_matrix([list(row) for row in self.expansion])


@dataclass(frozen=True)
class TurnedEigenstrain:
    """R e*(c) R^T: an eigenstrain given in local axes, the columns of R, in global ones.

    Args:
        law: e*(c) in the local axes.
        axes: R, a 3 x 3 UFL tensor.
    """

    law: EigenstrainLaw
    axes: Expr

    def strain(self, c: Expr) -> Expr:
        """Return the eigenstrain in global axes; see `EigenstrainLaw.strain`."""
        return self.axes * self.law.strain(c) * self.axes.T
