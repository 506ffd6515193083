"""The free-energy density, written once; everything else is derived from it."""

from __future__ import annotations

from dataclasses import dataclass

import ufl
from ufl.core.expr import Expr

from chemomech.materials.eigenstrain import EigenstrainLaw
from chemomech.materials.elasticity import Assumption, ElasticityLaw
from chemomech.materials.free_energy import FreeEnergy
from chemomech.materials.mobility import Strains
from chemomech.materials.scalars import ScalarOrTensor


@dataclass(frozen=True)
class Mechanics:
    """Elasticity and eigenstrain of a solid that a composition strains.

    Args:
        elasticity: Stiffness and treatment of the third direction.
        eigenstrain: Strain of the stress-free solid as a function of composition.
        prestrain: Elastic strain e0 of the undisplaced body at the reference composition, a 3 x 3
            UFL tensor; None for none.
    """

    elasticity: ElasticityLaw
    eigenstrain: EigenstrainLaw
    prestrain: Expr | None = None

    def energy(self, c: Expr, strain: Expr) -> Expr:
        """Return the elastic energy density W(strain + e0 - e*(c))."""
        return self.elasticity.energy(self._find_elastic_strain(c, strain), c)

    def stress(self, c: Expr, strain: Expr) -> Expr:
        """Return sigma = dW/d(strain), a symmetric 3 x 3 tensor in global axes."""
        variable = ufl.variable(strain)
        return ufl.diff(self.energy(c, variable), variable)

    def strains(self, c: Expr, strain: Expr) -> Strains:
        """Return the elastic and the total strain; plane stress adds what it leaves free."""
        elastic = self._find_elastic_strain(c, strain)
        total = strain if self.prestrain is None else strain + self.prestrain
        if self.elasticity.assumption is not Assumption.PLANE_STRESS:
            return Strains(elastic, total)
        relief = self.elasticity.find_relief(elastic, c)
        return Strains(elastic + relief, total + relief)

    def potential(self, c: Expr, strain: Expr) -> Expr:
        """Return dW/dc, the elastic potential; -Omega C tr(sigma) / 3 by Vegard's law."""
        variable = ufl.variable(c)
        return ufl.diff(self.energy(variable, strain), variable)

    def _find_elastic_strain(self, c: Expr, strain: Expr) -> Expr:
        elastic = strain - self.eigenstrain.strain(c)
        return elastic if self.prestrain is None else elastic + self.prestrain


@dataclass(frozen=True)
class FreeEnergyDensity:
    r"""psi = g(c) + grad c . kappa grad c / 2 + W(strain + e0 - e*(c)) (eqns 12-15; e0 there is 0).

    Args:
        homogeneous: g(c).
        gradient_coefficient: kappa, in units of energy density times length squared: a number, a
            field, or where walls cost more across one direction than another a symmetric tensor.
        mechanics: W, e0 and e*; None leaves mechanics out.
    """

    homogeneous: FreeEnergy
    gradient_coefficient: ScalarOrTensor
    mechanics: Mechanics | None = None

    def chemical(self, c: Expr) -> Expr:
        """Return the homogeneous part g(c)."""
        return self.homogeneous.density(c)

    def gradient(self, c: Expr) -> Expr:
        """Return the gradient part grad c . kappa grad c / 2."""
        return 0.5 * ufl.inner(self.gradient_coefficient * ufl.grad(c), ufl.grad(c))


def create_strain(u: Expr, out_of_plane: Expr | None = None) -> Expr:
    """Create (grad u + grad u^T) / 2 as a 3 x 3 tensor, eps_zz = ``out_of_plane`` in 2-D.

    Args:
        u: Displacement, 2 or 3 components.
        out_of_plane: Uniform eps_zz of generalised plane strain; zero if None.
    """
    strain = ufl.sym(ufl.grad(u))
    if u.ufl_shape == (3,):
        return strain
    zz = 0 if out_of_plane is None else out_of_plane
    return ufl.as_matrix(
        [[strain[0, 0], strain[0, 1], 0], [strain[1, 0], strain[1, 1], 0], [0, 0, zz]]
    )
