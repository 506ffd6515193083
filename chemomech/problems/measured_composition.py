"""Start a simulation from a composition that was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from chemomech.errors import InputError, run_on_root
from chemomech.problems.initial_composition import Bounds, require_bounds


class SampledMap(Protocol):
    """A map of lithium contents with a value everywhere."""

    def sample(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lithium contents, shape (n,), at points in m, shape (n, 2)."""


@dataclass(frozen=True)
class FromMeasurement:
    """c = x / x_full, x as measured, on the mesh of its own outline.

    Args:
        read: Reads the map, on one rank; the mesh must have its origin and orientation.
        lithium_at_full: x_full, the lithium content at c = 1.
        margin: Values beyond the bounds, which noise makes, are set this far within them; None
            refuses them.
    """

    read: Callable[[], SampledMap]
    lithium_at_full: float = 1.0
    margin: float | None = None

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`; refuses a file it cannot use likewise."""
        measured = run_on_root(c.function_space.mesh.comm, self._read)
        c.interpolate(lambda x: measured.sample(x[:2].T * length_unit) / self.lithium_at_full)
        if self.margin is not None:
            lower, upper = bounds
            np.clip(c.x.array, lower + self.margin, upper - self.margin, out=c.x.array)
        require_bounds(c, bounds)

    def _read(self) -> SampledMap:
        try:
            return self.read()
        except InputError as error:
            raise InputError(error.message, key="initial", path=error.path) from error
