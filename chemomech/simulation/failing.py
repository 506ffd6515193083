"""Explain why a run could not go on, in the user's units and with what may help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI

from chemomech.config import Config
from chemomech.errors import ConvergenceError
from chemomech.models.particle import count_cells_across
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.surface import Galvanostatic
from chemomech.solvers.failures import StepError, describe_failure

#: Distance of a composition from its bounds that is near in any material.
_NEAR = 1e-6
#: Share of the phases' own distance from the bounds that is near where there are phases.
_BEYOND_PHASES = 0.1


@contextmanager
def explaining_failures(config: Config, problem: ChemoMechanics) -> Iterator[None]:
    """Tell the user why a step failed: time, place and likely cause; collective."""
    try:
        yield
    except StepError as error:
        raise ConvergenceError(_explain(error, config, problem), reason=error.reason) from error


def _explain(error: StepError, config: Config, problem: ChemoMechanics) -> str:
    unit = config.material.scales.time
    what = describe_failure(error.time * unit, error.size * unit, "s")
    nearest = _find_nearest_to_bound(problem)
    distance = config.material.phases.distance_to_bounds
    near = _BEYOND_PHASES * distance if 0.0 < distance < np.inf else _NEAR
    is_near = nearest is not None and nearest.distance < near
    place = f"; {nearest}" if is_near else ""
    return f"{what}: {error.why}{place}. {_find_cause(config, problem, is_near)}"


@dataclass(frozen=True)
class _Nearest:
    """The composition closest to a bound."""

    distance: float
    bound: float
    is_lower: bool
    place: tuple[float, ...]

    def __str__(self) -> str:
        away = f"{self.bound:g} {'+' if self.is_lower else '-'} " if self.bound else ""
        where = ", ".join(f"{x:.4g}" for x in self.place)
        return f"c = {away}{self.distance:.1g} at ({where}) nm is all but at its bound"


def _find_nearest_to_bound(problem: ChemoMechanics) -> _Nearest | None:
    """Find the composition closest to a bound over all ranks; None without bounds."""
    lower, upper = problem.bounds
    if not np.isfinite([lower, upper]).all():
        return None
    space, comm = problem.c.function_space, problem.domain.mesh.comm
    c = problem.c.x.array[: space.dofmap.index_map.size_local]
    distances = np.minimum(c - lower, upper - c)
    mine = (float(np.min(distances, initial=np.inf)), comm.rank)
    distance, rank = comm.allreduce(mine, op=MPI.MINLOC)
    found = None
    if rank == comm.rank:
        dof = int(np.argmin(distances))
        scale = problem.domain.length_unit / 1e-9
        point = space.tabulate_dof_coordinates()[dof, : problem.domain.mesh.geometry.dim] * scale
        is_lower = bool(c[dof] - lower <= upper - c[dof])
        place = tuple(float(x) for x in point)
        found = _Nearest(distance, lower if is_lower else upper, is_lower, place)
    return comm.bcast(found, root=rank)


def _find_cause(config: Config, problem: ChemoMechanics, is_near: bool) -> str:
    """Name the likely cause and what helps against it; collective."""
    distance = config.material.phases.distance_to_bounds
    cells, needed = count_cells_across(config, problem.domain), config.cells_needed
    # The largest cells of a mesh of triangles are somewhat larger than the edge asked for.
    if cells is not None and needed is not None and cells < 0.6 * needed:
        return (
            f"The mesh is the likely cause: its largest cells hold {cells:.2g} across an "
            f"interface, where {needed:.3g} resolve it; make mesh.size smaller"
        )
    if is_near and distance < config.time.tolerance:
        return (
            f"time.tolerance is the likely cause: errors of {config.time.tolerance:g} lead beyond "
            f"phases that lie {distance:.1g} from the bounds; make it smaller than that"
        )
    if is_near:
        return "The law is the likely cause: it drives the composition to its bound"
    if isinstance(problem.surface.drive, Galvanostatic):
        return (
            "The reaction may be the cause: a surface that passes hardly more than its current "
            "cannot hold it; a lower current, or an end by until, helps"
        )
    return "A smaller time.tolerance or time.first_step may help"
