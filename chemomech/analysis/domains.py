"""Find domains of a phase; measure their number, size, orientation and spacing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chemomech.analysis.measures import (
    compute_gradients,
    compute_simplex_volumes,
    compute_vertex_volumes,
    split_into_simplices,
)
from chemomech.analysis.stripes import Periods, measure_periods
from chemomech.analysis.wire_coordinates import WireCoordinates
from chemomech.arrays import FloatArray
from chemomech.output.domains import label_domains
from chemomech.output.snapshot_grid import SnapshotGrid

LI_RICH = "Li-rich"
"""Name of all that is not of the phase poorest in lithium."""

# Of the width: vertices of the wire's sides lie on them up to rounding.
_ON_SIDE = 1e-3


@dataclass(frozen=True)
class Domain:
    """A connected region of one phase.

    Args:
        size: Area in nm2 (2-D) or volume in nm3 (3-D): the shares of its vertices, which leaves the
            outer halves of cut cells out.
        centroid: Its centre in nm, shape (3,).
        along: Place of its centre along the wire in nm; NaN without a wire.
        across: Distance of its centre from the mid-line in nm, positive outwards; NaN without.
        orientation: Angle between its long axis and the wire's, 0 to 90 degrees, in the unrolled
            wire (without one: to the x axis). 90 is a stripe across the wire.
        elongation: Ratio of its long to its short standard deviation, 1 for a disc.
        spans: Whether it touches both sides of the wire; False without a wire.
        in_bend: Whether its centre lies in the bend; False without a wire.
    """

    size: float
    centroid: tuple[float, float, float]
    along: float
    across: float
    orientation: float
    elongation: float
    spans: bool
    in_bend: bool


@dataclass(frozen=True)
class DomainStatistics:
    """Domains of one phase.

    Args:
        domains: Each domain; along the wire, or by size (largest first) without one.
        interface_width: Jump of composition over its slope at the walls to the next poorer phase,
            in nm: the median of the phase less that of the poorer one, over the mean |grad c| of
            the cells that walls cross. NaN where there is no wall. For flat walls between bulk
            phases it is eqn (4)'s s.
        rich_fraction: Part of the particle's area or volume that is of the phase.
        periods: Mean periods of the pattern along the wire; None without a wire.
        phase: Name of the phase.
    """

    domains: tuple[Domain, ...]
    interface_width: float
    rich_fraction: float
    periods: Periods | None
    phase: str = LI_RICH

    @property
    def count(self) -> int:
        """Number of domains; the ledger's."""
        return len(self.domains)

    @property
    def spanning(self) -> int:
        """Number of domains that touch both sides of the wire."""
        return sum(domain.spans for domain in self.domains)

    @property
    def spanning_fraction(self) -> float:
        """Part of the domains that span the wire; NaN where there are none."""
        return self.spanning / self.count if self.count else float("nan")

    @property
    def mean_size(self) -> float:
        """Mean area (nm2) or volume (nm3) of a domain; NaN where there are none."""
        return float(np.mean([domain.size for domain in self.domains])) if self.count else np.nan


def analyse_domains(
    grid: SnapshotGrid,
    composition: FloatArray,
    wire: WireCoordinates | None = None,
    threshold: float = 0.5,
) -> DomainStatistics:
    """Find the connected regions of ``c > threshold`` and measure them.

    Two vertices belong to one region where a path of edges joins them without leaving it, as in
    the ledger.

    Args:
        grid: The whole mesh, in nm.
        composition: Composition at its vertices, shape (vertices,).
        wire: Where the vertices lie in the wire; see `locate_along_wire`.
        threshold: Composition above which a vertex is Li-rich.
    """
    volumes, limits = compute_vertex_volumes(grid), (-math.inf, threshold, math.inf)
    return _analyse(grid, composition, volumes, wire, LI_RICH, limits)


def analyse_phases(
    grid: SnapshotGrid,
    composition: FloatArray,
    wire: WireCoordinates | None,
    names: Sequence[str],
    limits: Sequence[float],
) -> tuple[DomainStatistics, ...]:
    """Find the connected regions of each of several phases and measure them.

    Args:
        grid: The whole mesh, in nm.
        composition: Composition at its vertices, shape (vertices,).
        wire: Where the vertices lie in the wire; see `locate_along_wire`.
        names: Names of the phases by rising composition.
        limits: Compositions above which a vertex is of the next phase, one less than names.

    Returns:
        Statistics of each phase, in the order of their names.
    """
    edges, volumes = (-math.inf, -math.inf, *limits, math.inf), compute_vertex_volumes(grid)
    return tuple(
        _analyse(grid, composition, volumes, wire, name, (poorer, low, high))
        for name, poorer, low, high in zip(names, edges[:-2], edges[1:-1], edges[2:], strict=True)
    )


