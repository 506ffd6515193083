"""Numbers that a run records beside its fields: integrals, means, extrema, counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from chemomech.errors import InputError

_NAME = re.compile(r"[A-Za-z]\w*")


@dataclass(frozen=True)
class Observable:
    """A number computed from the present state: a column of the ledger.

    Args:
        name: The column, which ends in its unit: ``interface_energy_J``. Letters, digits and
            underscores.
        compute: Returns the present value in that unit; collective, the same on all ranks. Integers
            are written as such.
        at: Whether it is computed at every step, or only where a snapshot is recorded at the step
            or since the one before; other lines hold NaN then.

    Raises:
        InputError: The name cannot be a column.
    """

    name: str
    compute: Callable[[], float]
    at: Literal["step", "snapshot"] = "step"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"an observable cannot be named {self.name!r}: letters, digits and underscores "
                "make the name of a column"
            )
