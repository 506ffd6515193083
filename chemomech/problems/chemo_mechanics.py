"""Cahn-Hilliard diffusion coupled to mechanics on one mesh (eqns 12-24)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import ufl
from basix.ufl import element
from dolfinx import default_scalar_type, fem
from numpy.typing import NDArray
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.errors import InputError
from chemomech.fenicsx import create_real_space
from chemomech.forms.cahn_hilliard import chemical_potential_residual, composition_residual
from chemomech.forms.energy import FreeEnergyDensity, create_strain
from chemomech.forms.equilibrium import equilibrium_residual, traction_work
from chemomech.forms.reaction import surface_flux
from chemomech.geometry.domain import Domain
from chemomech.materials.elasticity import Assumption
from chemomech.materials.mobility import Mobility
from chemomech.problems.conditions import (
    LithiumFlux,
    Support,
    Traction,
    create_dirichlet_conditions,
    create_rigid_modes,
)


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

    def elastic_quadrature(self, simplex: bool) -> int:
        """Quadrature degree of the elastic terms.

        On linear simplices one point is used: the strain is constant there, and only the mean
        eigenstrain of a cell can be matched by it, so that stresses do not see the rest.

        Args:
            simplex: Whether cells are triangles or tetrahedra.
        """
        degree = 2 * self.displacement_degree
        return degree - 2 if simplex and self.displacement_degree == 1 else degree


@dataclass(frozen=True)
class Loads:
    """What acts on the particle from outside.

    Args:
        supports: Clamps, prescribed displacements and rollers; none leaves the body free.
        tractions: Dead surface loads.
        fluxes: Prescribed lithium fluxes; elsewhere nothing passes.
    """

    supports: Sequence[Support] = field(default=())
    tractions: Sequence[Traction] = field(default=())
    fluxes: Sequence[LithiumFlux] = field(default=())


class ChemoMechanics:
    r"""Find c, mu, u (and eps_zz in generalised plane strain) with

        (dc/dt, q) + (M(c) grad mu, grad q) + <J, q> = 0,
        (mu, v) - dF/dc[v] = 0,
        dF/du[w] = 0,     F = integral of psi(c, grad c, strain) - work of the tractions.

    Everything is in one consistent set of units (mu per RT where energies are per RT C). The
    problem holds unknowns, forms and conditions in blocks; it does not solve.

    Args:
        domain: Mesh with facet groups.
        energy: Free-energy density psi.
        mobility: M(c).
        loads: Boundary conditions.
        discretisation: Elements and quadrature.
        sources: Manufactured right-hand sides (of dc/dt and of equilibrium), for verification.

    Attributes:
        c, mu, u: Unknown fields; ``u`` is None without mechanics.
        unknowns: All unknowns, in block order c, mu, u, eps_zz.
        shift: Constant a in dc/dt = a c + history.
        history: Function of the composition's space that holds the rest of dc/dt.
        residuals: One UFL form for each unknown.
        conditions: Dirichlet conditions, a list for each unknown (empty but for u).
    """

    def __init__(
        self,
        domain: Domain,
        energy: FreeEnergyDensity,
        mobility: Mobility,
        loads: Loads | None = None,
        discretisation: Discretisation | None = None,
        sources: tuple[Expr, Expr] | None = None,
    ) -> None:
        self.domain = domain
        self.energy_density = energy
        self.mobility = mobility
        self.loads = loads or Loads()
        self.discretisation = discretisation or Discretisation()
        self._check_assumption()
        self._create_unknowns()
        self._create_measures()
        self._energies = self._create_energies()
        self.residuals = self._create_residuals(sources)
        self.conditions = self._create_conditions()
        self.scalar_forms = {name: fem.form(form) for name, form in self._energies.items()}
        self._mean_form = fem.form(self.c * self._dx)
        self._scratch = fem.Function(self.c.function_space)
        self._square_form = fem.form(self._scratch**2 * self._dx)
        self._volume = self._integrate(fem.form(fem.Constant(domain.mesh, 1.0) * self._dx))
        outflow = surface_flux(ufl.as_ufl(1.0), self._flux_terms(), self._ds)
        self._outflow = 0.0 if outflow is None else self._integrate(fem.form(outflow))

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval the composition must keep to."""
        return self.energy_density.homogeneous.bounds

    @property
    def is_closed(self) -> bool:
        """Whether no lithium passes the surface, so that the free energy can only fall."""
        return not self.loads.fluxes

    @property
    def volume(self) -> float:
        """Area or volume of the particle."""
        return self._volume

    @property
    def outflow(self) -> float:
        """Lithium leaving per time, the integral of J over the surface."""
        return self._outflow

    def mean_composition(self) -> float:
        """Mean of c over the particle (collective)."""
        return self._integrate(self._mean_form) / self._volume

    def mean_square(self, values: NDArray[np.float64]) -> float:
        """Mean over the particle of the square of a field given by its values at c's dofs."""
        self._scratch.x.array[:] = values
        return self._integrate(self._square_form) / self._volume

    def energies(self) -> dict[str, float]:
        """Parts of the free energy: chemical, gradient, elastic, loads (minus the work)."""
        return {name: self._integrate(form) for name, form in self.scalar_forms.items()}

    def strain(self) -> Expr:
        """Total strain, 3 x 3."""
        assert self.u is not None
        return create_strain(self.u, self.out_of_plane_strain)

    def stress(self) -> Expr:
        """Stress, 3 x 3, as a UFL expression of the current state."""
        assert self.energy_density.mechanics is not None
        return self.energy_density.mechanics.stress(self.c, self.strain())

    @property
    def stiffness_scale(self) -> float:
        """Mobility times gradient coefficient, the typical factor of the fourth-order term."""
        return self.mobility.scale * self.energy_density.gradient_coefficient

    def rigid_modes(self, *, supported: bool) -> list[NDArray[np.float64]]:
        """Rigid motions as owned dof arrays of u.

        Args:
            supported: Only those that the supports leave free, rather than all.
        """
        if self.u is None:
            return []
        supports = self.conditions[2] if supported else []
        return create_rigid_modes(self.u.function_space, supports)

    def _check_assumption(self) -> None:
        mechanics = self.energy_density.mechanics
        if mechanics is None:
            return
        three = self.domain.mesh.geometry.dim == 3
        if three != (mechanics.elasticity.assumption is Assumption.THREE_DIMENSIONAL):
            raise InputError(
                f"'{mechanics.elasticity.assumption.value}' does not go with a "
                f"{self.domain.mesh.geometry.dim}-D mesh",
                key="mechanics.assumption",
            )

    def _create_unknowns(self) -> None:
        mesh, mechanics = self.domain.mesh, self.energy_density.mechanics
        cell, degree = mesh.basix_cell(), self.discretisation.composition_degree
        scalar = fem.functionspace(mesh, element("Lagrange", cell, degree))
        self.c, self.mu = fem.Function(scalar, name="c"), fem.Function(scalar, name="mu")
        self.history = fem.Function(scalar, name="history")
        self.shift = fem.Constant(mesh, default_scalar_type(1.0))
        self.u: fem.Function | None = None
        self.out_of_plane_strain: fem.Function | None = None
        if mechanics is not None:
            vector = element(
                "Lagrange",
                cell,
                self.discretisation.displacement_degree,
                shape=(mesh.geometry.dim,),
            )
            self.u = fem.Function(fem.functionspace(mesh, vector), name="u")
            if mechanics.elasticity.assumption is Assumption.GENERALISED_PLANE_STRAIN:
                self.out_of_plane_strain = fem.Function(create_real_space(mesh), name="eps_zz")
        fields = (self.c, self.mu, self.u, self.out_of_plane_strain)
        self.unknowns = [field for field in fields if field is not None]

    def _create_measures(self) -> None:
        mesh, rule = self.domain.mesh, self.discretisation
        simplex = mesh.topology.cell_name() in ("triangle", "tetrahedron")
        dx = ufl.Measure("dx", domain=mesh)
        self._dx = dx(metadata={"quadrature_degree": rule.chemical_quadrature})
        self._dx_elastic = dx(metadata={"quadrature_degree": rule.elastic_quadrature(simplex)})
        self._ds = ufl.Measure("ds", domain=mesh, subdomain_data=self.domain.facet_tags)

    def _create_energies(self) -> dict[str, Form]:
        psi = self.energy_density
        energies = {
            "chemical": psi.chemical(self.c) * self._dx,
            "gradient": psi.gradient(self.c) * self._dx,
        }
        if self.u is not None:
            energies["elastic"] = psi.elastic(self.c, self.strain()) * self._dx_elastic
            tractions = [
                (self.domain.tags(load.group), fem.Constant(self.domain.mesh, np.array(load.value)))
                for load in self.loads.tractions
            ]
            work = traction_work(self.u, tractions, self._ds)
            if work is not None:
                energies["loads"] = -work
        return energies

    def _flux_terms(self) -> list[tuple[tuple[int, ...], Expr]]:
        mesh = self.domain.mesh
        return [
            (self.domain.tags(flux.group), fem.Constant(mesh, default_scalar_type(flux.value)))
            for flux in self.loads.fluxes
        ]

    def _create_residuals(self, sources: tuple[Expr, Expr] | None) -> list[Form]:
        energy = sum(list(self._energies.values())[1:], next(iter(self._energies.values())))
        tests = [ufl.TestFunction(unknown.function_space) for unknown in self.unknowns]
        q, v = tests[:2]
        rate = self.shift * self.c + self.history
        diffusion = composition_residual(
            self.c, self.mu, q, rate=rate, mobility=self.mobility, dx=self._dx
        )
        exchange = surface_flux(q, self._flux_terms(), self._ds)
        residuals = [
            diffusion if exchange is None else diffusion + exchange,
            chemical_potential_residual(self.mu, v, energy, self.c, self._dx),
        ]
        for unknown, w in zip(self.unknowns[2:], tests[2:], strict=True):
            residuals.append(equilibrium_residual(energy, unknown, w))
        if sources is not None:
            residuals[0] -= sources[0] * q * self._dx
            residuals[2] -= ufl.dot(sources[1], tests[2]) * self._dx
        return residuals

    def _create_conditions(self) -> list[list[fem.DirichletBC]]:
        conditions: list[list[fem.DirichletBC]] = [[] for _ in self.unknowns]
        if self.u is not None:
            conditions[2] = create_dirichlet_conditions(
                self.u.function_space, self.domain, self.loads.supports
            )
        return conditions

    def _integrate(self, form: fem.Form) -> float:
        return float(self.domain.mesh.comm.allreduce(fem.assemble_scalar(form)))
