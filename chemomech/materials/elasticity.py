"""Linear elastic stiffness and the elastic energy density.

Stiffness matrices are 6 x 6 in Mandel's notation: strain (11, 22, 33, s 23, s 13, s 12) with
s = sqrt(2), so that energies are plain dot products and rotations are orthogonal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.constantvalue import Zero
from ufl.core.expr import Expr

from chemomech.errors import InputError
from chemomech.materials.scalars import Scalar, evaluate_all, vanishes

Matrix = NDArray[Any]
"""Mandel matrix of numbers, or (of type object) of numbers and UFL scalars."""

_IN_PLANE = (0, 1, 5)
_NORMAL = 2


class Assumption(StrEnum):
    """Treatment of the third direction."""

    PLANE_STRAIN = "plane_strain"
    PLANE_STRESS = "plane_stress"
    GENERALISED_PLANE_STRAIN = "generalised_plane_strain"
    THREE_DIMENSIONAL = "three_dimensional"


def create_isotropic_stiffness(young: Scalar, poisson: Scalar) -> Matrix:
    """Create the stiffness of an isotropic solid, Mandel, shape (6, 6), in the unit of ``young``.

    Args:
        young: Young's modulus (> 0).
        poisson: Poisson's ratio (-1 < nu < 1/2).
    """
    lame = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
    double_shear = young / (1 + poisson)
    return _create_mandel_matrix((lame + double_shear,) * 3, (lame,) * 3, (double_shear,) * 3)


def create_cubic_stiffness(c11: Scalar, c12: Scalar, c44: Scalar) -> Matrix:
    """Create the stiffness of a cubic crystal in its axes, Mandel, shape (6, 6)."""
    return _create_mandel_matrix((c11,) * 3, (c12,) * 3, (2 * c44,) * 3)


def create_orthotropic_stiffness(
    young: Sequence[Scalar], poisson: Sequence[Scalar], shear: Sequence[Scalar]
) -> Matrix:
    """Create the stiffness of an orthotropic crystal in its axes, Mandel, shape (6, 6).

    Args:
        young: E_1, E_2, E_3.
        poisson: nu_12, nu_13, nu_23 (nu_ij: contraction along j under tension along i).
        shear: G_23, G_13, G_12.
    """
    (e1, e2, e3), (n12, n13, n23) = young, poisson
    # The inverse of the compliance [[1, -n12, -n13], [., e1 / e2, -n23 e1 / e2], [., ., e1 / e3]]
    # over e1, by its cofactors.
    s22, s23, s33 = e1 / e2, -n23 * e1 / e2, e1 / e3
    m11, m22, m33 = s22 * s33 - s23 * s23, s33 - n13 * n13, s22 - n12 * n12
    m12, m13, m23 = n12 * s33 - s23 * n13, n13 * s22 - n12 * s23, n12 * n13 - s23
    scale = e1 / (m11 - n12 * m12 - n13 * m13)
    return _create_mandel_matrix(
        (scale * m11, scale * m22, scale * m33),
        (scale * m23, scale * m13, scale * m12),
        [2 * modulus for modulus in shear],
    )


def _create_mandel_matrix(
    normal: Sequence[Scalar], across: Sequence[Scalar], shear: Sequence[Scalar]
) -> Matrix:
    """Create a Mandel matrix of C_11 C_22 C_33, C_23 C_13 C_12 and its last diagonal entries."""
    entries = [*normal, *across, *shear]
    matrix: Matrix = np.zeros((6, 6), dtype=_find_type(entries))
    for i, value in enumerate([*normal, *shear]):
        matrix[i, i] = value
    for (i, j), value in zip(((1, 2), (0, 2), (0, 1)), across, strict=True):
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _find_type(entries: Iterable[Scalar]) -> type:
    return object if any(isinstance(entry, Expr) for entry in entries) else np.float64


class ElasticityLaw(Protocol):
    """Protocol of an elastic law."""

    @property
    def assumption(self) -> Assumption:
        """Treatment of the third direction."""

    def energy(self, elastic_strain: Expr, c: Expr) -> Expr:
        """Return the energy density of a 3 x 3 elastic strain in global axes, quadratic in it.

        Args:
            elastic_strain: Elastic strain.
            c: Composition.
        """

    def find_relief(self, elastic_strain: Expr, c: Expr) -> Expr:
        """Find the strain to add, in global axes, for sigma_zz, sigma_xz and sigma_yz to vanish.

        It is one out of the plane: what the strain of a sheet in plane stress leaves out.
        """


@dataclass(frozen=True)
class Elasticity:
    """W = e : C : e / 2 with the elastic strain e = strain - eigenstrain.

    Args:
        stiffness: Mandel matrix, shape (6, 6), of numbers or UFL scalars.
        assumption: Treatment of the third direction. In plane stress W is the least of all strains
            out of the plane, so that sigma_zz = sigma_xz = sigma_yz = 0, however the crystal lies.
        axes: 3 x 3 UFL tensor whose columns are the axes of the stiffness; None for global ones.

    Raises:
        InputError: If the stiffness is not symmetric positive definite.
    """

    stiffness: Matrix
    assumption: Assumption
    axes: Expr | None = None

    def __post_init__(self) -> None:
        self.require_stability()

    def require_stability(self) -> None:
        """Refuse a stiffness whose present numbers, if any, are not symmetric positive definite."""
        numbers = evaluate_all(self.stiffness)
        if numbers is None:
            return
        symmetric = np.allclose(numbers, numbers.T, rtol=1e-10)
        if not symmetric or np.linalg.eigvalsh(numbers).min() <= 0:
            raise InputError(
                "the stiffness is not positive definite: check moduli and Poisson's ratios",
                key="stiffness",
            )

    @property
    def plane_stress_stiffness(self) -> Matrix:
        """C_ij - C_iz C_jz / C_zz in the plane: without sigma_zz; Mandel, shape (6, 6).

        For a crystal with a mirror plane in the plane, such as an orthotropic one in its axes.
        """
        full = self.stiffness
        condensed: Matrix = np.zeros((6, 6), dtype=full.dtype)
        for i in _IN_PLANE:
            for j in _IN_PLANE:
                coupling = full[i, _NORMAL] * full[_NORMAL, j] / full[_NORMAL, _NORMAL]
                condensed[i, j] = full[i, j] - coupling
        return condensed

    @property
    def _has_mirror_plane(self) -> bool:
        """True if strains in the plane cause no shear out of it, in the axes of the stiffness."""
        shears = {3, 4}
        return not any((i in shears) != (j in shears) for i, j, _ in list_entries(self.stiffness))

    def energy(self, elastic_strain: Expr, c: Expr) -> Expr:
        """Return the elastic energy density; see `ElasticityLaw.energy`."""
        del c
        normal: Expr = ufl.unit_vector(2, 3)
        is_upright = True
        if self.axes is not None:
            elastic_strain = self.axes.T * elastic_strain * self.axes
            is_upright = vanishes(self.axes[2, 0]) and vanishes(self.axes[2, 1])
            normal = self.axes[2, :]
        if self.assumption is not Assumption.PLANE_STRESS:
            return _square(self.stiffness, _mandel(elastic_strain))
        if is_upright and self._has_mirror_plane:
            return _square(self.plane_stress_stiffness, _mandel(elastic_strain))
        return self._relax_along(normal, elastic_strain)

    def find_relief(self, elastic_strain: Expr, c: Expr) -> Expr:
        """Return the strain that plane stress leaves free; see `ElasticityLaw.find_relief`."""
        del c
        normal: Expr = ufl.unit_vector(2, 3)
        if self.axes is None:
            shift, _ = self._find_shift(normal, elastic_strain)
            return ufl.sym(ufl.outer(shift, normal))
        shift, _ = self._find_shift(self.axes[2, :], self.axes.T * elastic_strain * self.axes)
        return ufl.sym(ufl.outer(self.axes * shift, normal))

    def _relax_along(self, normal: Expr, e: Expr) -> Expr:
        """Find the least energy of all strains e + sym(a n): no traction t = sigma n is left.

        That is W(e) + t . a / 2.

        Args:
            normal: The plane's normal n in the axes of the stiffness.
            e: Elastic strain in the same axes.
        """
        shift, traction = self._find_shift(normal, e)
        return _square(self.stiffness, _mandel(e)) + 0.5 * ufl.dot(traction, shift)

    def _find_shift(self, normal: Expr, e: Expr) -> tuple[Expr, Expr]:
        """Find a = -Q^-1 t, with the acoustic tensor Q of the normal, and t; see `_relax_along`."""

        def pull(strain: Expr) -> Expr:
            return _apply(self.stiffness, _mandel(strain)) * normal

        axes = [ufl.unit_vector(i, 3) for i in range(3)]
        acoustic = ufl.as_matrix([list(pull(ufl.sym(ufl.outer(a, normal)))) for a in axes])
        traction = pull(e)
        return -ufl.inv(acoustic) * traction, traction


def _square(stiffness: Matrix, e: tuple[Expr, ...]) -> Expr:
    """Compute half of e . C e, term by term so that zeros cost nothing."""
    terms = [0.5 * value * e[i] * e[j] for i, j, value in list_entries(stiffness)]
    return sum(terms[1:], terms[0])


def _apply(stiffness: Matrix, e: tuple[Expr, ...]) -> Expr:
    """Compute C e as a 3 x 3 tensor."""
    s: list[Expr] = [ufl.as_ufl(0.0)] * 6
    for i, j, value in list_entries(stiffness):
        s[i] = s[i] + value * e[j]
    s[3:] = [float(np.sqrt(0.5)) * shear for shear in s[3:]]
    return ufl.as_matrix([[s[0], s[5], s[4]], [s[5], s[1], s[3]], [s[4], s[3], s[2]]])


def list_entries(stiffness: Matrix) -> list[tuple[int, int, Scalar]]:
    """List row, column and value of what is not zero; of numbers, what exceeds round-off."""
    numbers = [abs(value) for value in stiffness.flat if not isinstance(value, Expr)]
    least = 1e-14 * max(numbers, default=0.0)
    return [
        (i, j, value)
        for (i, j), value in np.ndenumerate(stiffness)
        if (not isinstance(value, Zero) if isinstance(value, Expr) else abs(value) > least)
    ]


def _mandel(e: Expr) -> tuple[Expr, ...]:
    """List the Mandel components of a symmetric tensor, so written that d/de is symmetric."""
    root = float(np.sqrt(0.5))
    shear = (root * (e[1, 2] + e[2, 1]), root * (e[0, 2] + e[2, 0]), root * (e[0, 1] + e[1, 0]))
    return (e[0, 0], e[1, 1], e[2, 2], *shear)


def create_wire_rotation(tangent: Expr) -> Expr:
    """Create the rotation, 3 x 3, whose columns are the wire's axes (along, across, out of plane).

    Args:
        tangent: Unit vector along the wire, of 2 or 3 components. In 3-D the wire is taken to be
            bent about the z axis: "across" is z x tangent.
    """
    if tangent.ufl_shape == (2,):
        t = ufl.as_vector([tangent[0], tangent[1], 0])
        across = ufl.as_vector([-tangent[1], tangent[0], 0])
    else:
        t = tangent
        across = ufl.as_vector([-tangent[1], tangent[0], 0])
        across = across / ufl.sqrt(ufl.dot(across, across))
    return ufl.as_matrix([list(row) for row in zip(t, across, ufl.cross(t, across), strict=True)])
