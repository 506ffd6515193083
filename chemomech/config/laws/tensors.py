"""Tables of tensors by which transport and walls depend on the direction."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
import ufl
from pydantic import Field
from ufl.core.expr import Expr

from chemomech.config.base import Choice, Number, Section, SectionError
from chemomech.config.laws.axes import Frame, LocalAxes
from chemomech.config.laws.numbers import Numbers
from chemomech.errors import InputError
from chemomech.materials.elasticity import Matrix
from chemomech.materials.scalars import require_positive_definite, require_symmetric

_Row = tuple[Number, Number, Number]


class TensorConfig(Section):
    """A symmetric tensor: by its values along three axes, or by all of its entries."""

    choices = (Choice(("values", "tensor")),)

    values: _Row | None = Field(
        default=None, description="values along the three axes, three in 2-D too"
    )
    tensor: tuple[_Row, _Row, _Row] | None = Field(
        default=None, description="or all entries, symmetric"
    )
    frame: Frame = Field(
        default="global",
        description="axes; wire: along the wire, across it, out of plane; crystal: of [[crystal]]",
    )

    @property
    def matrix(self) -> Matrix:
        """The tensor in its axes, shape (3, 3)."""
        return np.array(self.tensor) if self.values is None else np.diag(self.values)

    def create(self, numbers: Numbers, axes: LocalAxes) -> Expr:
        """Create the tensor, a 3 x 3 UFL tensor in global axes."""
        entries = numbers.add(self._key)
        if self.tensor is None:
            entries = [[entries[i] if i == j else 0.0 for j in range(3)] for i in range(3)]
        matrix: Matrix = np.array(entries, dtype=object)
        numbers.add_check(partial(self._require, matrix), self._key)
        return axes.turn(ufl.as_matrix(entries), self.frame)

    @property
    def _key(self) -> str:
        return "values" if self.tensor is None else "tensor"

    @staticmethod
    def _require(matrix: Matrix) -> None:
        """Refuse what is no such tensor at present."""
        require_symmetric(matrix, "")

    def _check(self) -> None:
        try:
            self._require(self.matrix)
        except InputError as error:
            raise SectionError(self._key, error.message) from error


class AnisotropyConfig(TensorConfig):
    """Factors by direction, all positive; in 2-D those in the plane count."""

    def find_extremes(self, dimension: int | None) -> tuple[float, float]:
        """Find the smallest and the largest factor of any direction of a mesh.

        In 2-D the third does not count where it is that of z. Where the axes or the dimension
        (None) are not known yet, the tensor's extremes are bounds.
        """
        matrix = self.matrix
        if dimension == 2 and self.frame != "crystal" and not matrix[:2, 2].any():
            matrix = matrix[:2, :2]
        factors = np.linalg.eigvalsh(matrix)
        return float(factors[0]), float(factors[-1])

    def create(self, numbers: Numbers, axes: LocalAxes) -> Expr:
        """Create the tensor in global axes, of as many rows as the mesh has dimensions."""
        return axes.restrict(super().create(numbers, axes))

    @staticmethod
    def _require(matrix: Matrix) -> None:
        require_positive_definite(matrix, "")


class StrainSensitivityConfig(TensorConfig):
    """b in exp(b : e): the change of ln M by strain; b, b, b along any axes is b tr(e)."""

    measure: Literal["elastic", "total"] = Field(
        default="elastic",
        description="which strain; elastic: that which causes stress; total: with that of lithium",
    )
