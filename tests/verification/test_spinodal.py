"""Coherent spinodal: strain alone decides whether a solution with chi = 2.2 decomposes."""

import numpy as np
import pytest
import ufl

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics, Loads
from chemomech.problems.initial_composition import Noise
from chemomech.solvers.newton import NewtonSettings
from chemomech.solvers.steps import StepControl

CHI = 2.2
CELLS = 24
TIGHT = NewtonSettings(absolute_tolerance=1e-13)
#: 2 chi - 2 chi_c with chi_c = 2 at c = 1/2, less twice the coherent drop of chi.
STRAIN_FREE, PLANE_STRESS = 0.4, 0.4 - 2 * 0.10398


@pytest.fixture
def create_mirror_box(comm, material, box_rollers):
    """Return a function for a square of half a wavelength, filled with noise."""

    def create(assumption, drive):
        length = np.pi / np.sqrt(drive / (2 * material.gradient))
        domain = create_domain(Box((length * 1e-9,) * 2), length / CELLS * 1e-9, comm)
        loads = Loads(() if assumption is None else box_rollers)
        energy = material.energy(assumption, chi=CHI)
        problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0), loads)
        Noise(0.5, 1e-4, 4e-9, seed=3).apply(problem.c, domain.length_unit, problem.bounds)
        return problem, length

    return create


@pytest.fixture
def amplitude(integrate):
    """Return a function for the norm of the two longest waves' amplitudes."""

    def measure(problem, length):
        mesh = problem.domain.mesh
        x = ufl.SpatialCoordinate(mesh)
        parts = [
            integrate(mesh, (problem.c - 0.5) * ufl.cos(np.pi * x[i] / length)) for i in range(2)
        ]
        return np.hypot(*parts) * 2 / length**2

    return measure


def grow(stepper, target):
    while stepper.time < target:
        stepper.advance(target)


@pytest.mark.parametrize(
    ("assumption", "drive", "rate"),
    [(None, STRAIN_FREE, 0.446), ("plane_stress", PLANE_STRESS, 0.1028)],
)
def test_noise_grows_at_the_fastest_rate_and_decomposes(
    create_mirror_box, create_stepper, amplitude, comm, material, assumption, drive, rate, verify
):
    problem, length = create_mirror_box(assumption, drive)
    unit = 1 / (rate * material.time)
    stepper = create_stepper(problem, StepControl(1e-8), TIGHT)
    grow(stepper, 0.5 * unit)
    before = amplitude(problem, length)
    grow(stepper, 2.5 * unit)
    measured = np.log(amplitude(problem, length) / before) / (2 * unit) / material.time
    verify(
        "growth of noise at chi = 2.2",
        measured,
        rate,
        "1/s",
        rel=0.01,
        against=f"fastest wave, {assumption or 'no strain'}",
    )

    grow(create_stepper(problem), 20 * unit)
    spinodal = (1 - np.sqrt(1 - 4 / (4 + drive))) / 2
    assert comm.allreduce(problem.c.x.array.min(), op=min) < spinodal
    assert comm.allreduce(problem.c.x.array.max(), op=max) > 1 - spinodal


def test_plane_strain_keeps_it_homogeneous(
    create_mirror_box, create_stepper, amplitude, material, verify
):
    # A box in which the strain-free solution would decompose at its fastest.
    problem, length = create_mirror_box("plane_strain", STRAIN_FREE)
    drive, square = STRAIN_FREE - 2 * 0.29707, (np.pi / length) ** 2
    rate = 0.25 * square * (drive - material.gradient * square)
    assert rate < 0
    stepper = create_stepper(problem, StepControl(1e-9), TIGHT)
    grow(stepper, -0.5 / rate)
    before = amplitude(problem, length)
    grow(stepper, -1.5 / rate)
    found = np.log(amplitude(problem, length) / before)
    verify("fading of noise at chi = 2.2", found, -1.0, rel=0.01, against="coherent spinodal")

    grow(create_stepper(problem, StepControl(1e-7)), -10 / rate)
    assert np.ptp(problem.c.x.array) < 1e-7
