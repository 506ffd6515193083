"""Fit a Redlich-Kister energy to a table: of g, of mu or of an open-circuit voltage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import R as GAS_CONSTANT

from chemomech.errors import InputError
from chemomech.materials.phase_fit import (
    Plateau,
    count_conditions,
    find_fault,
    mix_ideally,
    solve,
    tabulate,
)
from chemomech.materials.redlich_kister import RedlichKister
from chemomech.text_files import read_columns
from chemomech.units import FARADAY

FloatArray = NDArray[np.float64]
Quantity = Literal["energy", "potential", "voltage"]

COLUMNS: dict[Quantity, str] = {"energy": "g", "potential": "mu", "voltage": "voltage_V"}
"""Name of the column beside ``c``, by what it holds."""

_FEWEST_POINTS = 4
_MOST_TERMS = 20
# Fits whose mean square errors are within this factor of the best are as good as it, and so are
# those with a root mean square below this, in units of RT: 0.01 mV.
_AS_GOOD = 2.0
_EXACT = 4e-4
# A curve is flat where mu / F rises by less than this (V) over this much of c.
_FLAT = 5e-4
_STRETCH = 0.05


@dataclass(frozen=True)
class TableFit:
    """A free energy fitted to a table.

    Args:
        law: The free energy.
        largest_error: Largest deviation (V) from an entry outside plateaus: of the voltage, of
            mu / F or of g / F, as the table has it.
    """

    law: RedlichKister
    largest_error: float


def read_energy_table(path: Path | str, quantity: Quantity) -> FloatArray:
    """Read compositions and values from a CSV file, header ``c,g``, ``c,mu`` or ``c,voltage_V``.

    Args:
        path: The file.
        quantity: What it holds beside c: g in units of RT C, mu in units of RT or the voltage in V.

    Returns:
        Both columns, shape (n, 2).

    Raises:
        InputError: The file is missing or no such table.
    """
    columns = read_columns(Path(path))
    wanted = ["c", COLUMNS[quantity]]
    if sorted(columns) != sorted(wanted):
        raise InputError(
            f"needs the header {','.join(wanted)}, got {','.join(columns)}", path=str(path)
        )
    return np.stack([columns[name] for name in wanted], axis=-1)


def fit_energy_table(
    table: ArrayLike,
    quantity: Quantity,
    *,
    reference_voltage: float | None = None,
    plateaus: Sequence[tuple[float, float, float]] | None = None,
    temperature: float = 298.15,
) -> TableFit:
    """Fit ideal mixing and an excess energy to a table by least squares.

    The number of terms is the least that predicts the table as well as any other does, by
    generalised cross-validation, and has phases that the table can tell.

    On a plateau, where two phases coexist, a measured curve is flat: it says nothing about the
    energy between both, on which the interface depends. Its entries there are left out; the phases,
    the potential of these entries and the barrier are imposed.

    Args:
        table: Compositions c and values, shape (n, 2), n >= 4.
        quantity: What the values are: g in units of RT C, of any origin, mu in units of RT or the
            voltage in V.
        reference_voltage: Voltage (V) at mu = 0; of voltages only.
        plateaus: Of each plateau c of both phases and the barrier over their tangent, in units of
            RT C; of the curve of a homogeneous crystal, whose loops show its barriers, an empty
            sequence. With None there is one phase: a curve that is flat or falls is refused.
        temperature: Temperature (K) of the table.

    Raises:
        InputError: The table cannot be used or has a plateau that is not stated, or no fit has the
            phases stated and no others.
    """
    thermal_voltage = GAS_CONSTANT * temperature / FARADAY
    points = _check(np.array(table, dtype=np.float64))
    if (quantity == "voltage") != (reference_voltage is not None):
        fault = "is needed with voltages" if quantity == "voltage" else "is for voltages only"
        raise InputError(fault, key="reference_voltage")
    if reference_voltage is not None:
        points[:, 1] = (reference_voltage - points[:, 1]) / thermal_voltage
    potentials = _differentiate(points) if quantity == "energy" else points
    if plateaus is None:
        _refuse_flat(potentials, _FLAT / thermal_voltage)
    wanted = [_place(potentials, *plateau) for plateau in sorted(plateaus or ())]
    samples = _Samples(_leave_out(points, wanted), 0 if quantity == "energy" else 1)
    law = _choose(samples, wanted, is_known=bool(wanted) or plateaus is None)
    return TableFit(law, thermal_voltage * float(np.abs(samples.find_errors(law)).max()))


@dataclass(frozen=True)
class _Samples:
    """Values of g, or of its derivative of an order, by composition; points of shape (n, 2)."""

    points: FloatArray
    order: int

    def state(self, terms: int) -> tuple[FloatArray, FloatArray]:
        """State the rows of the coefficients and the values less those of ideal mixing."""
        c, values = self.points.T
        rows, values = tabulate(c, terms, self.order), values - mix_ideally(c, self.order)
        # Energies count from the first: their origin is free.
        return (rows[1:] - rows[0], values[1:] - values[0]) if self.order == 0 else (rows, values)

    def find_errors(self, law: RedlichKister) -> FloatArray:
        """Find the deviations of a law."""
        rows, values = self.state(len(law.coefficients))
        return np.asarray(rows @ np.array([law.linear, *law.coefficients]) - values)

    def estimate_error(self, law: RedlichKister, conditions: int) -> float:
        """Estimate the mean square error at other compositions by generalised cross-validation.

        The fit satisfies so many conditions.
        """
        errors = self.find_errors(law)
        spare = len(errors) - (len(law.coefficients) + 1 - conditions)
        return float(np.mean(errors**2)) * (len(errors) / spare) ** 2


def _choose(samples: _Samples, wanted: Sequence[Plateau], *, is_known: bool) -> RedlichKister:
    """Choose the number of terms, with the wanted plateaus imposed.

    Refused are samples of which all good fits have other phases, where these are known, or become
    unstable where nothing is known.
    """
    conditions = count_conditions(wanted)
    fewest = max(conditions - 1, 1)
    most = conditions + min(_MOST_TERMS, len(samples.points) // 2)
    laws = [solve(wanted, terms, *samples.state(terms)) for terms in range(fewest, most)]
    errors = [samples.estimate_error(law, conditions) for law in laws]
    c = samples.points[:, 0]

    def find(law: RedlichKister) -> str | None:
        return find_fault(law, wanted if is_known else None, (float(c[0]), float(c[-1])))

    # Phases take long to find, which the best fit mostly spares the others.
    order = np.argsort(errors)
    best = next((errors[k] for k in order if find(laws[k]) is None), None)
    if best is None:
        raise InputError(
            f"no Redlich-Kister energy of {fewest} to {most - 1} terms that is fitted to the table "
            f"has its phases alone: the closest {find(laws[order[0]])}"
        )
    enough = max(_AS_GOOD * best, _EXACT**2)
    close = (law for law, error in zip(laws, errors, strict=True) if error <= enough)
    return next(law for law in close if find(law) is None)


def _check(table: FloatArray) -> FloatArray:
    """Check a table and sort it by composition."""
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < _FEWEST_POINTS:
        raise InputError(
            f"a table of c and values needs the shape (n, 2), n at least {_FEWEST_POINTS}, got "
            f"{table.shape}"
        )
    if not np.isfinite(table).all():
        raise InputError("a table must hold finite numbers")
    table = table[np.argsort(table[:, 0])]
    c = table[:, 0]
    if not (c[0] > 0.0 and c[-1] < 1.0):
        raise InputError(f"compositions must lie between 0 and 1, got {c[0]:g} to {c[-1]:g}")
    if np.any(np.diff(c) <= 0.0):
        raise InputError("a composition stands in the table twice")
    return table


def _differentiate(points: FloatArray) -> FloatArray:
    """Differentiate g between neighbouring entries."""
    c, energy = points.T
    return np.stack([(c[1:] + c[:-1]) / 2.0, np.diff(energy) / np.diff(c)], axis=-1)


def _refuse_flat(potentials: FloatArray, least: float) -> None:
    """Refuse a curve that rises by less than this over a stretch."""
    c, values = potentials.T
    ends = np.searchsorted(c, c + _STRETCH)
    starts = np.flatnonzero(ends < len(c))
    flat = starts[values[ends[starts]] - values[starts] < least]
    if flat.size == 0:
        return
    last = flat[np.append(np.diff(flat) > 1, True).argmax()]
    raise InputError(
        f"the curve is flat or falls from c = {c[flat[0]]:.4g} to {c[ends[last]]:.4g}, as where "
        "two phases coexist: a flat one does not show the barrier that makes their interface; "
        "state poor, rich and barrier of each plateau, or an empty list for the curve of a "
        "homogeneous crystal",
        key="plateaus",
    )


def _place(potentials: FloatArray, poor: float, rich: float, barrier: float) -> Plateau:
    """Give a plateau the mean potential of the entries in it."""
    c, values = potentials.T
    inside = (c > poor) & (c < rich)
    if not inside.any():
        raise InputError(
            f"no entry of the table lies between c = {poor:g} and {rich:g}", key="plateaus"
        )
    return Plateau(poor, rich, float(values[inside].mean()), barrier)


def _leave_out(points: FloatArray, wanted: Sequence[Plateau]) -> FloatArray:
    """Leave out the entries on plateaus, of which enough must be left."""
    c = points[:, 0]
    for plateau in wanted:
        points = points[(c <= plateau.poor) | (c >= plateau.rich)]
        c = points[:, 0]
    if len(points) < _FEWEST_POINTS:
        raise InputError(f"fewer than {_FEWEST_POINTS} entries lie outside the plateaus")
    return points
