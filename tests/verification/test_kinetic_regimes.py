"""Slow and fast reactions: hysteresis at the spinodal, equilibrium, and suppressed separation."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.marcus_kinetics import MarcusHushChidsey
from chemomech.materials.mobility import DegenerateMobility
from chemomech.materials.reactions import (
    ButlerVolmer,
    ConstantExchange,
    LiteralEqn25,
    SquareRootExchange,
)
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.initial_composition import Noise
from chemomech.problems.surface import Galvanostatic, Potentiostatic, SurfaceReaction
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl

CHI = 2.75
THERMAL_VOLTAGE = 8.314462618 * 298.15 / 96485.33212


def potential(c):
    """mu of the uniform regular solution, per RT."""
    return math.log(c / (1 - c)) + CHI * (1 - 2 * c)


def create_particle(comm, material, lengths, law, start, cell=2e-9, groups=("surface",)):
    domain = create_domain(Box(lengths), cell, comm)
    energy = material.energy()
    reactions = [SurfaceReaction(group, law) for group in groups]
    problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0), reactions=reactions)
    problem.c.x.array[:] = start
    return problem


@pytest.fixture
def drive(create_stepper):
    """Return a function that holds something and makes a time stepper."""

    def hold(problem, what, control=None):
        problem.surface.hold(what)
        return create_stepper(problem, control)

    return hold


@pytest.mark.parametrize("preset", list(Preset))
def test_hysteresis_of_a_particle_too_small_to_separate(comm, material, drive, verify):
    """Lithiation meets the one spinodal, delithiation the other: +-7.13 mV however slow it is."""
    spinodal = (1 - math.sqrt(1 - 2 / CHI)) / 2
    barrier = potential(spinodal)
    assert barrier == pytest.approx(0.2773, abs=5e-5)
    assert barrier * THERMAL_VOLTAGE == pytest.approx(7.13e-3, rel=1e-3)
    length = 6.0
    shortest = math.pi * math.sqrt(material.gradient / (2 * CHI - 4))
    assert length < shortest

    def sweep(start, sign):
        """mu_res, and what of it drives the reaction, from one side to the middle."""
        law = ButlerVolmer(1.0)
        problem = create_particle(comm, material, (length * 1e-9,) * 2, law, start, 3e-9)
        rate = 2e-5
        control = StepControl(max_step=0.45 / rate / 60)
        held = Galvanostatic(-sign * rate * problem.volume)
        stepper = drive(problem, held, control)
        mean = problem.surface.integrate_over(problem.mu)
        levels, forces = [], []
        while True:
            step = stepper.advance(1e9, [lambda: sign * (problem.mean_composition() - 0.5)])
            levels.append(problem.surface.level)
            forces.append(problem.surface.level - mean() / problem.surface.area)
            if step.event is not None:
                return levels, np.abs(forces)

    lithiation, pushed = sweep(0.05, 1.0)
    delithiation, pulled = sweep(0.95, -1.0)
    # Where the extremes are, the overpotential is a thousandth of them.
    assert pushed[np.argmax(lithiation)] < 2e-3 * barrier
    assert pulled[np.argmin(delithiation)] < 2e-3 * barrier
    half_width = (max(lithiation) - min(delithiation)) / 2 * THERMAL_VOLTAGE
    verify(
        "half width of the hysteresis of a small particle",
        half_width,
        barrier * THERMAL_VOLTAGE,
        "V",
        rel=0.01,
        against="potential at the spinodal",
    )


LAWS = [
    ButlerVolmer(0.1),
    SquareRootExchange(0.1, 0.3),
    ConstantExchange(0.05, 0.6),
    MarcusHushChidsey(0.1, 8.3),
]


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("start", [0.03, 0.985])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_every_law_leads_to_the_same_equilibrium(comm, material, drive, law, start, verify):
    """From either side, past both spinodals: mu(c) = mu_res everywhere and nothing passes."""
    held = 0.8
    expected = brentq(lambda c: potential(c) - held, 0.8, 0.9999)
    problem = create_particle(comm, material, (8e-9, 4e-9), law, start)
    stepper = drive(problem, Potentiostatic(held))
    while stepper.time < 1e4:
        stepper.advance(1e4)
    error = comm.allreduce(np.abs(problem.c.x.array - expected).max(initial=0.0), op=max)
    verify("equilibrium under each rate law", error, 0.0, abs=1e-6, against="mu(c) = mu_res")
    assert np.abs(problem.mu.x.array - held).max(initial=0.0) < 1e-5
    assert abs(problem.outflow()) < 1e-6
    assert problem.surface.level == pytest.approx(held, abs=1e-12)


@pytest.mark.parametrize("law", [LiteralEqn25(0.1), LiteralEqn25(0.1, odd=True)])
def test_eqn_25_extracts_down_to_its_reference(comm, material, drive, law):
    """It is bound to mu_res = 0 and nears it as t^-2: its exchange conductance vanishes there."""
    expected = brentq(potential, 0.8, 0.99)
    problem = create_particle(comm, material, (8e-9, 4e-9), law, 0.97)
    stepper = drive(problem, Potentiostatic(0.0), StepControl(tolerance=2e-5))
    while stepper.time < 3e4:
        stepper.advance(3e4)
    assert np.abs(problem.c.x.array - expected).max(initial=0.0) < 1e-4


def test_odd_eqn_25_inserts_where_the_literal_one_does_not(comm, material, drive):
    for law, inserts in ((LiteralEqn25(0.1), False), (LiteralEqn25(0.1, odd=True), True)):
        problem = create_particle(comm, material, (8e-9, 4e-9), law, 0.05)
        stepper = drive(problem, Potentiostatic(0.0))
        while stepper.time < 2.0:
            stepper.advance(2.0)
        assert (problem.mean_composition() > 0.06) == inserts
        assert problem.mean_composition() > 0.05 - 1e-9


@pytest.fixture
def measure_contrast(comm, material, drive, bottom_profile):
    """Return a function for the spread of c along a strip, filled from its sides, half full.

    The strip is long enough to separate, and the noise with which it begins, where the spinodal
    does, far smaller than what separation leads to.
    """

    def measure(law, held):
        sides = ("bottom", "top")
        problem = create_particle(comm, material, (48e-9, 4e-9), law, 0.25, groups=sides)
        Noise(0.25, 0.003, 4e-9, seed=3).apply(problem.c, 1e-9, problem.bounds)
        stepper = drive(problem, held, StepControl(tolerance=3e-3))
        while stepper.advance(1e9, [lambda: problem.mean_composition() - 0.5]).event is None:
            pass
        assert problem.mean_composition() == pytest.approx(0.5, abs=1e-9)
        return np.ptp(bottom_profile(problem)[1])

    return measure


def test_rapid_reaction_suppresses_separation_at_a_held_potential(measure_contrast):
    """The higher mu_res, the less time there is in the spinodal to separate."""
    law = ButlerVolmer(2e-4)
    contrasts = [measure_contrast(law, Potentiostatic(level)) for level in (0.5, 2.0, 4.0)]
    assert np.diff(contrasts).max() < 0.0
    assert contrasts[0] > 0.6
    assert contrasts[-1] < 0.05


def test_rapid_reaction_suppresses_separation_as_k_s_grows(measure_contrast):
    laws = [ButlerVolmer(rate) for rate in (1e-4, 1e-3, 1e-2)]
    contrasts = [measure_contrast(law, Potentiostatic(1.0)) for law in laws]
    assert np.diff(contrasts).max() < 0.0
    assert contrasts[0] > 0.6
    assert contrasts[-1] < 0.05


def test_slow_current_lets_phases_separate(measure_contrast):
    """Nearly to the two phases of equilibrium; a thousand times the current leaves no time."""
    law, area = ButlerVolmer(2e-2), 48.0 * 4.0
    slow, fast = (measure_contrast(law, Galvanostatic(-rate * area)) for rate in (2e-5, 2e-2))
    assert slow > 0.7
    assert fast < 0.05
