"""Surface reactions: their UFL, as compiled, against closed forms, and what thermodynamics asks."""

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI
from scipy.integrate import quad
from scipy.special import erfc

from chemomech.errors import InputError
from chemomech.forms.reaction import surface_flux
from chemomech.materials.marcus_kinetics import MarcusHushChidsey
from chemomech.materials.reactions import (
    ButlerVolmer,
    ConstantExchange,
    ConstantFlux,
    LiteralEqn25,
    SquareRootExchange,
)

RATE = 2.5
CHI = 2.75
ELECTROLYTE = 0.3
LITERAL, ODD = LiteralEqn25(RATE), LiteralEqn25(RATE, odd=True)
MARCUS = [MarcusHushChidsey(RATE, lm, ELECTROLYTE) for lm in (8.3, 15.2)]
WITH_RESERVOIR = [
    ButlerVolmer(RATE),
    SquareRootExchange(RATE),
    SquareRootExchange(RATE, alpha=0.2),
    ConstantExchange(RATE),
    ConstantExchange(RATE, alpha=0.7),
    *MARCUS,
]


def assemble(expression, c, mu, reservoir, by):
    """Values of f(c, mu, mu_res), or slopes by one of them; one cell of length one a sample."""
    samples = [np.ravel(array) for array in np.broadcast_arrays(c, mu, reservoir)]
    interval = mesh.create_interval(MPI.COMM_SELF, len(samples[0]), (0.0, len(samples[0])))
    space = fem.functionspace(interval, ("DG", 0))
    fields = [fem.Function(space) for _ in samples]
    for field, array in zip(fields, samples, strict=True):
        field.x.array[:] = array
    dx = ufl.dx(domain=interval, metadata={"quadrature_degree": 0})
    form = expression(*fields) * ufl.TestFunction(space) * dx
    if by is None:
        return fem.assemble_vector(fem.form(form)).array.copy()
    matrix = fem.assemble_matrix(fem.form(ufl.derivative(form, fields[by])))
    return matrix.to_scipy().diagonal()


def evaluate(expression, c, mu, reservoir=0.0):
    """Values of f(c, mu, mu_res) at arrays that broadcast, shape (samples,)."""
    return assemble(expression, c, mu, reservoir, None)


def differentiate(expression, c, mu, reservoir=0.0, *, by=1):
    """Slopes of f as Newton's method gets them, by c (0) or mu (1), shape (samples,)."""
    return assemble(expression, c, mu, reservoir, by)


def compute_marcus_rate(y, lm):
    """k(y) as published."""
    distance = lm - np.sqrt(1 + np.sqrt(lm) + y**2)
    return np.sqrt(np.pi * lm) / (1 + np.exp(-y)) * erfc(distance / (2 * np.sqrt(lm)))


def integrate_marcus_rate(y, lm):
    """Transfer to and from every level z of a metal: the integral that k(y) stands for."""
    value, _ = quad(
        lambda z: np.exp(-((z - lm + y) ** 2) / (4 * lm)) / (1 + np.exp(z)),
        -200.0,
        200.0,
        points=sorted([0.0, lm - y]),
        limit=500,
        epsabs=0.0,
        epsrel=1e-10,
    )
    return value


@pytest.fixture
def samples():
    """Compositions up to 1e-12 from the bounds, potentials and reservoirs, shape (400,) each."""
    draw = np.random.default_rng(25)
    near = 10.0 ** draw.uniform(-12, 0, 200) / 2
    c = np.concatenate([near[:100], 1 - near[100:], draw.uniform(0.01, 0.99, 200)])
    reservoir = draw.uniform(-30.0, 30.0, 400)
    force = 10.0 ** draw.uniform(-9, 1.5, 400) * draw.choice([-1.0, 1.0], 400)
    return c, reservoir + force, reservoir


