"""Summarise film stress and unit cells for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table
from scipy.constants import Avogadro, angstrom

from chemomech.arrays import FloatArray
from chemomech.materials.lattice import LatticePhase
from chemomech.output.terminal import list_figures, render
from chemomech.tables.stoney import CurvatureRecord, StoneySubstrate

#: Components of a symmetric tensor along the wire (t), across it (n) and out of the image (z).
TENSOR_COMPONENTS = {
    "tt": (0, 0), "nn": (1, 1), "zz": (2, 2), "tn": (0, 1), "tz": (0, 2), "nz": (1, 2),
}  # fmt: skip

#: Units of what curvature is recorded against.
RECORD_UNITS = {"time": "s", "voltage": "V"}


def compute_volume(phase: LatticePhase) -> float:
    """Compute V / N_A, the volume of one formula unit in cubic angstrom.

    Args:
        phase: The phase.
    """
    return float(phase.molar_volume / Avogadro / angstrom**3)


def summarise_film(
    plate: StoneySubstrate,
    film: float,
    record: CurvatureRecord,
    stress: FloatArray,
    positive_side: str,
) -> str:
    """Write the constant of Stoney's formula, the extremes of the stress and what the signs mean.

    Args:
        plate: The substrate.
        film: Thickness of the film, in m.
        record: The curvatures.
        stress: Stress of the film in Pa, shape (n,), tension positive.
        positive_side: Shape of the film's side where the file's curvatures are positive.

    Returns:
        The tables as text.
    """
    return render(_tabulate_plate(plate, film), _tabulate_stresses(record, stress, positive_side))


def summarise_phases(
    phases: Sequence[LatticePhase],
    expansions: FloatArray,
    strains: FloatArray,
    reference: str,
    axes: str,
) -> str:
    """Write volumes, Omega between neighbours and strains of phases.

    Args:
        phases: The phases, by rising lithium content.
        expansions: Omega from each phase to the next in m^3/mol, shape (phases - 1,).
        strains: Tensors along the wire, across it and out of the image, shape (phases, 3, 3),
            expansion positive.
        reference: Name of the phase without strain.
        axes: Edges along the wire, across it and out of the image.

    Returns:
        The tables as text.
    """
    table = _head("Strain", *TENSOR_COMPONENTS)
    for phase, strain in zip(phases, strains, strict=True):
        # Rounded first, lest a small number below zero be shown as -0.00000.
        values = (round(float(strain[index]), 5) + 0.0 for index in TENSOR_COMPONENTS.values())
        table.add_row(escape(phase.name), *(f"{value:+.5f}" for value in values))
    table.caption = (
        f"Relative to {escape(reference)}, + expansion. Along the wire (t): {axes[0]}; "
        f"across (n): {axes[1]}; out of the image (z): {axes[2]}."
    )
    return render(_tabulate_volumes(phases, expansions), table)


def _tabulate_plate(plate: StoneySubstrate, film: float) -> Table:
    constant = plate.stress_per_curvature(film)
    rows = [
        ("Stoney's constant", f"{constant:.5g} Pa m: 1 MPa bends by {1e6 / constant:.5g} 1/m"),
        (
            "substrate",
            f"E = {plate.young_modulus / 1e9:.5g} GPa, nu = {plate.poisson_ratio:g}, "
            f"h = {plate.thickness * 1e6:.5g} um",
        ),
        ("film", f"h = {film * 1e6:.5g} um"),
        (
            "film / substrate",
            f"{film / plate.thickness:.3g}, about the relative error of a thin film's formula",
        ),
    ]
    return list_figures("Plate", rows)


def _tabulate_stresses(record: CurvatureRecord, stress: FloatArray, positive_side: str) -> Table:
    unit = RECORD_UNITS[record.quantity]

    def describe(index: np.intp) -> str:
        return f"{stress[index] / 1e6:+.4g} MPa at {record.values[index]:.6g} {unit}"

    rows = [
        ("rows", f"{len(stress)}, by {record.quantity}; the first is taken as free of stress"),
        ("highest", describe(np.argmax(stress))),
        ("lowest", describe(np.argmin(stress))),
        ("last", describe(np.intp(len(stress) - 1))),
        ("sign of stress", "+ tension, - compression"),
        ("sign in the file", f"+ where the film's side is {positive_side}"),
    ]
    return list_figures("Film stress", rows)


def _tabulate_volumes(phases: Sequence[LatticePhase], expansions: FloatArray) -> Table:
    table = _head("Phase", "x", "V (m3/mol)", "V (A3)", "C = 1/V (mol/m3)", "Omega (m3/mol)")
    first_has_none = ["", *(f"{value:.4e}" for value in expansions)]
    for phase, expansion in zip(phases, first_has_none, strict=True):
        table.add_row(
            escape(phase.name),
            f"{phase.x:g}",
            f"{phase.molar_volume:.4e}",
            f"{compute_volume(phase):.3f}",
            f"{1.0 / phase.molar_volume:.5g}",
            expansion,
        )
    table.caption = "V: one formula unit. Omega: from the phase above, per mole of lithium."
    return table


def _head(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
