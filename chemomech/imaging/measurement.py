"""Results of a stack, from shifts to composition, and the file that keeps them."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TypeVar, get_args, get_type_hints

import h5py
import numpy as np

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError, naming
from chemomech.imaging.clustering import Clusters
from chemomech.imaging.composition import prepare
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.decomposition import Decomposition
from chemomech.imaging.spectra import EndMembers
from chemomech.imaging.unmixing import ThicknessMaps

Record = TypeVar("Record")


@dataclass(frozen=True, eq=False)
class Measurement:
    """Results of each step of the chain.

    Maps have the shape (rows, columns): mean optical density, NaN where invalid; pixels of
    particles; thickness in m, NaN outside, None where the end members state none. Energies (eV) and
    I0 have the shape (energies,), shifts (row, column) in pixels (energies, 2). The composition is
    as measured: not yet smoothed or extended.
    """

    energies: FloatArray
    shifts: FloatArray
    incident: FloatArray
    density: FloatArray
    particle: BoolArray
    decomposition: Decomposition
    clusters: Clusters
    end_members: EndMembers
    maps: ThicknessMaps
    composition: CompositionMap
    thickness: FloatArray | None


def write_measurement(path: Path, measurement: Measurement, report: str) -> None:
    """Write a measurement as a new HDF5 file, a group for each step; call it on one rank only.

    How it was made (JSON) is kept as the attribute ``report``.
    """
    with h5py.File(path, "w") as file:
        file.attrs["report"] = report
        file.attrs["units"] = "energies eV; shifts pixel; lengths m; composition Li per formula"
        _write(file, measurement)


def read_measurement(path: Path) -> Measurement:
    """Read the ``measurement.h5`` that ``chemomech measure`` and `chemomech.measure` leave.

    Args:
        path: The file.

    Returns:
        What each step gave: maps of shape (rows, columns), lengths in m, photon energies in eV.

    Raises:
        InputError: The file cannot be read, or something is missing in it.
    """
    try:
        with h5py.File(path, "r") as file, naming(path=path):
            return _read(file, Measurement)
    # h5py raises any of these for files that are damaged or of another kind.
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(
            f"holds no measurement of `chemomech measure`: {error}", path=str(path)
        ) from error


def read_prepared_composition(
    path: Path, smoothing: float = 0.0, erosion: int = 1
) -> CompositionMap:
    """Read a measured composition, smoothed and with a value everywhere (see `prepare`)."""
    with naming(path=path):
        return prepare(read_measurement(path).composition, smoothing=smoothing, erosion=erosion)


def _write(group: h5py.Group, record: object) -> None:
    """Write the fields of a dataclass: arrays as data sets, records as groups, others as notes."""
    assert is_dataclass(record)
    for field in fields(record):
        value = getattr(record, field.name)
        if value is None:
            continue
        if is_dataclass(value):
            _write(group.create_group(field.name), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(field.name, data=value, compression="gzip", compression_opts=1)
        else:
            group.attrs[field.name] = value


def _read(group: h5py.Group, kind: type[Record]) -> Record:
    """Make a dataclass of what `_write` left; what is not there was None."""
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        name, hint = field.name, hints[field.name]
        if isinstance(hint, type) and is_dataclass(hint):
            values[name] = _read(group[name], hint)
        elif name in group:
            values[name] = group[name][()]
        elif name in group.attrs:
            note = group.attrs[name]
            # Notes come back as NumPy's numbers and arrays.
            plain = note.tolist() if isinstance(note, np.ndarray | np.generic) else note
            values[name] = tuple(plain) if isinstance(plain, list) else plain
        elif type(None) in get_args(hint):
            values[name] = None
        else:
            raise InputError(f"holds no {group.name.rstrip('/')}/{name}")
    return kind(**values)
