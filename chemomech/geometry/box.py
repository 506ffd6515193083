"""A rectangle or a cuboid, for tests against theory."""

from __future__ import annotations

from dataclasses import dataclass

from chemomech.errors import InputError
from chemomech.geometry.checks import require_positive

SIDES = (("left", "right"), ("bottom", "top"), ("back", "front"))
"""Facet groups by axis."""


@dataclass(frozen=True)
class Box:
    """The rectangle (0, lx) x (0, ly) or the cuboid (0, lx) x (0, ly) x (0, lz).

    Facet groups: ``left``/``right`` at x = 0 and lx, ``bottom``/``top`` at y = 0 and ly,
    ``back``/``front`` at z = 0 and lz, and ``surface`` for all of them. Along periodic axes
    opposite sides are one, which is no boundary and has no group.

    Args:
        lengths: Two or three edge lengths, in m.
        periodic: Names of the periodic axes, of ``x``, ``y`` and ``z``.

    Raises:
        InputError: Not two or three positive lengths, or no axes of the box.
    """

    lengths: tuple[float, ...]
    periodic: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.lengths) not in (2, 3):
            raise InputError(
                f"needs two or three lengths, got {len(self.lengths)}", key="geometry.size"
            )
        for length in self.lengths:
            require_positive(length, "geometry.size")
        axes = "xyz"[: self.dimension]
        if len(set(self.periodic)) != len(self.periodic) or not set(self.periodic) <= set(axes):
            raise InputError(
                f"must name axes of {', '.join(axes)}, each once, got {', '.join(self.periodic)}",
                key="geometry.periodic",
            )

    @property
    def periodic_axes(self) -> list[int]:
        """Numbers of the periodic axes."""
        return ["xyz".index(name) for name in self.periodic]

    @property
    def dimension(self) -> int:
        """Dimension of space, 2 or 3."""
        return len(self.lengths)
