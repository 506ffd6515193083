"""Phases by name, and the windows of composition that are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError

#: Round-off must not decide on which side of a limit a composition lies.
_SLACK = 1e-9


@dataclass(frozen=True)
class Phase:
    """A phase and its window of composition.

    Args:
        name: Its name in tables and pictures.
        lower: Least composition; may be minus infinity.
        upper: Greatest composition; may be infinite. Both limits belong to the phase, and are one
            where its composition cannot vary.

    Raises:
        InputError: The limits are in the wrong order, or there is no name.
    """

    name: str
    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise InputError(
                f"the window of phase '{self.name}' must run from a smaller to a larger "
                f"composition, got {self.lower:g} to {self.upper:g}",
                key="phases",
            )
        if not self.name:
            raise InputError("a phase needs a name", key="phases")

    def contains(self, composition: FloatArray) -> BoolArray:
        """Mark compositions that lie in the window, of the same shape."""
        return (composition >= self.lower - _SLACK) & (composition <= self.upper + _SLACK)
