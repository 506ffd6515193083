"""What solvers hold is given back, so that one process can serve many cases.

MPI gives a new communicator the lowest handle that is free: it rises with those that are left
behind. (By one now and then without: MPI may free a communicator some time later.)
"""

import gc
from contextlib import closing

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
PRESETS = pytest.mark.parametrize("preset", list(Preset))


def create_mechanics(assumption):
    law = Elasticity(create_isotropic_stiffness(937.6, 0.3), Assumption(assumption))
    return Mechanics(law, Eigenstrain.isotropic(0.0149, 0.5))


def create_stepper(preset, assumption="generalised_plane_strain"):
    size = (20e-9, 10e-9, 10e-9)[: 3 if assumption == "three_dimensional" else 2]
    domain = create_domain(Box(size), 5e-9, COMM)
    psi = FreeEnergyDensity(RegularSolution(2.75), 22.4, create_mechanics(assumption))
    problem = ChemoMechanics(domain, psi, DegenerateMobility(1.0))
    problem.c.interpolate(lambda x: 0.5 + 0.2 * np.sin(x[0] / 9) * np.cos(x[1] / 7))
    return Bdf(problem, NewtonSolver(BlockSystem(problem), preset), StepControl())


def step_twice(preset, assumption):
    with closing(create_stepper(preset, assumption)) as stepper:
        stepper.advance(1e3)
        stepper.advance(1e3)


def solve_statics(preset, assumption):
    domain = create_domain(Box((20e-9, 10e-9)), 5e-9, COMM)
    c = 0.5 + 0.3 * ufl.sin(ufl.SpatialCoordinate(domain.mesh)[0] / 3)
    problem = StaticStress(domain, create_mechanics(assumption), c)
    with closing(NewtonSolver(BlockSystem(problem), preset)) as solver:
        assert solver.solve().converged


def take_handles(solver):
    """Second handles of what all else that a solver makes refers to.

    Not of the solution: PETSc's SNES forgets one reference to it, even alone (PETSc 3.22).
    """
    system = solver.system
    count = len(system.fields)
    blocks = [system.jacobian.getNestSubMatrix(i, j) for i in range(count) for j in range(count)]
    handles = [block for block in blocks if block.handle]
    handles.append(solver.snes.getFunction()[0])
    if solver.linear.options["pc_type"] == "lu":
        handles.append(solver.snes.getKSP().getOperators()[1])
    for pair in getattr(solver.linear, "_pairs", {}).values():
        for ksp in (*pair._solvers, pair._mass_solver):
            handles.append(ksp.getOperators()[0])
    return handles


@PRESETS
@pytest.mark.parametrize("assumption", ["generalised_plane_strain", "three_dimensional"])
def test_nothing_refers_to_what_was_closed(assumption, preset):
    stepper = create_stepper(preset, assumption)
    stepper.advance(1e3)
    handles = take_handles(stepper._solver)
    assert all(handle.getRefCount() > 1 for handle in handles)
    stepper.close()
    assert [handle.getRefCount() for handle in handles] == [1] * len(handles)


def find_free_handle():
    """Number of the lowest free handle, after all that can be freed was."""
    gc.collect()
    probe = COMM.Dup()
    handle = probe.py2f()
    probe.Free()
    return handle


@pytest.mark.skipif(MPI.COMM_WORLD.size == 1, reason="on one rank Python frees what it drops")
@pytest.mark.parametrize(
    ("serve", "assumption", "count"),
    [
        (step_twice, "generalised_plane_strain", 8),
        (step_twice, "three_dimensional", 4),
        (solve_statics, "plane_strain", 8),
    ],
    ids=["steps_2d", "steps_3d", "statics"],
)
def test_many_cases_leave_no_communicators(serve, assumption, count):
    preset = Preset.ITERATIVE  # which makes most of them
    serve(preset, assumption)
    before = find_free_handle()
    for _ in range(count):
        serve(preset, assumption)
    assert find_free_handle() < before + count / 2


@pytest.mark.skipif(COMM.size == 1, reason="on one rank Python frees what it drops")
def test_the_handle_rises_with_what_is_dropped():
    before = find_free_handle()
    for _ in range(3):
        create_stepper(Preset.ITERATIVE)
    assert find_free_handle() >= before + 3


@PRESETS
def test_closed_twice_is_closed_once(preset):
    stepper = create_stepper(preset)
    c = stepper._problem.c
    values = c.x.array.copy()
    stepper.close()
    stepper.close()
    np.testing.assert_array_equal(c.x.array, values)
