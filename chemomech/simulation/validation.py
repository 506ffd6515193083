"""Check a configuration without solving it."""

from __future__ import annotations

from mpi4py import MPI

from chemomech.config import Config
from chemomech.models.building import create_problem
from chemomech.models.particle import create_particle
from chemomech.simulation.preparation import check_ranks
from chemomech.simulation.stages import create_timetable
from chemomech.simulation.summary import summarise


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
