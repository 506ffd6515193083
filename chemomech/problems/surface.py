"""Surface of a particle in its electrolyte: reactions by group, and what drives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ufl
from dolfinx import default_scalar_type, fem
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.fenicsx import create_real_space
from chemomech.forms.fields import Field, Uniform
from chemomech.forms.reaction import reservoir_residual, surface_flux
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import compile_integral
from chemomech.materials.reactions import ReactionLaw
from chemomech.problems.level_search import find_level


@dataclass(frozen=True)
class Potentiostatic:
    """The reservoir's chemical potential mu_res, per RT, is held."""

    potential: float


@dataclass(frozen=True)
class Galvanostatic:
    """The total current is held; mu_res is an unknown of the system.

    The outflow, the integral of J over the surface (length^dim / time), is positive taking lithium
    out.
    """

    outflow: float


@dataclass(frozen=True)
class Rest:
    """No current.

    A sealed surface passes nothing anywhere, as of a particle taken out of its electrolyte.
    Otherwise the circuit is open: no net current, but lithium may leave at one place and enter at
    another.
    """

    sealed: bool = False


Drive = Potentiostatic | Galvanostatic | Rest


@dataclass(frozen=True)
class SurfaceReaction:
    """-M grad(mu) . n = J(c, mu, mu_res) on a facet group; None for J seals it.

    n points outward: a positive J takes lithium out.
    """

    group: str
    law: ReactionLaw | None


