"""The regular solution against its closed forms and the values worked out by hand from them."""

import math

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials import phase_diagram as pd
from chemomech.units import Scales

SCALES = Scales(diffusivity=1e-15, temperature=298.15, site_concentration=18500.0)
RT = SCALES.chemical_potential
KAPPA = 5.559e-14  # J m^2/mol: an interface of 10 nm at chi = 2.75
ETA_A = 2.415e-6 * 18500 / 3
YOUNG_A = 43e9 / SCALES.stress

# chi, binodal, spinodal, barrier, interface integral, width over sqrt(kappa / RT)
REGULAR_SOLUTION = [
    (2.2, 0.248530, 0.349244, 0.006689, 0.039227, 4.3483),
    (2.5, 0.144794, 0.276393, 0.035853, 0.130258, 2.6530),
    (2.75, 0.099508, 0.238884, 0.071936, 0.210390, 2.1117),
    (3.0, 0.070720, 0.211325, 0.115194, 0.288272, 1.7887),
    (3.5, 0.037874, 0.172673, 0.215442, 0.431804, 1.4080),
]


@pytest.mark.parametrize(("chi", "c_a", "c_s", "dg", "integral", "width"), REGULAR_SOLUTION)
def test_regular_solution_table(
    chi: float, c_a: float, c_s: float, dg: float, integral: float, width: float
) -> None:
    assert pd.binodal(chi) == pytest.approx(c_a, abs=1e-6)
    assert pd.spinodal(chi) == pytest.approx(c_s, abs=1e-6)
    assert pd.barrier(chi) == pytest.approx(dg, abs=1e-6)
    assert pd.interfacial_energy(chi, 1.0) == pytest.approx(integral, abs=1e-6)
    assert pd.interface_width(chi, 1.0) == pytest.approx(width, abs=1e-4)


def test_potential_s_loop() -> None:
    assert pd.spinodal_potential(2.75) == pytest.approx(0.2773, abs=5e-5)


@pytest.mark.parametrize(("c_a", "chi"), [(0.1, math.log(9) / 0.8), (0.25, math.log(3) / 0.5)])
def test_binodal_inverts_its_equation(c_a: float, chi: float) -> None:
    assert pd.binodal(chi) == pytest.approx(c_a, rel=1e-12)


@pytest.mark.parametrize(
    ("width_nm", "kappa_275", "kappa_250", "wavelength_nm", "gamma_mj"),
    [
        (2.5, 3.474e-15, 2.201e-15, 8.59, 11.42),
        (5, 1.390e-14, 8.805e-15, 17.18, 22.85),
        (10, 5.559e-14, 3.522e-14, 34.36, 45.69),
        (20, 2.224e-13, 1.409e-13, 68.71, 91.38),
        (40, 8.895e-13, 5.635e-13, 137.4, 182.8),
        (80, 3.558e-12, 2.254e-12, 274.9, 365.5),
    ],
)
def test_gradient_coefficient_of_six_widths(
    width_nm: float, kappa_275: float, kappa_250: float, wavelength_nm: float, gamma_mj: float
) -> None:
    width = width_nm * 1e-9
    gradient = pd.gradient_for_width(2.75, width)
    assert RT * gradient == pytest.approx(kappa_275, rel=5e-4)
    assert RT * pd.gradient_for_width(2.5, width) == pytest.approx(kappa_250, rel=5e-4)
    assert pd.interface_width(2.75, gradient) == pytest.approx(width, rel=1e-12)
    fastest = pd.fastest_mode(0.5, 2.75, gradient, 1e-15 / 4)
    assert fastest.wavelength == pytest.approx(wavelength_nm * 1e-9, rel=1e-3)
    gamma = SCALES.energy_density * pd.interfacial_energy(2.75, gradient)
    assert gamma == pytest.approx(gamma_mj * 1e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("concentration", "eta", "young", "coherent", "plane_stress"),
    [(18500, 0.0148925, 937.62, 0.29707, 0.10398), (7260, 0.0058443, 2389.3, 0.11658, 0.04080)],
)
def test_coherent_shift(
    concentration: float, eta: float, young: float, coherent: float, plane_stress: float
) -> None:
    expansion = 2.415e-6 * concentration / 3
    modulus = 43e9 / (RT * concentration)
    assert expansion == pytest.approx(eta, rel=1e-5)
    assert modulus == pytest.approx(young, rel=1e-4)

    def shift(state: pd.Coherency) -> float:
        return pd.coherent_shift(modulus, 0.3, expansion, state)

    assert shift(pd.Coherency.COHERENT) == pytest.approx(coherent, abs=1e-5)
    assert shift(pd.Coherency.COHERENT_PLANE_STRESS) == pytest.approx(plane_stress, abs=1e-5)
    assert shift(pd.Coherency.RELAXED_PLANE_STRAIN) == pytest.approx(plane_stress, abs=1e-5)
    assert shift(pd.Coherency.RELAXED) == 0.0


