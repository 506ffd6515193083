"""Cahn-Hilliard diffusion coupled to mechanics on one mesh (eqns 12-24)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import ufl
from basix.ufl import element
from dolfinx import default_scalar_type, fem
from numpy.typing import NDArray
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.forms.cahn_hilliard import chemical_potential_residual, composition_residual
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.forms.equilibrium import equilibrium_residual
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import compile_integral
from chemomech.materials.mobility import Mobility
from chemomech.problems.conditions import Loads
from chemomech.problems.observables import Observable
from chemomech.problems.parameters import Parameters
from chemomech.problems.solid import Solid
from chemomech.problems.surface import Surface, SurfaceReaction
from chemomech.problems.thermal_noise import NoiseLaw, ThermalNoise


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


@dataclass(frozen=True)
class Coupling:
    """Where stress acts on lithium; what is left out shows what the coupling does.

    Args:
        in_bulk: The stress part of mu drives diffusion.
        in_reaction: The stress part of mu drives the surface reactions.
    """

    in_bulk: bool = True
    in_reaction: bool = True


class ChemoMechanics:
    r"""Find c, mu, u (eps_zz in generalised plane strain, mu_res where the surface reacts).

        (dc/dt, q) + (M(c) grad mu, grad q) + <J(c, mu, mu_res), q> = 0,
        (mu, v) - dF/dc[v] = 0,
        dF/du[w] = 0,     F = integral of psi(c, grad c, strain) - work of the tractions,
        a current or a potential held (see :class:`~chemomech.problems.surface.Surface`).

    Everything is in one consistent set of units (mu per RT where energies are per RT C). The
    problem holds unknowns, forms and conditions in blocks; it does not solve.

    Args:
        domain: Mesh with facet groups.
        energy: Free-energy density psi.
        mobility: M(c).
        loads: Supports and tractions.
        reactions: Lithium exchange by facet group; what is not named is sealed.
        coupling: Where stress acts on lithium.
        noise: Thermal noise; None for none.
        discretisation: Elements and quadrature.
        parameters: What of the laws can be changed by name; none by default.
        sources: Manufactured right-hand sides (of dc/dt and of equilibrium), for verification.

    Attributes:
        parameters: Numbers of the laws by name.
        c, mu, u: Unknown fields; ``u`` is None without mechanics.
        surface: Reactions, mu_res and what drives them.
        noise: Thermal noise, None without.
        volume: Area or volume of the particle.
        unknowns: All unknowns, in block order c, mu, u, eps_zz, mu_res.
        out_of_plane_strain: The one eps_zz of generalised plane strain, else None.
        shift: Constant a in dc/dt = a c + history.
        history: Function of the composition's space that holds the rest of dc/dt.
        residuals: One UFL form for each unknown.
        linearised: The same forms for Newton's method to differentiate: the mobility in them is no
            function of an unknown.
        conditions: Dirichlet conditions, a list for each unknown (empty but for u).
        observables: What a run records of it beside the package's own columns.

    Raises:
        InputError: If the assumption does not suit the mesh, a condition cannot be imposed, a group
            is unknown, or the tractions move a body that nothing holds.
    """

    def __init__(
        self,
        domain: Domain,
        energy: FreeEnergyDensity,
        mobility: Mobility,
        loads: Loads | None = None,
        discretisation: Discretisation | None = None,
        sources: tuple[Expr, Expr] | None = None,
        *,
        reactions: Sequence[SurfaceReaction] = (),
        coupling: Coupling | None = None,
        noise: NoiseLaw | None = None,
        parameters: Parameters | None = None,
    ) -> None:
        self.domain = domain
        self.observables: list[Observable] = []
        self.energy_density = energy
        self.mobility = mobility
        self.loads = loads or Loads()
        self.coupling = coupling or Coupling()
        self.parameters = parameters or Parameters(domain.mesh)
        self.discretisation = discretisation or Discretisation()
        self._dx = domain.dx(self.discretisation.chemical_quadrature)
        self._create_unknowns()
        self._create_surface(reactions)
        self.noise = None if noise is None else ThermalNoise(self.c, mobility, noise)
        self._energies = self._create_energies()
        self.residuals = self._create_residuals(self.c, sources)
        self.linearised = self._create_residuals(self._frozen, sources)
        self._sum_energies = {
            name: compile_integral(form, domain.mesh.comm) for name, form in self._energies.items()
        }
        self._scratch = fem.Function(self.c.function_space)
        self._sum_composition = self.compile_integral(self.c)
        self._sum_squares = self.compile_integral(self._scratch**2)
        self.volume = self.compile_integral(fem.Constant(domain.mesh, 1.0))()

    @property
    def size(self) -> int:
        """Number of unknowns over all ranks."""
        maps = [unknown.function_space.dofmap for unknown in self.unknowns]
        return sum(int(one.index_map.size_global * one.index_map_bs) for one in maps)

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval the composition must keep to."""
        return self.energy_density.homogeneous.bounds

    @property
    def varying(self) -> tuple[fem.Constant | fem.Function, ...]:
        """What changes from step to step without being unknown."""
        return (self._frozen, self.history, *self.surface.constants)

    @property
    def step_factor(self) -> fem.Constant:
        """The shift, of which the rate's part of the Jacobian is a multiple."""
        return self.shift

    @property
    def displacement_block(self) -> int | None:
        """Number of u's block; None without mechanics."""
        return None if self._solid is None else 2

    @property
    def uniform_blocks(self) -> tuple[int, ...]:
        """Numbers of the blocks that hold one unknown for the whole particle."""
        uniform = (self.out_of_plane_strain, self.surface.reservoir)
        blocks = enumerate(self.unknowns)
        return tuple(i for i, unknown in blocks if any(unknown is one for one in uniform))

    @property
    def is_closed(self) -> bool:
        """Whether the free energy can only fall: nothing is exchanged, stirred or left out.

        In open circuit lithium goes where the reactions see less potential; where they do not see
        all of it, the energy may rise.
        """
        complete = self.coupling.in_bulk and (
            self.coupling.in_reaction or not self.surface.is_in_contact
        )
        return self.surface.is_isolated and self.noise is None and complete

    def outflow(self) -> float:
        """Lithium leaving per time, the integral of J over the surface (collective)."""
        return self.surface.outflow()

    def mean_composition(self) -> float:
        """Mean of c over the particle (collective)."""
        return self._sum_composition() / self.volume

    def mean_square(self, values: NDArray[np.float64]) -> float:
        """Mean over the particle of the square of a field given by its values at c's dofs."""
        self._scratch.x.array[:] = values
        return self._sum_squares() / self.volume

    def energies(self) -> dict[str, float]:
        """Parts of the free energy: chemical, gradient, elastic, loads (minus the work)."""
        return {name: integrate() for name, integrate in self._sum_energies.items()}

    def compile_integral(self, expression: Expr) -> Callable[[], float]:
        """Compile the integral of an expression over the particle.

        Args:
            expression: Scalar, read anew at each call of what is returned (collective).
        """
        return compile_integral(expression * self._dx, self.domain.mesh.comm)

    def dissipation(self) -> Expr:
        """Free energy that diffusion turns into heat, M |grad mu|^2 per volume and time."""
        gradient = ufl.grad(self.mu)
        return self.mobility.value(self.c) * ufl.dot(gradient, gradient)

    def strain(self) -> Expr:
        """Total strain, 3 x 3."""
        assert self._solid is not None
        return self._solid.strain()

    def stress(self) -> Expr:
        """Stress, 3 x 3, as a UFL expression of the current state."""
        assert self._solid is not None
        return self._solid.stress()

    @property
    def stiff_forms(self) -> tuple[Form, Form, Form]:
        """(r, v), (grad r, grad v) and (kappa grad r, grad v), r a trial, v a test function."""
        space = self.c.function_space
        trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
        dx = self.domain.dx(2 * self.discretisation.composition_degree)
        kappa = self.energy_density.gradient_coefficient
        return (
            ufl.inner(trial, test) * dx,
            ufl.inner(ufl.grad(trial), ufl.grad(test)) * dx,
            ufl.inner(kappa * ufl.grad(trial), ufl.grad(test)) * dx,
        )

    def rigid_modes(self, *, supported: bool) -> list[NDArray[np.float64]]:
        """Rigid motions as owned dof arrays of u.

        Args:
            supported: Only those that the supports leave free, rather than all.
        """
        return [] if self._solid is None else self._solid.rigid_modes(supported=supported)

    def _create_unknowns(self) -> None:
        mesh, mechanics = self.domain.mesh, self.energy_density.mechanics
        cell, degree = mesh.basix_cell(), self.discretisation.composition_degree
        scalar = fem.functionspace(mesh, element("Lagrange", cell, degree))
        self.c, self.mu = fem.Function(scalar, name="c"), fem.Function(scalar, name="mu")
        # The same values as c, but no unknown: Newton's method leaves the mobility's derivative
        # out. It vanishes with grad mu, costs as much to assemble as all else, and is not missed.
        self._frozen = fem.Function(scalar, self.c.x, name="frozen")
        self.history = fem.Function(scalar, name="history")
        self.shift = fem.Constant(mesh, default_scalar_type(1.0))
        self._solid = (
            None
            if mechanics is None
            else Solid(
                self.domain, mechanics, self.c, self.loads, self.discretisation.displacement_degree
            )
        )
        self.unknowns = [self.c, self.mu]
        self.conditions: list[list[fem.DirichletBC]] = [[], []]
        self.u: fem.Function | None = None
        self.out_of_plane_strain: fem.Function | None = None
        if self._solid is not None:
            self.u, self.out_of_plane_strain = self._solid.u, self._solid.out_of_plane_strain
            self.unknowns += self._solid.unknowns
            self.conditions += self._solid.conditions

    def _create_surface(self, reactions: Sequence[SurfaceReaction]) -> None:
        seen: Expr = self.mu
        if self._solid is not None and self.coupling.in_bulk != self.coupling.in_reaction:
            # mu holds the stress part or not, as the bulk wants it; here it is taken out or put in.
            sign = 1.0 if self.coupling.in_reaction else -1.0
            elastic = self._solid.mechanics.potential(self.c, self._solid.strain())
            seen = self.mu + sign * elastic
        degree = self.discretisation.chemical_quadrature
        self.surface = Surface(self.domain, reactions, self.c, seen, degree)
        if self.surface.reservoir is not None:
            self.unknowns.append(self.surface.reservoir)
            self.conditions.append([])

    def _create_energies(self) -> dict[str, Form]:
        psi = self.energy_density
        energies = {
            "chemical": psi.chemical(self.c) * self._dx,
            "gradient": psi.gradient(self.c) * self._dx,
        }
        return energies if self._solid is None else {**energies, **self._solid.energies}

    def _create_residuals(
        self, mobile: fem.Function, sources: tuple[Expr, Expr] | None
    ) -> list[Form]:
        """Residuals with the mobility at the composition ``mobile``."""
        energy = _add(*self._energies.values())
        acting = energy
        if not self.coupling.in_bulk:
            acting = _add(self._energies["chemical"], self._energies["gradient"])
        tests = [ufl.TestFunction(unknown.function_space) for unknown in self.unknowns]
        q, v = tests[:2]
        rate = self.shift * self.c + self.history
        diffusion = composition_residual(
            self.mu, q, rate=rate, mobility=self.mobility.value(mobile), dx=self._dx
        )
        if (exchange := self.surface.exchange(q)) is not None:
            diffusion += exchange
        if self.noise is not None:
            diffusion += self.noise.residual(q, self._dx)
        residuals = [
            diffusion,
            chemical_potential_residual(self.mu, v, acting, self.c, self._dx),
        ]
        for unknown, w in zip(self.unknowns[2:], tests[2:], strict=True):
            if unknown is self.surface.reservoir:
                residuals.append(self.surface.control(w))
            else:
                residuals.append(equilibrium_residual(energy, unknown, w))
        if sources is not None:
            residuals[0] -= sources[0] * q * self._dx
            residuals[2] -= ufl.dot(sources[1], tests[2]) * self._dx
        return residuals


def _add(first: Form, *others: Form) -> Form:
    return sum(others, first)
