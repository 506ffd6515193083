"""A rectangle or a cuboid, for tests against theory."""

from __future__ import annotations

from dataclasses import dataclass

from chemomech.errors import InputError
from chemomech.geometry.checks import require_positive


@dataclass(frozen=True)
class Box:
    """The rectangle (0, lx) x (0, ly) or the cuboid (0, lx) x (0, ly) x (0, lz).

    Facet groups: ``left``/``right`` at x = 0 and lx, ``bottom``/``top`` at y = 0 and ly,
    ``back``/``front`` at z = 0 and lz, and ``surface`` for all of them.

    Args:
        lengths: Two or three edge lengths, in m.

    Raises:
        InputError: Not two or three positive lengths.
    """

    lengths: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.lengths) not in (2, 3):
            raise InputError(
                f"needs two or three lengths, got {len(self.lengths)}", key="geometry.size"
            )
        for length in self.lengths:
            require_positive(length, "geometry.size")

    @property
    def dimension(self) -> int:
        """Dimension of space, 2 or 3."""
        return len(self.lengths)
