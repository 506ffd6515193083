"""Compute molar volumes and strains from a table of unit cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table
from scipy.constants import Avogadro, angstrom

from chemomech import InputError, LatticePhase, compute_partial_molar_volumes, read_phases
from chemomech.tables.summary import Tabulation, create_table, render

# Rounding of the tensors' square roots is dropped, far below what a diffractometer resolves.
_DECIMALS = 12
# Volume of a formula unit in cubic angstrom, less than an atom to more than a host of lithium has,
# and longest edge in m: they catch nm and angstrom mixed up, and keep arithmetic from overflow.
_SMALLEST, _LARGEST, _LONGEST = 1.0, 1e4, 1e-6
# Components of a symmetric tensor along the wire (t), across it (n) and out of the image (z).
_COMPONENTS = {"tt": (0, 0), "nn": (1, 1), "zz": (2, 2), "tn": (0, 1), "tz": (0, 2), "nz": (1, 2)}


def tabulate_unit_cells(file: Path, axes: str = "abc", reference: str | None = None) -> Tabulation:
    """Compute V = N_A V_cell / Z, C = 1 / V, Omega = dV/dx and U - I for a table of phases.

    Args:
        file: CSV of unit cells, as `read_phases` takes it.
        axes: Edges along the wire, across it and out of the image, such as ``bca``.
        reference: Name of the phase that is free of strain; the one with the least lithium if None.

    Returns:
        Volumes per formula unit (m^3/mol and A^3), sites at one lithium per formula unit (mol/m^3),
        Omega from the phase before (m^3/mol) and strains of each phase; two tables of them as text.
        Expansion is positive; t, n and z are the directions along the wire, across it and out of
        the image.

    Raises:
        InputError: The file cannot be used, the phases do not correspond, ``axes`` does not name
            each edge once, or ``reference`` names no phase or several.
    """
    if sorted(axes) != ["a", "b", "c"]:
        raise InputError(f"must name each of the edges a, b and c once, got {axes!r}", key="axes")
    try:
        phases = read_phases(file)
        for phase in phases:
            _check_units(phase)
        expansions = compute_partial_molar_volumes(phases)
        unstrained = phases[0] if reference is None else _find(phases, reference)
        strains = _strain(phases, unstrained, axes)
    except InputError as error:
        error.path = None if error.key == "reference" else str(file)
        raise
    table = create_table(
        "Strain",
        *_COMPONENTS,
        caption=f"Relative to {escape(unstrained.name)}, + expansion. Along the wire (t): "
        f"{axes[0]}; across (n): {axes[1]}; out of the image (z): {axes[2]}.",
    )
    for phase, strain in zip(phases, strains, strict=True):
        # Rounded first, lest a small number below zero be shown as -0.00000.
        table.add_row(escape(phase.name), *(f"{round(e, 5) + 0.0:+.5f}" for e in strain))
    rows = _list_rows(phases, expansions, strains)
    return Tabulation(rows, render(_show_volumes(phases, expansions), table))


def _compute_volume(phase: LatticePhase) -> float:
    """Compute V / N_A, the volume of one formula unit in cubic angstrom."""
    return float(phase.molar_volume / Avogadro / angstrom**3)


def _check_units(phase: LatticePhase) -> None:
    volume, longest = _compute_volume(phase), max(phase.a, phase.b, phase.c)
    if not (_SMALLEST <= volume <= _LARGEST and longest <= _LONGEST):
        raise InputError(
            f"{phase.name}: the formula unit has {volume:.3g} cubic angstrom and an edge of "
            f"{longest:.3g} m, outside the accepted ranges [{_SMALLEST:g}, {_LARGEST:g}] and "
            f"[0, {_LONGEST:g}]; are the units those of the header?"
        )


def _find(phases: Sequence[LatticePhase], name: str) -> LatticePhase:
    found = [phase for phase in phases if phase.name == name]
    if len(found) != 1:
        known = ", ".join(phase.name for phase in phases)
        raise InputError(
            f"must name one phase of the table ({known}), got {name!r}", key="reference"
        )
    return found[0]


def _strain(
    phases: Sequence[LatticePhase], reference: LatticePhase, axes: str
) -> list[list[float]]:
    """Compute the components of the strain of each phase in the wire's frame."""
    order = ["abc".index(edge) for edge in axes]
    strains = np.array([phase.eigenstrain(reference) for phase in phases])[:, order][:, :, order]
    # Adding zero turns -0.0 into 0.0.
    rounded = np.round(strains, _DECIMALS) + 0.0
    return [[float(strain[index]) for index in _COMPONENTS.values()] for strain in rounded]


def _list_rows(
    phases: Sequence[LatticePhase],
    expansions: NDArray[np.float64],
    strains: Sequence[Sequence[float]],
) -> list[Sequence[object]]:
    header = [
        "name", "x", "molar_volume_m3/mol", "volume_angstrom3",
        "site_concentration_mol/m3", "partial_molar_volume_m3/mol",
        *(f"strain_{name}" for name in _COMPONENTS),
    ]  # fmt: skip
    first_has_none = ["", *map(float, expansions)]
    rows: list[Sequence[object]] = [header]
    for phase, expansion, strain in zip(phases, first_has_none, strains, strict=True):
        volume = float(phase.molar_volume)
        numbers = (float(phase.x), volume, _compute_volume(phase), 1.0 / volume)
        rows.append([phase.name, *numbers, expansion, *strain])
    return rows


def _show_volumes(phases: Sequence[LatticePhase], expansions: NDArray[np.float64]) -> Table:
    table = create_table(
        *("Phase", "x", "V (m3/mol)", "V (A3)", "C = 1/V (mol/m3)", "Omega (m3/mol)"),
        caption="V: one formula unit. Omega: from the phase above, per mole of lithium.",
    )
    first_has_none = ["", *(f"{value:.4e}" for value in expansions)]
    for phase, expansion in zip(phases, first_has_none, strict=True):
        table.add_row(
            escape(phase.name),
            f"{phase.x:g}",
            f"{phase.molar_volume:.4e}",
            f"{_compute_volume(phase):.3f}",
            f"{1.0 / phase.molar_volume:.5g}",
            expansion,
        )
    return table
