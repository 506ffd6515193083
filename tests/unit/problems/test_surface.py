"""Reactions by group, and what is held, at a uniform state whose flux is known by hand."""

import math

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import ConvergenceError, InputError
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.marcus_kinetics import MarcusHushChidsey
from chemomech.materials.reactions import (
    ButlerVolmer,
    ConstantExchange,
    ConstantFlux,
    LiteralEqn25,
    SquareRootExchange,
)
from chemomech.problems.surface import Galvanostatic, Potentiostatic, Rest, Surface, SurfaceReaction

WIDTH, HEIGHT = 8.0, 4.0
PERIMETER = 2 * (WIDTH + HEIGHT)
C, MU, RATE = 0.2, 0.4, 0.3
#: Greatest flux out: nothing comes back from an empty reservoir.
MOST = RATE * (1 - C) * math.exp(MU)


@pytest.fixture(scope="module")
def domain():
    return create_domain(Box((WIDTH * 1e-9, HEIGHT * 1e-9)), 2e-9, MPI.COMM_WORLD)


@pytest.fixture
def create_surface(domain):
    """Return a function for a surface of a particle with uniform c and mu."""

    def create(*reactions, mu=MU):
        space = fem.functionspace(domain.mesh, ("Lagrange", 1))
        c, potential = fem.Function(space), fem.Function(space)
        c.x.array[:] = C
        if callable(mu):
            potential.interpolate(mu)
        else:
            potential.x.array[:] = mu
        return Surface(domain, [SurfaceReaction(*pair) for pair in reactions], c, potential, 3)

    return create


def solve_control(surface):
    """Residual of mu_res's equation, summed over the ranks."""
    (field,) = surface.create_fields()
    vector = fem.assemble_vector(fem.form(field.residual))
    return MPI.COMM_WORLD.allreduce(float(vector.array.sum()))


def butler_volmer(level):
    return RATE * (1 - C) * (math.exp(MU) - math.exp(level))


def test_each_group_has_its_own_law(create_surface):
    surface = create_surface(
        ("left", ButlerVolmer(RATE)), ("right", ConstantExchange(0.5)), ("top", ConstantFlux(-0.1))
    )
    surface.hold(Potentiostatic(0.1))
    exchange = 0.5 * 2 * math.sinh((MU - 0.1) / 2)
    expected = HEIGHT * (butler_volmer(0.1) + exchange) - 0.1 * WIDTH
    assert surface.outflow() == pytest.approx(expected, rel=1e-12)
    assert surface.area == pytest.approx(2 * HEIGHT + WIDTH, rel=1e-12)


@pytest.mark.parametrize(
    ("order", "on_left"), [(("surface", "left"), 3.0), (("left", "surface"), 1.0)]
)
def test_the_last_that_names_a_facet_holds(create_surface, order, on_left):
    values = {"surface": 1.0, "left": 3.0}
    surface = create_surface(*[(group, ConstantFlux(values[group])) for group in order])
    expected = (PERIMETER - HEIGHT) * 1.0 + HEIGHT * on_left
    assert surface.outflow() == pytest.approx(expected, rel=1e-12)


def test_no_law_seals_a_group(create_surface):
    surface = create_surface(("surface", ConstantFlux(2.0)), ("bottom", None))
    assert surface.outflow() == pytest.approx(2.0 * (PERIMETER - WIDTH), rel=1e-12)
    assert surface.area == pytest.approx(PERIMETER - WIDTH, rel=1e-12)
    everything = create_surface(("surface", None))
    assert everything.outflow() == everything.area == 0.0
    assert everything.exchange(ufl.as_ufl(1.0)) is None
    assert everything.is_isolated
    assert everything.reservoir is None


def test_no_reaction_is_no_exchange(create_surface):
    surface = create_surface()
    assert surface.outflow() == surface.integrate_over(1.0)() == 0.0
    assert surface.is_isolated


def test_unknown_group_is_refused(create_surface):
    with pytest.raises(InputError, match="did you mean 'left'"):
        create_surface(("lefd", ButlerVolmer(RATE)))
    with pytest.raises(InputError, match="'nowhere'"):
        create_surface(("nowhere", None))


