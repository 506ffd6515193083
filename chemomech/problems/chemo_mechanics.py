"""Cahn-Hilliard diffusion coupled to mechanics on one mesh (eqns 12-24)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import ufl
from dolfinx import default_scalar_type, fem
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.forms.fields import Field
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import WeightedMeasure, compile_integral
from chemomech.materials.mobility import Mobility, Strains
from chemomech.problems.conditions import Loads
from chemomech.problems.diffusion import Diffusion, Discretisation
from chemomech.problems.field_conditions import DirichletCondition, hold_fields
from chemomech.problems.observables import Observable
from chemomech.problems.parameters import Parameters
from chemomech.problems.process import EquationShare, Process, SourceProcess
from chemomech.problems.solid import Solid
from chemomech.problems.surface import Surface, SurfaceReaction
from chemomech.problems.thermal_noise import NoiseLaw, ThermalNoise


@dataclass(frozen=True)
class Coupling:
    """Switches of the stress part of mu; what is left out shows what the coupling does.

    Args:
        in_bulk: The stress part of mu drives diffusion.
        in_reaction: The stress part of mu drives the surface reactions.
    """

    in_bulk: bool = True
    in_reaction: bool = True


class ChemoMechanics:
    r"""Find c, mu, u (eps_zz in generalised plane strain, mu_res where the surface reacts).

        (dc/dt, q) + (M(c, e) grad mu, grad q) + <J(c, mu, mu_res), q> = 0,
        (mu, v) - dF/dc[v] = 0,
        dF/du[w] = 0,     F = integral of psi(c, grad c, strain) - work of the tractions,
        a current or a potential held (see :class:`~chemomech.problems.surface.Surface`).

    Everything is in one consistent set of units (mu per RT where energies are per RT C). The
    problem holds unknowns, forms and conditions in blocks; it does not solve.

    Args:
        domain: Mesh with facet groups.
        energy: Free-energy density psi.
        mobility: M(c, e).
        loads: Supports and tractions.
        reactions: Lithium exchange by facet group; what is not named is sealed.
        coupling: Where stress acts on lithium.
        noise: Thermal noise; None for none.
        discretisation: Elements and quadrature.
        parameters: What of the laws can be changed by name; none by default.
        processes: Makers of further processes; each is given this problem, whose fields its energy
            may hold.
        conditions: Values at which fields, also those of further processes, are held on facet
            groups: ``DirichletCondition("c", "left", 0.2)``.
        sources: Manufactured right-hand sides (of dc/dt and of equilibrium), for verification.

    Attributes:
        parameters: Numbers of the laws by name.
        c, mu, u: Unknown fields; ``u`` is None without mechanics.
        surface: Reactions, mu_res and what drives them.
        noise: Thermal noise, None without.
        volume: Area or volume of the particle.
        fields: All fields: c, mu, u, eps_zz, mu_res, and those of further processes.
        out_of_plane_strain: The one eps_zz of generalised plane strain, else None.
        mass_coefficient: Constant a in dc/dt = a c + history.
        history: Function of the composition's space that holds the rest of dc/dt.
        solid: Elastic equilibrium; None without mechanics.
        processes: Diffusion, solid, surface, noise, and further processes.
        observables: What a run records of it beside the package's own columns.
        recorded: Functions a run writes with its fields beside the package's own.

    Raises:
        InputError: If the assumption does not suit the mesh, a condition cannot be imposed, a group
            is unknown, the tractions move a body that nothing holds, or two fields or two parts of
            the energy have one name.
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
        processes: Sequence[Callable[[ChemoMechanics], Process]] = (),
        conditions: Sequence[DirichletCondition] = (),
    ) -> None:
        self.domain = domain
        self.observables: list[Observable] = []
        self.recorded: list[fem.Function] = []
        self.energy_density = energy
        self.mobility = mobility
        self.loads = loads or Loads()
        self.coupling = coupling or Coupling()
        self.parameters = parameters or Parameters(domain.mesh)
        self.discretisation = discretisation or Discretisation()
        self.mass_coefficient = fem.Constant(domain.mesh, default_scalar_type(1.0))
        self._diffusion = Diffusion(
            domain, energy, mobility, self.mass_coefficient, self.discretisation
        )
        self.c, self.mu = self._diffusion.c, self._diffusion.mu
        self.history, self.volume = self._diffusion.history, self._diffusion.volume
        self.solid: Solid | None = None
        if energy.mechanics is not None:
            degree = self.discretisation.displacement_degree
            self.solid = Solid(domain, energy.mechanics, self.c, self.loads, degree)
        self.u = None if self.solid is None else self.solid.u
        self.out_of_plane_strain = None if self.solid is None else self.solid.out_of_plane_strain
        self.surface = self._create_surface(reactions)
        dx = self._diffusion.dx
        self.noise: ThermalNoise | None = None
        if noise is not None:
            strains = self._find_strains(self._diffusion.frozen, is_frozen=True)
            self.noise = ThermalNoise(self.c, mobility, noise, dx, strains)
        own = (self._diffusion, self.solid, self.surface, self.noise)
        further = [create(self) for create in processes]
        if sources is not None:
            further.append(_Sources(sources, dx))
        self.processes: list[Process] = [*(one for one in own if one is not None), *further]
        self._is_driven = bool(conditions) or any(isinstance(p, EquationShare) for p in further)
        self.fields = hold_fields(self._create_fields(), domain, conditions)
        self._sum_energies = {
            name: compile_integral(form, domain.mesh.comm)
            for name, form in self._list_energies().items()
        }
        self._sum_composition = self.compile_integral(self.c)

    @property
    def unknowns(self) -> list[fem.Function]:
        """Unknown functions of all fields."""
        return [field.function for field in self.fields]

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
        """Constants and functions that change from step to step without being unknown."""
        return tuple(one for process in self.processes for one in process.varying)

    @property
    def is_closed(self) -> bool:
        """True where the free energy can only fall: nothing exchanged, held, driven or left out.

        In open circuit lithium goes where the reactions see less potential; where they do not see
        all of it, the energy may rise.
        """
        complete = self.coupling.in_bulk and (
            self.coupling.in_reaction or not self.surface.is_in_contact
        )
        return self.surface.is_isolated and not self._is_driven and self.noise is None and complete

    def outflow(self) -> float:
        """Lithium leaving per time by reactions, the integral of J (collective)."""
        return self.surface.outflow()

    def mean_composition(self) -> float:
        """Mean of c over the particle (collective)."""
        return self._sum_composition() / self.volume

    def energies(self) -> dict[str, float]:
        """Parts of the free energy: chemical, gradient, elastic, loads (minus the work)."""
        return {name: integrate() for name, integrate in self._sum_energies.items()}

    def compile_integral(self, expression: Expr) -> Callable[[], float]:
        """Compile the integral over the particle of a scalar, read anew at each collective call."""
        return compile_integral(expression * self._diffusion.dx, self.domain.mesh.comm)

    def dissipation(self) -> Expr:
        """Free energy that diffusion turns into heat, grad mu . M grad mu per volume and time."""
        gradient = ufl.grad(self.mu)
        return ufl.inner(self.mobility.value(self.c, self.strains()) * gradient, gradient)

    def strains(self) -> Strains | None:
        """Elastic and total strain, prestrain included; None without mechanics."""
        return self._find_strains(self.c)

    def strain(self) -> Expr:
        """Total strain, 3 x 3."""
        assert self.solid is not None
        return self.solid.strain()

    def stress(self) -> Expr:
        """Stress, 3 x 3, as a UFL expression of the current state."""
        assert self.solid is not None
        return self.solid.stress()

    def _find_strains(self, c: Expr, is_frozen: bool = False) -> Strains | None:
        return None if self.solid is None else self.solid.strains(c, is_frozen=is_frozen)

    def _create_surface(self, reactions: Sequence[SurfaceReaction]) -> Surface:
        seen: Expr = self.mu
        if self.solid is not None and self.coupling.in_bulk != self.coupling.in_reaction:
            # mu holds the stress part or not, as the bulk wants it; here it is taken out or put in.
            sign = 1.0 if self.coupling.in_reaction else -1.0
            elastic = self.solid.mechanics.potential(self.c, self.solid.strain())
            seen = self.mu + sign * elastic
        degree = self.discretisation.chemical_quadrature
        return Surface(self.domain, reactions, self.c, seen, degree)

    def _list_energies(self) -> dict[str, Form]:
        """Parts of the free energy by name."""
        _require_own_names("part of the energy", ((p, p.energies) for p in self.processes))
        return {name: form for p in self.processes for name, form in p.energies.items()}

    def _create_fields(self) -> list[Field]:
        energies = self._list_energies()
        energy = _add(*energies.values())
        acting = energy
        if self.solid is not None and not self.coupling.in_bulk:
            elastic = self.solid.energies
            acting = _add(*(form for name, form in energies.items() if name not in elastic))
        brought = [
            (
                process,
                self._diffusion.create_fields(acting, self.surface.outflow, self._find_strains)
                if process is self._diffusion
                else process.create_fields(energy),
            )
            for process in self.processes
        ]
        _require_own_names(
            "field", ((process, [field.name for field in fields]) for process, fields in brought)
        )
        return [self._complete(field) for _, fields in brought for field in fields]

    def _complete(self, field: Field) -> Field:
        """Add to a field's equation what processes share in it."""
        test = ufl.TestFunction(field.function.function_space)
        for process in self.processes:
            if isinstance(process, EquationShare):
                share = process.add_to(field.name, test)
                field = field if share is None else field.add(share)
        return field


class _Sources(SourceProcess):
    """Manufactured right-hand sides of the equations of c and u."""

    def __init__(self, sources: tuple[Expr, Expr], dx: WeightedMeasure) -> None:
        self._sources = dict(zip(("c", "u"), sources, strict=True))
        self._dx = dx

    def add_to(self, field: str, test: Expr) -> Form | None:
        """Return minus the source times the test function."""
        source = self._sources.get(field)
        return None if source is None else -ufl.inner(source, test) * self._dx


def _add(first: Form, *others: Form) -> Form:
    return sum(others, first)


def _require_own_names(kind: str, named: Iterable[tuple[object, Iterable[str]]]) -> None:
    """Refuse what bears a name that is taken: one of the two would be lost without a word."""
    owners: dict[str, object] = {}
    for process, names in named:
        for name in names:
            if name in owners:
                first, second = (type(owner).__name__ for owner in (owners[name], process))
                raise InputError(
                    f"each {kind} needs a name of its own, and both {first} and {second} bring "
                    f"one named {name!r}"
                )
            owners[name] = process
