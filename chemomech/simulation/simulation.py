"""Simulate a particle, step by step or to its end, with records or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dolfinx import fem
from mpi4py import MPI

from chemomech.config import Config
from chemomech.errors import (
    AlreadyEnded,
    ChemoMechError,
    InputError,
    InterruptedRunError,
    RecordsLostError,
    StoppedEarly,
)
from chemomech.models.building import create_problem
from chemomech.output.context import Context
from chemomech.output.folder_lock import FolderLock
from chemomech.output.ledger import Columns, MemoryLedger, name_column
from chemomech.output.progress import Progress
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.parameters import Parameters
from chemomech.simulation.failing import explaining_failures
from chemomech.simulation.interruption import StopRequest
from chemomech.simulation.preparation import ProblemFactory, prepare
from chemomech.simulation.restarting import RESTART, find_restart
from chemomech.simulation.time_loop import Ending, TimeLoop

if TYPE_CHECKING:
    import pyvista

Hook = Callable[["Simulation"], object]


class Simulation(Context):
    """A particle's simulation: its model, its state, and what it records.

        simulation = chemomech.Simulation(config, MPI.COMM_WORLD)
        simulation.run()
        print(simulation.ledger["energy_total_J_per_m"])

    With an output folder it leaves the records that ``chemomech run`` leaves: configuration,
    ledger, fields, checkpoints, pictures, film and provenance. Without one it writes nothing, and
    its ledger is in memory. Use it as a context where there is a folder, which it holds.

    Args:
        config: The configuration.
        comm: Ranks that run it; all methods are collective.
        output: Folder to create; refused if it holds anything, unless ``restart``. None writes
            nothing.
        restart: Go on from the last good checkpoint in the folder; begin at the beginning where the
            folder holds no records.
        accept_changes: Restart although the configuration differs from the checkpoint's.
        create: Makes the problem of a configuration and its meshed particle: one of your own may
            add processes, observables and functions to record. A restart needs the same.
        after_step: Functions of the simulation, called on all ranks after each recorded step.

    Attributes:
        config: The configuration.
        model: The problem: unknowns, forms and laws, in the units of ``config.material.scales``.
        latest: Line of the ledger of the last step: values by column; empty before the first.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        ConvergenceError: If the initial state cannot be made consistent.
        AlreadyEnded: If ``restart`` finds that nothing of the run is left to do.
    """

    def __init__(
        self,
        config: Config,
        comm: MPI.Comm,
        output: Path | str | None = None,
        *,
        restart: bool = False,
        accept_changes: bool = False,
        create: ProblemFactory = create_problem,
        after_step: Sequence[Hook] = (),
    ) -> None:
        self.config = config
        self._comm = comm
        self._hooks = after_step
        self.latest: Mapping[str, float] = {}
        folder = None if output is None else Path(output)
        if restart and folder is None:
            raise InputError("needs the folder of a run", key="restart")
        with ExitStack() as resources:
            former = None
            if folder is not None:
                resources.enter_context(FolderLock(folder, comm, is_new=not restart))
                if restart:
                    former = find_restart(config, folder, comm, accept_changes=accept_changes)
                    if former.ended is not None and former.state is None:
                        raise AlreadyEnded(former.ended)
            self._run = prepare(config, folder, comm, former, create)
            resources.enter_context(self._run.recorder.frames)
            self._resources = resources.pop_all()
        self.model: ChemoMechanics = self._run.problem
        self._loop = TimeLoop(
            self._run.plan,
            self.model,
            self._run.stepper,
            self._run.recorder,
            self._run.checkpointer,
            self._run.progressed,
        )
        if former is not None and former.ended is not None:
            self._loop.ending = Ending(former.ended)
        self._steps = self._loop.steps()
        self._is_complete = False
        self._is_sound = self._can_close = True

    @property
    def ending(self) -> str | None:
        """The reason for its end, in words; None while it goes on."""
        return None if self._loop.ending is None else self._loop.ending.message

    @property
    def time(self) -> float:
        """Present time (s)."""
        return self._run.stepper.time * self.config.material.scales.time

    @property
    def parameters(self) -> Parameters:
        """Numbers of the laws by dotted name, in SI units.

        One that is set holds from the next step on; the provenance notes it, and a restart sets it
        again.
        """
        return self.model.parameters

    @property
    def ledger(self) -> Columns:
        """Ledger so far: one array by column, a value for each step."""
        if self._run.record is not None:
            return self._run.record.read_ledger()
        ledger = self._run.recorder.ledger
        assert isinstance(ledger, MemoryLedger)
        return ledger.read()

    def fields(self) -> Mapping[str, fem.Function]:
        """Compute the fields of the present state by name.

        Returns:
            Composition, chemical potential (J/mol), displacement (nm), stresses (Pa) and what else
            the model records; the functions are overwritten by the next call.
        """
        return self._run.recorder.update_fields()

    def create_grid(self) -> pyvista.UnstructuredGrid | None:
        """Bring mesh and present fields to rank 0 as a PyVista grid, coordinates in nm.

            simulation.create_grid().plot(scalars="composition", cpos="xy")

        Returns:
            The grid with the fields of `fields` at its points; None on other ranks.
        """
        # Here: the first step need not wait for what draws.
        from chemomech.drawing.scene import create_pyvista_grid

        self.fields()
        grid, values = self._run.recorder.gather_latest()
        return None if grid is None else create_pyvista_grid(grid, values)

    def step(self) -> Mapping[str, float] | None:
        """Take a time step and record it; the one that ends the simulation completes its records.

        Returns:
            The ledger's line of the step; None if it has ended.

        Raises:
            ConvergenceError: If the step cannot be taken; nor can any further one then.
            RecordsLostError: If it cannot be recorded.
            InputError: If the simulation has failed before, or is closed.
        """
        with self._noting_failure():
            line = self._advance()
            if self._loop.ending is not None and self._can_close:
                self._end_records()
        if self._loop.ending is not None:
            self._complete(self._loop.ending, is_interrupted=False)
        return line

    def run(self, *, quiet: bool = False, stop: StopRequest | None = None) -> str:
        """Step to the end; with a folder, draw pictures and film then.

        SIGTERM, SIGUSR1, Ctrl-C and ``checkpoint.wall_limit`` stop it after the present step.

        Args:
            quiet: No progress line.
            stop: Requests to stop, heard from before on; None listens while this runs.

        Returns:
            How it ended, in words.

        Raises:
            ConvergenceError: If a step cannot be taken; what was recorded stays, under the names of
                unfinished files.
            StoppedEarly: If it was asked to stop; a restart goes on.
        """
        limit = self.config.checkpoint.wall_limit
        with stop or StopRequest(self._comm, limit) as request, self._noting_failure():
            if self._loop.ending is None:
                self._step_to_end(request, quiet=quiet)
            if self._can_close:
                self._end_records()
            request.ask()
        ending = self._loop.ending
        assert ending is not None
        self._complete(ending, is_interrupted=request.is_interrupted)
        return ending.message

    def end(self, reason: str) -> None:
        """End after the present step: for a function called after it, or between two steps.

        Args:
            reason: Why, in words; the same on all ranks.
        """
        self._loop.end(reason)

    def close(self) -> None:
        """Release folder, files and PETSc's objects; no step can be taken any more.

        Where there is a folder, a simulation that has not ended can be gone on with by ``restart``.
        """
        if self._is_sound and self.latest and self._loop.ending is None:
            self._loop.checkpoint()
        if self._can_close:
            self._end_records()
        else:
            with suppress(OSError):
                self._run.recorder.ledger.close()
        if self._is_sound or self._comm.size == 1:
            self._run.stepper.close()
        self._resources.close()
        self._is_sound = False

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self._is_sound = False
            # Other ranks may not have failed, and would have to agree on it.
            self._can_close = self._can_close and self._comm.size == 1
        self.close()

    def _advance(self) -> Mapping[str, float] | None:
        """Take a step, record it and call the hooks; None if there is none to take."""
        if self._loop.ending is not None:
            return None
        if not self._is_sound:
            raise InputError("the simulation has failed or is closed; restart it or make a new one")
        self._note_changes()
        with explaining_failures(self.config, self.model):
            line = next(self._steps, None)
        if line is not None:
            self.latest = line
            for hook in self._hooks:
                hook(self)
        return line

    def _step_to_end(self, stop: StopRequest, *, quiet: bool) -> None:
        dimension = self._run.recorder.dimension
        unit = "J/m" if dimension == 2 else "J"
        energy = name_column("energy_total_J", dimension)
        domains = 0
        with Progress(self.config.time.end, self._comm, quiet, energy_unit=unit) as progress:
            stop.begin()
            snapshots = self._loop.snapshots
            while (line := self._advance()) is not None:
                domains = int(line["domains"])
                progress.update(
                    line["time_s"], int(line["step"]), line["dt_s"], line[energy], domains,
                    snapshot=self._loop.snapshots > snapshots,
                )  # fmt: skip
                snapshots = self._loop.snapshots
                if self._loop.ending is None and (reason := stop.ask()) is not None:
                    self._loop.stop(reason)
            ending = self._loop.ending
            assert ending is not None
            if ending.is_final and (self.config.output.pictures or self.config.output.movie):
                # Interrupted while it draws, a run need not be computed again.
                self._loop.checkpoint()
            steps = self._run.stepper.number
            progress.finish(f"{ending.message}: {steps} steps, {domains} Li-rich domains")

    def _note_changes(self) -> None:
        """Begin the history anew after a parameter was set, and note it in the provenance."""
        changes = self.parameters.take_changes()
        if not changes:
            return
        self._run.stepper.reset_history()
        if self._run.record is not None:
            self._run.record.note_changes(self.time, changes)

    def _end_records(self) -> None:
        self._run.recorder.close()
        self._can_close = False

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        """Note in the provenance how a run broke off."""
        try:
            yield
        except (ChemoMechError, OSError, KeyboardInterrupt) as error:
            if not self._is_sound:
                raise
            self._is_sound = False
            self._can_close = self._comm.size == 1 and not isinstance(error, OSError)
            self._run.recorder.frames.close()
            if self._run.record is not None:
                self._run.record.note_failure(error)
            if isinstance(error, OSError):
                raise RecordsLostError(*error.args) from error
            raise

    def _complete(self, ending: Ending, *, is_interrupted: bool) -> None:
        """Give files their final names and draw pictures; or say that the run is not over."""
        if self._is_complete:
            return
        self._is_complete = True
        record = self._run.record
        if not ending.is_final:
            if record is not None:
                record.note_ending(ending.message)
            raise (InterruptedRunError if is_interrupted else StoppedEarly)(ending.message)
        if record is None:
            return
        record.finish_files()
        # On record before anything is drawn: a picture that fails does not unmake the run.
        record.note_ending(ending.message)
        try:
            if is_interrupted:
                raise KeyboardInterrupt
            self._illustrate()
        except KeyboardInterrupt as error:
            raise InterruptedRunError(
                f"{ending.message}; interrupted while pictures are drawn: --restart draws them"
            ) from error
        # Last of all: while it is there, a restart completes what a killed run has not.
        record.folder.remove(RESTART)

    def _illustrate(self) -> None:
        # Here: the first step need not wait for what draws the last.
        from chemomech.simulation.illustrating import illustrate

        illustrate(self.config, self._run)
