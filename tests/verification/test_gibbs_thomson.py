"""Gibbs-Thomson: a round domain raises the potential by gamma / (C r (c_b - c_a))."""

import numpy as np
import pytest

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics

#: Interface width at the default material (nm).
WIDTH = 10.0


@pytest.mark.parametrize("radius", [30.0, pytest.param(50.0, marks=pytest.mark.slow)])
def test_potential_of_a_quarter_disc(comm, material, relax, bottom_profile, radius, verify):
    length = radius + 2 * WIDTH
    domain = create_domain(Box((length * 1e-9,) * 2), 1.25e-9, comm)
    problem = ChemoMechanics(domain, material.energy(), DegenerateMobility(1.0))
    problem.c.interpolate(
        lambda x: 0.51 - 0.4 * np.tanh((np.hypot(x[0], x[1]) - radius) / (WIDTH / 2))
    )
    relax(problem, tolerance=1e-3)

    size = problem.mu.function_space.dofmap.index_map.size_local
    values = problem.mu.x.array[:size]
    highest = comm.allreduce(values.max(initial=-np.inf), op=max)
    lowest = comm.allreduce(values.min(initial=np.inf), op=min)
    assert highest - lowest < 1e-3 * highest

    x, c = bottom_profile(problem)
    found = np.interp(-0.5, -c, x)
    # 61.7 J/mol at 50 nm. Theory takes the wall to be thin: it leaves out (half width / radius)^2.
    theory = 61.7 * 50.0 / found
    verify(
        f"potential of a drop of {radius:.0f} nm",
        highest * material.thermal,
        theory,
        "J/mol",
        rel=(WIDTH / 2 / found) ** 2 + 0.005,
        against="Gibbs-Thomson",
    )