def test_root_of_activity_in_eqn25_is_a_difference_of_activities():
    flux = evaluate(ButlerVolmer(RATE).flux, 0.25, 0.7)
    np.testing.assert_allclose(flux / (RATE * 0.75), np.exp(0.35) * 2 * np.sinh(0.35), rtol=1e-14)
    np.testing.assert_allclose(flux / (RATE * 0.75), 1.0137527, rtol=1e-7)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 0.85])
def test_transfer_coefficient_cancels_from_butler_volmer(alpha, samples):
    c, mu, reservoir = samples
    force = mu - reservoir
    exchange = RATE * (1 - c) * np.exp((1 - alpha) * reservoir + alpha * mu)
    expected = exchange * (np.exp((1 - alpha) * force) - np.exp(-alpha * force))
    both_ways = RATE * (1 - c) * (np.exp(mu) + np.exp(reservoir))
    error = evaluate(ButlerVolmer(RATE).flux, c, mu, reservoir) - expected
    assert np.abs(error / both_ways).max() < 1e-13


@pytest.mark.parametrize("law", WITH_RESERVOIR, ids=repr)
def test_reaction_goes_down_the_potential_and_stops_only_at_equilibrium(law, samples):
    c, mu, reservoir = samples
    flux = evaluate(law.flux, c, mu, reservoir)
    assert np.isfinite(flux).all()
    np.testing.assert_array_equal(np.sign(flux), np.sign(mu - reservoir))
    assert not evaluate(law.flux, c, reservoir, reservoir).any()


@pytest.mark.parametrize("law", [LITERAL, ODD], ids=repr)
def test_eqn25_goes_down_the_potential_and_knows_no_reservoir(law, samples):
    c, mu, reservoir = samples
    flux = evaluate(law.flux, c, mu, reservoir)
    np.testing.assert_array_equal(flux, evaluate(law.flux, c, mu, 3.0))
    allowed = np.sign(mu) if law is ODD else np.maximum(np.sign(mu), 0.0)
    np.testing.assert_array_equal(np.sign(flux), allowed)
    size = RATE * (1 - c) * np.sqrt(np.abs(mu)) * 2 * np.sinh(np.abs(mu) / 2)
    np.testing.assert_allclose(flux, allowed * size, rtol=1e-13)
    assert not evaluate(law.flux, c, 0.0).any()


@pytest.mark.parametrize("law", WITH_RESERVOIR, ids=repr)
def test_reaction_is_linear_near_equilibrium(law):
    c, reservoir = np.meshgrid([1e-6, 0.2, 0.5, 0.9], [-4.0, 0.0, 0.8])
    conductance = {
        ButlerVolmer: (1 - c) * np.exp(reservoir),
        SquareRootExchange: np.sqrt(c * (1 - c)),
        ConstantExchange: np.ones_like(c),
    }.get(type(law))
    if conductance is None:
        y, lm = np.log(ELECTROLYTE / c), law.reorganisation
        # A (dk(y)/dH c - dk(-y)/dH c_+) with k(y) = e^y k(-y): A k(-y) c_+.
        prefactor = (1 - c) * np.exp(reservoir) / np.sqrt(c * ELECTROLYTE)
        ratio = compute_marcus_rate(-y, lm) / compute_marcus_rate(0.0, lm)
        conductance = prefactor * ratio * ELECTROLYTE
    expected = (RATE * conductance).ravel()
    for force in (-1e-6, 1e-6):
        flux = evaluate(law.flux, c, reservoir + force, reservoir)
        np.testing.assert_allclose(flux / force, expected, rtol=2e-6)
    slopes = differentiate(law.flux, c, reservoir, reservoir)
    np.testing.assert_allclose(slopes, expected, rtol=1e-12)


