"""A run does not depend on how many ranks share it."""

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.initial_composition import Noise
from chemomech.problems.stress_fields import StressFields
from chemomech.solvers.newton import NewtonSettings
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl

#: Residual reduction of each Newton solve.
TOLERANCE = 1e-9
STEPS = 8


@pytest.fixture
def record(material, create_stepper):
    """Return a function for the ledger of a bent wire's first steps on some ranks."""

    def run(comm, assumption):
        wire = Nanowire(width=30e-9, bend_radius=60e-9, bend_angle=np.pi / 2, legs=(20e-9, 20e-9))
        domain = create_domain(wire, 4e-9, comm)
        problem = ChemoMechanics(domain, material.energy(assumption), DegenerateMobility(1.0))
        Noise(0.5, 0.02, 4e-9, seed=1).apply(problem.c, domain.length_unit, problem.bounds)
        settings = NewtonSettings(relative_tolerance=TOLERANCE, absolute_tolerance=1e-11)
        stepper = create_stepper(problem, StepControl(newton_share=0.0), settings)
        stresses = StressFields(problem.stress(), problem.c.function_space, 1.0)
        rows = []
        for _ in range(STEPS):
            step = stepper.advance(1e6)
            stresses.update()
            values = problem.c.x.array
            extremes = comm.allreduce(values.min(), MPI.MIN), comm.allreduce(values.max(), MPI.MAX)
            state = step.time, problem.mean_composition(), stresses.max_von_mises()
            rows.append([*state, *extremes, *step.energies.values()])
        return np.array(rows)

    return run


@pytest.mark.skipif(MPI.COMM_WORLD.size == 1, reason="compares several ranks with one")
@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", ["plane_strain", "generalised_plane_strain"])
def test_many_ranks_agree_with_one(record, comm, assumption):
    alone = record(MPI.COMM_SELF, assumption)
    together = record(comm, assumption)
    # Errors of each step's solution add up over the steps at most.
    np.testing.assert_allclose(together, alone, rtol=10 * STEPS * TOLERANCE)
    np.testing.assert_allclose(together[:, 1], alone[:, 1], atol=1e-12)
