"""Report validation failures in the terms of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from chemomech.config.base import Section, SectionError, list_sections
from chemomech.errors import suggest

_LIMITS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "unknown key",
    "union_tag_not_found": "kind is missing",
}
_WANTED = {
    "float_type": "a plain number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list in brackets",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "path_type": "a file name in quotes",
}


def describe_problems(
    error: ValidationError, raw: Mapping[str, Any], model: type[Section]
) -> list[tuple[str, str]]:
    """Turn pydantic's findings in a raw table of a model into pairs of key and message.

    Each key at fault has one, ``(key, what is wrong; what would be right)``.
    """
    problems: dict[str, list[str]] = {}
    for details in error.errors(include_url=False):
        key, value = _trace(details["loc"], raw)
        if _is_echo(details, value):
            continue
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, SectionError):
            key = f"{key}.{cause.key}" if key else cause.key
        messages = problems.setdefault(key, [])
        message = _describe(details, value) + _advise(details, model)
        if message not in messages:
            messages.append(message)
    return [(key, "; or: ".join(messages)) for key, messages in problems.items()]


def _is_echo(details: ErrorDetails, value: object) -> bool:
    """Tell if a list is called short only because entries, reported themselves, do not count."""
    return (
        details["type"] == "too_short"
        and isinstance(value, list)
        and len(value) >= details["ctx"]["min_length"]
    )


def _trace(location: Sequence[int | str], raw: object) -> tuple[str, object]:
    """Follow pydantic's path through the file, leaving out the names of union members in it."""
    key: list[str] = []
    value = raw
    kind: object = None
    for part in location:
        if part == kind:
            kind = None
            continue
        kind = None
        if isinstance(value, Mapping) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        else:
            continue
        key.append(str(part))
        if isinstance(value, Mapping):
            kind = value.get("kind")
    return ".".join(key), value


def _advise(details: ErrorDetails, model: type[Section]) -> str:
    """Say what an unknown key may have meant, or what a missing one is for."""
    if details["type"] not in ("extra_forbidden", "missing"):
        return ""
    *parents, key = details["loc"]
    if isinstance(key, int):  # an entry of a list is missing
        *parents, key = parents
    fields = _known_fields(model, parents)
    if details["type"] == "extra_forbidden":
        return suggest(str(key), list(fields))
    field = fields.get(str(key))
    return f" ({field.description})" if field is not None and field.description else ""


def _known_fields(model: type[Section], location: Sequence[int | str]) -> dict[str, FieldInfo]:
    """Return the keys that may stand in the table at pydantic's path."""
    candidates = [model]
    for part in location:
        if not isinstance(part, str):
            continue
        if len(candidates) > 1:
            candidates = [m for m in candidates if m.model_fields["kind"].default == part]
        else:
            candidates = [
                s for m in candidates for s in list_sections(m.model_fields[part].annotation)
            ]
    return {key: field for m in candidates for key, field in m.model_fields.items()}


def _describe(details: ErrorDetails, value: object) -> str:
    problem, context = details["type"], details.get("ctx", {})
    if problem == "value_error":
        return str(context["error"])
    if problem in _LIMITS:
        words, name = _LIMITS[problem]
        return f"{value!r} must be {words} {context[name]:g}"
    if problem in _PLAIN:
        return _PLAIN[problem]
    if problem == "tuple_type" and isinstance(value, Mapping):
        return f"is one table; state [[{details['loc'][-1]}]], in double brackets"
    if problem in _WANTED:
        return f"{value!r} is not {_WANTED[problem]}"
    match problem:
        case "union_tag_invalid":
            tag = context["tag"]
            return f"{tag!r} is no kind; use {context['expected_tags']}" + suggest(
                str(tag), str(context["expected_tags"]).replace("'", "").split(", ")
            )
        case "string_pattern_mismatch":
            return f"{value!r} holds characters out of place (option names go without their dash)"
        case "literal_error":
            return f"{value!r} is not {context['expected']}"
        case "too_short" | "too_long":
            limit = context.get("min_length", context.get("max_length"))
            bound = "at least" if problem == "too_short" else "at most"
            return f"{bound} {limit} entries are needed, not {context['actual_length']}"
    return details["msg"][:1].lower() + details["msg"][1:]
