"""Free energies from windows of phases, plateaus and barriers."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.phase_diagram import find_phases
from chemomech.materials.phase_fit import fit_phases
from chemomech.materials.redlich_kister import LIXV2O5
from chemomech.units import Scales

THERMAL_VOLTAGE = Scales(1e-15, 298.15, 18500.0).voltage
WINDOWS = [(0.0, 0.1), (0.3, 0.7), (0.9, 1.0)]
VOLTAGES = [3.39, 3.20]


def test_lithium_vanadium_oxide_has_one_solution_of_five_terms():
    # The second plateau that the coefficients were computed for, in units of RT.
    second = 3.39 - THERMAL_VOLTAGE * 7.3951315423
    law = fit_phases(WINDOWS, [3.39, second], 3.39)
    found = [law.linear, *law.coefficients]
    np.testing.assert_allclose(found, [LIXV2O5.linear, *LIXV2O5.coefficients], rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("barrier", [0.005, 0.02, 0.05, 0.1])
def test_barriers(barrier):
    law = fit_phases(WINDOWS, VOLTAGES, 3.39, barriers=[barrier, barrier])
    phases = find_phases(law)
    pairs = [(pair.poor, pair.rich) for pair in phases.coexistences]
    np.testing.assert_allclose(pairs, [(0.1, 0.3), (0.7, 0.9)], atol=1e-6)
    assert len(phases.spinodals) == 2
    for pair, voltage in zip(phases.coexistences, VOLTAGES, strict=True):
        assert 3.39 - THERMAL_VOLTAGE * pair.potential == pytest.approx(voltage, abs=1e-7)
        assert pair.barrier == pytest.approx(barrier, rel=1e-4)


def test_a_barrier_of_a_narrow_gap():
    windows = [(0.0, 0.58), (0.61, 1.0)]
    (pair,) = find_phases(fit_phases(windows, [3.4], 3.4, barriers=[1e-5])).coexistences
    np.testing.assert_allclose([pair.poor, pair.rich], [0.58, 0.61], atol=1e-6)
    assert pair.barrier == pytest.approx(1e-5, rel=1e-4)


@pytest.mark.parametrize(
    ("windows", "voltages"),
    [
        ([(0.0, 0.01), (0.99, 1.0)], [3.42]),
        ([(0.0, 0.02), (0.6, 1.0)], [3.42]),
        ([(0.0, 0.02), (0.4, 0.6), (0.95, 1.0)], [3.5, 3.3]),
        ([(0.0, 0.05), (0.2, 0.3), (0.45, 0.6), (0.8, 1.0)], [3.40, 3.39, 3.38]),
    ],
)
def test_other_crystals(windows, voltages):
    """As many phases as asked for, at another temperature; spare terms where the fewest fail."""
    scale = THERMAL_VOLTAGE * 330.0 / 298.15
    phases = find_phases(fit_phases(windows, voltages, 3.4, temperature=330.0))
    edges = [edge for pair in phases.coexistences for edge in (pair.poor, pair.rich)]
    np.testing.assert_allclose([0.0, *edges, 1.0], np.ravel(windows), atol=1e-6)
    found = [3.4 - scale * pair.potential for pair in phases.coexistences]
    np.testing.assert_allclose(found, voltages, atol=1e-7)
    assert len(phases.spinodals) == len(voltages)


@pytest.mark.parametrize(
    ("windows", "voltages", "barriers", "key", "message"),
    [
        (WINDOWS[:1], [], None, "windows", "two phases"),
        ([(0.1, 0.2), (0.4, 1.0)], [3.4], None, "windows", "begin at 0"),
        ([(0.0, 0.4), (0.3, 1.0)], [3.4], None, "windows", "in order"),
        ([(0.0, 0.3), (0.3, 1.0)], [3.4], None, "windows", "apart"),
        (WINDOWS, [3.39], None, "plateaus", "needs 2 plateaus, .*, got 1"),
        (WINDOWS, [3.20, 3.39], None, "plateaus", "must fall"),
        (WINDOWS, VOLTAGES, [0.01], "barriers", "needs 2 barriers, .*, got 1"),
        (WINDOWS, VOLTAGES, [0.01, -1.0], None, "a barrier must be positive"),
        # Spurious wells in the middle, which become phases.
        (WINDOWS, VOLTAGES, [0.15, 0.15], "barriers", "c = 0.7000 and 0.9000"),
        # Lower than any convex window allows.
        (WINDOWS, VOLTAGES, [0.001, 0.001], "barriers", "other phases in equilibrium"),
        (
            [(0.0, 0.1), (0.3, 0.35), (0.4, 0.7), (0.9, 1.0)],
            [3.39, 3.2, 3.0],
            None,
            "windows",
            "no Redlich-Kister energy of 8 to 15 terms",
        ),
    ],
)
def test_what_cannot_be_is_refused(windows, voltages, barriers, key, message):
    with pytest.raises(InputError, match=message) as caught:
        fit_phases(windows, voltages, 3.39, barriers=barriers)
    assert caught.value.key == key