def test_coherent_phase_diagram_in_plane_strain() -> None:
    chi = 2.75 - pd.coherent_shift(YOUNG_A, 0.3, ETA_A, pd.Coherency.COHERENT)
    gradient = KAPPA / RT
    assert chi == pytest.approx(2.4529, abs=1e-4)
    assert pd.binodal(chi) == pytest.approx(0.15625, abs=1e-5)
    assert pd.spinodal(chi) == pytest.approx(0.28515, abs=1e-5)
    assert pd.interface_width(chi, gradient) == pytest.approx(13.27e-9, rel=1e-3)
    gamma = SCALES.energy_density * pd.interfacial_energy(chi, gradient)
    assert gamma == pytest.approx(25.03e-3, rel=1e-3)


def test_coherency_suppresses_separation_in_plane_strain_only() -> None:
    plain = pd.fastest_mode(0.5, 2.2, KAPPA / RT, 1e-15 / 4)
    assert plain.rate == pytest.approx(0.446, abs=5e-4)
    strained = 2.2 - pd.coherent_shift(YOUNG_A, 0.3, ETA_A, pd.Coherency.COHERENT)
    assert strained == pytest.approx(1.903, abs=5e-4)
    with pytest.raises(InputError, match="no mode grows"):
        pd.fastest_mode(0.5, strained, KAPPA / RT, 1e-15 / 4)
    stressed = 2.2 - pd.coherent_shift(YOUNG_A, 0.3, ETA_A, pd.Coherency.COHERENT_PLANE_STRESS)
    rate = pd.fastest_mode(0.5, stressed, KAPPA / RT, 1e-15 / 4).rate
    assert rate == pytest.approx(0.1028, rel=1e-3)


def test_dispersion_relation() -> None:
    chi = 2.75 - pd.coherent_shift(YOUNG_A, 0.3, ETA_A, pd.Coherency.COHERENT)
    mobility = 1e-15 / 4
    fastest = pd.fastest_mode(0.5, chi, KAPPA / RT, mobility)
    assert fastest.wavenumber * math.sqrt(2) == pytest.approx(2.00985e8, rel=1e-4)
    assert fastest.wavelength == pytest.approx(44.21e-9, rel=1e-4)
    assert fastest.rate == pytest.approx(2.2870, rel=1e-4)
    k = fastest.wavenumber * np.array([0.5, 1.0, math.sqrt(2), 2.0])
    rates = pd.growth_rate(k, 0.5, chi, KAPPA / RT, mobility)
    assert rates[1] == pytest.approx(fastest.rate, rel=1e-12)
    assert rates[2] == pytest.approx(0.0, abs=1e-9)
    assert rates[0] > 0 > rates[3]


def test_planar_interface() -> None:
    gradient = KAPPA / RT
    assert pd.interface_width(2.75, gradient) == pytest.approx(10.000e-9, rel=1e-4)
    assert pd.distance_between(2.75, gradient, 0.1) == pytest.approx(10.457e-9, rel=1e-4)
    assert pd.distance_between(2.75, gradient, 0.05) == pytest.approx(13.675e-9, rel=1e-4)
    gamma = SCALES.energy_density * pd.interfacial_energy(2.75, gradient)
    assert gamma == pytest.approx(45.69e-3, rel=1e-4)


@pytest.mark.parametrize("chi", [2.75, 5.0, 7.0])
def test_an_interface_ends_like_an_exponential_of_its_foot_length(chi: float) -> None:
    """Near c_a the tie line's distance is g'' d^2 / 2, and d' = d / l along the wall."""
    gradient, c_a = 2.0, pd.binodal(chi)
    d = 1e-3 * c_a
    tie = pd.homogeneous_energy(np.array([c_a, c_a + d]), chi)
    slope = math.sqrt(2.0 * (tie[1] - tie[0]) / gradient)
    assert d / slope == pytest.approx(pd.foot_length(chi, gradient), rel=2e-3)


def test_gibbs_thomson_and_stripe_period() -> None:
    gradient = KAPPA / RT
    shift = pd.gibbs_thomson_shift(2.75, gradient, 50e-9)
    assert shift == pytest.approx(0.02488, rel=1e-3)
    assert RT * shift == pytest.approx(61.7, rel=1e-3)
    assert pd.stripe_period(2.75, gradient, 100e-9) == pytest.approx(52.6e-9, rel=2e-3)
    chi = 2.75 - pd.coherent_shift(YOUNG_A, 0.3, ETA_A, pd.Coherency.COHERENT)
    assert pd.stripe_period(chi, gradient, 100e-9) == pytest.approx(60.2e-9, rel=2e-3)


def test_barrier_is_smooth_where_its_formula_changes() -> None:
    # chi = 2 atanh(m)/m at gap m: just below and above the switch to the series at m = 0.05.
    chis = [2 * math.atanh(m) / m for m in (0.0499999, 0.0500001)]
    below, above = (pd.barrier(chi) / (chi - 2) ** 2 for chi in chis)
    assert below == pytest.approx(above, rel=1e-5)


@pytest.mark.parametrize("chi", [2.00001, 30.0])
def test_extreme_chi_keeps_the_tie_line(chi: float) -> None:
    c = pd.binodal(chi)
    assert math.log((1 - c) / c) == pytest.approx(chi * (1 - 2 * c), rel=1e-6)
    assert pd.barrier(chi) > 0


@pytest.mark.parametrize("function", [pd.binodal, pd.spinodal, pd.barrier])
def test_one_phase_has_no_phase_diagram(function) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="chi > 2"):
        function(2.0)
