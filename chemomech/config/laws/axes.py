"""Axes that laws may be given in: those of the wire and of the crystal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import ufl
from ufl.core.expr import Expr

Frame = Literal["global", "wire", "crystal"]


class HasFrames(Protocol):
    """A table that may refer to local axes."""

    @property
    def frames(self) -> dict[str, Frame | None]:
        """Axes that the table refers to, by the keys that say so."""


def list_frames(tables: Mapping[str, HasFrames]) -> dict[str, Frame | None]:
    """List the axes that tables refer to, by dotted keys."""
    return {
        f"{name}.{key}": frame
        for name, table in tables.items()
        for key, frame in table.frames.items()
    }


@dataclass(frozen=True)
class LocalAxes:
    """Axes of a particle, each the columns of a 3 x 3 UFL tensor.

    Args:
        dimension: Number of dimensions of the mesh.
        is_sheet: Whether the particle is a sheet in plane stress.
        wire: Along the wire, across it and out of the plane; None where no law needs them.
        crystal: Those of the crystal; None where none are stated.
    """

    dimension: int
    is_sheet: bool = False
    wire: Expr | None = None
    crystal: Expr | None = None

    def find(self, frame: Frame | None) -> Expr | None:
        """Find the axes of a frame; None for global ones."""
        if frame is None or frame == "global":
            return None
        axes = self.wire if frame == "wire" else self.crystal
        assert axes is not None
        return axes

    def turn(self, tensor: Expr, frame: Frame) -> Expr:
        """Turn a 3 x 3 tensor, given in the axes of a frame, into global axes."""
        axes = self.find(frame)
        return tensor if axes is None else axes * tensor * axes.T

    def restrict(self, tensor: Expr) -> Expr:
        """Restrict a transport tensor in global axes to as many rows as the mesh has dimensions.

        Of a long body, whose fields do not depend on z, it is the block in the plane. A thin sheet,
        sealed at its faces, has a gradient across such that nothing flows through them:
        T_ab - T_az T_zb / T_zz.
        """
        rows = range(self.dimension)
        if not self.is_sheet:
            return ufl.as_matrix([[tensor[i, j] for j in rows] for i in rows])
        return ufl.as_matrix(
            [
                [tensor[i, j] - tensor[i, 2] * tensor[2, j] / tensor[2, 2] for j in rows]
                for i in rows
            ]
        )
