"""The pipelines behind the commands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from mpi4py import MPI

from chemomech.build import create_problem, create_stepper, find_unused_options
from chemomech.config import Config, format_config, write_config
from chemomech.errors import ChemoMechError, run_on_root
from chemomech.output.charts import write_ledger_chart
from chemomech.output.fields import SUFFIX
from chemomech.output.folder import RunFolder
from chemomech.output.illustration import write_illustrations
from chemomech.output.ledger import read_ledger
from chemomech.output.mesh_files import write_mesh_file
from chemomech.output.progress import Progress
from chemomech.output.provenance import Provenance, collect_provenance, write_provenance
from chemomech.particle import create_particle
from chemomech.recording import Recorder
from chemomech.solvers.time_stepping import Bdf2, Step
from chemomech.summary import summarise

_log = logging.getLogger(__name__)

#: Rate below which a pattern counts as stationary, in units of D / (interface width)^2.
STATIONARY = 1e-5


def simulate(config: Config, output: Path, comm: MPI.Comm, *, quiet: bool = False) -> str:
    """Simulate a configuration and leave its records in a new folder.

    Args:
        config: The configuration.
        output: Folder to create; refused if it holds anything.
        comm: Ranks that run the simulation.
        quiet: No progress line.

    Returns:
        How the run ended, in words.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        ConvergenceError: If a time step cannot be taken; what was recorded stays, under the names
            of unfinished files. So it does where the user interrupts.
    """
    RunFolder.require_unused(output, comm)
    particle = create_particle(config, comm)
    problem = create_problem(config, particle)
    stepper = create_stepper(config, problem)
    _warn_of_unused_options(config, comm)
    folder = RunFolder.create(output, comm)
    provenance = _write_beginnings(config, folder)
    names = ["ledger.csv", *([f"fields{SUFFIX}"] if config.output.fields else [])]
    try:
        recorder = Recorder(
            problem, particle, config.material.scales, *(folder.partial(name) for name in names)
        )
        ended = _march(config, stepper, recorder, comm, quiet)
    except (ChemoMechError, OSError, KeyboardInterrupt) as error:
        if comm.rank == 0:
            # Alone: nobody knows whether the other ranks failed as well.
            reason = f"failed: {error}" if str(error) else "interrupted"
            write_provenance(_provenance_file(folder), provenance, MPI.COMM_SELF, reason)
        raise
    recorder.close()
    for name in names:
        folder.finish(name)
    # On record before anything is drawn: a picture that fails does not unmake the run.
    write_provenance(_provenance_file(folder), provenance, comm, ended)
    _illustrate(config, folder, recorder)
    return ended


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
    return summarise(config, create_problem(config, particle))


def write_mesh(config: Config, path: Path, comm: MPI.Comm) -> None:
    """Mesh the particle and write the mesh with its facet groups to a file.

    Args:
        config: The configuration; only geometry and mesh size are used.
        path: File to create: ``.msh``, ``.xdmf``, ``.vtu`` or ``.bp``, coordinates in nanometres.
        comm: Ranks that share the mesh.

    Raises:
        InputError: If the particle cannot be meshed or the file's name cannot be used.
        OSError: If the file cannot be written.
    """
    write_mesh_file(create_particle(config, comm).domain, path)


def _provenance_file(folder: RunFolder) -> Path:
    return folder.path / "provenance.json"


def _warn_of_unused_options(config: Config, comm: MPI.Comm) -> None:
    unused = find_unused_options(config)
    if unused and comm.rank == 0:
        _log.warning("PETSc did not ask for these options of solver.petsc: %s", ", ".join(unused))


def _write_beginnings(config: Config, folder: RunFolder) -> Provenance:
    run_on_root(folder.comm, lambda: write_config(config, folder.path / "config.toml"))
    provenance = collect_provenance(folder.comm, format_config(config))
    write_provenance(_provenance_file(folder), provenance, folder.comm)
    return provenance


def _march(config: Config, stepper: Bdf2, recorder: Recorder, comm: MPI.Comm, quiet: bool) -> str:
    """Step to the end or to a stationary state, recording as it goes."""
    scales = config.material.scales
    unit = "J/m" if recorder.dimension == 2 else "J"
    threshold = _stationary_rate(config) * scales.time
    ended = f"reached the end time {config.time.end:g} s"
    row = recorder.record_step(Step(0, 0.0, 0.0, 0, 0, 0, 0.0, stepper.energies))
    recorder.record_snapshot(0.0)
    with Progress(config.time.end, comm, quiet, energy_unit=unit) as progress:
        for step, snapshot in _steps(stepper, [t / scales.time for t in config.snapshot_times]):
            row = recorder.record_step(step)
            stationary = step.rate < threshold
            if snapshot or stationary:
                recorder.record_snapshot(row.time_s)
            progress.update(
                row.time_s, row.step, row.dt_s, row.energy_total_J, row.domains, snapshot=snapshot
            )
            if stationary:
                ended = f"stationary at {row.time_s:g} s"
                break
        progress.finish(f"{ended}: {row.step} steps, {row.domains} Li-rich domains")
    return ended


def _steps(stepper: Bdf2, snapshots: list[float]) -> Iterator[tuple[Step, bool]]:
    """All steps to the last snapshot, each with whether it hit one."""
    for target in snapshots:
        while stepper.time < target:
            step = stepper.advance(target)
            yield step, stepper.time == target


def _stationary_rate(config: Config) -> float:
    """Rate of composition (1/s) below which the run ends."""
    rate = config.time.stationary_rate
    if rate == "off":
        return 0.0
    if rate != "auto":
        return rate
    width = config.material.interface_width
    if width is None:
        return 0.0
    return STATIONARY * config.material.mobility.diffusivity / width**2


def _illustrate(config: Config, folder: RunFolder, recorder: Recorder) -> None:
    wanted = config.output
    if wanted.pictures:
        folder.create_subfolder("pictures")
        chart = folder.partial("pictures/ledger.png")
        columns = run_on_root(folder.comm, lambda: read_ledger(folder.path / "ledger.csv"))
        run_on_root(folder.comm, lambda: write_ledger_chart(chart, columns))
        folder.finish("pictures/ledger.png")
    if wanted.pictures or wanted.movie:
        write_illustrations(
            folder, recorder.grid, recorder.frames, pictures=wanted.pictures, movie=wanted.movie
        )
