"""Phases of densities against closed forms, and against values worked out by hand from them."""

import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import ufl
from dolfinx import fem
from dolfinx.mesh import create_unit_interval
from mpi4py import MPI
from scipy import integrate, optimize

from chemomech.errors import InputError
from chemomech.materials import phase_diagram as pd
from chemomech.materials.density_curve import DensityCurve
from chemomech.materials.free_energy import Polynomial, RegularSolution, create_double_well
from chemomech.materials.phases import Phase
from chemomech.materials.redlich_kister import RedlichKister
from chemomech.units import Scales

SCALES = Scales(diffusivity=1e-15, temperature=298.15, site_concentration=18500.0)
RT = SCALES.chemical_potential
KAPPA = 5.559e-14  # J m^2/mol: an interface of 10 nm at chi = 2.75
GRADIENT = KAPPA / RT
ETA_A = 2.415e-6 * 18500 / 3
YOUNG_A = 43e9 / SCALES.stress
LAW = RegularSolution(2.75)

# chi, binodal, spinodal, barrier, interface integral, width over sqrt(kappa / RT)
REGULAR_SOLUTION = [
    (2.2, 0.248530, 0.349244, 0.006689, 0.039227, 4.3483),
    (2.5, 0.144794, 0.276393, 0.035853, 0.130258, 2.6530),
    (2.75, 0.099508, 0.238884, 0.071936, 0.210390, 2.1117),
    (3.0, 0.070720, 0.211325, 0.115194, 0.288272, 1.7887),
    (3.5, 0.037874, 0.172673, 0.215442, 0.431804, 1.4080),
]


def mix(c, chi):
    return c * math.log(c) + (1 - c) * math.log(1 - c) + chi * c * (1 - c)


def solve_closed_forms(chi):
    """Binodal, spinodal, barrier, interface integral and top of the potential's loop."""
    logit = optimize.brentq(lambda y: chi * math.tanh(y / 2) - y, 1e-2, chi + 1, xtol=1e-15)
    poor = 1.0 / (1.0 + math.exp(logit))
    edge = (1.0 - math.sqrt(1.0 - 2.0 / chi)) / 2.0
    top = math.log(edge / (1 - edge)) + chi * (1 - 2 * edge)
    lowest = mix(poor, chi)
    integral, _ = integrate.quad(
        lambda c: math.sqrt(2 * max(mix(c, chi) - lowest, 0.0)), poor, 0.5, epsabs=0, epsrel=1e-9
    )
    return poor, edge, mix(0.5, chi) - lowest, 2 * integral, top


@pytest.mark.parametrize(("chi", "c_a", "c_s", "dg", "integral", "width"), REGULAR_SOLUTION)
def test_regular_solution_table(chi, c_a, c_s, dg, integral, width):
    phases = pd.find_phases(RegularSolution(chi))
    pair = phases.narrowest
    assert pair.poor == pytest.approx(c_a, abs=1e-6)
    assert phases.spinodals[0][0] == pytest.approx(c_s, abs=1e-6)
    assert pair.barrier == pytest.approx(dg, abs=1e-6)
    assert pair.interfacial_energy(1.0) == pytest.approx(integral, abs=1e-6)
    assert pair.interface_width(1.0) == pytest.approx(width, abs=1e-4)


@pytest.mark.parametrize("chi", [2.01, 2.1, 2.5, 3.0, 4.0, 5.4, 7.0, 9.0, 12.0])
def test_regular_solution_as_by_its_closed_forms(chi):
    phases = pd.find_phases(RegularSolution(chi))
    poor, edge, barrier, path, top = solve_closed_forms(chi)
    (pair,), ((low, high),) = phases.coexistences, phases.spinodals
    found = [pair.poor, 1 - pair.rich, low, 1 - high, pair.barrier, pair.path, *pair.loop]
    expected = [poor, poor, edge, edge, barrier, path, -top, top]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    width = (1 - 2 * poor) / math.sqrt(2 * barrier)
    foot = 1 / math.sqrt(1 / (poor * (1 - poor)) - 2 * chi)
    assert pair.interface_width(4.0) == pytest.approx(2 * width, rel=1e-6)
    assert pair.tail_length(4.0) == pytest.approx(2 * foot, rel=1e-6)
    assert pair.potential == pytest.approx(0.0, abs=1e-12)
    assert phases.distance_to_bounds == pytest.approx(poor, rel=1e-6)
    # Exactly: a composition midway counts as before.
    assert phases.thresholds == (0.5,)


