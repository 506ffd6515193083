"""Mobilities at points: of tables, of tensors and under strain."""

import numpy as np
import pytest
import ufl

from chemomech.errors import InputError
from chemomech.forms.energy import Mechanics
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.mobility import (
    ConstantMobility,
    StrainedMobility,
    Strains,
    TabulatedMobility,
)
from chemomech.materials.scalars import evaluate

NODES = np.array([0.0, 0.2, 0.5, 1.0])
DIFFUSIVITIES = [1e-2, 1e-4, 1e-3, 5e-2]


@pytest.mark.parametrize("transition", [0.0, 0.1])
@pytest.mark.parametrize("is_degenerate", [False, True])
def test_a_table_is_straight_in_the_logarithm(is_degenerate, transition):
    law = TabulatedMobility(NODES, DIFFUSIVITIES, is_degenerate, transition)
    far = np.array([0.0, 0.1, 0.31, 0.7, 1.0])  # from corners
    found = [evaluate(law.value(ufl.as_ufl(c), None)) for c in far.tolist()]
    expected = np.exp(np.interp(far, NODES, np.log(DIFFUSIVITIES)))
    expected = expected * far * (1 - far) if is_degenerate else expected
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_error_of_a_table_is_that_of_its_rounding():
    """An eighth of the jump of the slope times the transition, in ln D."""
    assert TabulatedMobility(NODES, DIFFUSIVITIES).find_error() < 1e-12
    jump = np.diff(np.diff(np.log(DIFFUSIVITIES)) / np.diff(NODES)).max()
    error = TabulatedMobility(NODES, DIFFUSIVITIES, transition=0.02).find_error()
    assert error == pytest.approx(np.exp(jump * 0.02 / 8) - 1, rel=1e-10)


@pytest.mark.parametrize(
    ("nodes", "values", "key"),
    [
        ([0.0, 0.5, 0.5], [1.0, 1.0, 1.0], "compositions"),
        ([0.0, 1.0], [1.0, 1.0, 1.0], "diffusivities"),
        ([0.0, 1.0], [1.0, 0.0], "diffusivities"),
        ([0.0, 1.0], [1.0, np.nan], "diffusivities"),
    ],
)
def test_what_is_no_table_is_refused(nodes, values, key):
    with pytest.raises(InputError) as caught:
        TabulatedMobility(nodes, values)
    assert caught.value.key == key


@pytest.mark.parametrize(("measure", "sum_of_strains"), [("elastic", 0.03), ("total", -0.06)])
@pytest.mark.parametrize("sensitivity", [5.0, 5.0 * ufl.Identity(3)])
def test_a_mobility_asks_for_one_of_two_strains(sensitivity, measure, sum_of_strains):
    strains = Strains(0.01 * ufl.Identity(3), -0.02 * ufl.Identity(3))
    value = StrainedMobility(ConstantMobility(2.0), sensitivity, measure).value(None, strains)
    assert evaluate(value) == pytest.approx(2.0 * np.exp(5.0 * sum_of_strains), rel=1e-12)


STRAIN = np.array([[0.01, 0.004, 0.0], [0.004, -0.02, 0.0], [0.0, 0.0, 0.0]])
EXPANSION = np.array([[0.02, 0.0, 0.01], [0.0, 0.03, 0.0], [0.01, 0.0, -0.01]])
PRESTRAIN = np.diag([0.005, 0.0, 0.0])


def create_mechanics(stiffness, assumption, axes=None):
    law = el.Elasticity(stiffness, assumption, axes)
    eigenstrain = Eigenstrain(EXPANSION.tolist(), 0.2)
    return Mechanics(law, eigenstrain, ufl.as_matrix(PRESTRAIN.tolist()))


def tabulate(tensor):
    return np.array([[evaluate(tensor[i, j]) for j in range(3)] for i in range(3)])


def find_strains(mechanics):
    strains = mechanics.strains(ufl.as_ufl(0.7), ufl.as_matrix(STRAIN.tolist()))
    return tabulate(strains.elastic), tabulate(strains.total)


def test_strains_hold_the_prestrain_and_differ_by_the_eigenstrain():
    stiffness = el.create_isotropic_stiffness(50.0, 0.3)
    elastic, total = find_strains(create_mechanics(stiffness, el.Assumption.PLANE_STRAIN))
    np.testing.assert_allclose(total, STRAIN + PRESTRAIN, rtol=1e-13)
    np.testing.assert_allclose(total - elastic, 0.5 * EXPANSION, atol=1e-15)


def test_in_plane_stress_a_sheet_gets_thinner():
    """-nu / (1 - nu) times the strain in the plane."""
    stiffness = el.create_isotropic_stiffness(50.0, 0.3)
    elastic, total = find_strains(create_mechanics(stiffness, el.Assumption.PLANE_STRESS))
    assert elastic[2, 2] == pytest.approx(-0.3 / 0.7 * (elastic[0, 0] + elastic[1, 1]), rel=1e-12)
    np.testing.assert_allclose(elastic[2, :2], 0.0, atol=1e-15)
    np.testing.assert_allclose(total - elastic, 0.5 * EXPANSION, atol=1e-15)


def test_in_plane_stress_nothing_pulls_at_the_plane_of_a_tilted_crystal():
    axes, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))
    stiffness = el.create_cubic_stiffness(70.0, 20.0, 35.0)
    turned = ufl.as_matrix(axes.tolist())
    elastic, _ = find_strains(create_mechanics(stiffness, el.Assumption.PLANE_STRESS, turned))
    local = axes.T @ elastic @ axes
    stress = 50.0 * np.diag(np.diag(local)) + 20.0 * np.trace(local) * np.eye(3)
    stress += 70.0 * (local - np.diag(np.diag(local)))
    np.testing.assert_allclose((axes @ stress @ axes.T)[2], 0.0, atol=1e-12)
    np.testing.assert_allclose(
        elastic[:2, :2], (STRAIN + PRESTRAIN - 0.5 * EXPANSION)[:2, :2], atol=1e-15
    )
