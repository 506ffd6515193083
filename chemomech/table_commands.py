"""Tables into tables: film stress from a record of curvature, strains from unit cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.materials.lattice import LatticePhase, compute_partial_molar_volumes, read_phases
from chemomech.materials.stoney import CurvatureRecord, StoneySubstrate, read_curvature
from chemomech.table_summary import (
    RECORD_UNITS,
    TENSOR_COMPONENTS,
    compute_volume,
    summarise_film,
    summarise_phases,
)
from chemomech.units import MODULUS, POSITIVE_LENGTH, QuantityKind

FloatArray = NDArray[np.float64]

# Words of the command line for what the laws call by their own names.
_OPTIONS = {
    "film_thickness": "--film-thickness",
    "poisson_ratio": "--poisson-ratio",
    "thickness": "--substrate-thickness",
    "young_modulus": "--young-modulus",
}
# Rounding of the tensors' square roots is dropped, far below what a diffractometer resolves.
_DECIMALS = 12
# Volume of a formula unit in cubic angstrom, less than an atom to more than a host of lithium has,
# and longest edge in m: they catch nm and angstrom mixed up, and keep arithmetic from overflow.
_SMALLEST, _LARGEST, _LONGEST = 1.0, 1e4, 1e-6


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


def lattice(
    file: Path,
    *,
    axes: str = "abc",
    reference: str | None = None,
    output: Path | None = None,
    comm: MPI.Comm,
) -> str:
    """Compute V = N_A V_cell / Z, C = 1 / V, Omega = dV/dx and U - I for a table of phases.

    Args:
        file: CSV of unit cells, as `read_phases` takes it.
        axes: Edges along the wire, across it and out of the image, such as ``bca``.
        reference: Name of the phase that is free of strain; the one with the least lithium if None.
        output: CSV to create: volumes per formula unit (m^3/mol and A^3), sites at one lithium per
            formula unit (mol/m^3), Omega from the phase before (m^3/mol), strains.
        comm: Ranks that want to know; rank 0 reads and writes.

    Returns:
        Two tables as text, the same on all ranks. Expansion is positive; t, n and z are the
        directions along the wire, across it and out of the image.

    Raises:
        InputError: The file cannot be used, the phases do not correspond, ``axes`` does not name
            each edge once, ``reference`` names no phase or several, or ``output`` exists.
        OSError: ``output`` cannot be written.
    """

    def work() -> str:
        if sorted(axes) != ["a", "b", "c"]:
            raise InputError(
                f"must name each of the edges a, b and c once, got {axes!r}", key="--axes"
            )
        try:
            phases = _read_cells(file)
            expansions = compute_partial_molar_volumes(phases)
            unstrained = phases[0] if reference is None else _find(phases, reference)
            strains = _strain(phases, unstrained, axes)
        except InputError as error:
            key = error.key or ""
            at_fault = None if key.startswith("--") else str(file)
            raise InputError(error.message, key=error.key, path=at_fault) from error
        if output is not None:
            _write_phases(output, phases, expansions, strains)
        return summarise_phases(phases, expansions, strains, unstrained.name, axes)

    return run_on_root(comm, work)


def _strain(phases: Sequence[LatticePhase], reference: LatticePhase, axes: str) -> FloatArray:
    """Strains in the wire's frame, shape (phases, 3, 3)."""
    order = ["abc".index(edge) for edge in axes]
    strains = np.array([phase.eigenstrain(reference) for phase in phases])
    # Adding zero turns -0.0 into 0.0.
    return np.asarray(np.round(strains[:, order][:, :, order], _DECIMALS) + 0.0)


def _read_cells(file: Path) -> list[LatticePhase]:
    phases = read_phases(file)
    for phase in phases:
        volume, longest = compute_volume(phase), max(phase.a, phase.b, phase.c)
        if not (_SMALLEST <= volume <= _LARGEST and longest <= _LONGEST):
            raise InputError(
                f"{phase.name}: a formula unit of {volume:.3g} cubic angstrom in a cell with an "
                f"edge of {longest:.3g} m is beyond reason; are the units those of the header?"
            )
    return phases


def _find(phases: Sequence[LatticePhase], name: str) -> LatticePhase:
    found = [phase for phase in phases if phase.name == name]
    if len(found) != 1:
        known = ", ".join(phase.name for phase in phases)
        raise InputError(
            f"must name one phase of the table ({known}), got {name!r}", key="--reference"
        )
    return found[0]


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
    _write_table(path, [header, *([repr(float(number)) for number in row] for row in table)])


def _write_phases(
    path: Path, phases: Sequence[LatticePhase], expansions: FloatArray, strains: FloatArray
) -> None:
    rows = [
        [
            "name", "x", "molar_volume_m3/mol", "volume_angstrom3",
            "site_concentration_mol/m3", "partial_molar_volume_m3/mol",
            *(f"strain_{name}" for name in TENSOR_COMPONENTS),
        ]
    ]  # fmt: skip
    first_has_none = ["", *(repr(float(value)) for value in expansions)]
    for phase, expansion, strain in zip(phases, first_has_none, strains, strict=True):
        volume = phase.molar_volume
        numbers = (phase.x, volume, compute_volume(phase), 1.0 / volume)
        tensor = [repr(float(strain[index])) for index in TENSOR_COMPONENTS.values()]
        rows.append([phase.name, *(repr(float(number)) for number in numbers), expansion, *tensor])
    _write_table(path, rows)


def _write_table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text.getvalue())
    except FileExistsError as error:
        raise InputError(f"{path} exists already and is left as it is", key="--output") from error
