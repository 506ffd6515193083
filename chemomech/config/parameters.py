"""The numbers of a table as parameters of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import get_args

import numpy as np
from pydantic.fields import FieldInfo

from chemomech.config.base import Section
from chemomech.config.laws.numbers import Entries, Numbers
from chemomech.errors import naming
from chemomech.materials.elasticity import Matrix
from chemomech.materials.scalars import Scalar
from chemomech.problems.parameters import Meaning, Parameters
from chemomech.units import QuantityKind


class TableParameters(Numbers):
    """The numbers of a table, each a parameter of a model.

    Args:
        section: The table.
        name: Its dotted name.
        parameters: Where its numbers go.
    """

    def __init__(self, section: Section, name: str, parameters: Parameters) -> None:
        super().__init__(section, name)
        self._parameters = parameters

    def add(
        self,
        key: str,
        scale: float = 1.0,
        value: float | None = None,
        highest: float = math.inf,
    ) -> Entries:
        """Make a number a parameter of the key's name, unit and description; see `Numbers.add`."""
        number = getattr(self._section, key) if value is None else value
        meaning = _find_meaning(type(self._section).model_fields[key])
        meaning = replace(meaning, highest=min(meaning.highest, highest))
        return self._parameters.add(self.name(key), number, meaning, scale)

    def add_check(self, check: Callable[[], None], key: str = "") -> None:
        """Add a check of the parameters, as `Parameters.add_check` does."""

        def check_by_name() -> None:
            with naming(key=self.name(key)):
                check()

        self._parameters.add_check(check_by_name)

    def derive(self, matrix: Matrix) -> Matrix:
        """Make a constant of each entry of a matrix of UFL scalars, one where they are the same."""
        if matrix.dtype != object:
            return matrix
        constants: dict[int, Scalar] = {}
        derived = matrix.copy()
        for index, entry in np.ndenumerate(matrix):
            if id(entry) not in constants:
                constants[id(entry)] = self._parameters.derive(entry)
            derived[index] = constants[id(entry)]
        return derived


def _find_meaning(field: FieldInfo) -> Meaning:
    """Unit, description and limits of a key."""
    unit, lowest, highest = "", [-math.inf], [math.inf]
    for mark in _list_marks(field.annotation, field.metadata):
        if isinstance(mark, QuantityKind):
            unit = mark.unit
            lowest.append(mark.lowest)
            highest.append(mark.highest)
        lowest += [getattr(mark, name) for name in ("ge", "gt") if hasattr(mark, name)]
        highest += [getattr(mark, name) for name in ("le", "lt") if hasattr(mark, name)]
    return Meaning(unit, field.description or "", max(lowest), min(highest))


def _list_marks(annotation: object, marks: Iterable[object]) -> Iterator[object]:
    """List what is written beside a type in `Annotated`, at any depth."""
    for mark in (*marks, *getattr(annotation, "__metadata__", ())):
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)
    for part in get_args(annotation):
        if get_args(part):
            yield from _list_marks(part, ())
