r"""Where stress acts on lithium: in the bulk, in the reaction, in both or in neither.

A uniform composition in a clamped body (u = 0 everywhere, also out of the plane) bears the
hydrostatic stress sigma_h = -E eta (c - c_ref) / (1 - 2 nu), and under a pressure p from all sides
sigma_h = -p. Its potential is mu = ln(c / (1 - c)) + chi (1 - 2 c) - 3 eta sigma_h; a reaction that
does not see stress leads to the first two terms alone being mu_res.
"""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.mobility import DegenerateMobility
from chemomech.materials.reactions import ButlerVolmer
from chemomech.problems.chemo_mechanics import ChemoMechanics, Coupling
from chemomech.problems.conditions import Displacement, Loads, Traction
from chemomech.problems.surface import Galvanostatic, Potentiostatic, Rest, SurfaceReaction
from chemomech.solvers.newton import NewtonSettings
from chemomech.solvers.steps import StepControl

TIGHT = NewtonSettings(relative_tolerance=1e-10, absolute_tolerance=1e-11)
PRESSURE = 8.0  # per R T C: 0.37 GPa
HELD = 0.6
CHI = 2.75
SIDES = {
    "left": (1, 0, 0), "right": (-1, 0, 0), "bottom": (0, 1, 0), "top": (0, -1, 0),
    "back": (0, 0, 1), "front": (0, 0, -1),
}  # fmt: skip
BOXES = {
    "plane_strain": ((16e-9, 8e-9), 4e-9),
    "plane_stress": ((16e-9, 8e-9), 4e-9),
    "three_dimensional": ((8e-9, 6e-9, 4e-9), 2e-9),
}


@pytest.fixture
def create_particle(comm, material):
    def create(assumption, loads=None, coupling=None, domain=None):
        lengths, cell = BOXES[assumption or "plane_stress"]
        return ChemoMechanics(
            domain or create_domain(Box(lengths), cell, comm),
            material.energy(assumption),
            DegenerateMobility(1.0),
            loads,
            reactions=[SurfaceReaction("surface", ButlerVolmer(0.1))],
            coupling=coupling,
        )

    return create


def chemical(c):
    return math.log(c / (1 - c)) + CHI * (1 - 2 * c)


def find_equilibrium(problem, create_stepper):
    """Composition at which a particle held at a potential ends; uniform."""
    problem.c.x.array[:] = 0.9
    problem.surface.hold(Potentiostatic(HELD))
    stepper = create_stepper(problem, settings=TIGHT)
    while stepper.time < 1e4:
        stepper.advance(1e4)
    mean = problem.mean_composition()
    assert np.abs(problem.c.x.array - mean).max(initial=0.0) < 1e-6
    assert abs(problem.outflow()) < 1e-7 * problem.surface.area
    return mean


CASES = [
    pytest.param(
        *(assumption, case, in_reaction, in_bulk),
        # In 3-D once: where stress acts is not the dimension's affair.
        marks=[] if assumption == "plane_strain" or once else pytest.mark.slow,
    )
    for assumption, case in (
        ("plane_strain", "clamped"),
        ("three_dimensional", "clamped"),
        ("three_dimensional", "pressed"),
    )
    for in_reaction in (True, False)
    for in_bulk in (True, False)
    for once in [case == "pressed" and in_reaction and not in_bulk]
]


@pytest.mark.parametrize(("assumption", "case", "in_reaction", "in_bulk"), CASES)
def test_equilibrium_is_that_of_what_the_reaction_sees(
    create_particle, create_stepper, material, assumption, case, in_reaction, in_bulk
):
    if case == "clamped":
        loads = Loads(supports=[Displacement("surface")])
        modulus = 3 * material.young * material.expansion**2 / (1 - 2 * material.poisson)

        def elastic(c):
            return modulus * (c - 0.5)

    else:
        pushes = [
            Traction(group, tuple(PRESSURE * n for n in normal)) for group, normal in SIDES.items()
        ]
        loads = Loads(tractions=pushes)

        def elastic(c):
            del c
            return 3 * material.expansion * PRESSURE

    def miss(c):
        return chemical(c) + (elastic(c) if in_reaction else 0.0) - HELD

    expected = brentq(miss, 0.8, 0.9999)
    # What is at stake is far more than the test's tolerance.
    assert abs(elastic(expected)) > 0.3
    coupling = Coupling(in_bulk=in_bulk, in_reaction=in_reaction)
    problem = create_particle(assumption, loads, coupling)
    assert find_equilibrium(problem, create_stepper) == pytest.approx(expected, abs=1e-6)


def test_stress_left_out_everywhere_leaves_no_trace(comm, create_particle, create_stepper):
    """The composition goes its way as without mechanics, while the body is strained by it."""
    lengths, cell = BOXES["plane_stress"]
    domain = create_domain(Box(lengths), cell, comm)
    fields = []
    for assumption in (None, "plane_stress"):
        coupling = Coupling(in_bulk=False, in_reaction=False)
        problem = create_particle(assumption, coupling=coupling, domain=domain)
        problem.c.interpolate(lambda x: 0.3 + 0.1 * np.cos(np.pi * x[0] / 16))
        problem.surface.hold(Galvanostatic(-0.4))
        control = StepControl(first_step=2.0, adaptive=False, newton_share=0.0)
        stepper = create_stepper(problem, control, TIGHT)
        for _ in range(25):
            stepper.advance(1e9)
        fields.append((problem.c.x.array.copy(), problem.mu.x.array.copy(), problem.surface.level))
    assert problem.energies()["elastic"] > 1e-5 * problem.volume
    for without, beside in zip(*fields, strict=True):
        np.testing.assert_allclose(beside, without, rtol=0, atol=1e-8)
    # Something has happened.
    assert problem.mean_composition() == pytest.approx(0.3 + 0.4 * 50 / problem.volume, abs=1e-9)


def test_stress_acts_where_it_is_let(create_particle, create_stepper):
    """Four couplings, four ways of a clamped particle through the same drive."""
    means = []
    for in_bulk in (True, False):
        for in_reaction in (True, False):
            loads = Loads(supports=[Displacement("left")])
            problem = create_particle("plane_strain", loads, Coupling(in_bulk, in_reaction))
            problem.c.interpolate(lambda x: 0.8 + 0.1 * np.cos(np.pi * x[0] / 16))
            problem.surface.hold(Potentiostatic(HELD))
            control = StepControl(first_step=0.5, adaptive=False, newton_share=0.0)
            stepper = create_stepper(problem, control, TIGHT)
            for _ in range(10):
                stepper.advance(1e9)
            means.append(problem.mean_composition())
    gaps = np.abs(np.subtract.outer(means, means))[np.triu_indices(4, 1)]
    assert gaps.min() > 1e-6


def test_reaction_blind_to_stress_may_raise_the_energy_in_an_open_circuit(
    create_particle, create_stepper
):
    """At rest in itself, a particle is stirred by a reaction that finds it unequally lithiated."""
    loads = Loads(supports=[Displacement("left")])
    problem = create_particle("plane_strain", loads, Coupling(in_reaction=False))
    problem.c.x.array[:] = 0.9
    stepper = create_stepper(problem, settings=TIGHT)
    while stepper.advance(1e9).rate > 1e-9:
        pass
    least = sum(problem.energies().values())
    problem.surface.hold(Rest())
    stepper.reset_history()
    assert not problem.is_closed
    for _ in range(5):
        stepper.advance(1e9)
    assert sum(problem.energies().values()) > least
