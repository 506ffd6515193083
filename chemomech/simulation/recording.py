"""Record a run in SI units: a line of the ledger for every step, fields for every snapshot."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.errors import run_on_root
from chemomech.models.particle import Particle
from chemomech.output.fields import FieldWriter
from chemomech.output.frames import FrameFile
from chemomech.output.ledger import Ledger, MemoryLedger
from chemomech.output.snapshot_grid import SnapshotGrid
from chemomech.output.snapshots import Gatherer
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.observables import Observable
from chemomech.problems.stress_fields import StressFields
from chemomech.simulation.observables import (
    RecordedStep,
    list_observables,
    list_surface_observables,
)
from chemomech.simulation.stages import Position
from chemomech.solvers.steps import Step
from chemomech.units import Scales


@dataclass(frozen=True)
class ResumePoint:
    """Position in the records of an earlier run from which a restart goes on.

    It is the number of the ledger's lines that count, the wall time (s) spent until then, and the
    mean composition with which the run began.
    """

    lines: int
    wall_s: float
    initial_mean: float


class Recorder:
    """Write a ledger line for every step, and fields and a frame for every snapshot.

    The ledger's columns are the package's own and, after them, `problem.observables`.

    Args:
        problem: Problem whose state is recorded.
        particle: The meshed particle.
        scales: Factors from the problem's units to SI.
        ledger_path: Ledger file to create; None keeps the ledger in memory.
        fields_path: Field file to create, or None for none.
        reference_voltage: Voltage against Li/Li+ at mu_res = 0 (V), for what reacts.
        resume_point: Go on with the ledger of an earlier run; None creates it.
        is_illustrated: Whether frames are kept, on rank 0, for pictures or a film.
        threshold: Composition above which a place belongs to a Li-rich region.
    """

    def __init__(
        self,
        problem: ChemoMechanics,
        particle: Particle,
        scales: Scales,
        ledger_path: Path | None = None,
        fields_path: Path | None = None,
        *,
        reference_voltage: float | None = None,
        resume_point: ResumePoint | None = None,
        is_illustrated: bool = True,
        threshold: float = 0.5,
    ) -> None:
        self._problem = problem
        self._scales = scales
        mesh = particle.domain.mesh
        self._comm: MPI.Comm = mesh.comm
        self.dimension = mesh.geometry.dim
        former = resume_point or ResumePoint(0, 0.0, problem.mean_composition())
        self._started = clock.monotonic() - former.wall_s
        self.initial_mean = former.initial_mean
        self._has_frames = is_illustrated
        self.frames = FrameFile(None if ledger_path is None else ledger_path.parent)
        self._create_fields(particle)
        self._observables = self._list_observables(reference_voltage, threshold)
        names = [observable.name for observable in self._observables]
        keep = None if resume_point is None else resume_point.lines
        self.ledger = (
            MemoryLedger(names)
            if ledger_path is None
            else Ledger(ledger_path, names, self._comm, keep=keep)
        )
        self._writer = None if fields_path is None else FieldWriter(fields_path, self._fields)

    def record_step(
        self, step: Step, position: Position, *, has_snapshot: bool = False
    ) -> Mapping[str, float]:
        """Write one line of the ledger and return its values by column; collective.

        The step led to the present state, number 0 is the initial one; ``has_snapshot`` tells that
        a snapshot is recorded at it or since the one before.
        """
        if self._stress is not None:
            self._stress.update_invariants()
        self._moment.step, self._moment.position = step, position
        self._moment.mean = self._problem.mean_composition()
        line = {
            observable.name: observable.compute()
            if has_snapshot or observable.at == "step"
            else math.nan
            for observable in self._observables
        }
        self.ledger.write(list(line.values()))
        return line

    def synchronise(self) -> ResumePoint:
        """Make the ledger outlive the machine; return what a later run goes on from; collective."""
        self.ledger.synchronise()
        wall = self._comm.bcast(clock.monotonic() - self._started)
        return ResumePoint(self.ledger.lines, wall, self.initial_mean)

    def record_snapshot(self, time_s: float, *, has_line: bool = False) -> None:
        """Write fields of the present state at a time (s) and keep a frame; collective.

        ``has_line``: the line of this very state was just written, so that its stress is known
        already.
        """
        self.update_fields(has_line=has_line)
        if self._writer is not None:
            self._writer.write(time_s)
        if not self._has_frames:
            return
        values = self._gatherer.gather(self._composition)

        def append() -> None:
            assert values is not None
            self.frames.append(time_s, values)

        run_on_root(self._comm, append)

    def update_fields(self, *, has_line: bool = False) -> Mapping[str, fem.Function]:
        """Compute the recorded fields of the present state in SI units, displacements in nm.

        They are returned by name. Collective; for ``has_line`` see `record_snapshot`.
        """
        problem = self._problem
        self._composition.x.array[:] = problem.c.x.array
        self._potential.x.array[:] = self._scales.chemical_potential * problem.mu.x.array
        if self._displacement is not None and problem.u is not None:
            # Mesh coordinates are in the same unit, so that ParaView warps by this vector as it is.
            self._displacement.x.array[:] = problem.u.x.array
        if self._stress is not None:
            if not has_line:
                self._stress.update_invariants()
            self._stress.update_components()
        return {str(field.name): field for field in self._fields}

    def gather_latest(self) -> tuple[SnapshotGrid | None, Mapping[str, NDArray[np.float64]]]:
        """Bring mesh (nm) and nodal values, as last brought up to date, to rank 0; collective.

        Other ranks get None and nothing.
        """
        values = {field.name: self._gatherer.gather(field) for field in self._fields}
        return self._gatherer.grid, {k: v for k, v in values.items() if v is not None}

    def close(self) -> None:
        """Close the ledger and the file of fields, not the frames; collective."""
        self.ledger.close()
        if self._writer is not None:
            self._writer.close()

    @cached_property
    def _gatherer(self) -> Gatherer:
        return Gatherer(self._composition.function_space.mesh)

    def _list_observables(
        self, reference_voltage: float | None, threshold: float
    ) -> list[Observable]:
        problem, scales, stress = self._problem, self._scales, self._stress
        nothing = Step(0, 0.0, 0.0, 0, 0, 0, 0.0, {}, {"c": 0.0})
        self._moment = RecordedStep(nothing, Position(), self.initial_mean)
        listed = list_observables(
            problem,
            scales,
            stress,
            self._moment,
            self.initial_mean,
            self._started,
            threshold,
        )
        if problem.surface.reservoir is not None:
            listed += list_surface_observables(
                problem, scales, stress, self._moment, reference_voltage
            )
        return [*listed, *problem.observables]

    def _create_fields(self, particle: Particle) -> None:
        problem = self._problem
        space = problem.c.function_space
        self._composition = fem.Function(space, name="composition")
        self._potential = fem.Function(space, name="chemical_potential")
        self._displacement: fem.Function | None = None
        self._stress: StressFields | None = None
        self._fields = [self._composition, self._potential, *problem.recorded]
        if problem.u is None:
            return
        self._displacement = fem.Function(problem.u.function_space, name="displacement")
        self._stress = StressFields(problem.stress(), space, self._scales.stress, particle.tangent)
        self._fields += [self._displacement, *self._stress.fields]
