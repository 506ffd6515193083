"""Places along and across a wire, as if it were straight."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from chemomech.arrays import FloatArray
from chemomech.geometry.domain import MESH_LENGTH_UNIT
from chemomech.geometry.nanowire import Nanowire
from chemomech.output.snapshot_grid import SnapshotGrid


@dataclass(frozen=True, eq=False)
class WireCoordinates:
    """Places of a mesh's vertices in an unrolled wire, in nm.

    Args:
        along: Length of mid-line from the wire's start, shape (vertices,).
        across: Distance from the mid-line in the plane of the bend, positive towards the outer
            side, shape (vertices,).
        height: Distance from the bottom of a solid wire, 0 in 2-D, shape (vertices,).
        width: Width of the wire.
        length: Length of the mid-line.
        bend: Where on the mid-line the bend begins and ends; equal for a straight wire.
    """

    along: FloatArray
    across: FloatArray
    height: FloatArray
    width: float
    length: float
    bend: tuple[float, float]

    @cached_property
    def triangulation(self) -> Delaunay:
        """Simplices between the vertices where they lie in the unrolled wire."""
        places = (self.along, self.across, self.height)
        return Delaunay(np.column_stack(places if np.ptp(self.height) > 0 else places[:2]))

    def find_in_bend(self, along: FloatArray) -> NDArray[np.bool_]:
        """Tell which places on the mid-line (nm) lie in the bend."""
        return (along > self.bend[0]) & (along < self.bend[1])


def locate_along_wire(grid: SnapshotGrid, shape: Nanowire) -> WireCoordinates:
    """Locate the vertices of a mesh (nm) along and across the wire it fills."""
    along, across = shape.unroll(grid.points.T * MESH_LENGTH_UNIT)
    scale = 1.0 / MESH_LENGTH_UNIT
    arc = 0.0 if shape.is_straight else shape.radius * shape.bend_angle
    return WireCoordinates(
        along=along * scale,
        across=across * scale,
        height=grid.points[:, 2],
        width=shape.width * scale,
        length=shape.midline_length * scale,
        bend=(shape.legs[0] * scale, (shape.legs[0] + arc) * scale),
    )