def test_begins_sealed(create_surface):
    surface = create_surface(("surface", ButlerVolmer(RATE)))
    assert surface.drive == Rest(sealed=True)
    assert surface.outflow() == 0.0
    assert surface.is_isolated


@pytest.mark.parametrize("outflow", [-3.0, 0.0, 0.9 * MOST * PERIMETER])
def test_current_finds_its_level(create_surface, outflow):
    surface = create_surface(("surface", ButlerVolmer(RATE)))
    surface.hold(Galvanostatic(outflow))
    expected = math.log(math.exp(MU) - outflow / (PERIMETER * RATE * (1 - C)))
    assert surface.level == pytest.approx(expected, abs=1e-9)
    assert surface.outflow() == pytest.approx(outflow, abs=1e-8)
    assert solve_control(surface) == pytest.approx(0.0, abs=1e-8)
    assert not surface.is_isolated


@pytest.mark.parametrize("outflow", [1.001 * MOST * PERIMETER, -1e60])
def test_current_beyond_reach_is_refused(create_surface, outflow):
    surface = create_surface(("surface", ButlerVolmer(RATE)))
    with pytest.raises(ConvergenceError, match="cannot sustain"):
        surface.hold(Galvanostatic(outflow))


DRIVEN = [
    ButlerVolmer(RATE),
    SquareRootExchange(RATE),
    SquareRootExchange(RATE, 0.0),
    ConstantExchange(RATE, 1.0),
    MarcusHushChidsey(RATE, 8.3),
    MarcusHushChidsey(RATE, 40.0, 0.1),
    MarcusHushChidsey(RATE, 0.5, 10.0),
]


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["delithiate", "lithiate"])
@pytest.mark.parametrize("law", DRIVEN, ids=repr)
def test_every_law_holds_a_current_either_way(create_surface, law, sign):
    """A small current needs a small overpotential, against the current's direction."""
    surface = create_surface(("surface", law))
    surface.hold(Galvanostatic(sign * 1e-3 * PERIMETER * RATE))
    assert surface.outflow() == pytest.approx(sign * 1e-3 * PERIMETER * RATE, rel=1e-6)
    assert 0.0 < sign * (MU - surface.level) < 0.1


def marcus_outflow(level):
    """The law of Marcus, Hush and Chidsey at lambda = 8.3 kT, in words of the standard library."""
    force = MU - level - math.log(C)

    def reach(y):
        return math.erfc((8.3 - math.sqrt(1 + math.sqrt(8.3) + y**2)) / (2 * math.sqrt(8.3)))

    return PERIMETER * butler_volmer(level) * reach(force) / (reach(0.0) * math.cosh(force / 2))


def test_marcus_kinetics_carries_what_it_can_out_and_says_how_much_that_is(create_surface):
    """Its flux outwards has a maximum; the branch that begins at equilibrium is the one meant."""
    levels = np.linspace(MU - 30, MU, 100001)
    flows = [marcus_outflow(level) for level in levels]
    most, place = max(flows), levels[int(np.argmax(flows))]
    surface = create_surface(("surface", MarcusHushChidsey(RATE, 8.3)))
    for share in (0.01, 0.5, 0.999):
        surface.hold(Galvanostatic(share * most))
        assert place < surface.level < MU
        assert marcus_outflow(surface.level) == pytest.approx(share * most, rel=1e-6)
    with pytest.raises(ConvergenceError, match="pass at most 80 % of it"):
        surface.hold(Galvanostatic(1.25 * most))


def test_the_branch_found_does_not_depend_on_what_was_held_before(create_surface):
    surface = create_surface(("surface", MarcusHushChidsey(RATE, 8.3)))
    surface.hold(Galvanostatic(0.1))
    level = surface.level
    surface.hold(Potentiostatic(-50.0))
    surface.hold(Galvanostatic(0.1))
    assert surface.level == pytest.approx(level, abs=1e-9)


