"""Base classes and types of the configuration's sections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic.types import Strict

from chemomech.errors import UnloadedLawError


@dataclass(frozen=True)
class Choice:
    """Keys of one section of which one stands for another; None is the default of each.

    An override of one takes the place of the others that the file states. So many at least, and at
    most, must be stated: more than one where the section's other keys decide which.
    """

    keys: tuple[str, ...]
    least: int = 1
    most: int = 1

    def check(self, section: Section) -> None:
        """Refuse too few or too many of the keys, under the first key at fault."""
        stated = [key for key in self.keys if getattr(section, key) is not None]
        if self.least <= len(stated) <= self.most:
            return
        names = f"{', '.join(self.keys[:-1])} and {self.keys[-1]}"
        wanted = f"state {'exactly' if self.least else 'at most'} one of {names}"
        if not stated:
            raise SectionError(self.keys[0], wanted)
        raise SectionError(stated[0], f"excludes {stated[1]}; {wanted}")


class Section(BaseModel):
    """A table of the configuration file: immutable, and without keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: ClassVar[tuple[Choice, ...]] = ()

    @classmethod
    def list_kinds(cls) -> list[type[Self]]:
        """List the tables that may stand where this one is expected."""
        return [cls]

    def _check(self) -> None:
        """Refuse values that do not fit together.

        Raises:
            SectionError: Under the key at fault.
            UnloadedLawError: The code of a user's law is not loaded; the section passes.
        """

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        for choice in self.choices:
            choice.check(self)
        with suppress(UnloadedLawError):
            self._check()
        return self


def list_sections(annotation: object) -> list[type[Section]]:
    """List all sections a type annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation.list_kinds()
    return [section for part in get_args(annotation) for section in list_sections(part)]


class SectionError(ValueError):
    """A key of a section, such as ``gradient.kappa`` within it, does not fit its other keys."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@contextmanager
def within(key: str) -> Iterator[None]:
    """Put a section's key before those that checks of the section itself refuse."""
    try:
        yield
    except SectionError as error:
        raise SectionError(f"{key}.{error.key}", str(error)) from error


def _locate(path: Path, info: ValidationInfo) -> Path:
    """Resolve against the configuration file's folder, given as validation context."""
    if "\0" in str(path) or path == Path():
        raise ValueError("is no file name")
    folder = info.context["folder"] if info.context else Path.cwd()
    located: Path = (folder / path.expanduser()).resolve()
    if not located.exists():
        raise ValueError(f"no such file: {located}")
    return located


def _locate_file(path: Path, info: ValidationInfo) -> Path:
    """Locate what must be a file with something in it."""
    located = _locate(path, info)
    if not located.is_file():
        raise ValueError(f"is not a file: {located}")
    if located.stat().st_size == 0:
        raise ValueError(f"the file is empty: {located}")
    return located


Number = Annotated[float, Strict(), AllowInfNan(False)]
Count = Annotated[int, Strict(), Field(ge=1)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
Flag = Annotated[bool, Strict()]
FieldFormat = Annotated[
    Literal["vtkhdf", "bp"],
    Field(description="file of the fields: vtkhdf, or bp, ADIOS2's, written by all ranks at once"),
]
NonNegative = Annotated[Number, Field(ge=0.0)]
Positive = Annotated[Number, Field(gt=0.0)]
Fraction = Annotated[Number, Field(ge=0.0, le=1.0)]
InteriorFraction = Annotated[Number, Field(gt=0.0, lt=1.0)]
Name = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
ExistingFile = Annotated[Path, AfterValidator(_locate_file)]
ExistingPath = Annotated[Path, AfterValidator(_locate)]