def test_phases_close_to_the_critical_point():
    """With c = 1/2 + m/2: m^2 = 3 (chi - 2) / 2 there, the spinodal at its root of a third."""
    phases = pd.find_phases(RegularSolution(2.0001))
    pair = phases.narrowest
    assert pair.miscibility_gap == pytest.approx(math.sqrt(1.5e-4), rel=1e-3)
    (low, high), *_ = phases.spinodals
    assert high - low == pytest.approx(pair.miscibility_gap / math.sqrt(3), rel=1e-3)


@pytest.mark.parametrize(
    ("width_nm", "kappa_275", "kappa_250", "wavelength_nm", "gamma_mj"),
    [
        (2.5, 3.474e-15, 2.201e-15, 8.59, 11.42),
        (10, 5.559e-14, 3.522e-14, 34.36, 45.69),
        (80, 3.558e-12, 2.254e-12, 274.9, 365.5),
    ],
)
def test_numbers_of_three_widths(width_nm, kappa_275, kappa_250, wavelength_nm, gamma_mj):
    phases, weaker = (pd.find_phases(RegularSolution(chi)) for chi in (2.75, 2.5))
    pair, gradient = phases.narrowest, kappa_275 / RT
    assert pair.interface_width(gradient) == pytest.approx(width_nm * 1e-9, rel=5e-4)
    assert weaker.narrowest.interface_width(kappa_250 / RT) == pytest.approx(
        width_nm * 1e-9, rel=5e-4
    )
    fastest = phases.fastest_mode(0.5, gradient, 1e-15 / 4)
    assert fastest.wavelength == pytest.approx(wavelength_nm * 1e-9, rel=1e-3)
    gamma = SCALES.energy_density * pair.interfacial_energy(gradient)
    assert gamma == pytest.approx(gamma_mj * 1e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("concentration", "eta", "young", "coherent", "plane_stress"),
    [(18500, 0.0148925, 937.62, 0.29707, 0.10398), (7260, 0.0058443, 2389.3, 0.11658, 0.04080)],
)
def test_coherent_shift(concentration, eta, young, coherent, plane_stress):
    expansion = 2.415e-6 * concentration / 3
    modulus = 43e9 / (RT * concentration)
    assert expansion == pytest.approx(eta, rel=1e-5)
    assert modulus == pytest.approx(young, rel=1e-4)

    shifts = [
        pd.coherent_shift(modulus, 0.3, expansion, plane_stress=sheet) for sheet in (False, True)
    ]
    assert shifts == pytest.approx([coherent, plane_stress], abs=1e-5)


def find_strained(chi, *, plane_stress=False):
    shift = pd.coherent_shift(YOUNG_A, 0.3, ETA_A, plane_stress=plane_stress)
    return pd.find_phases(RegularSolution(chi), shift)


def test_coherent_phase_diagram_in_plane_strain():
    phases = find_strained(2.75)
    pair = phases.narrowest
    assert pair.poor == pytest.approx(0.15625, abs=1e-5)
    assert phases.spinodals[0][0] == pytest.approx(0.28515, abs=1e-5)
    assert pair.interface_width(GRADIENT) == pytest.approx(13.27e-9, rel=1e-3)
    gamma = SCALES.energy_density * pair.interfacial_energy(GRADIENT)
    assert gamma == pytest.approx(25.03e-3, rel=1e-3)


def test_coherency_suppresses_separation_in_plane_strain_only():
    plain = pd.find_phases(RegularSolution(2.2)).fastest_mode(0.5, GRADIENT, 1e-15 / 4)
    assert plain.rate == pytest.approx(0.446, abs=5e-4)
    strained = find_strained(2.2)
    assert not strained.has_phase_separation
    with pytest.raises(InputError, match="no mode grows"):
        strained.fastest_mode(0.5, GRADIENT, 1e-15 / 4)
    stressed = find_strained(2.2, plane_stress=True)
    rate = stressed.fastest_mode(0.5, GRADIENT, 1e-15 / 4).rate
    assert rate == pytest.approx(0.1028, rel=1e-3)


