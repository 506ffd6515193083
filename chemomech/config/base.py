"""What all sections of a configuration share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)
from pydantic.types import Strict


class Section(BaseModel):
    """A table of the configuration file: immutable, and without keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SectionError(ValueError):
    """A key of a section does not fit its other keys.

    Args:
        key: The key at fault, relative to the section, such as ``gradient.kappa``.
        message: What is wrong and what would be right.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


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
Flag = Annotated[bool, Strict()]
Fraction = Annotated[Number, Field(ge=0.0, le=1.0)]
InteriorFraction = Annotated[Number, Field(gt=0.0, lt=1.0)]
GroupName = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
ExistingFile = Annotated[Path, AfterValidator(_locate_file)]
ExistingPath = Annotated[Path, AfterValidator(_locate)]
