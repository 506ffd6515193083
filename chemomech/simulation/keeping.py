"""What a run writes down to outlive its end, and how another run takes it up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from chemomech.errors import InputError
from chemomech.geometry.partition import collect_owners
from chemomech.output.checkpoints import CheckpointStore, StoredState
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.simulation.recording import ResumePoint
from chemomech.simulation.stages import Position
from chemomech.simulation.stationarity import Watch
from chemomech.solvers.cahn_hilliard_schur import SchurMemory
from chemomech.solvers.history import History
from chemomech.solvers.steps import Memory

Array = NDArray[np.float64]

#: Version of the records; another one is refused.
FORMAT = 3


@dataclass(frozen=True)
class Identity:
    """What a state must share with the run that takes it up.

    Args:
        config: The configuration as nested tables, every default spelled out.
        mesh: Fingerprint of the mesh.
    """

    config: Mapping[str, object]
    mesh: str


@dataclass(frozen=True)
class Progressed:
    """How far the pipeline around the stepper has come.

    Args:
        position: Where in its schedule the run is.
        records: What of the ledger counts.
        snapshots: Number of snapshots recorded.
        noise_interval: Number of the present interval of thermal noise; -1 without.
        watch: Stretch of steps over which little has moved; None where much has.
    """

    position: Position
    records: ResumePoint
    snapshots: int
    noise_interval: int
    watch: Watch | None = None


class Checkpointer:
    """Write a run's memory into two stores and read it back.

    Checkpoints hold all that determines the future; of them the newest are kept. Snapshots hold the
    unknowns at each time that was recorded: from them a later run writes one field file and one
    film over the whole time.

    Args:
        folder: Folder for both, made where it is missing.
        problem: The problem whose states are kept.
        identity: What a later run must share.
        keep: Number of checkpoints kept.
    """

    def __init__(
        self, folder: Path, problem: ChemoMechanics, identity: Identity, keep: int = 2
    ) -> None:
        self._problem = problem
        self._identity = identity
        comm = problem.domain.mesh.comm
        self._checkpoints = CheckpointStore(folder / "checkpoints", comm, keep)
        self._snapshots = CheckpointStore(folder / "snapshots", comm, None)
        owners = collect_owners(problem.domain.mesh)
        self._arrays = None if owners is None else {"owners": owners}
        self._ranks = comm.size

    def write(self, memory: Memory, progressed: Progressed) -> None:
        """Write a checkpoint; collective.

        Args:
            memory: The stepper's.
            progressed: The pipeline's.

        Raises:
            OSError: It cannot be written; older ones are as they were; on every rank.
        """
        history = memory.history
        record = {
            "format": FORMAT,
            "config": self._identity.config,
            "mesh": self._identity.mesh,
            "ranks": self._ranks,
            "unknowns": [unknown.name for unknown in self._problem.unknowns],
            "uniform": {
                unknown.name: [float(state[index][0]) for state in history.states]
                for index, unknown in self._uniform()
            },
            "stepper": {
                "number": memory.number,
                "times": history.times,
                "released": history.released,
                "last_size": None if math.isinf(memory.last_size) else memory.last_size,
                "proposal": memory.proposal,
                "first_proposal": memory.first_proposal,
                "solver": _describe(memory.solver),
            },
            "position": asdict(progressed.position),
            "records": asdict(progressed.records),
            "snapshots": progressed.snapshots,
            "noise_interval": progressed.noise_interval,
            "watch": None if progressed.watch is None else asdict(progressed.watch),
        }
        functions = self._create_functions(len(history.times))
        for name, (index, level) in self._fields(len(history.times)).items():
            functions[name].x.array[:] = history.states[level][index]
        functions["rate"].x.array[:] = history.rate
        if memory.solver is not None:
            functions.update(self._create_preconditioned())
            functions["built_composition"].x.array[:] = memory.solver.composition
            curvature = functions["built_curvature"].x.array
            curvature[: len(memory.solver.curvature)] = memory.solver.curvature
        if self._problem.noise is not None:
            functions["noise_start"] = self._problem.noise.start
        self._checkpoints.write(memory.number, functions, record, self._arrays)

    def write_snapshot(self, number: int, time_s: float) -> None:
        """Write the unknowns at a time that is recorded; collective.

        Args:
            number: Number of the snapshot, from 0.
            time_s: Its time in seconds.

        Raises:
            OSError: It cannot be written; on every rank.
        """
        problem = self._problem
        uniform = {unknown.name: float(unknown.x.array[0]) for _, unknown in self._uniform()}
        blocks = problem.uniform_blocks
        functions = {u.name: u for i, u in enumerate(problem.unknowns) if i not in blocks}
        record = {"time_s": time_s, "uniform": uniform}
        self._snapshots.write(number, functions, record)

    def read_snapshot(self, number: int) -> float:
        """Load a snapshot into the problem's unknowns; collective.

        Args:
            number: Number of the snapshot.

        Returns:
            Its time in seconds.

        Raises:
            InputError: It is missing or damaged; on every rank.
        """
        state = self._snapshots.get(number)
        problem, blocks = self._problem, self._problem.uniform_blocks
        state.read_functions({u.name: u for i, u in enumerate(problem.unknowns) if i not in blocks})
        for _, unknown in self._uniform():
            unknown.x.array[:] = state.record["uniform"][unknown.name]
        return float(state.record["time_s"])

    def discard_snapshots(self, count: int) -> None:
        """Forget the snapshots that a checkpoint does not know of; collective."""
        self._snapshots.discard_after(count - 1)

    def restore(self, state: StoredState) -> tuple[Memory, Progressed]:
        """Take up a checkpoint; collective.

        Args:
            state: A good checkpoint of a run with the same identity.

        Returns:
            Memory for a stepper and how far the pipeline had come.

        Raises:
            InputError: The checkpoint is of another mesh or has other unknowns; on every rank.
        """
        record, problem = state.record, self._problem
        self._require_same(state)
        stepper = record["stepper"]
        levels = len(stepper["times"])
        functions = self._create_functions(levels)
        if problem.noise is not None:
            functions["noise_start"] = problem.noise.start
        if stepper["solver"] is not None:
            functions.update(self._create_preconditioned())
        state.read_functions(functions)
        states: list[list[Array]] = [[] for _ in range(levels)]
        blocks = problem.uniform_blocks
        for index, unknown in enumerate(problem.unknowns):
            for level in range(levels):
                if index in blocks:
                    value = record["uniform"][unknown.name][level]
                    states[level].append(np.full_like(unknown.x.array, value))
                else:
                    states[level].append(functions[f"{unknown.name}_{level}"].x.array)
        history = History(0.0, [], 0.0, functions["rate"].x.array)
        history.times, history.states = list(stepper["times"]), states
        history.released = list(stepper["released"])
        memory = Memory(
            stepper["number"],
            history,
            math.inf if stepper["last_size"] is None else stepper["last_size"],
            stepper["proposal"],
            stepper["first_proposal"],
            self._recall(stepper["solver"], functions),
        )
        progressed = Progressed(
            Position(**record["position"]),
            ResumePoint(**record["records"]),
            record["snapshots"],
            record["noise_interval"],
            None if record["watch"] is None else Watch(**record["watch"]),
        )
        return memory, progressed

    def _recall(
        self, stored: Mapping[str, Any] | None, functions: Mapping[str, fem.Function]
    ) -> SchurMemory | None:
        """The solver's memory out of a checkpoint."""
        if stored is None:
            return None
        owned = self._problem.c.function_space.dofmap.index_map.size_local
        composition, curvature = (
            functions[f"built_{name}"].x.array for name in ("composition", "curvature")
        )
        return SchurMemory(composition=composition, curvature=curvature[:owned], **stored)

    def _create_preconditioned(self) -> dict[str, fem.Function]:
        """Fields of the solver's memory."""
        space = self._problem.c.function_space
        names = ("built_composition", "built_curvature")
        return {name: fem.Function(space, name=name) for name in names}

    def _require_same(self, state: StoredState) -> None:
        names = [unknown.name for unknown in self._problem.unknowns]
        if state.record["format"] != FORMAT:
            raise InputError(
                f"the checkpoint is of format {state.record['format']}, that of another version of "
                f"chemomech; this one reads {FORMAT}",
                path=str(state.path),
            )
        if state.record["mesh"] != self._identity.mesh:
            raise InputError(
                "the checkpoint is of another mesh; a run can only be continued on its own",
                path=str(state.path),
            )
        if state.record["unknowns"] != names:
            raise InputError(
                f"the checkpoint holds {', '.join(state.record['unknowns'])}, but this "
                f"configuration has {', '.join(names)}",
                path=str(state.path),
            )

    def _uniform(self) -> list[tuple[int, fem.Function]]:
        return [(index, self._problem.unknowns[index]) for index in self._problem.uniform_blocks]

    def _fields(self, levels: int) -> dict[str, tuple[int, int]]:
        """Block and level of each field of a checkpoint, by name."""
        blocks = self._problem.uniform_blocks
        return {
            f"{unknown.name}_{level}": (index, level)
            for index, unknown in enumerate(self._problem.unknowns)
            if index not in blocks
            for level in range(levels)
        }

    def _create_functions(self, levels: int) -> dict[str, fem.Function]:
        unknowns = self._problem.unknowns
        functions = {
            name: fem.Function(unknowns[index].function_space, name=name)
            for name, (index, _) in self._fields(levels).items()
        }
        functions["rate"] = fem.Function(unknowns[0].function_space, name="rate")
        return functions


def _describe(memory: SchurMemory | None) -> dict[str, float | int | None] | None:
    """What of a solver's memory is not a field."""
    if memory is None:
        return None
    return {"shift": memory.shift, "first": memory.first, "excess": memory.excess}