def test_dispersion_relation():
    fastest = find_strained(2.75).fastest_mode(0.5, GRADIENT, 1e-15 / 4)
    assert fastest.wavenumber * math.sqrt(2) == pytest.approx(2.00985e8, rel=1e-4)
    assert fastest.wavelength == pytest.approx(44.21e-9, rel=1e-4)
    assert fastest.rate == pytest.approx(2.2870, rel=1e-4)


@pytest.mark.parametrize("chi", [2.75, 5.0, 7.0])
def test_an_interface_ends_like_an_exponential_of_its_foot_length(chi):
    """Near c_a the tie line's distance is g'' d^2 / 2, and d' = d / l along the wall."""
    phases = pd.find_phases(RegularSolution(chi))
    poor = phases.narrowest.poor
    d = 1e-3 * poor
    tie = phases.curve.energy([poor, poor + d])
    slope = math.sqrt(2.0 * (tie[1] - tie[0]) / 2.0)
    assert d / slope == pytest.approx(phases.narrowest.tail_length(2.0), rel=2e-3)


def test_a_profile_and_a_curved_wall():
    """In a planar wall kappa (c')^2 / 2 = RT (g - tangent); a round one raises mu by gamma / r."""
    phases = pd.find_phases(LAW)
    pair = phases.narrowest
    for share, distance in ((0.1, 10.457e-9), (0.05, 13.675e-9)):
        ends = (pair.poor + share * pair.miscibility_gap, pair.rich - share * pair.miscibility_gap)
        lowest = float(phases.curve.energy(pair.poor))
        root, _ = integrate.quad(
            lambda c, floor=lowest: (2 * (mix(c, 2.75) - floor)) ** -0.5, *ends
        )
        assert math.sqrt(GRADIENT) * root == pytest.approx(distance, rel=1e-4)
    shift = pair.interfacial_energy(GRADIENT) / (50e-9 * pair.miscibility_gap)
    assert shift == pytest.approx(0.02488, rel=1e-3)


def test_stripe_period():
    period = pd.find_phases(LAW).narrowest.stripe_period(GRADIENT, 100e-9)
    assert period == pytest.approx(52.6e-9, rel=2e-3)
    period = find_strained(2.75).narrowest.stripe_period(GRADIENT, 100e-9)
    assert period == pytest.approx(60.2e-9, rel=2e-3)


@pytest.mark.parametrize(("rho", "wells"), [(5.0, (0.3, 0.7)), (0.25, (-1.0, 1.0)), (3.0, (0, 1))])
@pytest.mark.parametrize("tilt", [0.0, -1.7])
def test_double_well(rho, wells, tilt):
    """rho (c - a)^2 (b - c)^2 and a line, which is the tangent."""
    a, b = wells
    well = create_double_well(rho, wells).coefficients
    phases = pd.find_phases(Polynomial((well[0], well[1] + tilt, *well[2:])))
    (pair,), gap = phases.coexistences, b - a
    half = gap / (2 * math.sqrt(3))
    np.testing.assert_allclose([pair.poor, pair.rich], wells, atol=1e-9)
    np.testing.assert_allclose(
        phases.spinodals, [((a + b) / 2 - half, (a + b) / 2 + half)], atol=1e-9
    )
    assert pair.potential == pytest.approx(tilt, abs=1e-9)
    # g at the middle; int sqrt(2 rho) (c - a)(b - c) dc; g'' = 2 rho (b - a)^2 in both wells.
    assert pair.barrier == pytest.approx(rho * gap**4 / 16, rel=1e-6)
    assert pair.path == pytest.approx(math.sqrt(2 * rho) * gap**3 / 6, rel=1e-6)
    assert pair.tail_length(1.0) == pytest.approx(1 / (gap * math.sqrt(2 * rho)), rel=1e-6)
    assert pair.interface_width(1.0) == pytest.approx(math.sqrt(8 / rho) / gap, rel=1e-6)
    # g' - tilt = 4 rho x (x^2 - gap^2 / 4) at x from the middle, its extrema at x = half.
    top = 4 * rho * half * (gap**2 / 4 - half**2)
    np.testing.assert_allclose(pair.loop, [tilt - top, tilt + top], atol=1e-9)
    assert phases.thresholds == ((a + b) / 2,)
    assert phases.distance_to_bounds == math.inf