def test_a_law_that_knows_no_reservoir_passes_none_of_a_current(create_surface):
    surface = create_surface(("surface", LiteralEqn25(RATE)))
    with pytest.raises(ConvergenceError, match="whatever the voltage"):
        surface.hold(Galvanostatic(-1.0))


def test_current_beside_a_given_flux(create_surface):
    """What a given flux passes counts in the current that is held."""
    surface = create_surface(("left", ButlerVolmer(RATE)), ("right", ConstantFlux(0.05)))
    surface.hold(Galvanostatic(-1.0))
    assert HEIGHT * (butler_volmer(surface.level) + 0.05) == pytest.approx(-1.0, rel=1e-8)


def test_open_circuit_balances_the_groups(create_surface):
    """mu is -1 at the left and 1 at the right: e^mu_res is the mean of e^mu."""
    surface = create_surface(
        ("left", ButlerVolmer(RATE)),
        ("right", ButlerVolmer(RATE)),
        mu=lambda x: 2 * x[0] / WIDTH - 1,
    )
    surface.hold(Rest())
    assert surface.level == pytest.approx(math.log(math.cosh(1.0)), abs=1e-9)
    assert surface.outflow() == pytest.approx(0.0, abs=1e-9)
    assert surface.is_isolated
    # What leaves at the right comes in at the left: the dipole is not zero.
    position = ufl.SpatialCoordinate(surface.reservoir.function_space.mesh)[0]
    moment = surface.integrate_flux(position)()
    leaving = HEIGHT * RATE * (1 - C) * (math.e - math.cosh(1.0))
    assert moment == pytest.approx(leaving * WIDTH, rel=1e-8)


def test_sealed_reservoir_follows_the_surface(create_surface):
    surface = create_surface(("left", ButlerVolmer(RATE)), mu=lambda x: 1 + x[1] / HEIGHT)
    surface.hold(Rest(sealed=True))
    assert surface.outflow() == 0.0
    for level in (0.0, 1.5, 2.0):
        surface.reservoir.x.array[:] = level
        assert solve_control(surface) == pytest.approx(level - 1.5, abs=1e-12)


def test_held_potential_is_its_own_equation(create_surface):
    surface = create_surface(("surface", ButlerVolmer(RATE)))
    surface.hold(Potentiostatic(-0.7))
    assert surface.level == -0.7
    assert solve_control(surface) == pytest.approx(0.0, abs=1e-14)
    assert surface.outflow() == pytest.approx(PERIMETER * butler_volmer(-0.7), rel=1e-12)
    surface.reservoir.x.array[:] = 0.3
    assert solve_control(surface) == pytest.approx(1.0, rel=1e-12)


def test_resuming_keeps_the_level(create_surface):
    """After a restart mu_res is known, and only what is held is switched."""
    surface = create_surface(("surface", ButlerVolmer(RATE)))
    surface.reservoir.x.array[:] = 0.123
    surface.resume(Galvanostatic(1.0))
    assert surface.level == 0.123
    assert surface.drive == Galvanostatic(1.0)
    expected = PERIMETER * butler_volmer(0.123) - 1.0
    assert solve_control(surface) == pytest.approx(expected, rel=1e-12)


def test_switching_back_and_forth_leaves_no_trace(create_surface):
    surface = create_surface(("surface", ButlerVolmer(RATE)))
    drives = [Potentiostatic(0.2), Galvanostatic(1.0), Rest(), Rest(sealed=True)]

    def state(drive):
        surface.hold(drive)
        return [float(constant.value) for constant in surface.constants]

    first = [state(drive) for drive in drives]
    again = [state(drive) for drive in reversed(drives)]
    np.testing.assert_array_equal(again[::-1], first)
    assert len({tuple(values) for values in first}) == len(drives)


def test_given_flux_is_no_open_circuit(create_surface):
    """Beside a flux that nothing dissipates, the free energy may rise at no net current."""
    surface = create_surface(("left", ButlerVolmer(RATE)), ("right", ConstantFlux(0.05)))
    surface.hold(Rest())
    assert surface.outflow() == pytest.approx(0.0, abs=1e-9)
    assert not surface.is_isolated
    surface.hold(Rest(sealed=True))
    assert surface.is_isolated
