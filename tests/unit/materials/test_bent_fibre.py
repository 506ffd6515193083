"""A bent fibre against direct minimisation of the elastic energy and of the free energy."""

import numpy as np
import pytest
from scipy import optimize

from chemomech.errors import InputError
from chemomech.materials.bent_fibre import BentFibre
from chemomech.materials.elasticity import create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution

YOUNG, POISSON, EXPANSION = 937.62, 0.3, 0.0148925
LAW = RegularSolution(2.75)


@pytest.fixture(params=[False, True], ids=["plane_stress", "plane_strain"])
def fibre(request):
    return BentFibre(YOUNG, POISSON, EXPANSION, plane_strain=request.param)


def minimise_elastic_energy(c, strain, plane_strain):
    """Least elastic energy over the strains that are free, from the stiffness matrix itself."""
    normal = np.array(create_isotropic_stiffness(YOUNG, POISSON))[:3, :3]

    def energy(free):
        total = np.array([strain, free[0], 0.0 if plane_strain else free[-1]])
        elastic = total - EXPANSION * (c - 0.5)
        return 0.5 * elastic @ normal @ elastic

    start = np.zeros(1 if plane_strain else 2)
    return optimize.minimize(energy, start, method="BFGS", options={"gtol": 1e-12}).fun


@pytest.mark.parametrize("strain", [-0.01, 0.0, 0.02])
def test_energy_is_the_least(fibre, strain):
    c = np.array([0.1, 0.35, 0.5, 0.9])
    least = np.array([minimise_elastic_energy(x, strain, fibre.plane_strain) for x in c])
    chemical = BentFibre(YOUNG, POISSON, 0.0, plane_strain=fibre.plane_strain).energy(c, LAW, 0.0)
    elastic = fibre.energy(c, LAW, strain) - chemical
    np.testing.assert_allclose(np.diff(elastic), np.diff(least), rtol=1e-6, atol=1e-9)


def test_shifts_of_set_a():
    # Table of the coherent shift for E = 43 GPa, Omega = 2.415e-6 m^3/mol, C = 18500 mol/m^3.
    assert BentFibre(YOUNG, POISSON, EXPANSION, False).chi_shift == pytest.approx(0.10398, abs=1e-5)
    assert BentFibre(YOUNG, POISSON, EXPANSION, True).chi_shift == pytest.approx(0.29707, abs=2e-5)


def test_either_phase_lasts_in_a_wide_bend_only(fibre):
    """At the mid-line's potential, minima of the outer fibre are counted on a grid."""
    width = 100.0
    radius = fibre.sorting_radius(LAW, width)
    c = np.linspace(1e-4, 1 - 1e-4, 20001)

    def count_minima(r):
        energy = fibre.energy(c, LAW, width / 2 / r)
        return int(np.sum((energy[1:-1] < energy[:-2]) & (energy[1:-1] < energy[2:])))

    assert count_minima(1.02 * radius) == 2
    assert count_minima(0.98 * radius) == 1


def test_one_phase_has_no_such_radius(fibre):
    with pytest.raises(InputError, match="one phase only"):
        fibre.sorting_radius(RegularSolution(2.0 + fibre.chi_shift), 100.0)


@pytest.mark.parametrize(("young", "poisson", "key"), [(0.0, 0.3, "young"), (1.0, 0.5, "poisson")])
def test_impossible_constants_are_refused(young, poisson, key):
    with pytest.raises(InputError) as caught:
        BentFibre(young, poisson, 0.01, plane_strain=True)
    assert caught.value.key == key
