"""Stress of a film from the bending of the plate it sits on (eqn 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming
from chemomech.text_files import read_columns

_TIMES = {"time_s": 1.0, "time_min": 60.0, "time_h": 3600.0}
_VOLTAGES = {"voltage_V": 1.0, "voltage_mV": 1e-3}
_CURVATURES = {"curvature_1/m": 1.0, "curvature_1/km": 1e-3}
_RADII = {"radius_m": 1.0, "radius_km": 1e3}


@dataclass(frozen=True)
class StoneySubstrate:
    """A plate that bends under the stress of a much thinner film on it.

    Args:
        young_modulus: E_s, in Pa.
        poisson_ratio: nu_s.
        thickness: h_s, in m.

    Raises:
        InputError: A modulus or thickness is not positive, or the ratio is not in (-1, 1/2).
    """

    young_modulus: float
    poisson_ratio: float
    thickness: float

    def __post_init__(self) -> None:
        for name in ("young_modulus", "thickness"):
            _require_positive(getattr(self, name), name)
        if not -1.0 < self.poisson_ratio < 0.5:
            raise InputError(
                f"must lie between -1 and 1/2, got {self.poisson_ratio:g}", key="poisson_ratio"
            )

    def stress_per_curvature(self, film_thickness: float) -> float:
        """Stoney's constant E_s h_s^2 / (6 h_f (1 - nu_s)), in Pa m, of a film h_f (m) thick.

        Raises:
            InputError: The film is not thinner than the plate.
        """
        _require_positive(film_thickness, "film_thickness")
        if film_thickness >= self.thickness:
            raise InputError(
                f"Stoney's formula is for films much thinner than the plate; {film_thickness:g} m "
                f"on {self.thickness:g} m is none",
                key="film_thickness",
            )
        stiffness = self.young_modulus * self.thickness**2 / (1.0 - self.poisson_ratio)
        return stiffness / (6.0 * film_thickness)

    def film_stress(self, curvature_change: ArrayLike, film_thickness: float) -> FloatArray:
        """Compute sigma = E_s h_s^2 dK / (6 h_f (1 - nu_s)), eqn 1, equal in both directions.

        Tension is positive, and so is the curvature of a plate that is concave on the film's side:
        a film in tension shrinks its side and makes it so. Eqn 1 carries no sign, while the text
        around it calls compression negative; with curvatures counted positive where the film's side
        is convex, negate them first, as `read_curvature` does.

        The film's own stiffness is left out, an error of the order of h_f / h_s: a few per cent
        for the source paper's films, where that is 0.0575.

        Args:
            curvature_change: dK = K - K_0, in 1/m, from the state in which the film was free of
                stress, any shape.
            film_thickness: h_f, in m.

        Returns:
            Mean stress of the film, in Pa, the shape of ``curvature_change``.

        Raises:
            InputError: The film is not thinner than the plate.
        """
        change = np.asarray(curvature_change, dtype=np.float64)
        return np.asarray(self.stress_per_curvature(film_thickness) * change)


@dataclass(frozen=True, eq=False)
class CurvatureRecord:
    """Curvature of a plate while its film is charged and discharged.

    Args:
        quantity: What it was recorded against.
        values: Times in s or voltages in V, shape (n,), in the order of measurement.
        curvature: K in 1/m, shape (n,), positive where the film's side is concave.

    Raises:
        InputError: The shapes differ, there is no entry, or a number is not finite.
    """

    quantity: Literal["time", "voltage"]
    values: FloatArray
    curvature: FloatArray

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.shape != self.curvature.shape:
            raise InputError(
                f"{self.quantity} of shape {self.values.shape} does not fit curvatures of shape "
                f"{self.curvature.shape}"
            )
        if self.values.size == 0:
            raise InputError("a record of curvature needs at least one entry")
        if not (np.isfinite(self.values).all() and np.isfinite(self.curvature).all()):
            raise InputError("a record of curvature must hold finite numbers")

    @property
    def unit(self) -> str:
        """Unit of `values`."""
        return "s" if self.quantity == "time" else "V"

    @property
    def change(self) -> FloatArray:
        """K - K_0, in 1/m, from the first entry on, shape (n,)."""
        return self.curvature - self.curvature[0]


def read_curvature(
    path: Path | str, *, positive_side: Literal["concave", "convex"]
) -> CurvatureRecord:
    """Read the curvature of a plate from a CSV file.

    The header names two columns, in any order: ``time_s``, ``time_min``, ``time_h``, ``voltage_V``
    or ``voltage_mV``, and ``curvature_1/m``, ``curvature_1/km``, ``radius_m`` or ``radius_km``. A
    plate that is flat has the radius ``inf``.

    Args:
        path: The file.
        positive_side: Shape of the film's side where the file's numbers are positive. Instruments
            differ, and nothing in the numbers tells.

    Returns:
        The record, in the package's convention: positive where the film's side is concave.

    Raises:
        InputError: The file is missing, is no text or no such table, or holds a number that cannot
            be used.
    """
    if positive_side not in ("concave", "convex"):
        raise InputError(f"must be concave or convex, got {positive_side!r}", key="positive_side")
    columns = read_columns(Path(path))
    first = [name for name in columns if name in _TIMES | _VOLTAGES]
    second = [name for name in columns if name in _CURVATURES | _RADII]
    if len(columns) != 2 or len(first) != 1 or len(second) != 1:
        raise InputError(
            f"needs one column of {', '.join(_TIMES | _VOLTAGES)} and one of "
            f"{', '.join(_CURVATURES | _RADII)}, got {', '.join(columns)}",
            path=str(path),
        )
    sign = 1.0 if positive_side == "concave" else -1.0
    with naming(path=path):
        return CurvatureRecord(
            "time" if first[0] in _TIMES else "voltage",
            columns[first[0]] * (_TIMES | _VOLTAGES)[first[0]],
            sign * _to_curvature(second[0], columns[second[0]]),
        )


def _to_curvature(name: str, numbers: FloatArray) -> FloatArray:
    """Convert a column of curvatures or radii to curvatures in 1/m."""
    if name in _CURVATURES:
        return numbers * _CURVATURES[name]
    if np.any(numbers == 0.0):
        raise InputError("a radius of curvature must not be zero")
    return np.reciprocal(numbers * _RADII[name])


def _require_positive(value: float, name: str) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(f"must be positive and finite, got {value:g}", key=name)
