"""Compute the stress of a film from a record of its plate's curvature."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, run_on_root
from chemomech.tables.stoney import CurvatureRecord, StoneySubstrate, read_curvature
from chemomech.tables.summary import RECORD_UNITS, summarise_film
from chemomech.text_files import create_csv
from chemomech.units import MODULUS, POSITIVE_LENGTH, QuantityKind

# Options of the command line for quantities of the law.
_OPTIONS = {
    "film_thickness": "--film-thickness",
    "poisson_ratio": "--poisson-ratio",
    "thickness": "--substrate-thickness",
    "young_modulus": "--young-modulus",
}


def stoney(
    file: Path,
    *,
    film_thickness: str,
    young_modulus: str,
    poisson_ratio: float,
    substrate_thickness: str,
    positive_side: Literal["concave", "convex"],
    output: Path | None = None,
    comm: MPI.Comm,
) -> str:
    """Compute sigma = E_s h_s^2 dK / (6 h_f (1 - nu_s)), eqn 1, for each row of a record.

    dK is counted from the first row, where the film is taken as free of stress. Tension is
    positive, and so is the curvature of a plate that is concave on the film's side.

    Args:
        file: CSV of curvatures or radii over time or voltage, as `read_curvature` takes it.
        film_thickness: h_f, such as ``42.3 um``.
        young_modulus: E_s of the substrate, such as ``203 GPa``.
        poisson_ratio: nu_s of the substrate.
        substrate_thickness: h_s, such as ``0.736 mm``.
        positive_side: Shape of the film's side where the file's curvatures are positive.
        output: CSV to create: time (s) or voltage (V), curvature and its change (1/m), film stress
            (Pa).
        comm: Ranks that want to know; rank 0 reads and writes.

    Returns:
        A table as text, the same on all ranks: the constant (Pa m), the extremes, the signs.

    Raises:
        InputError: The file or a quantity cannot be used, or ``output`` exists.
        OSError: ``output`` cannot be written.
    """

    def work() -> str:
        plate = _create_substrate(young_modulus, poisson_ratio, substrate_thickness)
        film = _parse(POSITIVE_LENGTH, film_thickness, "film_thickness")
        record = _read_plate(file, plate, positive_side)
        try:
            stress = plate.film_stress(record.change, film)
        except InputError as error:
            raise _name_option(error) from error
        if output is not None:
            _write_stresses(output, record, stress)
        return summarise_film(plate, film, record, stress, positive_side)

    return run_on_root(comm, work)


def _create_substrate(modulus: str, ratio: float, thickness: str) -> StoneySubstrate:
    stiffness = _parse(MODULUS, modulus, "young_modulus")
    height = _parse(POSITIVE_LENGTH, thickness, "thickness")
    try:
        return StoneySubstrate(stiffness, ratio, height)
    except InputError as error:
        raise _name_option(error) from error


def _parse(kind: QuantityKind, text: str, name: str) -> float:
    try:
        return kind.parse(text)
    except ValueError as error:
        raise InputError(str(error), key=_OPTIONS[name]) from error


def _name_option(error: InputError) -> InputError:
    return InputError(error.message, key=_OPTIONS.get(error.key or "", error.key))


def _read_plate(
    file: Path, plate: StoneySubstrate, positive_side: Literal["concave", "convex"]
) -> CurvatureRecord:
    """Read a record and refuse what no plate can do: most often curvature and radius mixed up."""
    if positive_side not in ("concave", "convex"):
        raise InputError(f"must be concave or convex, got {positive_side!r}", key="--positive-side")
    record = read_curvature(file, positive_side=positive_side)
    sharpest = np.abs(record.curvature).max()
    if sharpest * plate.thickness >= 1.0:
        raise InputError(
            f"a curvature of {sharpest:g} 1/m has a radius smaller than the plate is thick "
            f"({plate.thickness:g} m); are the units those of the header?",
            path=str(file),
        )
    return record


def _write_stresses(path: Path, record: CurvatureRecord, stress: FloatArray) -> None:
    header = [
        f"{record.quantity}_{RECORD_UNITS[record.quantity]}",
        "curvature_1/m",
        "curvature_change_1/m",
        "film_stress_Pa",
    ]
    columns = np.column_stack([record.values, record.curvature, record.change, stress])
    # Adding zero turns -0.0, a flat plate with its sign turned, into 0.0.
    table = columns + 0.0
    create_csv(path, [header, *([repr(float(number)) for number in row] for row in table)])
