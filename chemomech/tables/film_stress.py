"""Compute the stress of a film from a record of its plate's curvature."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chemomech import CurvatureRecord, InputError, StoneySubstrate, read_curvature
from chemomech.tables.summary import Tabulation, list_figures, render


def tabulate_film_stress(
    file: Path,
    plate: StoneySubstrate,
    film_thickness: float,
    positive_side: Literal["concave", "convex"],
) -> Tabulation:
    """Compute sigma = E_s h_s^2 dK / (6 h_f (1 - nu_s)), eqn 1, for each row of a record.

    dK is counted from the first row, where the film is taken as free of stress. Tension is
    positive, and so is the curvature of a plate that is concave on the film's side.

    Args:
        file: CSV of curvatures or radii over time or voltage, as `read_curvature` takes it.
        plate: The substrate.
        film_thickness: h_f, in m.
        positive_side: Shape of the film's side where the file's curvatures are positive.

    Returns:
        Time (s) or voltage (V), curvature and its change (1/m), film stress (Pa) of each row; the
        constant (Pa m), the extremes and the signs as text.
    """
    record = _read_plate(file, plate, positive_side)
    stress = plate.film_stress(record.change, film_thickness)
    header = [
        f"{record.quantity}_{record.unit}",
        "curvature_1/m",
        "curvature_change_1/m",
        "film_stress_Pa",
    ]
    # Adding zero turns -0.0, a flat plate with its sign turned, into 0.0.
    columns = np.column_stack([record.values, record.curvature, record.change, stress]) + 0.0
    summary = render(
        list_figures("Plate", _describe_plate(plate, film_thickness)),
        list_figures("Film stress", _describe_stress(record, stress, positive_side)),
    )
    return Tabulation([header, *map(list, columns)], summary)


def _read_plate(
    file: Path, plate: StoneySubstrate, positive_side: Literal["concave", "convex"]
) -> CurvatureRecord:
    """Read a record and refuse what no plate can do: most often curvature and radius mixed up."""
    record = read_curvature(file, positive_side=positive_side)
    sharpest = np.abs(record.curvature).max()
    if sharpest * plate.thickness >= 1.0:
        raise InputError(
            f"a curvature of {sharpest:g} 1/m has a radius smaller than the plate is thick "
            f"({plate.thickness:g} m); are the units those of the header?",
            path=str(file),
        )
    return record


def _describe_plate(plate: StoneySubstrate, film: float) -> dict[str, str]:
    constant = plate.stress_per_curvature(film)
    return {
        "Stoney's constant": f"{constant:.5g} Pa m: 1 MPa bends by {1e6 / constant:.5g} 1/m",
        "substrate": f"E = {plate.young_modulus / 1e9:.5g} GPa, nu = {plate.poisson_ratio:g}, "
        f"h = {plate.thickness * 1e6:.5g} um",
        "film": f"h = {film * 1e6:.5g} um",
        "film / substrate": f"{film / plate.thickness:.3g}, about the relative error of a thin "
        "film's formula",
    }


def _describe_stress(
    record: CurvatureRecord, stress: NDArray[np.float64], positive_side: str
) -> dict[str, str]:
    highest, lowest, last = (
        f"{stress[index] / 1e6:+.4g} MPa at {record.values[index]:.6g} {record.unit}"
        for index in (np.argmax(stress), np.argmin(stress), -1)
    )
    return {
        "rows": f"{len(stress)}, by {record.quantity}; the first is taken as free of stress",
        "highest": highest,
        "lowest": lowest,
        "last": last,
        "sign of stress": "+ tension, - compression",
        "sign in the file": f"+ where the film's side is {positive_side}",
    }
