"""Stress of a particle whose composition is known (eqns 9-11)."""

from __future__ import annotations

from ufl.core.expr import Expr

from chemomech.forms.energy import Mechanics
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import compile_integral
from chemomech.problems.conditions import Loads
from chemomech.problems.parameters import Parameters
from chemomech.problems.solid import Solid


class StaticStress:
    r"""Find u (and eps_zz in generalised plane strain) for a fixed composition c.

        dF/du[w] = 0,     F = integral of W(strain - e*(c)) - work of the tractions

    The energy, and so the stress, is that of :class:`ChemoMechanics` without its chemistry. The
    problem is linear; it holds unknowns, forms and conditions in blocks and does not solve.

    Args:
        domain: Mesh with facet groups.
        mechanics: W and e*.
        composition: c as a field on the mesh, of any space, or a UFL expression of the position. A
            field may be changed between solves.
        loads: Supports and tractions.
        displacement_degree: Degree of the Lagrange elements of u.
        parameters: What of the laws can be changed by name; none by default.

    Attributes:
        parameters: Numbers of the laws by name.
        u: Displacement, in the mesh's unit of length.
        out_of_plane_strain: The one eps_zz of generalised plane strain, else None.
        fields: Those of both, as far as they exist.
        solid: Their energy and equations.

    Raises:
        InputError: If the assumption does not suit the mesh, a condition cannot be imposed, or the
            tractions move a body that nothing holds.
    """

    #: A stiffness that depends on the composition is assembled anew when that has changed.
    varying = ()
    mass_coefficient = None

    def __init__(
        self,
        domain: Domain,
        mechanics: Mechanics,
        composition: Expr,
        loads: Loads | None = None,
        displacement_degree: int = 1,
        parameters: Parameters | None = None,
    ) -> None:
        self.domain = domain
        self.composition = composition
        self.parameters = parameters or Parameters(domain.mesh)
        self.solid = Solid(domain, mechanics, composition, loads or Loads(), displacement_degree)
        self.u = self.solid.u
        self.out_of_plane_strain = self.solid.out_of_plane_strain
        parts = list(self.solid.energies.values())
        self.fields = self.solid.create_fields(sum(parts[1:], parts[0]))
        self._sum_energies = {
            name: compile_integral(form, domain.mesh.comm)
            for name, form in self.solid.energies.items()
        }

    def energies(self) -> dict[str, float]:
        """Parts of the energy (collective): elastic and, under tractions, loads (minus work)."""
        return {name: integrate() for name, integrate in self._sum_energies.items()}

    def strain(self) -> Expr:
        """Total strain, 3 x 3, as a UFL expression of the current state."""
        return self.solid.strain()

    def stress(self) -> Expr:
        """Stress, 3 x 3, as a UFL expression of the current state."""
        return self.solid.stress()
