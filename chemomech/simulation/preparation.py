"""The parts of a run, made anew or taken up from an earlier one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from chemomech.config import Config
from chemomech.config.laws.reaction import LiteralConfig
from chemomech.errors import InputError
from chemomech.geometry.partition import compute_fingerprint
from chemomech.models.building import (
    create_problem,
    create_stepper,
    resolve_preset,
)
from chemomech.models.particle import Particle, count_cells_across, create_particle
from chemomech.output.folder import RunFolder
from chemomech.output.state_files import require_cells
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.simulation.failing import explaining_failures
from chemomech.simulation.keeping import Checkpointer, Identity, Progressed
from chemomech.simulation.planning import TimeLoopPlan, create_plan
from chemomech.simulation.recording import Recorder
from chemomech.simulation.restarting import RESTART, Restart
from chemomech.simulation.run_record import RunRecord, name_files, reopen_records
from chemomech.solvers.time_stepping import Bdf

_log = logging.getLogger(__name__)

ProblemFactory = Callable[[Config, Particle], ChemoMechanics]
"""Makes the problem of a configuration and its meshed particle."""


@dataclass(frozen=True)
class PreparedRun:
    """Problem, solver, records and folder of a run that is ready to start.

    There is no checkpointer where none are wanted, no progress at the beginning, and no record
    where the run leaves no files.
    """

    problem: ChemoMechanics
    plan: TimeLoopPlan
    stepper: Bdf
    recorder: Recorder
    checkpointer: Checkpointer | None
    progressed: Progressed | None
    record: RunRecord | None


def prepare(
    config: Config,
    output: Path | None,
    comm: MPI.Comm,
    former: Restart | None,
    create: ProblemFactory = create_problem,
) -> PreparedRun:
    """Make the parts of a run; what can fail does so before the folder is touched.

    Without output the run leaves no files; without a former run the folder is claimed as a new one.
    """
    if output is not None:
        name_files(config)  # Before any work, what of it cannot be written.
    if output is None or former is None or former.state is None:
        return _begin(config, output, comm, create, is_new=former is None)
    return _restart(config, output, comm, former, create)


def check_ranks(config: Config, particle: Particle) -> None:
    """Refuse more ranks than the checkpoints of so small a mesh can have; collective."""
    if config.checkpoint.interval == "off":
        return
    try:
        require_cells(particle.domain.mesh)
    except InputError as error:
        raise InputError(f'{error.message}, or "off"', key="checkpoint.interval") from error


def _begin(
    config: Config, output: Path | None, comm: MPI.Comm, create: ProblemFactory, *, is_new: bool
) -> PreparedRun:
    particle = create_particle(config, comm)
    if output is not None:
        check_ranks(config, particle)
    problem = create(config, particle)
    _log_solver(config, problem)
    _warn_of_coarse_mesh(config, problem)
    with explaining_failures(config, problem):
        stepper = create_stepper(config, problem)
    plan = create_plan(config, problem)
    _require_square_root(config, problem)
    _warn_of_unused_options(stepper, comm)
    if output is None:
        recorder = _create_recorder(config, None, problem, particle, None)
        return PreparedRun(problem, plan, stepper, recorder, None, None, None)
    folder = RunFolder.create(output, comm) if is_new else RunFolder.reopen(output, comm)
    if not is_new:
        reopen_records(folder)
    record = RunRecord(config, folder, problem.parameters)
    checkpointer = None
    if config.checkpoint.interval != "off":
        checkpointer = _create_checkpointer(config, folder, problem)
        checkpointer.discard_snapshots(0)
    recorder = _create_recorder(config, folder, problem, particle, None)
    return PreparedRun(problem, plan, stepper, recorder, checkpointer, None, record)


def _restart(
    config: Config, output: Path, comm: MPI.Comm, former: Restart, create: ProblemFactory
) -> PreparedRun:
    assert former.state is not None
    particle = create_particle(config, comm, former.owners)
    problem = create(config, particle)
    plan = create_plan(config, problem)
    folder = RunFolder.reopen(output, comm)
    checkpointer = _create_checkpointer(config, folder, problem)
    memory, progressed = checkpointer.restore(former.state)
    reopen_records(folder)
    time = memory.history.times[0] * config.material.scales.time
    record = RunRecord(config, folder, problem.parameters, goes_on_from=time)
    recorder = _create_recorder(config, folder, problem, particle, progressed)
    checkpointer.discard_snapshots(progressed.snapshots)
    for number in range(progressed.snapshots):
        time_s = checkpointer.read_snapshot(number)
        record.repeat_changes(before_s=time_s)
        recorder.record_snapshot(time_s)
    record.repeat_changes(before_s=time)
    problem.parameters.take_changes()
    record.repeat_changes()
    drive = plan.timetable.stage(progressed.position).drive
    if drive is not None:
        problem.surface.resume(drive)
    if problem.noise is not None and config.noise is not None:
        length = config.noise.interval / config.material.scales.time
        problem.noise.resume(config.noise.seed, progressed.noise_interval, length)
    _log_solver(config, problem)
    _warn_of_coarse_mesh(config, problem)
    stepper = create_stepper(config, problem, memory)
    return PreparedRun(problem, plan, stepper, recorder, checkpointer, progressed, record)


def _require_square_root(config: Config, problem: ChemoMechanics) -> None:
    """Refuse eqn 25 as printed where it takes the square root of a negative mu; collective."""
    mesh, space = problem.domain.mesh, problem.mu.function_space
    for index, law in enumerate(config.reaction):
        if not isinstance(law, LiteralConfig) or law.odd:
            continue
        facets = problem.domain.facets(law.group)
        dofs = fem.locate_dofs_topological(space, mesh.topology.dim - 1, facets)
        lowest = float(np.min(problem.mu.x.array[dofs], initial=np.inf))
        lowest = mesh.comm.allreduce(lowest, op=MPI.MIN)
        if lowest < 0.0:
            raise InputError(
                f"takes the square root of mu, which goes down to {lowest:.3g} RT at the surface: "
                "eqn 25 as printed can only take lithium out, from mu > 0. Use butler_volmer, or "
                "odd = true",
                key=f"reaction.{index}.kind",
            )


def _create_checkpointer(
    config: Config, folder: RunFolder, problem: ChemoMechanics
) -> Checkpointer:
    table = config.model_dump(mode="json", exclude_none=True)
    graded = sorted({name for grading in config.grading for name in grading.cells or ()})
    groups = {name: problem.domain.cells(name) for name in graded}
    identity = Identity(table, compute_fingerprint(problem.domain.mesh, groups))
    return Checkpointer(folder.path / RESTART, problem, identity, config.checkpoint.keep)


def _create_recorder(
    config: Config,
    folder: RunFolder | None,
    problem: ChemoMechanics,
    particle: Particle,
    progressed: Progressed | None,
) -> Recorder:
    paths = [] if folder is None else [folder.partial(name) for name in name_files(config)]
    return Recorder(
        problem,
        particle,
        config.material.scales,
        *paths,
        reference_voltage=None if config.schedule is None else config.schedule.reference_voltage,
        resume_point=None if progressed is None else progressed.records,
        is_illustrated=folder is not None and (config.output.pictures or config.output.movie),
        # What is not of the poorest phase counts as rich.
        threshold=config.material.phase_limits[0],
    )


def _log_solver(config: Config, problem: ChemoMechanics) -> None:
    preset = resolve_preset(config, problem)
    if problem.domain.mesh.comm.rank == 0:
        why = "" if config.solver.preset != "auto" else ", chosen by size and dimension"
        _log.info(
            "linear solver: %s (%d unknowns in %d-D%s)",
            preset.value,
            problem.size,
            problem.domain.mesh.geometry.dim,
            why,
        )


def _warn_of_coarse_mesh(config: Config, problem: ChemoMechanics) -> None:
    """Say what a mesh that was allowed to be coarse does not resolve; collective."""
    if not config.mesh.allow_coarse:
        return
    cells, needed = count_cells_across(config, problem.domain), config.cells_needed
    if cells is None or needed is None:
        return
    if cells < needed * (1 - 1e-6) and problem.domain.mesh.comm.rank == 0:
        _log.warning(
            "mesh.allow_coarse: the largest cells hold %.2g across an interface, where %.3g "
            "resolve it; walls are blurred and stick to the mesh, and steps may fail",
            cells,
            needed,
        )


def _warn_of_unused_options(stepper: Bdf, comm: MPI.Comm) -> None:
    unused = stepper.unused_options
    if unused and comm.rank == 0:
        _log.warning("PETSc did not ask for these options of solver.petsc: %s", ", ".join(unused))
