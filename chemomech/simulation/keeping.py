"""Write and restore checkpoints and snapshots of a run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dolfinx import fem

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.forms.fields import Field
from chemomech.geometry.partition import collect_owners
from chemomech.output.checkpoints import CheckpointStore, StoredState
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.simulation.recording import ResumePoint
from chemomech.simulation.stages import Position
from chemomech.simulation.stationarity import Watch
from chemomech.solvers.cahn_hilliard_schur import SchurMemory
from chemomech.solvers.history import History
from chemomech.solvers.steps import Memory

#: Version of the records; another one is refused.
FORMAT = 4


@dataclass(frozen=True)
class Identity:
    """Configuration, every default spelled out, and fingerprint of the mesh of a run."""

    config: Mapping[str, object]
    mesh: str


@dataclass(frozen=True)
class Progressed:
    """Progress of the pipeline around the stepper: place in the schedule, records and snapshots.

    The interval of thermal noise is -1 without; the watch is None where much has moved.
    """

    position: Position
    records: ResumePoint
    snapshots: int
    noise_interval: int
    watch: Watch | None = None


class Checkpointer:
    """Write a run's memory into two stores in a folder and read it back.

    Checkpoints hold all that determines the future; of them the newest are kept. Snapshots hold the
    unknowns at each time that was recorded: from them a later run writes one field file and one
    film over the whole time. The identity is what a later run must share.
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
        """Write a checkpoint of the stepper's memory and the pipeline's progress; collective.

        Raises:
            OSError: It cannot be written; older ones are as they were; on every rank.
        """
        history = memory.history
        record = {
            "format": FORMAT,
            "config": self._identity.config,
            "mesh": self._identity.mesh,
            "ranks": self._ranks,
            "unknowns": [field.name for field in self._problem.fields],
            "uniform": {
                field.name: [float(state[index][0]) for state in history.states]
                for index, field in enumerate(self._problem.fields)
                if field.is_uniform
            },
            "stepper": {
                "number": memory.number,
                "times": history.times,
                "released": history.released,
                "last_size": None if math.isinf(memory.last_size) else memory.last_size,
                "proposal": memory.proposal,
                "first_proposal": memory.first_proposal,
                "solver": {
                    name: {
                        "block": part.block,
                        "numbers": part.numbers,
                        "arrays": list(part.arrays),
                    }
                    for name, part in memory.solver.items()
                },
            },
            "position": asdict(progressed.position),
            "records": asdict(progressed.records),
            "snapshots": progressed.snapshots,
            "noise_interval": progressed.noise_interval,
            "watch": None if progressed.watch is None else asdict(progressed.watch),
        }
        functions = self._create_functions(len(history.times))
        for level, values in enumerate(history.states):
            for field, own in zip(self._problem.fields, values, strict=True):
                if not field.is_uniform:
                    functions[f"{field.name}_{level}"].x.array[:] = own
        for index, rate in history.rates.items():
            functions[f"{self._problem.fields[index].name}_rate"].x.array[:] = rate
        for name, part in memory.solver.items():
            built = self._create_arrays(name, part.block, part.arrays)
            for array, function in built.items():
                function.x.array[:] = part.arrays[array]
                functions[str(function.name)] = function
        if self._problem.noise is not None:
            functions["noise_start"] = self._problem.noise.start
        self._checkpoints.write(memory.number, functions, record, self._arrays)

    def write_snapshot(self, number: int, time_s: float) -> None:
        """Write the unknowns at a time (s) that is recorded, by its number from 0; collective."""
        fields = self._problem.fields
        uniform = {f.name: float(f.function.x.array[0]) for f in fields if f.is_uniform}
        functions = {f.name: f.function for f in fields if not f.is_uniform}
        record = {"time_s": time_s, "uniform": uniform}
        self._snapshots.write(number, functions, record)

    def read_snapshot(self, number: int) -> float:
        """Load a snapshot into the problem's unknowns and return its time (s); collective."""
        state = self._snapshots.get(number)
        fields = self._problem.fields
        state.read_functions({f.name: f.function for f in fields if not f.is_uniform})
        for field in fields:
            if field.is_uniform:
                field.function.x.array[:] = state.record["uniform"][field.name]
        return float(state.record["time_s"])

    def discard_snapshots(self, count: int) -> None:
        """Forget the snapshots that a checkpoint does not know of; collective."""
        self._snapshots.discard_after(count - 1)

    def restore(self, state: StoredState) -> tuple[Memory, Progressed]:
        """Take up a good checkpoint of a run with the same identity; collective."""
        record, problem = state.record, self._problem
        self._require_same(state)
        stepper = record["stepper"]
        levels = len(stepper["times"])
        functions = self._create_functions(levels)
        if problem.noise is not None:
            functions["noise_start"] = problem.noise.start
        built = {
            name: self._create_arrays(name, part["block"], part["arrays"])
            for name, part in stepper["solver"].items()
        }
        functions |= {str(one.name): one for part in built.values() for one in part.values()}
        state.read_functions(functions)
        rates = {
            index: functions[f"{field.name}_rate"].x.array
            for index, field in enumerate(problem.fields)
            if field.evolution is not None
        }
        states = [
            [self._take(field, level, record, functions) for field in problem.fields]
            for level in range(levels)
        ]
        released = [list(totals) for totals in stepper["released"]]
        history = History(list(stepper["times"]), states, released, rates)
        memory = Memory(
            stepper["number"],
            history,
            math.inf if stepper["last_size"] is None else stepper["last_size"],
            stepper["proposal"],
            stepper["first_proposal"],
            {
                name: SchurMemory(
                    part["block"],
                    **part["numbers"],
                    **{array: one.x.array for array, one in built[name].items()},
                )
                for name, part in stepper["solver"].items()
            },
        )
        progressed = Progressed(
            Position(**record["position"]),
            ResumePoint(**record["records"]),
            record["snapshots"],
            record["noise_interval"],
            None if record["watch"] is None else Watch(**record["watch"]),
        )
        return memory, progressed

    def _take(
        self,
        field: Field,
        level: int,
        record: Mapping[str, Any],
        functions: Mapping[str, fem.Function],
    ) -> FloatArray:
        """Values of a field at one of the last states."""
        if field.is_uniform:
            value = record["uniform"][field.name][level]
            return np.full_like(field.function.x.array, value)
        return functions[f"{field.name}_{level}"].x.array

    def _create_arrays(
        self, name: str, block: int, arrays: Iterable[str]
    ) -> dict[str, fem.Function]:
        """Functions for what a part of the solver keeps, by the name of the array."""
        space = self._problem.fields[block].function.function_space
        return {array: fem.Function(space, name=f"{name}_{array}") for array in arrays}

    def _require_same(self, state: StoredState) -> None:
        names = [field.name for field in self._problem.fields]
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

    def _create_functions(self, levels: int) -> dict[str, fem.Function]:
        """Functions for the last states of all fields, and the rates of those that evolve."""
        functions: dict[str, fem.Function] = {}
        for field in self._problem.fields:
            space = field.function.function_space
            names = [] if field.is_uniform else [f"{field.name}_{level}" for level in range(levels)]
            names += [] if field.evolution is None else [f"{field.name}_rate"]
            functions |= {name: fem.Function(space, name=name) for name in names}
        return functions