def test_a_line_moves_plateaus_and_nothing_else():
    tilted = pd.find_phases(RedlichKister(-2.0, (3.0, 0.6)))
    plain = pd.find_phases(RedlichKister(0.0, (3.0, 0.6)))
    (one,), (other,) = tilted.coexistences, plain.coexistences
    assert one.potential == pytest.approx(other.potential - 2.0, abs=1e-9)
    assert abs(one.poor + one.rich - 1) > 0.01  # the odd term makes it lopsided
    for name in ("poor", "rich", "barrier", "path", "stiffness"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-6)
    # A common tangent: equal slopes, and the line between both has it.
    energy, slope = (plain.curve.energy, plain.curve.potential)
    assert slope(other.poor) == pytest.approx(other.potential, abs=1e-9)
    assert slope(other.rich) == pytest.approx(other.potential, abs=1e-9)
    rise = float(energy(other.rich) - energy(other.poor))
    assert rise == pytest.approx(other.potential * other.miscibility_gap, abs=1e-9)


def create_wells(*places, lift=0.0):
    """Product of the squares of c - place, and ``lift`` times c (1 - c)."""
    rest = np.polynomial.polynomial.polyfromroots(np.repeat(places, 2))
    rest[1:3] += [lift, -lift]
    return Polynomial(tuple(float(value) for value in rest))


def test_three_wells_on_one_tangent():
    phases = pd.find_phases(create_wells(0.0, 0.5, 1.0))
    pairs = [(pair.poor, pair.rich) for pair in phases.coexistences]
    np.testing.assert_allclose(pairs, [(0.0, 0.5), (0.5, 1.0)], atol=1e-7)
    assert phases.thresholds == (0.25, 0.75)


def test_a_well_above_the_tangent_is_no_phase():
    phases = pd.find_phases(create_wells(0.0, 0.5, 1.0, lift=0.002))
    (pair,) = phases.coexistences
    np.testing.assert_allclose([pair.poor, pair.rich], [0.0, 1.0], atol=0.01)
    assert len(phases.spinodals) == 2
    assert phases.curve.energy(0.5) > 0.0


@pytest.mark.parametrize(
    "law",
    [
        RegularSolution(2.0),
        RegularSolution(-30.0),
        Polynomial((0.0, 0.0, 1.5), (0.0, 2.0)),
        Polynomial((0.0, 1.0)),
        Polynomial((1.0,)),
        Polynomial((0.0, 0.0, 0.0, 1.0)),
        Polynomial((0.0, 0.0, -1.0), (0.0, 1.0)),
        Polynomial(create_double_well(1.0, (-0.2, 0.8)).coefficients, (0.0, 1.0)),
    ],
    ids=["critical", "mixing", "parabola", "line", "constant", "cubic", "concave", "cut well"],
)
def test_one_phase(law):
    phases = pd.find_phases(law)
    assert phases.coexistences == ()
    assert phases.thresholds == ()
    assert phases.distance_to_bounds == math.inf
    with pytest.raises(InputError, match="one phase only"):
        _ = phases.narrowest


def test_wells_on_the_bounds():
    """As far as the tangent goes: the potential need not have been infinite there."""
    well = create_double_well(2.0, (0.0, 1.0))
    (pair,) = pd.find_phases(Polynomial(well.coefficients, (0.0, 1.0))).coexistences
    np.testing.assert_allclose([pair.poor, pair.rich], [0.0, 1.0], atol=1e-9)
    assert pair.path == pytest.approx(2.0 / 6.0, rel=1e-6)


def test_constants_count_by_their_present_value():
    mesh = create_unit_interval(MPI.COMM_SELF, 1)
    chi = fem.Constant(mesh, 2.75)
    law = RegularSolution(chi)
    assert pd.find_phases(law).narrowest.poor == pytest.approx(0.099508, abs=1e-6)
    chi.value = 3.0
    assert pd.find_phases(law).narrowest.poor == pytest.approx(0.070720, abs=1e-6)


