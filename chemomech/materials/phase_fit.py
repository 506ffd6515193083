"""Fit a Redlich-Kister energy to the windows of phases, plateau voltages and barriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyder, polyvander
from numpy.typing import ArrayLike, NDArray
from scipy.constants import R as GAS_CONSTANT
from scipy.linalg import null_space

from chemomech.errors import InputError
from chemomech.materials.phase_diagram import find_phases
from chemomech.materials.redlich_kister import RedlichKister
from chemomech.units import FARADAY

FloatArray = NDArray[np.float64]

# More coefficients than there are conditions, tried one after the other until no well is spurious.
_SPARE = 8
# Of the highest point between two phases, which is found on a grid and imposed anew.
_ITERATIONS = 50
_GRID = 2001
# Errors of rounding, in c and mu / RT, and of barriers in units of their own.
_SAME = 1e-6
_SAME_BARRIER = 1e-4


@dataclass(frozen=True)
class Plateau:
    """Two phases in equilibrium, which a fit must have: compositions, and mu / (RT) of both.

    The barrier, in units of RT C, is the greatest height of g over their tangent; None leaves it
    open.
    """

    poor: float
    rich: float
    potential: float
    barrier: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.poor < self.rich < 1.0:
            raise InputError(
                f"phases must lie between 0 and 1, the poor one first, got {self.poor:g} and "
                f"{self.rich:g}"
            )
        if self.barrier is not None and not 0.0 < self.barrier < np.inf:
            raise InputError(f"a barrier must be positive, got {self.barrier:g}")


def fit_phases(
    windows: Sequence[tuple[float, float]],
    plateaus: Sequence[float],
    reference_voltage: float,
    *,
    barriers: Sequence[float] | None = None,
    temperature: float = 298.15,
) -> RedlichKister:
    """Find the free energy of given phases.

    Equal slopes and common tangents are linear conditions on the coefficients. The fewest that
    satisfy them are tried first, then more, of the least norm, until the phases found from the
    result are those asked for and no others.

    Args:
        windows: Lowest and highest composition of each phase, increasing; the first begins at 0,
            the last ends at 1.
        plateaus: Voltage (V) at which each phase is in equilibrium with the next, falling.
        reference_voltage: Voltage (V) at mu = 0.
        barriers: Height of each barrier over the tangent, in units of RT C.
        temperature: Temperature (K) of the plateaus.

    Raises:
        InputError: There are not as many plateaus and barriers as gaps, they are not in order, or
            no such energy has these phases alone.
    """
    thermal_voltage = GAS_CONSTANT * temperature / FARADAY
    gaps = _find_gaps(windows)
    if len(plateaus) != len(gaps):
        raise InputError(_count("plateaus", gaps, plateaus), key="plateaus")
    if not np.all(np.diff(plateaus) < 0.0):
        raise InputError("voltages of plateaus must fall as lithium enters", key="plateaus")
    if barriers is not None and len(barriers) != len(gaps):
        raise InputError(_count("barriers", gaps, barriers), key="barriers")
    heights = [None] * len(gaps) if barriers is None else barriers
    wanted = [
        Plateau(*gap, (reference_voltage - voltage) / thermal_voltage, height)
        for gap, voltage, height in zip(gaps, plateaus, heights, strict=True)
    ]
    fewest = count_conditions(wanted) - 1
    faults = []
    for terms in range(fewest, fewest + _SPARE):
        law = solve(wanted, terms)
        fault = find_fault(law, wanted)
        if fault is None:
            return law
        faults.append(fault)
    raise InputError(
        f"no Redlich-Kister energy of {fewest} to {terms} terms has these phases alone: the first "
        f"{faults[0]}",
        key="windows" if barriers is None else "barriers",
    )


def _count(what: str, gaps: Sequence[object], given: Sequence[object]) -> str:
    return f"needs {len(gaps)} {what}, one between each two windows, got {len(given)}"


def count_conditions(wanted: Sequence[Plateau]) -> int:
    """Count the conditions that plateaus put on the coefficients."""
    return sum(3 if plateau.barrier is None else 4 for plateau in wanted)


def solve(
    wanted: Sequence[Plateau],
    terms: int,
    rows: FloatArray | None = None,
    values: FloatArray | None = None,
) -> RedlichKister:
    """Solve for m and L_0, ...: plateaus exactly, then rows by least squares, then of least norm.

    Args:
        wanted: The plateaus.
        terms: Number of coefficients L_k.
        rows: What measured values are of the coefficients, shape (n, terms + 1).
        values: The values, less those of ideal mixing, shape (n,).
    """
    peaks = np.array([(plateau.poor + plateau.rich) / 2.0 for plateau in wanted])
    steps = np.array([(plateau.rich - plateau.poor) / _GRID for plateau in wanted])
    for _ in range(_ITERATIONS):
        solution = _solve_once(wanted, peaks, terms, rows, values)
        if all(plateau.barrier is None for plateau in wanted):
            break
        former, peaks = peaks, np.array([_find_peak(solution, plateau) for plateau in wanted])
        if np.all(np.abs(peaks - former) < 2.0 * steps):
            break
    return RedlichKister(float(solution[0]), tuple(float(value) for value in solution[1:]))


def tabulate(c: ArrayLike, terms: int, order: int) -> FloatArray:
    """Tabulate what multiplies m, L_0, ... in g, or in a derivative of it, at compositions (n,).

    The table has the shape (n, terms + 1), with so many coefficients L_k.
    """
    # In powers of z: c, then c (1 - c) z^k = (z^k - z^(k + 2)) / 4.
    shares = np.zeros((terms + 2, terms + 1))
    shares[:2, 0] = 0.5
    shares[:-2, 1:] += 0.25 * np.eye(terms)
    shares[2:, 1:] -= 0.25 * np.eye(terms)
    derived = polyder(shares, order, scl=2.0)
    z = 2.0 * np.asarray(c, dtype=np.float64) - 1.0
    return np.asarray(polyvander(z, len(derived) - 1) @ derived, dtype=np.float64)


def mix_ideally(c: ArrayLike, order: int) -> FloatArray:
    """Evaluate ideal mixing, c ln c + (1 - c) ln(1 - c), or its first derivative."""
    c = np.asarray(c, dtype=np.float64)
    return c * np.log(c) + (1.0 - c) * np.log1p(-c) if order == 0 else np.log(c) - np.log1p(-c)


def find_fault(
    law: RedlichKister,
    wanted: Sequence[Plateau] | None,
    span: tuple[float, float] = (0.0, 1.0),
) -> str | None:
    """Say what phases of a law were not asked for, or what else they lack; None if nothing.

    All plateaus are wanted, or it is not known which, None; the span is where the law is known.
    """
    try:
        phases = find_phases(law)
    except InputError as error:
        return f"has phases that cannot be found: {error.message}"
    edges = ", ".join(f"{low:.4f} to {high:.4f}" for low, high in phases.spinodals)
    if any(low < span[0] or high > span[1] for low, high in phases.spinodals):
        return f"is unstable from {edges}, where the table ends"
    if wanted is None:
        return None
    found = [(pair.poor, pair.rich, pair.potential) for pair in phases.coexistences]
    asked = [(plateau.poor, plateau.rich, plateau.potential) for plateau in wanted]
    if len(found) != len(asked) or not np.allclose(found, asked, rtol=0.0, atol=_SAME):
        pairs = ", ".join(f"c = {poor:.4f} and {rich:.4f}" for poor, rich, _ in found)
        return f"has other phases in equilibrium, {pairs or 'none at all'}"
    if len(phases.spinodals) > len(asked):
        return f"has spurious wells: it is unstable from {edges}"
    for pair, plateau in zip(phases.coexistences, wanted, strict=True):
        if plateau.barrier and abs(pair.barrier / plateau.barrier - 1.0) > _SAME_BARRIER:
            return f"has a barrier of {pair.barrier:.4g} rather than {plateau.barrier:.4g}"
    return None


def _find_gaps(windows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(windows) < 2:
        raise InputError("two phases or more are needed", key="windows")
    edges = [edge for window in windows for edge in window]
    if edges[0] != 0.0 or edges[-1] != 1.0:
        raise InputError(
            "the first must begin at 0 and the last end at 1: ideal mixing reaches both",
            key="windows",
        )
    if not np.all(np.diff(edges) > 0.0):
        raise InputError("must be in order and apart from each other", key="windows")
    return list(zip(edges[1::2], edges[2::2], strict=False))


def _solve_once(
    wanted: Sequence[Plateau],
    peaks: FloatArray,
    terms: int,
    rows: FloatArray | None,
    values: FloatArray | None,
) -> FloatArray:
    solution: FloatArray = np.zeros(terms + 1)
    free: FloatArray = np.eye(terms + 1)
    if wanted:
        conditions, demands = _state_conditions(wanted, peaks, terms)
        solution = np.asarray(np.linalg.lstsq(conditions, demands, rcond=None)[0])
        free = null_space(conditions)
    if rows is not None and values is not None and free.shape[1]:
        rest = np.linalg.lstsq(rows @ free, values - rows @ solution, rcond=None)[0]
        solution = solution + free @ rest
    return solution


def _state_conditions(
    wanted: Sequence[Plateau], peaks: FloatArray, terms: int
) -> tuple[FloatArray, FloatArray]:
    """State the linear conditions: both slopes, the tangent, and the height at the peak."""
    conditions, demands = [], []
    for plateau, peak in zip(wanted, peaks, strict=True):
        ends = np.array([plateau.poor, plateau.rich])
        conditions.append(tabulate(ends, terms, 1))
        demands.append(plateau.potential - mix_ideally(ends, 1))
        # From the poor phase to the rich one, and to the peak.
        peaked = plateau.barrier is not None
        c = np.array([plateau.poor, plateau.rich, *([peak] if peaked else [])])
        heights = np.array([0.0, 0.0, *([plateau.barrier] if peaked else [])])
        energies = heights + plateau.potential * c - mix_ideally(c, 0)
        rows = tabulate(c, terms, 0)
        conditions.append(rows[1:] - rows[0])
        demands.append(energies[1:] - energies[0])
    return np.concatenate(conditions), np.concatenate(demands)


def _find_peak(solution: FloatArray, plateau: Plateau) -> float:
    """Find the composition between two phases at which g is highest over their tangent."""
    c = np.linspace(plateau.poor, plateau.rich, _GRID)
    energy = tabulate(c, len(solution) - 1, 0) @ solution + mix_ideally(c, 0)
    return float(c[np.argmax(energy - plateau.potential * c)])
