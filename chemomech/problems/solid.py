"""Elastic equilibrium of a body with eigenstrain: what every problem with mechanics shares."""

from __future__ import annotations

from functools import partial

import numpy as np
import ufl
from basix.ufl import element
from dolfinx import default_scalar_type, fem
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.errors import InputError
from chemomech.fenicsx import create_real_space
from chemomech.forms.energy import Mechanics, create_strain
from chemomech.forms.equilibrium import equilibrium_residual, traction_work
from chemomech.forms.fields import Elastic, Field, Uniform
from chemomech.geometry.domain import Domain
from chemomech.materials.elasticity import Assumption
from chemomech.materials.mobility import Strains
from chemomech.materials.scalars import vanishes
from chemomech.problems.conditions import (
    Loads,
    create_dirichlet_conditions,
    create_free_motions,
    create_rigid_modes,
    require_balance,
    require_components,
)


class Solid:
    r"""Displacement u, and eps_zz in generalised plane strain, with their energy.

        F = integral of W(strain(u, eps_zz) - e*(c)) - integral over the surface of t . u

    Attributes:
        u: Displacement, in the mesh's unit of length.
        out_of_plane_strain: The one eps_zz of generalised plane strain, else None.
        energies: ``elastic`` and, under tractions, ``loads`` (minus their work), as scalar forms.
        conditions: Dirichlet conditions of u.
        axes: Axes along which they hold at nodes of tilted rollers; None where there are none.
        operator: Rigid motions of the mesh, and those that the supports leave free.
        varying: Functions that hold the values of the unknowns.

    Raises:
        InputError: If the assumption does not suit the mesh or the material, a condition cannot be
            imposed, or the tractions move a body that nothing holds.
    """

    def __init__(
        self,
        domain: Domain,
        mechanics: Mechanics,
        composition: Expr,
        loads: Loads,
        displacement_degree: int,
    ) -> None:
        _check_assumption(domain, mechanics.elasticity.assumption)
        self.mechanics = mechanics
        self._composition = composition
        mesh = domain.mesh
        vector = element(
            "Lagrange", mesh.basix_cell(), displacement_degree, shape=(mesh.geometry.dim,)
        )
        self.u = fem.Function(fem.functionspace(mesh, vector), name="u")
        self.out_of_plane_strain: fem.Function | None = None
        if mechanics.elasticity.assumption is Assumption.GENERALISED_PLANE_STRAIN:
            self.out_of_plane_strain = fem.Function(create_real_space(mesh), name="eps_zz")
        self._require_shear_free_plane()
        self.energies = self._create_energies(domain, loads, displacement_degree)
        space = self.u.function_space
        self.conditions, self.axes = create_dirichlet_conditions(space, domain, loads.supports)
        self.operator = Elastic(
            partial(create_rigid_modes, space, self.axes),
            partial(create_free_motions, space, self.conditions, self.axes),
        )
        # The same values as the unknowns, for what Newton's method leaves out.
        self.varying = tuple(
            fem.Function(one.function_space, one.x, name=f"frozen_{one.name}")
            for one in (self.u, self.out_of_plane_strain)
            if one is not None
        )
        if "loads" in self.energies:
            push = -ufl.derivative(self.energies["loads"], self.u, ufl.TestFunction(space))
            require_balance(push, self.operator.find_free_motions(), mesh.comm, self.axes)

    def create_fields(self, energy: Form) -> list[Field]:
        """Create the fields of u and eps_zz, whose equations are derivatives of the free energy."""
        residual = equilibrium_residual(energy, self.u, ufl.TestFunction(self.u.function_space))
        conditions = self.conditions
        fields = [Field(self.u, residual, self.operator, conditions=conditions, axes=self.axes)]
        if (strain := self.out_of_plane_strain) is not None:
            test = ufl.TestFunction(strain.function_space)
            fields.append(Field(strain, equilibrium_residual(energy, strain, test), Uniform()))
        return fields

    def strain(self) -> Expr:
        """Total strain, 3 x 3."""
        return create_strain(self.u, self.out_of_plane_strain)

    def strains(self, composition: Expr, *, is_frozen: bool = False) -> Strains:
        """Elastic and total strain, 3 x 3; as unknowns, or as fields that no derivative sees."""
        strain = create_strain(*self.varying) if is_frozen else self.strain()
        return self.mechanics.strains(composition, strain)

    def stress(self) -> Expr:
        """Stress, 3 x 3, as a UFL expression of the current state."""
        return self.mechanics.stress(self._composition, self.strain())

    def _require_shear_free_plane(self) -> None:
        """Refuse shear out of a plane that has no displacement out of it to balance it."""
        assumption = self.mechanics.elasticity.assumption
        if assumption in (Assumption.PLANE_STRESS, Assumption.THREE_DIMENSIONAL):
            return
        stress = self.stress()
        if not (vanishes(stress[0, 2]) and vanishes(stress[1, 2])):
            raise InputError(
                f"'{assumption.value}' has no displacement out of the plane, which this "
                "stiffness or eigenstrain would cause: a crystal axis or a strain is tilted out of "
                "it; use 'plane_stress' or a 3-D mesh",
                key="mechanics.assumption",
            )

    def _create_energies(self, domain: Domain, loads: Loads, degree: int) -> dict[str, Form]:
        mesh = domain.mesh
        dx = domain.dx(_elastic_quadrature(mesh.topology.cell_name(), degree))
        ds = domain.ds(degree)
        tractions = []
        for load in loads.tractions:
            require_components(load.group, load.value, mesh.geometry.dim)
            value = np.array(load.value, dtype=default_scalar_type)
            tractions.append((domain.tags(load.group), fem.Constant(mesh, value)))
        energies = {"elastic": self.mechanics.energy(self._composition, self.strain()) * dx}
        work = traction_work(self.u, tractions, ds)
        return energies if work is None else {**energies, "loads": -work}


def _elastic_quadrature(cell: str, degree: int) -> int:
    """Quadrature degree of the elastic terms for displacements of the given degree.

    On linear simplices one point is used: the strain is constant there, and only the mean
    eigenstrain of a cell can be matched by it, so that stresses do not see the rest.
    """
    if degree == 1 and cell in ("triangle", "tetrahedron"):
        return 0
    return 2 * degree


def _check_assumption(domain: Domain, assumption: Assumption) -> None:
    dimension = domain.mesh.geometry.dim
    if (dimension == 3) != (assumption is Assumption.THREE_DIMENSIONAL):
        raise InputError(
            f"'{assumption.value}' does not go with a {dimension}-D mesh",
            key="mechanics.assumption",
        )
