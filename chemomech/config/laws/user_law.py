"""Tables of laws that a user wrote, in Python or in a module beside the file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails
from ufl.core.expr import Expr

from chemomech.config.base import Section, SectionError
from chemomech.config.laws.data_classes import (
    create_table,
    find_annotations,
    format_value,
    freeze,
    is_number,
)
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.method import METHODS
from chemomech.config.laws.numbers import Numbers
from chemomech.config.laws.sources import LawSource
from chemomech.config.reporting import describe_problems
from chemomech.errors import InputError, UnloadedLawError
from chemomech.materials.scalars import evaluate

Law = Any
"""A law: an instance of a user's class."""

_KIND = re.compile(r"([A-Za-z_]\w*):([A-Za-z_]\w*)")


class Code(Enum):
    """Treatment of the code that a configuration names."""

    REFUSED = auto()
    ALLOWED = auto()
    #: Results are opened: their configuration is known to be right, and their laws are not needed.
    UNLOADED = auto()


class UserLawConfig(LawConfig):
    """A law that a user wrote: a frozen dataclass whose fields are the keys.

    Attributes:
        needed: What the class must have.
        purpose: What for, in words.
    """

    model_config = ConfigDict(extra="allow")
    needed: ClassVar[tuple[str, ...]]
    purpose: ClassVar[str]

    sha256: str = Field(description="hash of the module")
    source: LawSource | None = Field(default=None, exclude=True, repr=False)

    @classmethod
    def read_user_law(cls, value: object, info: ValidationInfo) -> Self | None:
        """Make the table of a user's law; None of what is none."""
        if isinstance(value, cls):
            return value
        table = dict(value) if isinstance(value, Mapping) else {"kind": value}
        kind = table.get("kind")
        if dataclasses.is_dataclass(kind) and not isinstance(kind, type):
            return cls._describe(kind, table)
        if isinstance(kind, str) and ":" in kind:
            return cls._load(kind, table, info.context or {})
        return None

    @classmethod
    def _describe(cls, law: Law, table: dict[str, Any]) -> Self:
        """Make the table of a law that is there already."""
        annotations = find_annotations(type(law))
        try:
            stated = {
                key: format_value(hint, getattr(law, key)) for key, hint in annotations.items()
            }
        except (TypeError, ValueError) as error:
            name = type(law).__name__
            raise SectionError("kind", f"a field of {name} is no plain number: {error}") from error
        source = LawSource.find(type(law))
        kind = f"{source.module}:{type(law).__name__}"
        return cls._create(type(law), source, table | stated | {"kind": kind})

    @classmethod
    def _load(cls, kind: str, table: dict[str, Any], context: Mapping[str, Any]) -> Self:
        """Make the table of a law in a module beside the file."""
        match = _KIND.fullmatch(kind)
        if match is None:
            raise SectionError("kind", f'{kind!r} is no law; write "module:Class"')
        if "source" in table:
            # Text to run comes from the module alone, and from results never.
            raise SectionError("source", "unknown key")
        module, name = match.groups()
        code = context.get("code", Code.REFUSED)
        if code is Code.UNLOADED:
            return cls.model_validate(table)
        if code is Code.REFUSED:
            raise SectionError(
                "kind",
                f"{kind!r} runs the code in {module}.py beside the file, which may do anything: "
                "--allow-code, or allow_code=True in Python, lets it",
            )
        source = LawSource.read(module, context.get("folder", Path.cwd()))
        if table.get("sha256", source.sha256) != source.sha256:
            raise SectionError(
                "sha256", f"{source.file} has changed since this was written; leave the key out"
            )
        return cls._create(source.load_class(name), source, table)

    @classmethod
    def _create(cls, law_class: type, source: LawSource, table: dict[str, Any]) -> Self:
        known = {*dir(law_class), *getattr(law_class, "__dataclass_fields__", ())}
        missing = [name for name in cls.needed if name not in known]
        if missing:
            raise SectionError(
                "kind", f"{law_class.__name__} has no {missing[0]!r}, which {cls.purpose} needs"
            )
        keys = create_table(law_class)
        taken = sorted(keys.model_fields.keys() & cls.model_fields.keys())
        if taken:
            raise SectionError(
                "kind", f"a field of {law_class.__name__} may not be called {taken[0]!r}"
            )
        numbers = {key: value for key, value in table.items() if key not in cls.model_fields}
        try:
            values = keys.model_validate(numbers)
        except ValidationError as error:
            raise _collect(describe_problems(error, numbers, keys)) from error
        own = {key: value for key, value in table.items() if key in cls.model_fields}
        own |= {"sha256": source.sha256, "source": source}
        made = cls.model_validate(own | values.model_dump(mode="json"))
        # No fields: neither written nor compared.
        made.__dict__.update(law_class=law_class, values=values)
        made._try()
        return made

    @cached_property
    def law_class(self) -> type:
        """The class.

        Raises:
            UnloadedLawError: Its code was not loaded.
        """
        if self.source is None:
            raise UnloadedLawError(
                f"{self.kind} was not loaded: opening results runs no code of theirs. load_config "
                "of the folder's config.toml with allow_code=True does"
            )
        return self.source.load_class(self.kind.partition(":")[2])

    @cached_property
    def values(self) -> Section:
        """The fields of the law, in SI units."""
        keys = create_table(self.law_class)
        return keys.model_validate(self.__pydantic_extra__)

    @property
    def law(self) -> Law:
        """The law of plain numbers, in SI units."""
        return self.law_class(**dict(self.values))

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        # Classes of modules that other ranks have yet to load cannot be sent.
        kept = type(self).model_fields
        return state | {"__dict__": {k: v for k, v in state["__dict__"].items() if k in kept}}

    def build(self, numbers: Numbers) -> Law:
        """Rebuild the law, in SI units, with what stands for its numbers."""
        mine = numbers.of(self.values)
        parts = {
            key: freeze(mine.add(key)) if is_number(hint) else getattr(self.values, key)
            for key, hint in find_annotations(self.law_class).items()
        }
        numbers.add_check(partial(_check_numbers, self.law_class, parts))
        # Past __init__, whose checks compare plain numbers.
        law: Law = object.__new__(self.law_class)
        for key, value in parts.items():
            object.__setattr__(law, key, value)
        return law

    def _probe(self) -> None:
        """Refuse what the law's method returns, or what else it has, with plain numbers."""

    def _try(self) -> None:
        """Refuse a law that fails when it is called."""
        try:
            _check_numbers(self.law_class, dict(self.values))
            for name in METHODS.keys() & self.needed:
                METHODS[name].require(self.law, name)
            self._probe()
        except InputError as error:
            raise SectionError(error.key or "kind", error.message) from error
        except Exception as error:
            name = self.law_class.__name__
            raise SectionError(
                "kind", f"{name} fails when it is tried: {type(error).__name__}: {error}"
            ) from error


