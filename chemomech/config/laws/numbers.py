"""The numbers of a table, as they go into the law it states."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from chemomech.config.base import Section
from chemomech.materials.elasticity import Matrix

Entries = Any
"""A scalar, or nested lists of scalars."""


class Numbers:
    """The numbers of a table as they are; of `TableParameters` each is a parameter of a model.

    Args:
        section: The table.
        name: Its dotted name.
    """

    def __init__(self, section: Section, name: str = "") -> None:
        self._section = section
        self._name = name

    def of(self, section: Section) -> Self:
        """Numbers of another section under the same name."""
        other = copy.copy(self)
        other._section = section
        return other

    def name(self, key: str = "") -> str:
        """Dotted name of a key, or of the table itself."""
        return ".".join(part for part in (self._name, key) if part)

    def add(
        self,
        key: str,
        scale: float = 1.0,
        value: float | None = None,
        highest: float = math.inf,
    ) -> Entries:
        """Return the number of a key in the units of the equations.

        Args:
            key: The key.
            scale: Factor from SI units to the units of the equations.
            value: Value in SI units; None for that of the table.
            highest: Largest value accepted, beside the limits of the key.

        Returns:
            A scalar, or nested lists of them.
        """
        del highest
        number = getattr(self._section, key) if value is None else value
        return (scale * np.asarray(number)).tolist()

    def add_check(self, check: Callable[[], None], key: str = "") -> None:
        """Add a check of the numbers, made again whenever one is changed.

        Args:
            check: Raises InputError for what cannot be.
            key: Key to blame.
        """

    def derive(self, matrix: Matrix) -> Matrix:
        """Make a constant of each entry of a matrix, one where they are the same."""
        return matrix
