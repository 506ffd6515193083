"""Compute molar volumes and strains from a table of unit cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, run_on_root
from chemomech.materials.lattice import LatticePhase, compute_partial_molar_volumes, read_phases
from chemomech.tables.summary import TENSOR_COMPONENTS, compute_volume, summarise_phases
from chemomech.text_files import create_csv

# Rounding of the tensors' square roots is dropped, far below what a diffractometer resolves.
_DECIMALS = 12
# Volume of a formula unit in cubic angstrom, less than an atom to more than a host of lithium has,
# and longest edge in m: they catch nm and angstrom mixed up, and keep arithmetic from overflow.
_SMALLEST, _LARGEST, _LONGEST = 1.0, 1e4, 1e-6


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
    """Compute the strains in the wire's frame, shape (phases, 3, 3)."""
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
                f"{phase.name}: the formula unit has {volume:.3g} cubic angstrom and an edge of "
                f"{longest:.3g} m, outside the accepted ranges [{_SMALLEST:g}, {_LARGEST:g}] and "
                f"[0, {_LONGEST:g}]; are the units those of the header?"
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
    create_csv(path, rows)
