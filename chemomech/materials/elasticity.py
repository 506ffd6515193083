"""Linear elastic stiffness and the elastic energy density.

Stiffness matrices are 6 x 6 in Mandel's notation: strain (11, 22, 33, s 23, s 13, s 12) with
s = sqrt(2), so that energies are plain dot products and rotations are orthogonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.algorithms import expand_derivatives, expand_indices, strip_variables
from ufl.constantvalue import Zero
from ufl.core.expr import Expr

from chemomech.errors import InputError

Matrix = NDArray[np.float64]
_IN_PLANE = np.array([0, 1, 5])
_OUT_OF_PLANE = np.array([2, 3, 4])


class Assumption(StrEnum):
    """How the third direction is treated."""

    PLANE_STRAIN = "plane_strain"
    PLANE_STRESS = "plane_stress"
    GENERALISED_PLANE_STRAIN = "generalised_plane_strain"
    THREE_DIMENSIONAL = "three_dimensional"


def create_isotropic_stiffness(young: float, poisson: float) -> Matrix:
    """Create the stiffness of an isotropic solid.

    Args:
        young: Young's modulus (> 0).
        poisson: Poisson's ratio (-1 < nu < 1/2).

    Returns:
        Mandel matrix, shape (6, 6), in the unit of ``young``.
    """
    lame = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
    shear = young / (2 * (1 + poisson))
    stiffness = 2 * shear * np.eye(6)
    stiffness[:3, :3] += lame
    return stiffness


def create_cubic_stiffness(c11: float, c12: float, c44: float) -> Matrix:
    """Create the stiffness of a cubic crystal in its axes, Mandel, shape (6, 6)."""
    stiffness = np.diag([c11 - c12] * 3 + [2 * c44] * 3)
    stiffness[:3, :3] += c12
    return stiffness


def create_orthotropic_stiffness(
    young: tuple[float, float, float],
    poisson: tuple[float, float, float],
    shear: tuple[float, float, float],
) -> Matrix:
    """Create the stiffness of an orthotropic crystal in its axes.

    Args:
        young: E_1, E_2, E_3.
        poisson: nu_12, nu_13, nu_23 (nu_ij: contraction along j under tension along i).
        shear: G_23, G_13, G_12.

    Returns:
        Mandel matrix, shape (6, 6).
    """
    (e1, e2, e3), (n12, n13, n23) = young, poisson
    compliance = np.diag([1 / e1, 1 / e2, 1 / e3, *(1 / (2 * g) for g in shear)])
    compliance[0, 1] = compliance[1, 0] = -n12 / e1
    compliance[0, 2] = compliance[2, 0] = -n13 / e1
    compliance[1, 2] = compliance[2, 1] = -n23 / e2
    return np.linalg.inv(compliance)


@dataclass(frozen=True)
class Elasticity:
    """W = e : C : e / 2 with the elastic strain e = strain - eigenstrain.

    Args:
        stiffness: Mandel matrix as nested tuples or an array, shape (6, 6).
        assumption: Treatment of the third direction. In plane stress W is the least of all strains
            out of the plane, so that sigma_zz = sigma_xz = sigma_yz = 0, however the crystal lies.
        in_wire_frame: Whether the stiffness is given along (wire, across, out of plane).

    Raises:
        InputError: If the stiffness is not symmetric positive definite.
    """

    stiffness: Matrix
    assumption: Assumption
    in_wire_frame: bool = False

    def __post_init__(self) -> None:
        symmetric = np.allclose(self.stiffness, self.stiffness.T, rtol=1e-10)
        if not symmetric or np.linalg.eigvalsh(self.stiffness).min() <= 0:
            raise InputError(
                "the stiffness is not positive definite: check moduli and Poisson's ratios",
                key="mechanics.elasticity",
            )

    @property
    def effective_stiffness(self) -> Matrix:
        """Stiffness that acts on the strain under the assumption, Mandel, shape (6, 6).

        In plane stress that of a crystal with its third axis out of the plane.
        """
        if self.assumption is not Assumption.PLANE_STRESS:
            return self.stiffness
        ip, op = np.ix_(_IN_PLANE, _IN_PLANE), np.ix_(_OUT_OF_PLANE, _OUT_OF_PLANE)
        coupling = self.stiffness[np.ix_(_IN_PLANE, _OUT_OF_PLANE)]
        condensed = np.zeros((6, 6))
        condensed[ip] = self.stiffness[ip] - coupling @ np.linalg.solve(
            self.stiffness[op], coupling.T
        )
        return condensed

    def energy(self, elastic_strain: Expr, rotation: Expr | None) -> Expr:
        """Elastic energy density.

        Args:
            elastic_strain: 3 x 3 tensor in global axes.
            rotation: 3 x 3 tensor whose columns are the wire axes; needed for the wire frame only.
        """
        if self.in_wire_frame:
            assert rotation is not None
            elastic_strain = rotation.T * elastic_strain * rotation
            tilted = not (vanishes(rotation[2, 0]) and vanishes(rotation[2, 1]))
            if tilted and self.assumption is Assumption.PLANE_STRESS:
                return self._relax_along(rotation[2, :], elastic_strain)
        return _square(self.effective_stiffness, _mandel(elastic_strain))

    def _relax_along(self, normal: Expr, e: Expr) -> Expr:
        """Least energy of all strains e + sym(a n): no traction t = sigma n is left.

        That is W(e) - t . Q^-1 t / 2 with the acoustic tensor Q of the normal.

        Args:
            normal: The plane's normal n in the axes of the stiffness.
            e: Elastic strain in the same axes.
        """

        def pull(strain: Expr) -> Expr:
            return _apply(self.stiffness, _mandel(strain)) * normal

        axes = [ufl.unit_vector(i, 3) for i in range(3)]
        acoustic = ufl.as_matrix([list(pull(ufl.sym(ufl.outer(a, normal)))) for a in axes])
        traction = pull(e)
        relief = 0.5 * ufl.dot(traction, ufl.inv(acoustic) * traction)
        return _square(self.stiffness, _mandel(e)) - relief


def vanishes(expression: Expr) -> bool:
    """Tell whether a scalar UFL expression is zero by its form, whatever its fields hold."""
    return isinstance(expand_indices(strip_variables(expand_derivatives(expression))), Zero)


def _square(stiffness: Matrix, e: tuple[Expr, ...]) -> Expr:
    """Half of e . C e, term by term so that zeros cost nothing."""
    terms = [0.5 * value * e[i] * e[j] for i, j, value in _list_entries(stiffness)]
    return sum(terms[1:], terms[0])


def _apply(stiffness: Matrix, e: tuple[Expr, ...]) -> Expr:
    """C e as a 3 x 3 tensor."""
    s: list[Expr] = [ufl.as_ufl(0.0)] * 6
    for i, j, value in _list_entries(stiffness):
        s[i] = s[i] + value * e[j]
    s[3:] = [float(np.sqrt(0.5)) * shear for shear in s[3:]]
    return ufl.as_matrix([[s[0], s[5], s[4]], [s[5], s[1], s[3]], [s[4], s[3], s[2]]])


def _list_entries(stiffness: Matrix) -> list[tuple[int, int, float]]:
    """Row, column and value of what is more than round-off."""
    kept = np.abs(stiffness) >= 1e-14 * np.abs(stiffness).max()
    return [(int(i), int(j), float(stiffness[i, j])) for i, j in np.argwhere(kept)]


def _mandel(e: Expr) -> tuple[Expr, ...]:
    """Mandel components of a symmetric 3 x 3 tensor, written symmetrically so that d/de is too."""
    root = float(np.sqrt(0.5))
    shear = (root * (e[1, 2] + e[2, 1]), root * (e[0, 2] + e[2, 0]), root * (e[0, 1] + e[1, 0]))
    return (e[0, 0], e[1, 1], e[2, 2], *shear)


def create_wire_rotation(tangent: Expr) -> Expr:
    """Rotation tensor whose columns are the wire's axes (along, across, out of plane).

    Args:
        tangent: Unit vector along the wire, of 2 or 3 components. In 3-D the wire is taken to be
            bent about the z axis: "across" is z x tangent.

    Returns:
        3 x 3 UFL tensor.
    """
    if tangent.ufl_shape == (2,):
        t = ufl.as_vector([tangent[0], tangent[1], 0])
        across = ufl.as_vector([-tangent[1], tangent[0], 0])
    else:
        t = tangent
        across = ufl.as_vector([-tangent[1], tangent[0], 0])
        across = across / ufl.sqrt(ufl.dot(across, across))
    return ufl.as_matrix([list(row) for row in zip(t, across, ufl.cross(t, across), strict=True)])