@pytest.mark.parametrize("law", [*WITH_RESERVOIR, LITERAL, ODD], ids=repr)
def test_reaction_and_its_slopes_are_finite_at_the_bounds(law):
    c, reservoir = np.meshgrid([1e-12, 1e-6, 1 - 1e-6, 1 - 1e-12], [-3.0, 0.0, 3.0])
    mu = np.log(c / (1 - c)) + CHI * (1 - 2 * c)
    flux = evaluate(law.flux, c, mu, reservoir)
    assert np.isfinite(flux).all()
    for by in (0, 1):
        assert np.isfinite(differentiate(law.flux, c, mu, reservoir, by=by)).all()
    if isinstance(law, ButlerVolmer):
        expected = RATE * (c * np.exp(CHI * (1 - 2 * c)) - (1 - c) * np.exp(reservoir))
        np.testing.assert_allclose(flux, expected.ravel(), rtol=1e-14 / 1e-12)
        assert np.abs(flux).max() < RATE * np.exp(3.0)


def test_root_exchange_is_butler_volmer_of_an_ideal_solution():
    c, reservoir = np.meshgrid([1e-9, 0.1, 0.4, 0.55, 0.93], [-2.0, 0.0, 1.5])
    mu = np.log(c / (1 - c))
    ratio = evaluate(SquareRootExchange(RATE).flux, c, mu, reservoir)
    ratio /= evaluate(ButlerVolmer(RATE).flux, c, mu, reservoir)
    np.testing.assert_allclose(ratio, np.exp(-reservoir / 2).ravel(), rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.7])
def test_transfer_coefficient_is_the_share_of_the_drive_that_speeds_insertion(alpha):
    force = np.array([-30.0, -2.0, 0.5, 3.0, 30.0])
    expected = RATE * (np.exp((1 - alpha) * force) - np.exp(-alpha * force))
    flux = evaluate(ConstantExchange(RATE, alpha).flux, 0.3, 1.7 + force, 1.7)
    np.testing.assert_allclose(flux, expected, rtol=1e-13)
    flux = evaluate(SquareRootExchange(RATE, alpha).flux, 0.3, 1.7 + force, 1.7)
    np.testing.assert_allclose(flux, np.sqrt(0.21) * expected, rtol=1e-13)


@pytest.mark.parametrize("law", [LITERAL, ODD], ids=repr)
def test_eqn25_has_no_exchange_conductance_and_a_finite_slope_everywhere(law):
    size = np.array([5e-324, 1e-300, 1e-16, 1e-12, 1e-8, 1e-4, 0.3, 5.0])
    expected = RATE * 0.6 * (np.sinh(size / 2) / np.sqrt(size) + np.sqrt(size) * np.cosh(size / 2))
    np.testing.assert_allclose(differentiate(law.flux, 0.4, size), expected, 1e-13, 1e-160)
    np.testing.assert_allclose(expected[1:6], RATE * 0.6 * 1.5 * np.sqrt(size[1:6]), rtol=1e-8)
    below = differentiate(law.flux, 0.4, -size)
    np.testing.assert_allclose(below, expected if law is ODD else 0.0, 1e-13, 1e-160)
    assert differentiate(law.flux, 0.4, 0.0) == [0.0]
    mu = np.array([1e-10, 1e-6, 1e-3])
    np.testing.assert_allclose(evaluate(law.flux, 0.4, mu), RATE * 0.6 * mu**1.5, rtol=1e-6)


@pytest.mark.parametrize(("lm", "at_rest"), [(8.3, 0.30708), (15.2, 0.063932)])
def test_marcus_rate_stands_for_the_sum_over_the_levels_of_a_metal(lm, at_rest):
    law = MarcusHushChidsey(RATE, lm)
    y = np.linspace(-15.0, 15.0, 61)
    rates = evaluate(lambda c, mu, reservoir: law.rate_constant(mu), 0.5, y)
    np.testing.assert_allclose(rates, compute_marcus_rate(y, lm), rtol=1e-13)
    np.testing.assert_allclose(rates[30], at_rest, rtol=2e-5)
    np.testing.assert_allclose(rates / rates[::-1], np.exp(y), rtol=1e-12)
    integrals = np.array([integrate_marcus_rate(force, lm) for force in y])
    np.testing.assert_allclose(integrals / integrals[::-1], np.exp(y), rtol=1e-9)
    np.testing.assert_allclose(rates, integrals, rtol=0.047 if lm < 10 else 0.035)


