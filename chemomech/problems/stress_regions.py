"""Parts of a particle whose stress is looked at apart: its phases and the walls between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.geometry.checks import require_not_negative
from chemomech.materials.phases import Phase
from chemomech.problems.cell_stress import CellValues

WHOLE = "all"
BOUNDARIES = "boundaries"

#: Round-off must not decide whether a boundary is within reach.
_SLACK = 1e-9


@dataclass(frozen=True)
class Regions:
    """The whole particle, each of its phases and, if wanted, what lies at their boundaries.

    A boundary runs where the composition crosses the threshold between two phases: the middle of
    the gap between their windows (alpha up to 0.1 and epsilon from 0.3 on: 0.2). Cells that it
    passes through lie at it, and those whose midpoint is no farther away than the distance (m);
    None leaves boundaries out.

    Raises:
        InputError: Windows overlap, a phase has the name of another region, the distance is
            negative, or there are no two phases to have a boundary between them.
    """

    phases: tuple[Phase, ...] = ()
    boundary_distance: float | None = None

    def __post_init__(self) -> None:
        phases = tuple(sorted(self.phases, key=lambda phase: phase.lower))
        object.__setattr__(self, "phases", phases)
        for name in (WHOLE, BOUNDARIES):
            if name in {phase.name for phase in phases}:
                raise InputError(f"a phase cannot be called '{name}'", key="phases")
        if len({phase.name for phase in phases}) < len(phases):
            raise InputError("two phases have the same name", key="phases")
        for low, high in pairwise(phases):
            if low.upper > high.lower:
                raise InputError(
                    f"the windows of phases '{low.name}' and '{high.name}' overlap", key="phases"
                )
        if self.boundary_distance is not None:
            require_not_negative(self.boundary_distance, "boundary_distance")
            if len(phases) < 2:
                raise InputError(
                    "a boundary lies between two phases; name at least two", key="phases"
                )

    @property
    def thresholds(self) -> FloatArray:
        """Compositions at which one phase gives way to the next, ascending."""
        return np.array([(low.upper + high.lower) / 2 for low, high in pairwise(self.phases)])

    def find(self, cells: CellValues) -> dict[str, BoolArray]:
        """Mark the cells of each region, by name, each of shape (n,).

        That is ``all``, the phases by ascending composition and, if wanted, ``boundaries``.
        """
        marks: dict[str, BoolArray] = {WHOLE: np.ones(len(cells.volumes), dtype=np.bool_)}
        for phase in self.phases:
            marks[phase.name] = phase.contains(cells.mean_composition)
        if self.boundary_distance is not None:
            marks[BOUNDARIES] = self._find_boundaries(cells, self.boundary_distance)
        return marks

    def _find_boundaries(self, cells: CellValues, distance: float) -> BoolArray:
        found = [_cross(cells, threshold) for threshold in self.thresholds]
        crossed = np.any([each for each, _ in found], axis=0)
        points = np.concatenate([each for _, each in found])
        if len(points) == 0:
            return crossed
        # Beyond the bound the search stops, and answers infinity.
        bound = distance * (1 + _SLACK)
        reach, _ = cKDTree(points).query(cells.midpoints, distance_upper_bound=bound)
        return np.asarray(crossed | np.isfinite(reach))


def _cross(cells: CellValues, threshold: float) -> tuple[BoolArray, FloatArray]:
    """Mark the cells (n,) in which the composition crosses a threshold; find points (m) on it.

    Points, shape (points, gdim), are those on the edges of each such cell, and their mean, for
    edges alone would leave gaps as wide as a cell.
    """
    ends = cells.composition[:, cells.edges]
    crossed = (ends[..., 0] < threshold) != (ends[..., 1] < threshold)
    marks = crossed.any(axis=1)
    crossed, low, high = crossed[marks], *np.moveaxis(ends[marks], 2, 0)
    share = np.divide(threshold - low, high - low, where=crossed, out=np.zeros_like(low))
    begin, end = np.moveaxis(cells.corners[marks][:, cells.edges], 2, 0)
    points = begin + share[..., None] * (end - begin)
    means = np.average(points, axis=1, weights=np.broadcast_to(crossed[..., None], points.shape))
    return marks, np.concatenate([points[crossed], means])
