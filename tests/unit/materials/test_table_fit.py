"""Free energies from tables of g, mu or voltages."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.density_curve import DensityCurve
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.phase_diagram import find_phases
from chemomech.materials.redlich_kister import LIXV2O5
from chemomech.materials.table_fit import fit_energy_table, read_energy_table
from chemomech.units import Scales

THERMAL_VOLTAGE = Scales(1e-15, 298.15, 18500.0).voltage
C = np.linspace(0.01, 0.99, 99)
PLATEAUS = [(0.1, 0.3, 0.01), (0.7, 0.9, 0.01)]


def measure(noise=0.0):
    """Voltages of alpha, epsilon and delta in equilibrium: flat where two phases coexist."""
    potential = DensityCurve(LIXV2O5).potential(C).copy()
    potential[(C > 0.1) & (C < 0.3)] = 0.0
    potential[(C > 0.7) & (C < 0.9)] = 7.3951315423
    errors = noise * np.random.default_rng(1).standard_normal(C.size)
    return np.stack([C, 3.39 - THERMAL_VOLTAGE * potential + errors], axis=-1)


@pytest.mark.parametrize("quantity", ["energy", "potential", "voltage"])
@pytest.mark.parametrize(("law", "terms"), [(LIXV2O5, 5), (RegularSolution(2.75), 1)])
def test_a_homogeneous_crystal_is_found_again(law, terms, quantity):
    curve, reference = DensityCurve(law), None
    values = curve.energy(C) + 3.0 if quantity == "energy" else curve.potential(C)
    if quantity == "voltage":
        reference, values = 3.39, 3.39 - THERMAL_VOLTAGE * values
    table = np.stack([C, values], axis=-1)[::-1]
    fit = fit_energy_table(table, quantity, reference_voltage=reference, plateaus=[])
    assert len(fit.law.coefficients) == terms
    assert fit.largest_error < 1e-12
    np.testing.assert_allclose(DensityCurve(fit.law).potential(C), curve.potential(C), atol=1e-9)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-3])
def test_plateaus_with_their_barriers(noise):
    table = measure(noise)
    fit = fit_energy_table(table, "voltage", reference_voltage=3.39, plateaus=PLATEAUS)
    phases = find_phases(fit.law)
    for pair, (poor, rich, barrier), voltage in zip(
        phases.coexistences, PLATEAUS, (3.39, 3.20), strict=True
    ):
        np.testing.assert_allclose([pair.poor, pair.rich], [poor, rich], atol=1e-6)
        assert pair.barrier == pytest.approx(barrier, rel=1e-4)
        found = 3.39 - THERMAL_VOLTAGE * pair.potential
        assert found == pytest.approx(voltage, abs=1e-8 + noise)
    # The error is the largest outside plateaus, in volts.
    outside = ~((C > 0.1) & (C < 0.3) | (C > 0.7) & (C < 0.9))
    fitted = 3.39 - THERMAL_VOLTAGE * DensityCurve(fit.law).potential(C[outside])
    assert fit.largest_error == pytest.approx(np.abs(fitted - table[outside, 1]).max(), rel=1e-6)
    assert fit.largest_error < 1e-4 + 4 * noise


def test_no_more_terms_than_noise_allows():
    """A single phase, of regular solution: the potential is closer to it than the table."""
    law = RegularSolution(0.5)
    errors = 2e-3 * np.random.default_rng(2).standard_normal(C.size)
    truth = DensityCurve(law).potential(C)
    table = np.stack([C, -THERMAL_VOLTAGE * truth + errors], axis=-1)
    fit = fit_energy_table(table, "voltage", reference_voltage=0.0, plateaus=[])
    assert len(fit.law.coefficients) <= 2
    deviation = THERMAL_VOLTAGE * np.abs(DensityCurve(fit.law).potential(C) - truth)
    assert deviation.max() < 1e-3


@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-3])
def test_a_flat_plateau_needs_a_barrier(noise):
    with pytest.raises(InputError, match=r"flat or falls from c = 0\.1.* barrier") as caught:
        fit_energy_table(measure(noise), "voltage", reference_voltage=3.39)
    assert caught.value.key == "plateaus"


def test_loops_are_not_taken_for_errors():
    table = np.stack([C, DensityCurve(RegularSolution(2.75)).potential(C)], axis=-1)
    with pytest.raises(InputError, match=r"flat or falls from c = 0\.2 to 0\.8.*homogeneous"):
        fit_energy_table(table, "potential")


@pytest.mark.parametrize(
    ("table", "options", "key", "message"),
    [
        ([[0.1, 1.0]], {}, None, r"shape \(n, 2\)"),
        ([0.1, 0.2, 0.3, 0.4], {}, None, r"shape \(n, 2\)"),
        ([[0.1, 1], [0.2, np.nan], [0.3, 3], [0.4, 4]], {}, None, "finite"),
        ([[0.0, 1], [0.2, 2], [0.3, 3], [0.4, 4]], {}, None, "between 0 and 1, got 0 to 0.4"),
        ([[0.2, 1], [0.2, 2], [0.3, 3], [0.4, 4]], {}, None, "twice"),
        (measure(), {"reference_voltage": None}, "reference_voltage", "is needed"),
        (measure(), {"quantity": "potential"}, "reference_voltage", "voltages only"),
        (measure(), {"plateaus": [(0.101, 0.109, 0.01)]}, "plateaus", "no entry"),
        (measure(), {"plateaus": [(0.3, 0.1, 0.01)]}, "plateaus", "no entry"),
        (measure(), {"plateaus": [(0.1, 0.3, -0.01)]}, None, "must be positive"),
        (measure(), {"plateaus": [(0.01, 0.98, 0.01)]}, None, "fewer than 4 entries"),
        (measure(), {"plateaus": [(0.1, 0.3, 0.6), (0.7, 0.9, 0.6)]}, None, "alone: the closest"),
    ],
)
def test_what_cannot_be_fitted_is_refused(table, options, key, message):
    arguments = {"quantity": "voltage", "reference_voltage": 3.39} | options
    with pytest.raises(InputError, match=message) as caught:
        fit_energy_table(table, **arguments)
    assert caught.value.key == key


def test_what_separates_beyond_the_table_is_refused():
    c = C[(C > 0.3) & (C < 0.7)]
    potential = DensityCurve(RegularSolution(3.5)).potential(c)
    with pytest.raises(InputError, match=r"is unstable from .*, where the table ends"):
        fit_energy_table(np.stack([c, potential], axis=-1), "potential", plateaus=[])


def test_files(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("c,voltage_V\n0.1,3.4\n0.2,3.3\n")
    np.testing.assert_array_equal(read_energy_table(path, "voltage"), [[0.1, 3.4], [0.2, 3.3]])
    path.write_text("mu,c\n1,0.1\n")
    np.testing.assert_array_equal(read_energy_table(path, "potential"), [[0.1, 1.0]])
    with pytest.raises(InputError, match="needs the header c,voltage_V, got mu,c") as caught:
        read_energy_table(path, "voltage")
    assert caught.value.path == str(path)
