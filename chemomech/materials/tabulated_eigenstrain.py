"""Chemical eigenstrain from a table, beyond one partial molar volume (eqn 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import ufl
from numpy.typing import ArrayLike
from ufl.core.expr import Expr

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.materials.piecewise import ROUNDING, check_compositions, ramp


@dataclass(frozen=True, eq=False)
class TabulatedEigenstrain:
    r"""e*(c) = e(c) - e(c_ref), with e linear between the entries of a table.

    e* is continuous and exactly zero at the reference. Beyond the table its first and last segments
    go on straight: a table of two entries is `Eigenstrain` everywhere, and measured compositions a
    little below 0 or above 1 get the strain of their neighbours' law. Where a phase no longer
    swells, the table must say so by a level last segment.

    The slope jumps at an entry; there, de*/dc is that of the side towards the reference. That suits
    a composition that is given. Where it is solved for, the chemical potential -sigma : de*/dc
    would jump with it and Newton's method fail: give a ``transition``, a range of c about each
    entry over which the slope changes evenly. It rounds the corner by an eighth of the jump of the
    slope times the range, and changes nothing beyond.

    Compositions are in units of the field c that the law is used with: Li per formula unit for
    maps of x, the fraction of ``material.site_concentration`` in a simulation.

    Args:
        compositions: c of the entries, increasing, shape (n,), n >= 2.
        strains: Symmetric strain tensors (dimensionless) of the stress-free solid relative to any
            one state, shape (n, 3, 3). Expansion is positive.
        reference: Composition c_ref of the stress-free state, inside the table or not.
        transition: Range of c about each entry over which the slope changes; 0 for a corner.

    Raises:
        InputError: The shapes do not fit, a number is not finite, the compositions do not increase,
            a tensor is not symmetric or the transition is negative.
    """

    compositions: FloatArray
    strains: FloatArray
    reference: float
    transition: float = 0.0

    def __post_init__(self) -> None:
        compositions = check_compositions(self.compositions)
        strains = np.array(self.strains, dtype=np.float64)
        if strains.shape != (len(compositions), 3, 3):
            raise InputError(
                f"{len(compositions)} compositions need strains of shape "
                f"({len(compositions)}, 3, 3), got {strains.shape}",
                key="strains",
            )
        if not np.isfinite(strains).all() or not np.allclose(
            strains, strains.transpose(0, 2, 1), rtol=ROUNDING, atol=ROUNDING
        ):
            raise InputError("strains must be finite, symmetric tensors", key="strains")
        _check_reference(self.reference)
        if not (np.isfinite(self.transition) and self.transition >= 0.0):
            raise InputError(
                f"must be a range of compositions or zero, got {self.transition:g}",
                key="transition",
            )
        object.__setattr__(self, "compositions", compositions)
        object.__setattr__(self, "strains", strains)

    @classmethod
    def from_molar_volumes(
        cls,
        compositions: ArrayLike,
        volumes: ArrayLike,
        reference: float,
        *,
        transition: float = 0.0,
    ) -> Self:
        """Create e*(c) = (V(c) - V_ref) / (3 V_ref) I from molar volumes, V_ref = V(c_ref).

        This is eqn 10 with Omega = dV/dc and C = 1 / V_ref: linear in V like it, rather than the
        cube root of V / V_ref, from which it differs by about the square of the strain (4.27 %
        against 4.10 % for a swelling of 12.8 %), which small strains leave out anyway.

        Args:
            compositions: c of the entries, increasing, shape (n,), n >= 2.
            volumes: Volume V of one mole of formula units (m^3/mol), whatever it holds of lithium,
                shape (n,).
            reference: Composition c_ref of the stress-free state; V is linear between and beyond
                the entries.
            transition: As in the class.

        Raises:
            InputError: As the class, or a volume is not positive.
        """
        nodes = check_compositions(compositions)
        values = np.array(volumes, dtype=np.float64)
        if values.shape != nodes.shape:
            raise InputError(
                f"needs one molar volume for each of {len(nodes)} compositions, got an array of "
                f"shape {values.shape}",
                key="volumes",
            )
        _check_reference(reference)
        segment = _find_segment(nodes, reference)
        slope = np.diff(values)[segment] / np.diff(nodes)[segment]
        at_reference = values[segment] + slope * (reference - nodes[segment])
        if not (np.isfinite(values).all() and values.min() > 0.0 and at_reference > 0.0):
            raise InputError(
                "molar volumes (m^3/mol) must be finite and positive, at the reference too",
                key="volumes",
            )
        strains = (values - at_reference) / (3.0 * at_reference)
        return cls(nodes, _make_isotropic(strains), reference, transition=transition)

    @classmethod
    def from_phases(
        cls,
        windows: Sequence[tuple[float, float, float]],
        site_concentration: float,
        reference: float,
        *,
        transition: float = 0.0,
    ) -> Self:
        r"""Create e*(c) = I (C / 3) int_{c_ref}^{c} Omega(c') dc', one Omega for each phase.

        Eqn 10 with Omega of the phase found at c, Omega(c) C (c - c_ref) / 3, would jump where one
        phase gives way to the next, and by an amount that depends on c_ref: two coexisting phases
        would be misfitted by a choice of origin. The integral is continuous, has the slope
        Omega C / 3 inside each phase, and is that same formula where all Omega are equal.

        Between two windows lies a mixture of two phases, whose volume is linear by the lever rule.
        How much it changes there no Omega of the phases tells: the mean of the two is taken. Where
        the volumes of the two phases are known (for Li_xV2O5 most of the swelling happens there),
        give the gap a window of its own, with Omega = difference in V / difference in c.

        Args:
            windows: (c_low, c_high, Omega in m^3/mol) of each phase, by rising c; neighbours may
                touch. The first and the last go on beyond their ends.
            site_concentration: C in mol/m^3, the concentration of lithium at c = 1.
            reference: Composition c_ref of the stress-free state.
            transition: As in the class.

        Raises:
            InputError: A window is empty or overlaps another, or a number is not finite.
        """
        table = _check_windows(windows)
        if not (np.isfinite(site_concentration) and site_concentration > 0.0):
            raise InputError(
                f"must be positive (mol/m^3), got {site_concentration:g}",
                key="site_concentration",
            )
        edges = table[:, :2].ravel()
        omega = np.empty(len(edges) - 1)
        omega[::2] = table[:, 2]
        omega[1::2] = (table[1:, 2] + table[:-1, 2]) / 2.0
        # Windows that touch leave no gap: its two ends are one entry.
        kept = np.diff(edges) > ROUNDING
        nodes = edges[np.append(True, kept)]
        strains = np.cumsum(site_concentration * omega[kept] * np.diff(nodes)) / 3.0
        tensors = _make_isotropic(np.append(0.0, strains))
        return cls(nodes, tensors, reference, transition=transition)

    @property
    def slopes(self) -> FloatArray:
        """de*/dc of each segment (dimensionless), shape (n - 1, 3, 3)."""
        return np.diff(self.strains, axis=0) / np.diff(self.compositions)[:, None, None]

    def strain(self, c: Expr) -> Expr:
        """Return the eigenstrain; see `EigenstrainLaw.strain`.

        A straight line through the reference and, at each entry where the slope jumps, a hinge
        max(0, .) that opens away from the reference, so that corners vanish there exactly.
        """
        slopes = self.slopes
        segment = _find_segment(self.compositions, self.reference)
        value = (c - self.reference) * ufl.as_matrix(slopes[segment].tolist())
        jumps = np.diff(slopes, axis=0)
        # Slopes that differ less than by rounding are equal.
        bends = np.abs(jumps).max(axis=(1, 2)) > ROUNDING * np.abs(slopes).max()
        for index in np.flatnonzero(bends):
            node = float(self.compositions[index + 1])
            outwards = -1.0 if index < segment else 1.0
            hinge = ramp(outwards * (c - node), self.transition)
            if self.transition > 0.0:
                hinge -= ramp(ufl.as_ufl(outwards * (self.reference - node)), self.transition)
            value += hinge * ufl.as_matrix(jumps[index].tolist())
        return value


def _make_isotropic(strains: FloatArray) -> FloatArray:
    """Turn linear strains, shape (n,), into tensors, shape (n, 3, 3)."""
    return strains[:, None, None] * np.eye(3)


def _find_segment(nodes: FloatArray, composition: float) -> int:
    """Find the segment that holds a composition, or that extends to it from the table's end."""
    index = int(np.searchsorted(nodes, composition, side="right")) - 1
    return min(max(index, 0), len(nodes) - 2)


def _check_reference(reference: float) -> None:
    if not np.isfinite(reference):
        raise InputError(f"must be a finite composition, got {reference:g}", key="reference")


def _check_windows(windows: Sequence[tuple[float, float, float]]) -> FloatArray:
    """Return phases as rows (low, high, Omega), shape (phases, 3); refuse gaps and overlaps."""
    key = "windows"
    if not windows or any(len(window) != 3 for window in windows):
        raise InputError("phases need (c_low, c_high, Omega) each, and there must be one", key=key)
    table = np.array(windows, dtype=np.float64)
    if not np.isfinite(table).all():
        raise InputError("the windows of the phases must be finite numbers", key=key)
    edges = table[:, :2].ravel()
    steps = np.diff(edges)
    if steps[::2].min() <= ROUNDING:
        raise InputError("each phase needs a window with c_low < c_high", key=key)
    if steps[1::2].min(initial=0.0) < -ROUNDING:
        raise InputError(
            "the windows of the phases must not overlap; list them by rising c", key=key
        )
    return table
