"""Linear stability: single waves grow or fade at sigma(k) = M k^2 (B - kappa k^2)."""

import numpy as np
import pytest
import ufl

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics, Loads
from chemomech.solvers.newton import NewtonSettings
from chemomech.solvers.steps import StepControl

AMPLITUDE = 1e-4
CELLS = 48


@pytest.fixture
def measure_rate(comm, material, box_rollers, create_stepper, integrate):
    """Return a function for the rate of half a wave in a strip with mirrors at its ends."""

    def measure(wavenumber, mean, assumption, mobility, duration):
        length = np.pi / wavenumber
        size = length / CELLS
        domain = create_domain(Box((length * 1e-9, size * 1e-9)), size * 1e-9, comm)
        loads = Loads(() if assumption is None else box_rollers)
        energy = material.energy(assumption, reference=mean)
        problem = ChemoMechanics(domain, energy, mobility, loads)
        problem.c.interpolate(lambda x: mean + AMPLITUDE * np.cos(wavenumber * x[0]))
        tight = NewtonSettings(absolute_tolerance=1e-14)
        stepper = create_stepper(problem, StepControl(1e-5 * AMPLITUDE), tight)
        wave = ufl.cos(wavenumber * ufl.SpatialCoordinate(domain.mesh)[0])
        before = integrate(domain.mesh, (problem.c - mean) * wave)
        while stepper.time < duration:
            stepper.advance(duration)
        after = integrate(domain.mesh, (problem.c - mean) * wave)
        return np.log(after / before) / duration

    return measure


@pytest.mark.parametrize("share", [0.5, 1.0, 1.3, 1.7], ids="k={} kmax".format)
@pytest.mark.parametrize("assumption", [None, "plane_strain"])
@pytest.mark.parametrize(
    ("law", "mean"), [(DegenerateMobility, 0.5), (DegenerateMobility, 0.4), (ConstantMobility, 0.5)]
)
def test_rate_of_a_single_wave(material, measure_rate, law, mean, assumption, share, verify):
    chi = 2.75 - (0.0 if assumption is None else 0.29707)
    drive = 2 * chi - 1 / (mean * (1 - mean))
    square = share**2 * drive / (2 * material.gradient)
    mobility = mean * (1 - mean) if law is DegenerateMobility else 1.0
    rate = mobility * square * (drive - material.gradient * square)
    assert (rate < 0) == (share > np.sqrt(2))
    measured = measure_rate(np.sqrt(square), mean, assumption, law(1.0), 1 / abs(rate))
    verify(
        "rate of single waves, over theory", measured / rate, 1.0, rel=0.01, against="dispersion"
    )


def test_fastest_rate_in_plane_strain_in_seconds(material, measure_rate, verify):
    wavenumber = 2 * np.pi / 44.21
    measured = measure_rate(wavenumber, 0.5, "plane_strain", DegenerateMobility(1.0), 400.0)
    verify(
        "fastest wave in plane strain",
        measured / material.time,
        2.2870,
        "1/s",
        rel=0.01,
        against="dispersion",
    )