class Surface:
    r"""Lithium exchange with a reservoir of one potential mu_res.

    Where a facet belongs to several groups, the last reaction that names one of them holds. mu_res
    is one unknown for the whole particle, found together with the fields from

        current held:    integral of J over the surface = I
        potential held:  mu_res = its value
        sealed:          mu_res = mean of mu over the surface, and J = 0

    which of them, three constants say, so that switching compiles and allocates nothing.

    Attributes:
        reservoir: mu_res per RT, a function of one value; None where no law asks for it.
        outflow: Collective function for the lithium leaving per time, the integral of J.
        area: Measure of the reacting surface.
        drive: What is held; None without a reservoir.
    """

    def __init__(
        self,
        domain: Domain,
        reactions: Sequence[SurfaceReaction],
        c: Expr,
        mu: Expr,
        quadrature_degree: int,
    ) -> None:
        mesh = domain.mesh
        self._comm = mesh.comm
        self._ds = domain.ds(quadrature_degree)
        laws = _resolve(domain, reactions)
        self._tags = tuple(tag for _, tags in laws for tag in tags)
        self._has_given_flux = any(not law.needs_reservoir for law, _ in laws)
        self.reservoir: fem.Function | None = None
        if any(law.needs_reservoir for law, _ in laws):
            self.reservoir = fem.Function(create_real_space(mesh), name="mu_res")
        zero = fem.Constant(mesh, default_scalar_type(0.0))
        level: Expr = zero if self.reservoir is None else self.reservoir
        self._contact, self._hold_current, self._hold_potential, self._target = (
            fem.Constant(mesh, default_scalar_type(value)) for value in (1.0, 0.0, 0.0, 0.0)
        )
        self.energies: Mapping[str, Form] = {}
        self.varying = (self._contact, self._hold_current, self._hold_potential, self._target)
        self._fluxes = [(tags, self._contact * law.flux(c, mu, level)) for law, tags in laws]
        self._mu = mu
        self.area = self.integrate_over(1.0)()
        self._area = fem.Constant(mesh, default_scalar_type(self.area))
        self.outflow = self.integrate_flux(ufl.as_ufl(1.0))
        self.drive: Drive | None = None
        if self.reservoir is not None:
            self._sum_potential = self.integrate_over(mu)
            self.resume(Rest(sealed=True))

    @property
    def is_isolated(self) -> bool:
        """True if no lithium passes in sum, so that the free energy can only fall.

        A flux that is given dissipates nothing: in an open circuit it may charge one place from
        another.
        """
        if not self._tags or self.drive == Rest(sealed=True):
            return True
        return self.drive == Rest() and not self._has_given_flux

    @property
    def is_in_contact(self) -> bool:
        """True if lithium may pass anywhere."""
        return bool(self._tags) and self._contact.value != 0.0

    @property
    def potential(self) -> Expr:
        """Chemical potential that the reactions see."""
        return self._mu

    @property
    def level(self) -> float:
        """mu_res per RT."""
        assert self.reservoir is not None
        return float(self.reservoir.x.array[0])

    def add_to(self, field: str, test: Expr) -> Form | None:
        """Return the weak form of the exchange, the integral of J q in the equation of c."""
        return surface_flux(test, self._fluxes, self._ds) if field == "c" else None

    def create_fields(self, energy: Form) -> list[Field]:
        """Create the field of mu_res, which no energy holds; none without a reservoir."""
        del energy
        if self.reservoir is None:
            return []
        residual = reservoir_residual(
            self.reservoir,
            ufl.TestFunction(self.reservoir.function_space),
            self._fluxes,
            self._mu,
            (self._hold_current, self._hold_potential, self._target),
            self._ds,
            self._area,
        )
        return [Field(self.reservoir, residual, Uniform())]

    def integrate_over(self, expression: Expr | float) -> Callable[[], float]:
        """Compile the integral of a scalar over the reacting surface; zero where nothing reacts.

        The scalar is read anew at each call, which is collective, of what is returned.
        """
        if not self._tags:
            return lambda: 0.0
        return compile_integral(ufl.as_ufl(expression) * self._ds(self._tags), self._comm)

    def integrate_flux(self, weight: Expr) -> Callable[[], float]:
        """Compile the integral of J times a weight over the surface; see `integrate_over`."""
        total = surface_flux(weight, self._fluxes, self._ds)
        return (lambda: 0.0) if total is None else compile_integral(total, self._comm)

    def resume(self, drive: Drive) -> None:
        """Switch to a drive whose mu_res is known already, as after a restart."""
        self.drive = drive
        self._contact.value = 0.0 if drive == Rest(sealed=True) else 1.0
        self._hold_current.value = self._hold_potential.value = self._target.value = 0.0
        match drive:
            case Potentiostatic():
                self._hold_potential.value, self._target.value = 1.0, drive.potential
            case Galvanostatic():
                self._hold_current.value, self._target.value = 1.0, drive.outflow
            case Rest(sealed=False):
                self._hold_current.value = 1.0

    def hold(self, drive: Drive) -> None:
        """Switch to another drive, with a first guess of mu_res from the fields; collective.

        Raises:
            ConvergenceError: If no reservoir draws that current at the present composition.
        """
        assert self.reservoir is not None
        self.resume(drive)
        if isinstance(drive, Potentiostatic):
            self.reservoir.x.array[:] = drive.potential
        elif self._hold_current.value:
            self._guess_level(float(self._target.value))

    def _guess_level(self, outflow: float) -> None:
        """Find the mu_res that draws a current from the fields as they are."""
        assert self.reservoir is not None
        values = self.reservoir.x.array

        def draw(level: float) -> float:
            values[:] = level
            return self.outflow()

        values[:] = find_level(draw, outflow, self._sum_potential() / self.area)


def _resolve(
    domain: Domain, reactions: Sequence[SurfaceReaction]
) -> list[tuple[ReactionLaw, tuple[int, ...]]]:
    """Each law with the facet tags on which it holds; later reactions overrule earlier ones."""
    owner = {tag: index for index, item in enumerate(reactions) for tag in domain.tags(item.group)}
    laws = []
    for index, reaction in enumerate(reactions):
        tags = tuple(tag for tag, holder in owner.items() if holder == index)
        if reaction.law is not None and tags:
            laws.append((reaction.law, tags))
    return laws