def _analyse(
    grid: SnapshotGrid,
    composition: FloatArray,
    volumes: FloatArray,
    wire: WireCoordinates | None,
    name: str,
    limits: tuple[float, float, float],
) -> DomainStatistics:
    """Measure a phase; limits are those above which the poorer one, it and a richer one begin."""
    poorer, low, high = limits
    c = np.asarray(composition, dtype=np.float64)
    # What is richer lies outside as well.
    labels = label_domains(grid.edges, np.where(c <= high, c, -math.inf), low)
    return DomainStatistics(
        domains=_measure(grid, labels, volumes, wire),
        interface_width=_measure_width(grid, c, poorer, low, high),
        rich_fraction=float(volumes[labels >= 0].sum() / volumes.sum()),
        periods=None if wire is None else measure_periods(wire, c, low, high),
        phase=name,
    )


def _measure(
    grid: SnapshotGrid,
    labels: NDArray[np.int64],
    volumes: FloatArray,
    wire: WireCoordinates | None,
) -> tuple[Domain, ...]:
    rich = labels >= 0
    numbers, weights = labels[rich], volumes[rich]
    count = int(labels.max(initial=-1)) + 1
    if count == 0:
        return ()
    size = np.bincount(numbers, weights, minlength=count)

    def average(values: FloatArray) -> FloatArray:
        mean: FloatArray = np.bincount(numbers, weights * values[rich], minlength=count) / size
        return mean

    centres = np.column_stack([average(axis) for axis in grid.points.T])
    unrolled = grid.points[:, :2].T if wire is None else np.array([wire.along, wire.across])
    along, across = (average(axis) for axis in unrolled)
    lengthwise, sideways = unrolled[0] - along[labels], unrolled[1] - across[labels]
    angle, ratio = _find_axes(
        average(lengthwise**2), average(sideways**2), average(lengthwise * sideways)
    )
    spans: NDArray[np.bool_] = np.zeros(count, dtype=bool)
    in_bend: NDArray[np.bool_] = np.zeros(count, dtype=bool)
    order = np.argsort(-size, kind="stable")
    if wire is None:
        along, across = np.full(count, np.nan), np.full(count, np.nan)
    else:
        order = np.argsort(along, kind="stable")
        in_bend = wire.find_in_bend(along)
        edge = wire.width * (0.5 - _ON_SIDE)
        inner, outer = labels[wire.across < -edge], labels[wire.across > edge]
        spans = np.isin(np.arange(count), np.intersect1d(inner, outer))
    return tuple(
        Domain(
            size=float(size[i]),
            centroid=tuple(float(x) for x in centres[i]),  # type: ignore[arg-type]
            along=float(along[i]),
            across=float(across[i]),
            orientation=float(angle[i]),
            elongation=float(ratio[i]),
            spans=bool(spans[i]),
            in_bend=bool(in_bend[i]),
        )
        for i in order
    )


def _find_axes(
    lengthwise: FloatArray, sideways: FloatArray, mixed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the long axis' angle in degrees, and the axes' ratio, from second moments."""
    angle = np.degrees(0.5 * np.arctan2(2 * mixed, lengthwise - sideways))
    middle, half = (lengthwise + sideways) / 2, np.hypot((lengthwise - sideways) / 2, mixed)
    # A domain one vertex thin has no short axis.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt((middle + half) / np.maximum(middle - half, 0.0))
    return np.abs(angle), ratio


def _measure_width(
    grid: SnapshotGrid, c: FloatArray, poorer: float, threshold: float, upper: float
) -> float:
    """Measure walls at a threshold, above which a phase is and below which the poorer one."""
    simplices = split_into_simplices(grid)
    corners = c[simplices]
    cut = simplices[(corners.min(axis=1) <= threshold) & (corners.max(axis=1) > threshold)]
    rich, poor = c[(c > threshold) & (c <= upper)], c[(c > poorer) & (c <= threshold)]
    if len(cut) == 0 or len(rich) == 0 or len(poor) == 0:
        return float("nan")
    slopes = np.linalg.norm(compute_gradients(grid, cut, c), axis=1)
    slope = np.average(slopes, weights=compute_simplex_volumes(grid, cut))
    return float((np.median(rich) - np.median(poor)) / slope)
