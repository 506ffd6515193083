"""Results of a run or of a stress map, opened again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.config import Config, StressConfig
from chemomech.config.loading import load_stored_config
from chemomech.errors import InputError
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.files.fields import list_fields, read_field
from chemomech.output.fields import SUFFIXES
from chemomech.output.file_names import CONFIG, LEDGER, PARTIAL_LEDGER
from chemomech.output.ledger import Columns, read_ledger
from chemomech.output.provenance import PROVENANCE, read_provenance
from chemomech.output.snapshot_grid import SnapshotGrid

_STRESS_TABLE = "stress.csv"


@dataclass(frozen=True, eq=False)
class FieldResults:
    """Fields over time on one mesh, as a run or a stress map left them.

    Args:
        folder: The folder of results.
        provenance: What ``provenance.json`` says.
        file: The file of fields.
        field_names: Names of the fields in it.
        times: Times of the snapshots in s, shape (times,).
        grid: The mesh, in nm.
    """

    folder: Path
    provenance: dict[str, Any]
    file: Path
    field_names: tuple[str, ...]
    times: FloatArray
    grid: SnapshotGrid

    @property
    def is_finished(self) -> bool:
        """True if the file of fields bears its final name: whatever wrote it has ended."""
        return ".partial" not in self.file.name

    def find_time(self, time: float | None) -> float:
        """Return the time of the snapshot nearest to a time, in s; the last one where None."""
        if time is None:
            return float(self.times[-1])
        return float(self.times[np.argmin(np.abs(self.times - time))])

    def read(self, name: str, time: float | None = None) -> FloatArray:
        """Read a field at the vertices of `grid`.

        Args:
            name: One of `field_names`.
            time: Time in s; the nearest snapshot is read, the last one where None.

        Returns:
            Values in SI units (displacements in nm), shape (vertices,), or (vertices, components)
            of vectors and tensors, which have three and nine.

        Raises:
            InputError: There is no such field.
        """
        return read_field(self.file, name, self.find_time(time)).values


@dataclass(frozen=True, eq=False)
class RunResults(FieldResults):
    """Results of a simulation, with its configuration and the ledger's columns by name."""

    config: Config
    ledger: Columns


@dataclass(frozen=True, eq=False)
class StressResults(FieldResults):
    """Results of a stress map, with its configuration."""

    config: StressConfig


def open_run(folder: Path | str) -> RunResults:
    """Open the folder of a simulation, finished or not; only for one rank.

    ``chemomech run`` or `chemomech.simulate` wrote it. Fields are read when asked for.

    Raises:
        InputError: The folder does not hold a run's records, or they are damaged.
    """
    place = Path(folder)
    _require_file(place / CONFIG, "holds no results of a run")
    ledger = place / LEDGER
    if not ledger.exists():
        ledger = place / PARTIAL_LEDGER
    _require_file(ledger, "holds no results of a run")
    config = load_stored_config(place / CONFIG)
    file, names, times, grid = _open_fields(place, "fields")
    provenance = read_provenance(place / PROVENANCE)
    return RunResults(place, provenance, file, names, times, grid, config, read_ledger(ledger))


def open_stress(folder: Path | str) -> StressResults:
    """Open the folder that ``chemomech stress`` or `chemomech.stress` wrote; only for one rank.

    Raises:
        InputError: The folder does not hold a stress map's records, or they are damaged.
    """
    place = Path(folder)
    _require_file(place / _STRESS_TABLE, "holds no stress map")
    config = load_stored_config(place / CONFIG, model=StressConfig)
    file, names, times, grid = _open_fields(place, "stress")
    return StressResults(
        place, read_provenance(place / PROVENANCE), file, names, times, grid, config
    )


def open_results(folder: Path | str) -> RunResults | StressResults:
    """Open whichever of the two a folder holds; see `open_run` and `open_stress`."""
    place = Path(folder)
    if (place / _STRESS_TABLE).exists():
        return open_stress(place)
    return open_run(place)


def _require_file(path: Path, complaint: str) -> None:
    if not path.parent.is_dir():
        raise InputError("no such folder", path=str(path.parent))
    if not path.is_file():
        raise InputError(f"{complaint}: it has no {path.name}", path=str(path.parent))


def _open_fields(folder: Path, stem: str) -> tuple[Path, tuple[str, ...], FloatArray, SnapshotGrid]:
    # The last was written by runs of earlier versions, where DOLFINx lacked ADIOS2.
    suffixes = (*SUFFIXES, ".xdmf")
    files = [folder / f"{stem}{state}{suffix}" for state in ("", ".partial") for suffix in suffixes]
    file = next((file for file in files if file.exists()), None)
    if file is None:
        raise InputError("holds no fields: it ran with output.fields = false", path=str(folder))
    names, times = list_fields(file)
    data = read_field(file, names[0])
    points = np.zeros((len(data.points), 3))
    points[:, : data.points.shape[1]] = data.points
    # The table is its own inverse.
    grid = SnapshotGrid(points, data.cells[:, VTK_ORDER[data.cell]], data.cell)
    return file, tuple(names), times, grid