@pytest.mark.parametrize("law", MARCUS, ids=repr)
def test_marcus_flux_is_the_difference_of_extraction_and_insertion(law, samples):
    c, mu, reservoir = samples
    y, lm = mu - reservoir + np.log(ELECTROLYTE / c), law.reorganisation
    prefactor = RATE * np.exp((mu + reservoir) / 2) * (1 - c) / np.sqrt(ELECTROLYTE * c)
    prefactor /= compute_marcus_rate(0.0, lm)
    out = prefactor * compute_marcus_rate(y, lm) * c
    into = prefactor * compute_marcus_rate(-y, lm) * ELECTROLYTE
    error = evaluate(law.flux, c, mu, reservoir) - (out - into)
    assert np.abs(error / (out + into)).max() < 1e-12


def test_largest_reorganisation_keeps_its_digits():
    law = MarcusHushChidsey(RATE, 40.0)
    y = np.linspace(-15.0, 15.0, 31)
    rates = evaluate(lambda c, mu, reservoir: law.rate_constant(mu), 0.5, y)
    np.testing.assert_allclose(rates, compute_marcus_rate(y, 40.0), rtol=1e-10)


def test_constant_flux_is_what_it_is(samples):
    flux = evaluate(ConstantFlux(-0.4).flux, *samples)
    np.testing.assert_array_equal(flux, -0.4)


def test_laws_say_what_they_need():
    laws = [*WITH_RESERVOIR, LITERAL, ODD, ConstantFlux(1.0)]
    assert [law.needs_reservoir for law in laws] == [True] * (len(laws) - 1) + [False]


def test_reaction_over_a_surface_adds_up_on_any_number_of_ranks():
    square = mesh.create_unit_square(MPI.COMM_WORLD, 4, 4)
    c, mu, reservoir = (fem.Constant(square, value) for value in (0.25, 0.7, 0.0))
    flux = ButlerVolmer(RATE).flux(c, mu, reservoir)
    sides = mesh.locate_entities_boundary(square, 1, lambda x: x[0] * (1 - x[0]) < 1e-9)
    tags = mesh.meshtags(square, 1, np.sort(sides), np.full(len(sides), 7, dtype=np.int32))
    ds = ufl.Measure("ds", square, subdomain_data=tags)
    outflow = surface_flux(ufl.as_ufl(1.0), [((7,), flux)], ds)
    total = square.comm.allreduce(fem.assemble_scalar(fem.form(outflow)))
    assert total == pytest.approx(2 * RATE * 0.75 * 1.0137527, rel=1e-7)


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (lambda: ButlerVolmer(0.0), "rate: must be positive"),
        (lambda: LiteralEqn25(-1.0), "rate: must be positive"),
        (lambda: LiteralEqn25(np.inf, odd=True), "rate: must be positive"),
        (lambda: SquareRootExchange(1.0, 1.1), "alpha: must be between 0 and 1"),
        (lambda: ConstantExchange(1.0, np.nan), "alpha: must be between 0 and 1"),
        (lambda: ConstantFlux(np.nan), "value: must be a finite flux"),
        (lambda: MarcusHushChidsey(1.0, 0.0), "reorganisation: must be positive"),
        (lambda: MarcusHushChidsey(1.0, 41.0), "reorganisation: must be at most 40 kT"),
        (lambda: MarcusHushChidsey(1.0, 8.3, 0.0), "electrolyte: must be positive"),
    ],
)
def test_numbers_that_make_no_law_are_refused(create, message):
    with pytest.raises(InputError, match=message):
        create()
