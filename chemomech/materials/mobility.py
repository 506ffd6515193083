"""Mobilities M(c, e) in dc/dt = div(M grad mu), with mu in units of RT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import ufl
from ufl.core.expr import Expr

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.materials.piecewise import check_compositions, ramp
from chemomech.materials.scalars import Scalar, ScalarOrTensor, evaluate, require_positive


class Strains(NamedTuple):
    """Strains of a solid, each a symmetric 3 x 3 UFL tensor in global axes, expansion positive.

    Both hold the prestrain, and in plane stress the strain out of the plane.

    Args:
        elastic: What causes stress: the total strain less the eigenstrain.
        total: Change of shape since the solid was free of stress at the reference composition.
    """

    elastic: Expr
    total: Expr


UNSTRAINED = Strains(0 * ufl.Identity(3), 0 * ufl.Identity(3))
"""No strain."""


class Mobility(Protocol):
    """Protocol of a mobility law; a new law is one such class."""

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility M(c, e): a scalar UFL expression, or a symmetric positive tensor.

        A tensor has as many rows as the mesh has dimensions, as `ufl.as_matrix` makes it. Without
        mechanics there are no strains.
        """


@dataclass(frozen=True)
class DegenerateMobility:
    """M(c) = D c (1 - c), so that an ideal solution diffuses by Fick's law (eqn 21 divided by RT).

    D is the tracer diffusivity (length^2 / time).
    """

    diffusivity: Scalar

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility M(c)."""
        del strains
        return self.diffusivity * c * (1 - c)


@dataclass(frozen=True)
class ConstantMobility:
    """M(c) = D (length^2 / time, mu in units of RT)."""

    diffusivity: Scalar

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility D, whatever the composition."""
        del c, strains
        return ufl.as_ufl(self.diffusivity)


@dataclass(frozen=True, eq=False)
class TabulatedMobility:
    """M(c) = D(c) c (1 - c), or D(c), with D(c) from a table: ln D is linear between its entries.

    D spans decades, and so is positive everywhere. Beyond the table its ends go on straight.

    Args:
        compositions: c of the entries, increasing, shape (n,), n >= 2.
        diffusivities: D of each (length^2 / time).
        is_degenerate: Whether M has the factor c (1 - c).
        transition: Range of c about each entry over which the slope of ln D changes; 0 for a
            corner.

    Raises:
        InputError: The compositions do not increase, there is not one diffusivity for each, or one
            is not positive.
    """

    compositions: FloatArray
    diffusivities: Sequence[Scalar]
    is_degenerate: bool = True
    transition: float = 0.0

    def __post_init__(self) -> None:
        nodes = check_compositions(self.compositions)
        if len(self.diffusivities) != len(nodes):
            raise InputError(
                f"has {len(self.diffusivities)} entries, compositions {len(nodes)}",
                key="diffusivities",
            )
        for diffusivity in self.diffusivities:
            require_positive(diffusivity, "diffusivities")
        object.__setattr__(self, "compositions", nodes)

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility M(c)."""
        del strains
        diffusivity = self._interpolate(c)
        return diffusivity * c * (1 - c) if self.is_degenerate else diffusivity

    def find_error(self) -> float:
        """Find the largest relative deviation from an entry, which the transitions cause."""
        errors = [
            evaluate(self._interpolate(ufl.as_ufl(float(c))) / diffusivity - 1)
            for c, diffusivity in zip(self.compositions, self.diffusivities, strict=True)
        ]
        return max(abs(error) for error in errors if error is not None)

    def _interpolate(self, c: Expr) -> Expr:
        logarithms = [ufl.ln(ufl.as_ufl(diffusivity)) for diffusivity in self.diffusivities]
        nodes = [float(node) for node in self.compositions]
        slopes = [
            (logarithms[i + 1] - logarithms[i]) / (nodes[i + 1] - nodes[i])
            for i in range(len(nodes) - 1)
        ]
        exponent = logarithms[0] + slopes[0] * (c - nodes[0])
        for before, after, node in zip(slopes, slopes[1:], nodes[1:], strict=False):
            exponent += (after - before) * ramp(c - node, self.transition)
        return ufl.exp(exponent)


@dataclass(frozen=True)
class AnisotropicMobility:
    """M = M0 T: lithium moves more easily in one direction than in another.

    Args:
        law: M0, a scalar.
        tensor: T, symmetric positive, a UFL tensor of as many rows as the mesh has dimensions.
    """

    law: Mobility
    tensor: Expr

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility M0 T.

        Raises:
            InputError: M0 is a tensor: the product of two need not be symmetric.
        """
        mobility = ufl.as_ufl(self.law.value(c, strains))
        if mobility.ufl_shape:
            raise InputError("is for a mobility without directions; this one is a tensor already")
        return mobility * self.tensor


@dataclass(frozen=True)
class StrainedMobility:
    """M = M0 exp(b : e): a lattice that is stretched or compressed lets lithium through otherwise.

    Args:
        law: M0, a scalar or a tensor.
        sensitivity: b, the change of ln M by strain (dimensionless): a symmetric 3 x 3 UFL tensor
            in global axes, or a scalar b for b tr(e).
        measure: Which strain e is.
    """

    law: Mobility
    sensitivity: ScalarOrTensor
    measure: Literal["elastic", "total"] = "elastic"

    def value(self, c: Expr, strains: Strains | None) -> Expr:
        """Return the mobility.

        Raises:
            InputError: There is no strain.
        """
        if strains is None:
            raise InputError("a mobility that depends on strain needs mechanics")
        strain = strains.elastic if self.measure == "elastic" else strains.total
        b = ufl.as_ufl(self.sensitivity)
        exponent = ufl.inner(b, strain) if b.ufl_shape else b * ufl.tr(strain)
        return ufl.exp(exponent) * self.law.value(c, strains)
