"""Redlich-Kister energies and the crystals known by name."""

import math

import numpy as np
import pytest

from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.redlich_kister import LiFePO4Config, LiXV2O5Config, RedlichKisterConfig
from chemomech.materials.density_curve import DensityCurve
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.phase_diagram import find_phases
from chemomech.materials.redlich_kister import LIFEPO4, LIXV2O5, RedlichKister
from chemomech.units import Scales

THERMAL_VOLTAGE = Scales(1e-15, 298.15, 18500.0).voltage


# As c: g, mu / RT, V: from the six conditions that give the coefficients.
@pytest.mark.parametrize(
    ("c", "energy", "potential", "voltage"),
    [
        (0.05, -0.1434120249, -1.1245040235, 3.4188914),
        (0.5, 0.1365768896, 3.6975657712, 3.2950000),
        (0.95, 3.1843971692, 8.5196355659, 3.1711086),
    ],
)
def test_values_of_lithium_vanadium_oxide(c, energy, potential, voltage):
    curve = DensityCurve(LIXV2O5)
    assert curve.energy(c) == pytest.approx(energy, abs=2e-10)
    assert curve.potential(c) == pytest.approx(potential, abs=2e-10)
    assert 3.39 - THERMAL_VOLTAGE * curve.potential(c) == pytest.approx(voltage, abs=6e-8)


def test_three_phases_of_lithium_vanadium_oxide():
    phases = find_phases(LIXV2O5)
    first, second = phases.coexistences
    found = [first.poor, first.rich, second.poor, second.rich]
    np.testing.assert_allclose(found, [0.1, 0.3, 0.7, 0.9], atol=1e-8)
    np.testing.assert_allclose(phases.spinodals, [(0.1376, 0.2523), (0.7477, 0.8624)], atol=5e-5)
    assert first.potential == pytest.approx(0.0, abs=1e-8)
    voltage = THERMAL_VOLTAGE * second.potential
    assert 3.39 - voltage == pytest.approx(3.20, abs=1e-8)
    for pair, loop in ((first, [-3.678, 4.180]), (second, [-4.180, 3.678])):
        millivolts = 1e3 * THERMAL_VOLTAGE * (np.array(pair.loop) - pair.potential)
        np.testing.assert_allclose(millivolts, loop, atol=5e-4)
        assert pair.barrier == pytest.approx(0.009885556, abs=1e-9)
        assert pair.path == pytest.approx(0.018712699, abs=1e-9)
        assert pair.interface_width(1.0) == pytest.approx(1.4223761, abs=1e-7)
    assert phases.thresholds == (0.2, 0.8)


def test_one_coefficient_is_a_regular_solution():
    c = np.linspace(0.01, 0.99, 99)
    law, plain = DensityCurve(RedlichKister(0.0, (2.75,))), DensityCurve(RegularSolution(2.75))
    for order in ("energy", "potential", "curvature"):
        found, expected = getattr(law, order)(c), getattr(plain, order)(c)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_lithium_iron_phosphate():
    assert LIFEPO4.chi == pytest.approx(1.8560e-20 / (1.380649e-23 * 298.0), abs=1e-4)
    (pair,) = find_phases(LIFEPO4).coexistences
    assert math.log(pair.poor / pair.rich) == pytest.approx(LIFEPO4.chi * (pair.poor - pair.rich))
    np.testing.assert_allclose([pair.poor, pair.rich], [0.0121, 0.9879], atol=5e-5)


def test_tables_make_their_laws():
    for table, law in (
        (LiXV2O5Config(), LIXV2O5),
        (LiFePO4Config(), LIFEPO4),
        (RedlichKisterConfig(coefficients=(1.0, 0.5)), RedlichKister(0.0, (1.0, 0.5))),
    ):
        made = table.create(Numbers(table), 298.15)
        assert type(made) is type(law)
        curves = (DensityCurve(made), DensityCurve(law))
        np.testing.assert_array_equal(*(curve.energy([0.2, 0.6]) for curve in curves))
