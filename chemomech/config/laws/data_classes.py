"""The fields of a user's data class as keys of a table."""

from __future__ import annotations

import dataclasses
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import Field, create_model
from pydantic.types import Strict

from chemomech.config.base import Flag, Number, Section, SectionError
from chemomech.units import QuantityKind

Annotation = Any
"""The type of a field."""

Entry = Any
"""The value of a field."""

_TYPES: dict[Annotation, Annotation] = {
    float: Number,
    int: Annotated[int, Strict()],
    bool: Flag,
    str: Annotated[str, Strict()],
}


def create_table(law: type) -> type[Section]:
    """Create the section whose keys are the fields of a data class.

    A float is a plain number, or has the unit of the package's quantity it is annotated with.

    Raises:
        SectionError: It is none that is frozen, or has a field that no key can state; under the
            key ``kind``.
    """
    if not dataclasses.is_dataclass(law) or not law.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise SectionError("kind", f"{law.__name__} must be a frozen dataclass")
    keys: dict[str, Any] = {}
    for name, annotation in find_annotations(law).items():
        field = law.__dataclass_fields__[name]
        if not field.init:
            raise SectionError("kind", f"{law.__name__}.{name} must be an argument (init=True)")
        keys[name] = (_convert(annotation, f"{law.__name__}.{name}"), _find_default(field))
    return create_model(law.__name__, __base__=Section, **keys)


def find_annotations(law: type) -> dict[str, Any]:
    """Find the type of each field of a data class.

    Raises:
        SectionError: It names what is not there; under the key ``kind``.
    """
    try:
        hints = get_type_hints(law, include_extras=True)
    except (NameError, TypeError) as error:
        raise SectionError("kind", f"a type in {law.__name__} is not known: {error}") from error
    return {field.name: hints[field.name] for field in dataclasses.fields(law)}


def is_number(annotation: object) -> bool:
    """Tell if a field is a float, or a tuple of floats: a parameter of a model."""
    origin: object = get_origin(annotation)
    parts = get_args(annotation)
    if origin is Annotated:
        return is_number(parts[0])
    if origin is tuple:
        return all(part is Ellipsis or is_number(part) for part in parts)
    return annotation is float


def format_value(annotation: object, value: Entry) -> object:
    """Write a field's value in SI units as a table states it."""
    origin: object = get_origin(annotation)
    parts = get_args(annotation)
    if origin is Annotated:
        kind = next((mark for mark in parts[1:] if isinstance(mark, QuantityKind)), None)
        return format_value(parts[0], value) if kind is None else kind.format(value)
    if origin is tuple and isinstance(value, tuple | list):
        inner = (parts[0],) * len(value) if Ellipsis in parts else parts
        return [format_value(*pair) for pair in zip(inner, value, strict=False)]
    return value


def freeze(value: object) -> object:
    """Make tuples of lists, at any depth."""
    return tuple(map(freeze, value)) if isinstance(value, list) else value


def _find_default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory)
    return ...


def _convert(annotation: Annotation, name: str) -> Annotation:
    """Turn a field's type into that of a key."""
    if annotation in _TYPES:
        return _TYPES[annotation]
    origin: object = get_origin(annotation)
    parts = get_args(annotation)
    if origin is Annotated:
        if any(isinstance(mark, QuantityKind) for mark in parts[1:]):
            return annotation
        return Annotated[(_convert(parts[0], name), *parts[1:])]
    if origin is tuple and parts:
        return tuple[tuple(p if p is Ellipsis else _convert(p, name) for p in parts)]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        inner = tuple(p if p is types.NoneType else _convert(p, name) for p in parts)
        return Union[inner]  # noqa: UP007 - of a tuple
    if origin is Literal:
        return annotation
    raise SectionError(
        "kind",
        f"{name} has a type no key can state; use float, a quantity of chemomech.units, int, bool, "
        "str, Literal or tuples of these",
    )
