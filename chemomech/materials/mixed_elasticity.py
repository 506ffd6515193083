"""Stiffness that changes with the composition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import ufl
from ufl.core.expr import Expr

from chemomech.errors import InputError
from chemomech.materials.elasticity import Assumption, Elasticity, Matrix, list_entries
from chemomech.materials.scalars import Scalar, evaluate


@dataclass(frozen=True)
class MixedElasticity:
    """W = e : C(c) : e / 2 with C(c) = (1 - h) C_a + h C_b.

    h = t or, smooth, t^2 (3 - 2 t) within 0 < t < 1, 0 before and 1 after; t = (c - c_a) /
    (c_b - c_a). A linear h goes on straight, so that mu does not jump: far beyond c_a or c_b C(c)
    may be no stable solid's; see `require_stability`. In plane stress the mixture is condensed.

    Args:
        poor: C_a.
        rich: C_b.
        compositions: c_a and c_b.
        smooth: Whether h is smooth.

    Raises:
        InputError: The two have other assumptions or axes, or the compositions do not increase.
    """

    poor: Elasticity
    rich: Elasticity
    compositions: tuple[Scalar, Scalar] = (0.0, 1.0)
    smooth: bool = False

    def __post_init__(self) -> None:
        if self.poor.assumption is not self.rich.assumption or self.poor.axes != self.rich.axes:
            raise InputError("both solids of a mixture need the same assumption and axes")
        self.require_order()

    def require_order(self) -> None:
        """Refuse compositions that do not increase at present; fields are not looked at."""
        start, end = map(evaluate, self.compositions)
        if start is not None and end is not None and not start < end:
            raise InputError("must increase", key="compositions")

    def require_stability(self, lower: float, upper: float) -> None:
        """Refuse a C(c) that is not positive definite at present between two compositions.

        It is if it is at both: a linear h makes C(c) linear. Fields are not looked at. Where there
        is no limit, 0 or 1 stands for it.
        """
        ends = (c if isfinite(c) else at for c, at in ((lower, 0.0), (upper, 1.0)))
        for c in () if self.smooth else ends:
            try:
                self._mix(c)
            except InputError as error:
                raise InputError(
                    f"a linear mixture is no stable solid at the composition {c:g}: a smooth one "
                    "is, which is level beyond these two; or state two nearer to the ends",
                    key="compositions",
                ) from error

    @property
    def assumption(self) -> Assumption:
        """Treatment of the third direction."""
        return self.poor.assumption

    def energy(self, elastic_strain: Expr, c: Expr) -> Expr:
        """Return the elastic energy density; see `ElasticityLaw.energy`."""
        return self._mix(c).energy(elastic_strain, c)

    def find_relief(self, elastic_strain: Expr, c: Expr) -> Expr:
        """Return the strain that plane stress leaves free; see `ElasticityLaw.find_relief`."""
        return self._mix(c).find_relief(elastic_strain, c)

    def _mix(self, c: Scalar) -> Elasticity:
        h = self._find_share(c)
        mixture: Matrix = np.zeros((6, 6), dtype=object)
        for law, share in ((self.poor, 1 - h), (self.rich, h)):
            for i, j, value in list_entries(law.stiffness):
                mixture[i, j] += share * value
        return replace(self.poor, stiffness=mixture)

    def _find_share(self, c: Scalar) -> Scalar:
        start, end = self.compositions
        t = (c - start) / (end - start)
        if not self.smooth:
            return t
        t = ufl.min_value(ufl.max_value(t, 0.0), 1.0)
        return t**2 * (3 - 2 * t)
