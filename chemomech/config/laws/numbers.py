"""The numbers of a table, as they go into the law it states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from pydantic.fields import FieldInfo

from chemomech.config.base import Section
from chemomech.errors import naming
from chemomech.materials.elasticity import Matrix
from chemomech.materials.scalars import Scalar
from chemomech.units import QuantityKind

if TYPE_CHECKING:
    from chemomech.problems.parameters import Meaning, Parameters

Entries = Any
"""A scalar, or nested lists of scalars."""


class Numbers:
    """The numbers of a table: each a parameter of a model, or without a model as they are.

    Args:
        section: The table.
        name: Its dotted name.
        parameters: Those of the model.
    """

    def __init__(
        self, section: Section, name: str = "", parameters: Parameters | None = None
    ) -> None:
        self._section = section
        self._name = name
        self._parameters = parameters

    def of(self, section: Section) -> Numbers:
        """Numbers of another section under the same name."""
        return Numbers(section, self._name, self._parameters)

    def within(self, key: str) -> Numbers:
        """Numbers of the table under a key."""
        return Numbers(getattr(self._section, key), self.name(key), self._parameters)

    def name(self, key: str = "") -> str:
        """Dotted name of a key, or of the table itself."""
        return ".".join(part for part in (self._name, key) if part)

    def add(
        self,
        key: str,
        scale: float = 1.0,
        value: float | None = None,
        highest: float = math.inf,
        *,
        keep_zeros: bool = False,
    ) -> Entries:
        """Return the number of a key, a scalar or nested lists, in the units of the equations.

        A parameter has the key's name, unit, description and limits.

        Args:
            key: The key.
            scale: Factor from SI units to the units of the equations.
            value: Value in SI units; None for that of the table.
            highest: Largest value accepted, beside the limits of the key.
            keep_zeros: Whether entries that are zero may be changed later on.
        """
        number = getattr(self._section, key) if value is None else value
        if self._parameters is None:
            return (scale * np.asarray(number)).tolist()
        meaning = _find_meaning(type(self._section).model_fields[key], highest)
        return self._parameters.add(self.name(key), number, meaning, scale, keep_zeros=keep_zeros)

    def convert(self, factor: float) -> Scalar:
        """Return a factor between units, of a model as a constant: another one compiles nothing."""
        return factor if self._parameters is None else self._parameters.create_constant(factor)

    def add_check(self, check: Callable[[], None], key: str = "") -> None:
        """Add a check of the parameters, made again whenever one is changed.

        Args:
            check: Raises InputError for what cannot be.
            key: Key to blame.
        """

        def check_by_name() -> None:
            with naming(key=self.name(key)):
                check()

        if self._parameters is not None:
            self._parameters.add_check(check_by_name)

    def derive(self, matrix: Matrix) -> Matrix:
        """Make a constant of each entry of a matrix of UFL scalars, one where they are the same."""
        if self._parameters is None or matrix.dtype != object:
            return matrix
        constants: dict[int, Scalar] = {}
        derived = matrix.copy()
        for index, entry in np.ndenumerate(matrix):
            if id(entry) not in constants:
                constants[id(entry)] = self._parameters.derive(entry)
            derived[index] = constants[id(entry)]
        return derived


def _find_meaning(field: FieldInfo, most: float) -> Meaning:
    """Unit, description and limits of a key."""
    # Here: who only reads a configuration need not wait for all that meshes take.
    from chemomech.problems.parameters import Meaning

    unit, lowest, highest = "", [-math.inf], [most]
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