def test_coefficients_may_be_parts_of_a_constant():
    mesh = create_unit_interval(MPI.COMM_SELF, 1)
    well = create_double_well(5.0, (0.3, 0.7)).coefficients
    constant = fem.Constant(mesh, np.array(well))
    law = Polynomial(tuple(constant[k] for k in range(len(well))))
    pair = pd.find_phases(law).narrowest
    np.testing.assert_allclose([pair.poor, pair.rich], [0.3, 0.7], atol=1e-9)


@dataclass(frozen=True)
class Wrapped:
    """A law of one UFL function."""

    function: object
    bounds: tuple[float, float] = (0.0, 1.0)

    def density(self, c):
        return self.function(c)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda c: ufl.exp(2 * c) + ufl.sin(c), lambda c: 2 * np.exp(2 * c) + np.cos(c)),
        (lambda c: ufl.sqrt(c) * ufl.tanh(c), None),
        (lambda c: ufl.conditional(ufl.lt(c, 0.5), c**2, c**3), None),
        (lambda c: ufl.max_value(c, 0.5) / (1 + c), None),
        (lambda c: abs(c - 0.25) ** 3, lambda c: 3 * (c - 0.25) * abs(c - 0.25)),
    ],
    ids=["exponential", "root", "conditional", "maximum", "modulus"],
)  # fmt: skip
def test_derivatives_of_what_ufl_offers(function, slope):
    curve = DensityCurve(Wrapped(function))
    c = np.array([0.1, 0.3, 0.6, 0.9])
    near = (curve.energy(c + 1e-6) - curve.energy(c - 1e-6)) / 2e-6
    np.testing.assert_allclose(curve.potential(c), near, atol=1e-8)
    near = (curve.potential(c + 1e-6) - curve.potential(c - 1e-6)) / 2e-6
    np.testing.assert_allclose(curve.curvature(c), near, atol=1e-7)
    if slope is not None:
        np.testing.assert_allclose(curve.potential(c), [slope(x) for x in c], atol=1e-12)
    assert curve.energy(0.3).shape == ()


def test_densities_that_no_number_has_are_refused():
    with pytest.raises(InputError, match="not finite at c ="):
        pd.find_phases(Wrapped(lambda c: ufl.ln(c - 0.5)))
    mesh = create_unit_interval(MPI.COMM_SELF, 1)
    with pytest.raises(InputError, match="no function of the composition alone"):
        pd.find_phases(Wrapped(lambda c: c * ufl.SpatialCoordinate(mesh)[0]))


def test_what_is_found_can_be_sent_to_other_ranks():
    phases = pickle.loads(pickle.dumps(pd.find_phases(LAW)))
    assert phases == pd.find_phases(LAW)
    assert phases.curve.energy(0.5) == pytest.approx(mix(0.5, 2.75), rel=1e-12)


@pytest.mark.parametrize(("shift", "separates"), [(0.74, True), (0.76, False)])
def test_coherent_phases_separate_as_long_as_the_energy_is_not_convex(shift, separates):
    """Of a regular solution g'' is least at c = 1/2, 4 - 2 chi; the shift adds twice itself."""
    law = RegularSolution(2.75)
    (pair,) = pd.find_phases(law).coexistences
    coherent = pd.find_phases(law, shift)
    assert coherent.is_unstable_between(pair) is separates
    assert coherent.has_phase_separation is separates
    assert pair.coherent_cost(shift) == pytest.approx(shift * (0.5 - pair.poor) ** 2)


def test_windows_of_phases():
    lower, upper = pd.find_phases(RegularSolution(2.75)).windows
    assert [*lower, *upper] == pytest.approx([0.0, 0.0995, 0.9005, 1.0], abs=1e-4)
    assert pd.find_phases(RegularSolution(1.0)).windows == ((0.0, 1.0),)


def test_a_phase_of_one_composition_has_a_window():
    """c^2 (1 - c)^2 (1 - 2 c)^2 touches zero at 0, 1/2 and 1."""
    square = np.polynomial.Polynomial([0.0, 1.0, -3.0, 2.0]) ** 2
    windows = pd.find_phases(Polynomial(tuple(square.coef), (-0.5, 1.5))).windows
    np.testing.assert_allclose(windows, [(-0.5, 0.0), (0.5, 0.5), (1.0, 1.5)], atol=1e-6)
    assert all(Phase("x", *ends).contains(np.mean(ends)) for ends in windows)