def list_sources(section: Section) -> list[LawSource]:
    """List the modules of all users' laws in a configuration, each once."""
    return list(dict.fromkeys(_find_sources(section)))


def _find_sources(value: object) -> Iterator[LawSource]:
    if isinstance(value, UserLawConfig):
        # That of a class typed at a prompt is not known.
        if value.source is not None and value.source.text:
            yield value.source
    elif isinstance(value, Section):
        for key in type(value).model_fields:
            yield from _find_sources(getattr(value, key))
    elif isinstance(value, tuple):
        for entry in value:
            yield from _find_sources(entry)


class _VariesError(Exception):
    """A number varies in space."""


def _check_numbers(law_class: type, parts: Mapping[str, Any]) -> None:
    """Let a law check the present values of its numbers, unless one varies in space."""
    try:
        values = {key: _evaluate(value) for key, value in parts.items()}
    except _VariesError:
        return
    try:
        law_class(**values)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(str(error)) from error


def _evaluate(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_evaluate, value))
    if not isinstance(value, Expr):
        return value
    number = evaluate(value)
    if number is None:
        raise _VariesError
    return number


def _collect(problems: Sequence[tuple[str, str]]) -> ValidationError:
    """Make one error of pairs of key and message."""
    details = [
        InitErrorDetails(
            type="value_error", loc=(), input=None, ctx={"error": SectionError(key, message)}
        )
        for key, message in problems
    ]
    return ValidationError.from_exception_data("law", details)
