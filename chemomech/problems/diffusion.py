"""Cahn-Hilliard diffusion of one species."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ufl
from basix.ufl import element
from dolfinx import default_scalar_type, fem
from dolfinx.mesh import Mesh
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.forms.cahn_hilliard import chemical_potential_residual, composition_residual
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.forms.fields import Evolution, Field, FourthOrder
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import compile_integral
from chemomech.materials.mobility import Mobility, Strains
from chemomech.materials.scalars import ScalarOrTensor

StrainsByComposition = Callable[[Expr, bool], Strains | None]


@dataclass(frozen=True)
class Discretisation:
    """Elements and quadrature.

    Args:
        composition_degree: Degree of the Lagrange elements of c and mu.
        displacement_degree: Degree of the Lagrange elements of u.
        quadrature_degree: Degree to which the chemical terms are integrated; None takes
            2 p + 1 for composition degree p. (An automatic estimate is absurd for a logarithm.)
    """

    composition_degree: int = 1
    displacement_degree: int = 1
    quadrature_degree: int | None = None

    @property
    def chemical_quadrature(self) -> int:
        """Quadrature degree of the chemical terms."""
        return self.quadrature_degree or 2 * self.composition_degree + 1


class Diffusion:
    r"""Find c and mu.

        (dc/dt, q) + (M(c, e) grad mu, grad q) + <J, q> = 0,
        (mu, v) - dF/dc[v] = 0.

    Args:
        domain: Mesh with facet groups.
        energy: psi, of which the homogeneous and the gradient part belong to this process.
        mobility: M(c, e).
        mass_coefficient: a in dc/dt = a c + history.
        discretisation: Elements and quadrature.
        names: Names of the two functions.

    Attributes:
        c, mu: Unknown fields.
        frozen: The values of c, as a field that no derivative sees.
        history: Function of c's space that holds the rest of dc/dt.
        energies: ``chemical`` and ``gradient``, as scalar forms.
        dx: Volume measure of the chemical terms.
        varying: What changes between solves without being unknown.

    Raises:
        InputError: If a tensor does not have as many rows as the mesh has dimensions.
    """

    def __init__(
        self,
        domain: Domain,
        energy: FreeEnergyDensity,
        mobility: Mobility,
        mass_coefficient: fem.Constant,
        discretisation: Discretisation | None = None,
        names: tuple[str, str] = ("c", "mu"),
    ) -> None:
        discretisation = discretisation or Discretisation()
        self._domain, self._energy, self._mobility = domain, energy, mobility
        self._coefficient, self._degree = mass_coefficient, discretisation.composition_degree
        mesh = domain.mesh
        scalar = fem.functionspace(mesh, element("Lagrange", mesh.basix_cell(), self._degree))
        self.c, self.mu = (fem.Function(scalar, name=name) for name in names)
        _require_shape(energy.gradient_coefficient, mesh, "the gradient coefficient")
        # The same values as c, but no unknown: Newton's method leaves the mobility's derivatives
        # out. They vanish with grad mu and cost as much to assemble as all else. A free run does
        # not miss them; exact steps to events take 4 to 5 iterations in place of 3.
        self.frozen = fem.Function(scalar, self.c.x, name="frozen")
        self.history = fem.Function(scalar, name="history")
        self.varying = (self.frozen, self.history)
        self.dx = domain.dx(discretisation.chemical_quadrature)
        self.energies = {
            "chemical": energy.chemical(self.c) * self.dx,
            "gradient": energy.gradient(self.c) * self.dx,
        }
        self._scratch = fem.Function(scalar)
        self._sum_squares = compile_integral(self._scratch**2 * self.dx, mesh.comm)
        one = fem.Constant(mesh, 1.0)
        self.volume = compile_integral(one * self.dx, mesh.comm)()

    def mean_square(self, values: FloatArray) -> float:
        """Mean over the particle of the square of a field given by its values at c's dofs."""
        self._scratch.x.array[:] = values
        return self._sum_squares() / self.volume

    def create_fields(
        self,
        energy: Form,
        outflow: Callable[[], float] = lambda: 0.0,
        find_strains: StrainsByComposition = lambda composition, is_frozen: None,
    ) -> list[Field]:
        """Create the fields of c and mu.

        Args:
            energy: Free energy F that acts on the species.
            outflow: Lithium that leaves through the surface per time; collective.
            find_strains: Returns the strains at a composition: as unknowns, or (True) as fields
                that no derivative sees.
        """
        space = self.c.function_space
        q, v = ufl.TestFunction(space), ufl.TestFunction(space)

        def diffuse(c: Expr, *, is_frozen: bool) -> Form:
            mobility = self._mobility.value(c, find_strains(c, is_frozen))
            _require_shape(mobility, self._domain.mesh, "the mobility")
            rate = self._coefficient * self.c + self.history
            return composition_residual(self.mu, q, rate=rate, mobility=mobility, dx=self.dx)

        operator = self._create_operator()
        return [
            Field(
                self.c,
                diffuse(self.c, is_frozen=False),
                operator,
                linearised=diffuse(self.frozen, is_frozen=True),
                bounds=self._energy.homogeneous.bounds,
                evolution=Evolution(self.history, self.mean_square, outflow),
            ),
            Field(
                self.mu, chemical_potential_residual(self.mu, v, energy, self.c, self.dx), operator
            ),
        ]

    def _create_operator(self) -> FourthOrder:
        space = self.c.function_space
        trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
        dx = self._domain.dx(2 * self._degree)
        kappa = self._energy.gradient_coefficient
        if not isinstance(kappa, Expr):
            # As a constant even zero leaves a form to assemble.
            kappa = fem.Constant(self._domain.mesh, default_scalar_type(kappa))
        return FourthOrder(
            self.c,
            ufl.inner(trial, test) * dx,
            ufl.inner(ufl.grad(trial), ufl.grad(test)) * dx,
            ufl.inner(kappa * ufl.grad(trial), ufl.grad(test)) * dx,
        )


def _require_shape(coefficient: ScalarOrTensor, mesh: Mesh, what: str) -> None:
    shape = ufl.as_ufl(coefficient).ufl_shape
    dimension = mesh.geometry.dim
    if shape not in ((), (dimension, dimension)):
        raise InputError(
            f"{what} must be a scalar or a {dimension} x {dimension} tensor, its shape is {shape}"
        )
