"""From states in the solver's units to the records of a run in SI units."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from chemomech.output.domains import count_domains
from chemomech.output.fields import FieldWriter
from chemomech.output.illustration import Frame
from chemomech.output.ledger import Ledger, LedgerRow
from chemomech.output.snapshots import Gatherer
from chemomech.particle import Particle
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.observables import StressFields
from chemomech.simulation.stages import Position
from chemomech.simulation.surface_recording import SurfaceRecorder
from chemomech.solvers.steps import Step
from chemomech.units import Scales


@dataclass(frozen=True)
class Continuation:
    """Where the records of an earlier run are gone on with.

    Args:
        lines: Lines of the ledger that count.
        wall_s: Wall time spent until then.
        initial_mean: Mean composition with which the run began.
    """

    lines: int
    wall_s: float
    initial_mean: float


class Recorder:
    """Write a ledger line for every step, and fields and frames for every snapshot.

    Args:
        problem: Problem whose state is recorded.
        particle: The meshed particle.
        scales: Factors from the problem's units to SI.
        ledger_path: Ledger file to create.
        fields_path: Field file to create, or None for none.
        reference_voltage: Voltage against Li/Li+ at mu_res = 0 (V), for what reacts.
        continuation: Go on with the ledger of an earlier run; None creates it.

    Attributes:
        initial_mean: Mean composition with which the run began.
        dimension: Dimension of space: energies are per metre of depth where it is 2.
        frames: Snapshots on rank 0: the composition of each, all fields of the latest.
        grid: The whole mesh on rank 0, None elsewhere.
    """

    def __init__(
        self,
        problem: ChemoMechanics,
        particle: Particle,
        scales: Scales,
        ledger_path: Path,
        fields_path: Path | None = None,
        *,
        reference_voltage: float | None = None,
        continuation: Continuation | None = None,
    ) -> None:
        self._problem = problem
        self._scales = scales
        mesh = particle.domain.mesh
        self._comm: MPI.Comm = mesh.comm
        self.dimension = mesh.geometry.dim
        former = continuation or Continuation(0, 0.0, problem.mean_composition())
        self._started = clock.monotonic() - former.wall_s
        self.initial_mean = former.initial_mean
        self._gatherer = Gatherer(mesh)
        self.grid = self._gatherer.grid
        self._edges = None if self.grid is None else self.grid.edges
        self.frames: list[Frame] = []
        self._create_fields(particle)
        self._surface = (
            None
            if problem.surface.reservoir is None
            else SurfaceRecorder(problem, scales, self._stress, reference_voltage)
        )
        self._ledger = Ledger(
            ledger_path,
            self.dimension,
            self._comm,
            reacting=self._surface is not None,
            keep=None if continuation is None else continuation.lines,
        )
        self._writer = None if fields_path is None else FieldWriter(fields_path, self._fields)

    def record_step(self, step: Step, position: Position) -> LedgerRow:
        """Write one line of the ledger; collective.

        Args:
            step: The step that led to the present state; number 0 is the initial state.
            position: Where in its schedule the run is.

        Returns:
            The line.
        """
        if self._stress is not None:
            self._stress.update()
        row = self._create_row(step)
        reaction = None if self._surface is None else self._surface.create_row(step, position)
        self._ledger.write(row, reaction)
        return row

    def synchronise(self) -> Continuation:
        """Make sure that the ledger outlives the machine; collective.

        Returns:
            What a later run needs to go on from here.
        """
        self._ledger.synchronise()
        wall = self._comm.bcast(clock.monotonic() - self._started)
        return Continuation(self._ledger.lines, wall, self.initial_mean)

    def record_snapshot(self, time_s: float) -> None:
        """Write fields of the present state and keep a frame; collective.

        Args:
            time_s: Time in seconds.
        """
        self._update_fields()
        if self._writer is not None:
            self._writer.write(time_s)
        values = {field.name: self._gatherer.gather(field) for field in self._fields}
        if self.grid is None:
            return
        single = {
            name: array.astype(np.float32) for name, array in values.items() if array is not None
        }
        if self.frames:
            # Only the composition is filmed; of the other fields the latest is enough.
            previous = self.frames[-1]
            kept = {"composition": previous.values["composition"]}
            self.frames[-1] = Frame(previous.time_s, kept)
        self.frames.append(Frame(time_s, single))

    def close(self) -> None:
        """Close all files; collective."""
        self._ledger.close()
        if self._writer is not None:
            self._writer.close()

    def _create_fields(self, particle: Particle) -> None:
        problem = self._problem
        space = problem.c.function_space
        self._composition = fem.Function(space, name="composition")
        self._potential = fem.Function(space, name="chemical_potential")
        self._displacement: fem.Function | None = None
        self._stress: StressFields | None = None
        self._fields = [self._composition, self._potential]
        if problem.u is None:
            return
        self._displacement = fem.Function(problem.u.function_space, name="displacement")
        self._stress = StressFields(problem.stress(), space, self._scales.stress, particle.tangent)
        self._fields += [self._displacement, *self._stress.fields]

    def _update_fields(self) -> None:
        problem = self._problem
        self._composition.x.array[:] = problem.c.x.array
        self._potential.x.array[:] = self._scales.chemical_potential * problem.mu.x.array
        if self._displacement is not None and problem.u is not None:
            # Mesh coordinates are in the same unit, so that ParaView warps by this vector as it is.
            self._displacement.x.array[:] = problem.u.x.array
        if self._stress is not None:
            self._stress.update()

    def _create_row(self, step: Step) -> LedgerRow:
        problem, scales = self._problem, self._scales
        unit = scales.energy(self.dimension)
        mean = problem.mean_composition()
        expected = self.initial_mean - step.released / problem.volume
        values = problem.c.x.array[: problem.c.function_space.dofmap.index_map.size_local]
        return LedgerRow(
            step=step.number,
            time_s=step.time * scales.time,
            dt_s=step.size * scales.time,
            rejected=step.rejected,
            newton_iterations=step.newton_iterations,
            krylov_iterations=step.linear_iterations,
            lithium_mean=mean,
            lithium_balance_error=mean - expected,
            energy_chemical_J=step.energies["chemical"] * unit,
            energy_gradient_J=step.energies["gradient"] * unit,
            energy_elastic_J=step.energies.get("elastic", 0.0) * unit,
            energy_total_J=sum(step.energies.values()) * unit,
            c_min=self._comm.allreduce(float(values.min(initial=np.inf)), op=MPI.MIN),
            c_max=self._comm.allreduce(float(values.max(initial=-np.inf)), op=MPI.MAX),
            von_mises_max_Pa=0.0 if self._stress is None else self._stress.max_von_mises(),
            domains=self._count_domains(),
            wall_s=clock.monotonic() - self._started,
        )

    def _count_domains(self) -> int:
        """Number of Li-rich regions, known on rank 0 only (0 elsewhere); collective."""
        values = self._gatherer.gather(self._problem.c)
        if values is None or self._edges is None:
            return 0
        return count_domains(self._edges, values).total
