"""Time loop of a run: stages, snapshots, noise, checkpoints, and the reason it ends."""

from __future__ import annotations

import logging
import math
import time as clock
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mpi4py import MPI

from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.simulation.keeping import Checkpointer, Progressed
from chemomech.simulation.planning import TimeLoopPlan
from chemomech.simulation.recording import Recorder
from chemomech.simulation.stages import Position, Stage, create_events
from chemomech.simulation.stationarity import StationarityTest
from chemomech.solvers.events import Event
from chemomech.solvers.steps import Step
from chemomech.solvers.time_stepping import Bdf

_log = logging.getLogger(__name__)

#: Difference, relative to them, between times that are the same but for round-off.
_SAME_TIME = 1e-12


@dataclass(frozen=True)
class Ending:
    """Reason for the end of a time loop, for people, and whether there is nothing left to do."""

    message: str
    is_final: bool = True


class TimeLoop:
    """Time loop: step a problem through the stages of a plan and record it.

    Without a checkpointer none are written; without progress of an earlier run it begins at the
    beginning.

    Attributes:
        ending: Why and how it has ended; None while it goes on.
        snapshots: Number of snapshots recorded.
    """

    def __init__(
        self,
        plan: TimeLoopPlan,
        problem: ChemoMechanics,
        stepper: Bdf,
        recorder: Recorder,
        checkpointer: Checkpointer | None,
        progressed: Progressed | None = None,
    ) -> None:
        self._plan = plan
        self._problem = problem
        self._stepper = stepper
        self._recorder = recorder
        self._checkpointer = checkpointer
        self._comm: MPI.Comm = problem.domain.mesh.comm
        self._resumed = progressed is not None
        self.ending: Ending | None = None
        self.snapshots = 0 if progressed is None else progressed.snapshots
        self._noise = -1 if progressed is None else progressed.noise_interval
        self._position = Position(mean=problem.mean_composition())
        if progressed is not None:
            self._position = progressed.position
        watch = None if progressed is None else progressed.watch
        self._stationarity = StationarityTest(
            plan.quiet_rate, problem, watch, follows_mobility=plan.follows_mobility
        )
        self._last_checkpoint = (clock.monotonic(), stepper.number)
        self._last_snapshot = -math.inf

    def steps(self) -> Iterator[Mapping[str, float]]:
        """Step until the end, when `ending` says why; yield each step's ledger line; collective."""
        timetable = self._plan.timetable
        position: Position | None = self._position
        while position is not None:
            self._position = position
            if not self._resumed:
                self._begin_stage(timetable.stage(position))
            self._resumed = False
            if not position.over:
                yield from self._run_stage(timetable.stage(position))
            if self.ending is not None:
                return
            position = timetable.next_position(
                self._position,
                self._stepper.time,
                self._released(),
                self._problem.mean_composition(),
            )
        self.ending = self._finish_schedule()

    def stop(self, reason: str) -> None:
        """End after the present step, with a checkpoint for a restart to go on from; collective."""
        if self._checkpointer is None:
            self.ending = Ending(f"{reason} at {self._seconds():g} s, without a checkpoint", False)
            return
        self.checkpoint()
        self.ending = Ending(f"{reason} at {self._seconds():g} s; --restart continues it", False)

    def end(self, reason: str) -> None:
        """End after the present step for good, with a snapshot of it; collective."""
        if self._stepper.time > self._last_snapshot:
            self._record_snapshot(self._stepper.time)
        self.ending = Ending(f"{reason} at {self._seconds():g} s")

    def _begin_stage(self, stage: Stage) -> None:
        if stage.drive is not None:
            self._problem.surface.hold(stage.drive)
            self._stepper.reset_history()
        beginning = self._stepper.number == 0
        if beginning or stage.drive is not None:
            self._record_step(self._stepper.present(), has_snapshot=beginning)
        if beginning:
            self._record_snapshot(self._stepper.time, has_line=True)
            self.checkpoint()

    def _run_stage(self, stage: Stage) -> Iterator[Mapping[str, float]]:
        """Step to the end of a stage, or of the run where it ends with it or before."""
        events = create_events(stage.cut_offs, self._problem, self._position)
        end = self._position.began + stage.duration
        over = self._skip_if_met(stage, events)
        while not over:
            self._draw_noise()
            before = self._stepper.time
            self._stepper.longest = self._stationarity.longest
            step = self._stepper.advance(self._next_target(end), events)
            over = step.event is not None or step.time >= end
            ending = self._find_end(step)
            if over:
                self._position = self._position.end_stage()
            line = self._record(before, step, snapshot=over or ending is not None)
            self.ending = ending
            yield line
            if self.ending is not None:
                return
            if self._is_checkpoint_due():
                self.checkpoint()

    def _skip_if_met(self, stage: Stage, events: Sequence[Event]) -> bool:
        """Skip a stage whose cut-off is met as it begins, with a warning; collective."""
        met = [
            cut_off.quantity.value
            for cut_off, event in zip(stage.cut_offs, events, strict=True)
            if event() >= 0.0
        ]
        if not met:
            return False
        self._position = self._position.end_stage(skipped=True)
        if self._comm.rank == 0:
            _log.warning(
                "schedule.step.%d is skipped in cycle %d, at %g s: as it begins, its cut-off (%s) "
                "is met already",
                self._position.stage - 1,
                self._position.cycle,
                self._seconds(),
                ", ".join(met),
            )
        return True

    def _finish_schedule(self) -> Ending:
        message = f"finished the schedule at {self._seconds():g} s"
        skipped = self._position.skipped
        if skipped:
            steps = "1 step" if skipped == 1 else f"{skipped} steps"
            message += f"; {steps} skipped, the cut-off met from the start"
        return Ending(message)

    def _find_end(self, step: Step) -> Ending | None:
        if step.time >= self._plan.end:
            return Ending(f"reached the end time {self._plan.end * self._plan.time_scale:g} s")
        reason = self._stationarity.update(step)
        if reason is not None and self._plan.ends_stationary:
            return Ending(f"stationary at {self._seconds():g} s: {reason}")
        return None

    def _next_target(self, end: float) -> float:
        """Find the nearest time at which a step must land; for a picture none must."""
        noise = math.inf
        if self._problem.noise is not None:
            noise = (self._noise + 1) * self._plan.noise_interval
        return min(noise, end, self._plan.end)

    def _draw_noise(self) -> None:
        """Begin a new interval of noise where the last one has ended."""
        noise, length = self._problem.noise, self._plan.noise_interval
        if noise is not None and self._stepper.time >= (self._noise + 1) * length:
            self._noise += 1
            noise.draw(self._plan.noise_seed, self._noise, length)

    def _record(self, before: float, step: Step, *, snapshot: bool) -> Mapping[str, float]:
        """Record a step, after the snapshots due since the time before it."""
        begin, end = (
            bisect_right(self._plan.snapshots, time * (1 + _SAME_TIME))
            for time in (before, step.time)
        )
        for time in self._plan.snapshots[begin:end]:
            if time >= step.time * (1 - _SAME_TIME):
                snapshot = True
                continue
            with self._stepper.interpolate(time):
                self._record_snapshot(time)
        seen = snapshot or end > begin
        line = self._record_step(step, has_snapshot=seen)
        if snapshot:
            self._record_snapshot(step.time, has_line=True)
        return line

    def _record_step(self, step: Step, *, has_snapshot: bool) -> Mapping[str, float]:
        return self._recorder.record_step(step, self._position, has_snapshot=has_snapshot)

    def _record_snapshot(self, time: float, *, has_line: bool = False) -> None:
        seconds = time * self._plan.time_scale
        if self._checkpointer is not None:
            self._checkpointer.write_snapshot(self.snapshots, seconds)
        self._recorder.record_snapshot(seconds, has_line=has_line)
        self.snapshots += 1
        self._last_snapshot = time

    def _is_checkpoint_due(self) -> bool:
        """Tell if it is time for a checkpoint; collective, as clocks differ."""
        if self._checkpointer is None:
            return False
        then, number = self._last_checkpoint
        steps = self._plan.checkpoint_steps
        if steps is not None and self._stepper.number - number >= steps:
            return True
        late = clock.monotonic() - then >= self._plan.checkpoint_interval
        return bool(self._comm.bcast(late))

    def checkpoint(self) -> None:
        """Write a checkpoint, if they are kept; collective."""
        if self._checkpointer is None:
            return
        progressed = Progressed(
            self._position,
            self._recorder.synchronise(),
            self.snapshots,
            self._noise,
            self._stationarity.watch,
        )
        self._checkpointer.write(self._stepper.memory, progressed)
        self._last_checkpoint = (clock.monotonic(), self._stepper.number)

    def _seconds(self) -> float:
        return self._stepper.time * self._plan.time_scale

    def _released(self) -> float:
        return self._stepper.present().released["c"]
