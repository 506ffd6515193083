"""The file of a sweep: a base configuration, and the keys that vary."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import numpy as np
from pydantic import Field, StringConstraints
from pydantic.types import Strict

from chemomech.config.base import Choice, Count, ExistingFile, Name, Number, Section, SectionError
from chemomech.units import split_quantity

_DIGITS = 6

Key = Annotated[str, StringConstraints(strict=True, pattern=r"^\w+(\.\w+)*$")]
Scalar = Annotated[bool, Strict()] | Annotated[int, Strict()] | Number | Name
Value = Scalar | list[Scalar]
"""A value of a key in TOML: a number, a flag, a text with a unit, or a list of these."""


class _RangeConfig(Section):
    """Values between two ends, both included."""

    first: Annotated[int, Strict()] | Number | Name = Field(description="the first value")
    last: Annotated[int, Strict()] | Number | Name = Field(
        description="the last value, in the same unit"
    )
    count: Annotated[Count, Field(ge=2, le=10_000)] = Field(description="number of values")
    spacing: Literal["linear", "log"] = Field(
        default="linear", description="equal steps, or equal ratios"
    )

    def _check(self) -> None:
        (first, unit), (last, other) = split_value(self.first), split_value(self.last)
        if first is None or last is None:
            bad = "first" if first is None else "last"
            raise SectionError(bad, f"{getattr(self, bad)!r} does not begin with a number")
        if unit != other:
            raise SectionError("last", f"{self.last!r} needs the unit of first, {unit or 'none'}")
        if self.spacing == "log" and not first * last > 0:
            raise SectionError("spacing", "equal ratios need two ends of one sign, neither zero")

    def list_values(self) -> tuple[Value, ...]:
        """Return the values, with six digits and the unit of the ends."""
        (first, unit), (last, _) = split_value(self.first), split_value(self.last)
        assert first is not None
        assert last is not None
        between = np.linspace if self.spacing == "linear" else np.geomspace
        numbers = [float(f"{number:.{_DIGITS}g}") for number in between(first, last, self.count)]
        # The ends as they were written.
        inner: list[Value] = [f"{number:g} {unit}" if unit else number for number in numbers[1:-1]]
        if all(isinstance(end, int) for end in (self.first, self.last)):
            inner = [int(x) if float(x).is_integer() else x for x in numbers[1:-1]]
        return (self.first, *inner, self.last)


class _AxisConfig(Section):
    """A key that varies, or several that vary together."""

    choices = (Choice(("key", "keys")), Choice(("values", "range")))

    key: Key | None = Field(default=None, description="the key, such as material.gradient.kappa")
    keys: tuple[Key, ...] | None = Field(
        default=None,
        description="keys that change together; each value is a list with one for each",
    )
    values: tuple[Value | list[Value], ...] | None = Field(default=None, description="the values")
    range: _RangeConfig | None = Field(default=None, description="the values, by their ends")

    def _check(self) -> None:
        if self.values is not None and not self.values:
            raise SectionError("values", "is empty")
        if self.keys is None:
            return
        if len(self.keys) < 2 or len(set(self.keys)) < len(self.keys):
            raise SectionError("keys", "two different keys or more are needed")
        if self.range is not None:
            raise SectionError("range", "goes with one key only; list values instead")
        for value in self.values or ():
            if not isinstance(value, list) or len(value) != len(self.keys):
                raise SectionError(
                    "values", f"{value!r} is not a list of {len(self.keys)}, one for each of keys"
                )

    def list_changes(self) -> tuple[dict[str, Value], ...]:
        """Return for each point of the axis its keys and their values."""
        values = self.values if self.range is None else self.range.list_values()
        assert values is not None
        if self.keys is None:
            assert self.key is not None
            return tuple({self.key: cast("Value", value)} for value in values)
        rows = (value for value in values if isinstance(value, list))
        return tuple(dict(zip(self.keys, row, strict=True)) for row in rows)


class SweepConfig(Section):
    """A sweep: every combination of the values on its axes."""

    base: ExistingFile = Field(description="configuration that every case starts from")
    set: dict[Key, Value] = Field(
        default_factory=dict, description="keys changed in every case, by their full names"
    )
    unset: tuple[Key, ...] = Field(
        default=(), description="keys of base that no case has, by their full names"
    )
    axis: Annotated[tuple[_AxisConfig, ...], Field(min_length=1)] = Field(
        description="what varies; several axes make a grid"
    )

    def _check(self) -> None:
        seen = set(self.set)
        for number, axis in enumerate(self.axis):
            for key in axis.keys or (axis.key,):
                if key in seen:
                    raise SectionError(f"axis.{number}.key", f"{key} is set more than once")
                if key is not None:
                    seen.add(key)


def split_value(value: object) -> tuple[float | None, str]:
    """Split a value as TOML gives it into number and unit; no number if it begins without one."""
    if isinstance(value, bool):
        return None, ""
    if isinstance(value, int | float):
        return float(value), ""
    found = split_quantity(value) if isinstance(value, str) else None
    return (float(found[0]), found[1]) if found else (None, "")
