"""chemomech, by its library: --variant CELL:PRESET, as quadrilateral:iterative."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from pfhub_codes.definition import HIGH, KAPPA, LENGTH, LOW, MOBILITY, RHO, initial_composition
from pfhub_codes.entry import Clock, Setting, hand_in, read_setting

from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.free_energy import create_double_well
from chemomech.materials.mobility import ConstantMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.diffusion import Discretisation
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

NANOMETRE = 1e-9


def create_problem(cells: int, cell: str, degree: int, comm: MPI.Comm) -> ChemoMechanics:
    """The benchmark on cells x cells cells, with its initial composition."""
    edge = LENGTH * NANOMETRE
    domain = create_domain(Box((edge, edge)), edge / cells, comm, cell)
    energy = FreeEnergyDensity(create_double_well(RHO, (LOW, HIGH)), KAPPA)
    rule = Discretisation(composition_degree=degree)
    problem = ChemoMechanics(domain, energy, ConstantMobility(MOBILITY), discretisation=rule)
    problem.c.interpolate(lambda x: initial_composition(x[0], x[1]))
    return problem


def run(setting: Setting, comm: MPI.Comm) -> None:
    """Run one setting and hand it in."""
    cell, preset = setting.variant.split(":")
    problem = create_problem(setting.cells, cell, setting.degree, comm)
    solver = NewtonSolver(BlockSystem(problem), Preset(preset))
    clock = Clock(setting)
    stepper = Bdf(problem, solver, StepControl(tolerance=setting.control))
    steps = 0
    while stepper.time < setting.end and not comm.bcast(clock.is_over()):
        steps = stepper.advance(setting.end).number
    seconds = clock.read()
    energy = sum(problem.energies().values())
    points, values = gather(problem, comm)
    if comm.rank == 0:
        hand_in(
            setting,
            seconds,
            points=points,
            composition=values,
            reached=stepper.time,
            steps=steps,
            energy=energy,
        )


def gather(
    problem: ChemoMechanics, comm: MPI.Comm
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and composition of all ranks, on rank 0."""
    space = problem.c.function_space
    owned = space.dofmap.index_map.size_local
    mine = np.column_stack(
        [space.tabulate_dof_coordinates()[:owned, :2], problem.c.x.array[:owned]]
    )
    table = np.concatenate(comm.gather(mine) or [mine])
    return table[:, :2], table[:, 2]


if __name__ == "__main__":
    run(read_setting(__doc__), MPI.COMM_WORLD)
