"""Changes made to a configuration's tables before they are validated."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from chemomech.config.base import Section, list_sections
from chemomech.errors import InputError


def apply_overrides(
    table: dict[str, Any], overrides: Sequence[str], unset: Sequence[str], model: type[Section]
) -> None:
    """Take keys out of nested tables, as TOML gives them, and set others, ``key=value``, in place.

    A key that is set replaces what the file states of the same choice (see `Choice`). Two of one
    choice among the overrides are both set, for the validation to complain of. Refused are
    overrides without ``=``, entries of a list that are not there, and keys to take out that are not
    stated.
    """
    for key in unset:
        _remove(table, key)
    changes = [_split(override) for override in overrides]
    for parts, _ in changes:
        _remove_alternatives(table, parts, model)
    for parts, text in changes:
        _set(table, parts, text)


def _split(override: str) -> tuple[list[str], str]:
    key, separator, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not separator or not all(parts):
        raise InputError(f"{override!r} is no override; write key=value, such as time.end=10 s")
    return parts, text


def _remove(table: dict[str, Any], key: str) -> None:
    *parents, last = (part.strip() for part in key.split("."))
    target: object = table
    for part in parents:
        target = _look_up(target, part)
    if isinstance(target, dict) and last in target:
        del target[last]
    elif isinstance(target, list) and _look_up(target, last) is not None:
        del target[int(last)]
    else:
        raise InputError("cannot be unset: the file does not state it", key=key)


def _remove_alternatives(table: dict[str, Any], parts: Sequence[str], model: type[Section]) -> None:
    """Take out whatever a key, or a table on the way to it, takes the place of."""
    target: object = table
    # Of tables of several kinds all are asked: the kind may be overridden as well.
    candidates = [model]
    for part in parts:
        if isinstance(target, dict):
            choices = [choice for m in candidates for choice in m.choices if part in choice.keys]
            for key in {key for choice in choices for key in choice.keys} - {part}:
                target.pop(key, None)
        if not part.isdecimal():
            fields = [m.model_fields[part] for m in candidates if part in m.model_fields]
            candidates = [s for field in fields for s in list_sections(field.annotation)]
        target = _look_up(target, part)


def _look_up(target: object, part: str) -> object:
    """Return an entry of a table or a list, None where there is none."""
    if isinstance(target, dict):
        return target.get(part)
    if isinstance(target, list) and part.isdecimal() and int(part) < len(target):
        return target[int(part)]
    return None


def _set(table: dict[str, Any], parts: Sequence[str], text: str) -> None:
    *parents, last = parts
    target: object = table
    for part in parents:
        if isinstance(target, dict):
            target.setdefault(part, {})
        target = _look_up(target, part)
        if target is None:
            raise _nothing_there(parts, part)
    if isinstance(target, dict):
        target[last] = _parse_value(text)
    elif isinstance(target, list) and _look_up(target, last) is not None:
        target[int(last)] = _parse_value(text)
    else:
        raise _nothing_there(parts, last)


def _nothing_there(parts: Sequence[str], part: str) -> InputError:
    return InputError(f"there is no {part!r} to set", key=".".join(parts))


def _parse_value(text: str) -> object:
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()
    return values["value"] if values.keys() == {"value"} else text.strip()
