"""Run the commands `validate`, `mesh` and `run`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mpi4py import MPI

from chemomech.build import create_problem
from chemomech.config import Config
from chemomech.errors import (
    ChemoMechError,
    InterruptedRunError,
    RecordsLostError,
    StoppedEarly,
)
from chemomech.output.folder_lock import FolderLock
from chemomech.output.progress import Progress
from chemomech.output.provenance import PROVENANCE, write_provenance
from chemomech.particle import create_particle
from chemomech.simulation.failing import explaining_failures
from chemomech.simulation.interruption import StopRequest
from chemomech.simulation.preparation import (
    PreparedRun,
    ProblemFactory,
    check_ranks,
    name_files,
    prepare,
)
from chemomech.simulation.restarting import RESTART, find_restart
from chemomech.simulation.stages import create_timetable
from chemomech.simulation.time_loop import Ending, TimeLoop, TimeLoopPlan
from chemomech.summary import summarise

#: Rate below which a pattern counts as stationary, in units of D / (interface width)^2.
_STATIONARY = 1e-5


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
    """Simulate a configuration and leave its records in a new folder.

    Args:
        config: The configuration.
        output: Folder to create; refused if it holds anything, unless ``restart``.
        comm: Ranks that run the simulation.
        quiet: No progress line.
        restart: Go on from the last good checkpoint in the folder; begin at the beginning where the
            folder holds no records; do nothing where the run in it has ended.
        accept_changes: Restart although the configuration differs from the checkpoint's.
        create: Makes the problem of a configuration and its meshed particle: one of your own may
            add processes, observables and functions to record. A restart needs the same.

    Returns:
        How the run ended, in words.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        ConvergenceError: If a time step cannot be taken; what was recorded stays, under the names
            of unfinished files. So it does where the user interrupts.
        StoppedEarly: If a signal, Ctrl-C or the limit of wall time asked for it; ``restart``
            continues.
    """
    former = None
    with FolderLock(output, comm, is_new=not restart):
        if restart:
            former = find_restart(config, output, comm, accept_changes=accept_changes)
            if former.ended is not None and former.state is None:
                return former.ended
        with StopRequest(comm, config.checkpoint.wall_limit) as stop:
            parts = prepare(config, output, comm, former, create)
            with _noting_failure(parts):
                if former is not None and former.ended is not None:
                    ending = Ending(former.ended)
                else:
                    ending = _run_time_loop(config, parts, stop, comm, quiet)
                parts.recorder.close()
            stop.ask()
        with parts.recorder.frames:
            _finish(config, parts, ending, is_interrupted=stop.is_interrupted)
    return ending.message


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


def write_mesh(config: Config, path: Path, comm: MPI.Comm) -> None:
    """Mesh the particle and write the mesh with its groups to a file.

    Args:
        config: The configuration; only geometry and mesh size are used.
        path: File to create, coordinates in nanometres; see `write_mesh_file` for formats.
        comm: Ranks that share the mesh.

    Raises:
        InputError: If the particle cannot be meshed or the file's name cannot be used.
        OSError: If the file cannot be written.
    """
    # Here: no other pipeline waits for meshio.
    from chemomech.output.mesh_files import write_mesh_file

    write_mesh_file(create_particle(config, comm).domain, path)


@contextmanager
def _noting_failure(parts: PreparedRun) -> Iterator[None]:
    """Note in the provenance how a run broke off."""
    try:
        yield
    except (ChemoMechError, OSError, KeyboardInterrupt) as error:
        parts.recorder.frames.close()
        # Alone: nobody knows whether the other ranks failed as well. A folder that is gone, or a
        # full disk, must not hide the error itself.
        if parts.folder.comm.rank == 0 and parts.folder.path.is_dir():
            reason = f"failed: {error}" if str(error) else "interrupted"
            with suppress(OSError):
                path = parts.folder.path / PROVENANCE
                write_provenance(path, parts.provenance, MPI.COMM_SELF, reason)
        if isinstance(error, OSError):
            raise RecordsLostError(*error.args) from error
        if parts.folder.comm.size == 1:
            # Several ranks would have to agree on it.
            parts.recorder.close()
        raise


def _run_time_loop(
    config: Config, parts: PreparedRun, stop: StopRequest, comm: MPI.Comm, quiet: bool
) -> Ending:
    unit = "J/m" if parts.recorder.dimension == 2 else "J"
    with Progress(config.time.end, comm, quiet, energy_unit=unit) as progress:
        loop = TimeLoop(
            _create_plan(config, parts),
            parts.problem,
            parts.stepper,
            parts.recorder,
            parts.checkpointer,
            stop,
            progress,
            parts.progressed,
        )
        stop.begin()
        with explaining_failures(config, parts.problem):
            ending = loop.run()
        if ending.is_final and (config.output.pictures or config.output.movie):
            # Interrupted while it draws, a run need not be computed again.
            loop.checkpoint()
        progress.finish(f"{ending.message}: {loop.describe_steps()}")
    return ending


def _create_plan(config: Config, parts: PreparedRun) -> TimeLoopPlan:
    scale, checkpoint, noise = config.material.scales.time, config.checkpoint, config.noise
    return TimeLoopPlan(
        parts.timetable,
        config.time.end / scale,
        [time / scale for time in config.snapshot_times],
        _quiet_rate(config) * scale,
        config.time.stationary_rate != "off",
        scale,
        noise_interval=math.inf if noise is None else noise.interval / scale,
        noise_seed=0 if noise is None else noise.seed,
        checkpoint_interval=math.inf if checkpoint.interval == "off" else checkpoint.interval,
        checkpoint_steps=checkpoint.steps,
    )


def _finish(config: Config, parts: PreparedRun, ending: Ending, *, is_interrupted: bool) -> None:
    """Give files their final names and draw pictures; or say that the run is not over."""
    folder = parts.folder
    if not ending.is_final:
        write_provenance(folder.path / PROVENANCE, parts.provenance, folder.comm, ending.message)
        raise (InterruptedRunError if is_interrupted else StoppedEarly)(ending.message)
    for name in name_files(config):
        folder.finish(name)
    # On record before anything is drawn: a picture that fails does not unmake the run.
    write_provenance(folder.path / PROVENANCE, parts.provenance, folder.comm, ending.message)
    # Here: the first step need not wait for what draws the last.
    from chemomech.simulation.illustrating import illustrate

    try:
        if is_interrupted:
            raise KeyboardInterrupt
        illustrate(config, parts)
    except KeyboardInterrupt as error:
        raise InterruptedRunError(
            f"{ending.message}; interrupted while pictures are drawn: --restart draws them"
        ) from error
    # Last of all: while it is there, a restart completes what a killed run has not.
    folder.remove(RESTART)


def _quiet_rate(config: Config) -> float:
    """Rate of composition (1/s) below which a state may be stationary; with a schedule none is."""
    rate, width = config.time.stationary_rate, config.material.interface_width
    if config.schedule is not None:
        return 0.0
    if isinstance(rate, float):
        return rate
    if width is None:
        return 0.0
    return _STATIONARY * config.material.mobility.scale / width**2
