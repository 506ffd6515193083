"""Simulate a configuration to its end, or check it without solving it."""

from __future__ import annotations

from pathlib import Path

from mpi4py import MPI

from chemomech.config import Config
from chemomech.errors import AlreadyEnded
from chemomech.models.building import create_problem
from chemomech.models.particle import create_particle
from chemomech.simulation.interruption import StopRequest
from chemomech.simulation.preparation import ProblemFactory, check_ranks
from chemomech.simulation.simulation import Simulation
from chemomech.simulation.stages import create_timetable
from chemomech.simulation.summary import summarise


def simulate(
    config: Config,
    output: Path,
    comm: MPI.Comm,
    *,
    quiet: bool = False,
    restart: bool = False,
    accept_changes: bool = False,
    create: ProblemFactory = create_problem,
) -> str:
    """Simulate a configuration to its end and leave its records in a new folder.

    Args:
        config: The configuration.
        output: Folder to create; refused if it holds anything, unless ``restart``.
        comm: Ranks that run the simulation.
        quiet: No progress line.
        restart: Go on from the last good checkpoint in the folder; begin at the beginning where the
            folder holds no records; do nothing where the run in it has ended.
        accept_changes: Restart although the configuration differs from the checkpoint's.
        create: Makes the problem; see `Simulation`.

    Returns:
        How the run ended, in words.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        ConvergenceError: If a time step cannot be taken; what was recorded stays, under the names
            of unfinished files. So it does where the user interrupts.
        StoppedEarly: If a signal, Ctrl-C or the limit of wall time asked for it; ``restart``
            continues.
    """
    with StopRequest(comm, config.checkpoint.wall_limit) as stop:
        try:
            simulation = Simulation(
                config, comm, output, restart=restart, accept_changes=accept_changes, create=create
            )
        except AlreadyEnded as error:
            return error.ending
        with simulation:
            return simulation.run(quiet=quiet, stop=stop)


def validate(config: Config, comm: MPI.Comm) -> str:
    """Check everything short of solving, and describe what would be solved.

    Args:
        config: The configuration.
        comm: Ranks that share the mesh.

    Returns:
        A table: dimensionless groups, phases, mesh and size of the problem.

    Raises:
        InputError: If the input cannot be used.
    """
    particle = create_particle(config, comm)
    check_ranks(config, particle)
    problem = create_problem(config, particle)
    create_timetable(config, problem)
    return summarise(config, problem)
