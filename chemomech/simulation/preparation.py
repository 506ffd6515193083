"""The parts of a run, made anew or taken up from an earlier one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from chemomech.build import (
    create_problem,
    create_stepper,
    resolve_preset,
)
from chemomech.config import Config, format_config, write_config
from chemomech.config.laws.reaction import LiteralConfig
from chemomech.config.laws.user_law import list_sources
from chemomech.errors import InputError, run_on_root
from chemomech.geometry.partition import compute_fingerprint
from chemomech.output.fields import SUFFIXES, name_field_file
from chemomech.output.file_names import CONFIG, LEDGER
from chemomech.output.folder import RunFolder
from chemomech.output.provenance import (
    PROVENANCE,
    Provenance,
    collect_provenance,
    continue_provenance,
    write_provenance,
)
from chemomech.output.state_files import require_cells
from chemomech.particle import Particle, count_cells_across, create_particle
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.simulation.failing import explaining_failures
from chemomech.simulation.keeping import Checkpointer, Identity, Progressed
from chemomech.simulation.recording import Recorder
from chemomech.simulation.restarting import RESTART, Restart
from chemomech.simulation.stages import Timetable, create_timetable
from chemomech.solvers.time_stepping import Bdf

_log = logging.getLogger(__name__)

ProblemFactory = Callable[[Config, Particle], ChemoMechanics]
"""Names observables of a problem that is about to run."""


@dataclass(frozen=True)
class PreparedRun:
    """Problem, solver, records and folder of a run that is ready to start.

    Args:
        problem: Unknowns and forms, in the present state.
        timetable: What drives it when.
        stepper: Takes the steps.
        recorder: Writes ledger and fields.
        checkpointer: Writes checkpoints; None for none.
        progressed: How far an earlier run had come; None begins at the beginning.
        folder: Where everything goes.
        provenance: What is known at the start.
    """

    problem: ChemoMechanics
    timetable: Timetable
    stepper: Bdf
    recorder: Recorder
    checkpointer: Checkpointer | None
    progressed: Progressed | None
    folder: RunFolder
    provenance: Provenance


def prepare(
    config: Config,
    output: Path,
    comm: MPI.Comm,
    former: Restart | None,
    create: ProblemFactory = create_problem,
) -> PreparedRun:
    """Make the parts of a run; what can fail does so before the folder is touched.

    Args:
        config: The configuration.
        output: The run's folder.
        comm: Ranks of the run.
        former: What an earlier run has left there; None claims a new folder.
        create: Makes the problem.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        ConvergenceError: If the initial state cannot be made consistent.
    """
    name_files(config)  # Before any work, what of it cannot be written.
    if former is None or former.state is None:
        return _begin(config, output, comm, create, is_new=former is None)
    return _restart(config, output, comm, former, create)


def name_files(config: Config) -> list[str]:
    """List the names of the files that grow while a run goes on.

    Raises:
        InputError: DOLFINx lacks what the format of the fields needs.
    """
    if not config.output.fields:
        return [LEDGER]
    return [LEDGER, name_field_file("fields", config.output.field_format)]


def check_ranks(config: Config, particle: Particle) -> None:
    """Refuse more ranks than the checkpoints of so small a mesh can have; collective.

    Raises:
        InputError: There are too many; on every rank.
    """
    if config.checkpoint.interval == "off":
        return
    try:
        require_cells(particle.domain.mesh)
    except InputError as error:
        raise InputError(f'{error.message}, or "off"', key="checkpoint.interval") from error


def _begin(
    config: Config, output: Path, comm: MPI.Comm, create: ProblemFactory, *, is_new: bool
) -> PreparedRun:
    particle = create_particle(config, comm)
    check_ranks(config, particle)
    problem = create(config, particle)
    _log_solver(config, problem)
    _warn_of_coarse_mesh(config, problem)
    with explaining_failures(config, problem):
        stepper = create_stepper(config, problem)
    timetable = create_timetable(config, problem)
    _require_square_root(config, problem)
    _warn_of_unused_options(stepper, comm)
    folder = RunFolder.create(output, comm) if is_new else RunFolder.reopen(output, comm)
    if not is_new:
        _reopen_records(folder)
    provenance = _collect_provenance(config, problem)
    _write_beginnings(config, folder, provenance)
    checkpointer = None
    if config.checkpoint.interval != "off":
        checkpointer = _create_checkpointer(config, folder, problem)
        checkpointer.discard_snapshots(0)
    recorder = _create_recorder(config, folder, problem, particle, None)
    return PreparedRun(
        problem, timetable, stepper, recorder, checkpointer, None, folder, provenance
    )


def _restart(
    config: Config, output: Path, comm: MPI.Comm, former: Restart, create: ProblemFactory
) -> PreparedRun:
    assert former.state is not None
    particle = create_particle(config, comm, former.owners)
    problem = create(config, particle)
    timetable = create_timetable(config, problem)
    folder = RunFolder.reopen(output, comm)
    checkpointer = _create_checkpointer(config, folder, problem)
    memory, progressed = checkpointer.restore(former.state)
    _reopen_records(folder)
    provenance = continue_provenance(
        folder.path / PROVENANCE, _collect_provenance(config, problem), comm
    )
    _write_beginnings(config, folder, provenance)
    recorder = _create_recorder(config, folder, problem, particle, progressed)
    checkpointer.discard_snapshots(progressed.snapshots)
    for number in range(progressed.snapshots):
        recorder.record_snapshot(checkpointer.read_snapshot(number))
    drive = timetable.stage(progressed.position).drive
    if drive is not None:
        problem.surface.resume(drive)
    if problem.noise is not None and config.noise is not None:
        length = config.noise.interval / config.material.scales.time
        problem.noise.resume(config.noise.seed, progressed.noise_interval, length)
    _log_solver(config, problem)
    _warn_of_coarse_mesh(config, problem)
    stepper = create_stepper(config, problem, memory)
    return PreparedRun(
        problem, timetable, stepper, recorder, checkpointer, progressed, folder, provenance
    )


def _collect_provenance(config: Config, problem: ChemoMechanics) -> Provenance:
    comm = problem.domain.mesh.comm
    modules = {source.file: source.text for source in list_sources(config)}
    return collect_provenance(comm, format_config(config), problem.parameters, modules)


def _reopen_records(folder: RunFolder) -> None:
    """Prepare to go on with the ledger; fields are written anew, whatever their format was."""
    folder.reopen_file(LEDGER)
    for suffix in SUFFIXES:
        folder.remove(f"fields.partial{suffix}")


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
    folder: RunFolder,
    problem: ChemoMechanics,
    particle: Particle,
    progressed: Progressed | None,
) -> Recorder:
    paths = [folder.partial(name) for name in name_files(config)]
    return Recorder(
        problem,
        particle,
        config.material.scales,
        *paths,
        reference_voltage=None if config.schedule is None else config.schedule.reference_voltage,
        resume_point=None if progressed is None else progressed.records,
        is_illustrated=config.output.pictures or config.output.movie,
        # What is not of the poorest phase counts as rich.
        threshold=next(iter(config.material.phases.thresholds), 0.5),
    )


def _write_beginnings(config: Config, folder: RunFolder, provenance: Provenance) -> None:
    run_on_root(folder.comm, lambda: write_config(config, folder.path / CONFIG))
    write_provenance(folder.path / PROVENANCE, provenance, folder.comm)


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
