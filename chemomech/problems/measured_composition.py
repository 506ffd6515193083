"""The composition measured in a microscope as the state a simulation starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx import fem

from chemomech.errors import InputError, run_on_root
from chemomech.imaging.composition import prepare
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.measurement import read_measurement
from chemomech.problems.initial_composition import Bounds, require_bounds


@dataclass(frozen=True)
class FromMeasurement:
    """c = x / x_full, x as measured, on the mesh of its own outline.

    Args:
        path: ``measurement.h5`` of a measurement; the mesh must have its origin and orientation.
        lithium_at_full: x_full, the lithium content at c = 1.
        margin: Values beyond the bounds, which noise makes, are set this far within them; None
            refuses them.
        erosion: Pixels peeled off the trusted part before it is extended outwards.
        smoothing: Standard deviation of a Gaussian filter within the trusted part, in m.
    """

    path: Path
    lithium_at_full: float = 1.0
    margin: float | None = None
    erosion: int = 1
    smoothing: float = 0.0

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`; refuses a file it cannot use likewise."""
        measured = run_on_root(c.function_space.mesh.comm, self._read)
        c.interpolate(lambda x: measured.sample(x[:2].T * length_unit) / self.lithium_at_full)
        if self.margin is not None:
            lower, upper = bounds
            np.clip(c.x.array, lower + self.margin, upper - self.margin, out=c.x.array)
        require_bounds(c, bounds)

    def _read(self) -> CompositionMap:
        composition = read_measurement(self.path).composition
        try:
            return prepare(composition, smoothing=self.smoothing, erosion=self.erosion)
        except InputError as error:
            raise InputError(error.message, key="initial", path=str(self.path)) from error
