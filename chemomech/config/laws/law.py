"""Base class of the tables that state a law."""

from __future__ import annotations

from typing import Annotated, Self, Union

from pydantic import BaseModel, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from chemomech.config.base import Section


class LawConfig(Section):
    """A table that states a law of the material and makes it.

    A class below this one is a family, such as that of free energies. The classes below a family
    that give ``kind`` a value are its kinds: a field of the family's type takes any of them.
    """

    kind: str

    @classmethod
    def list_kinds(cls) -> list[type[Self]]:
        """List the kinds of a family, in the order in which they are defined."""
        # A kind with two bases is below both.
        below = list(dict.fromkeys(k for c in cls.__subclasses__() for k in c.list_kinds()))
        return below if cls.model_fields["kind"].is_required() else [cls, *below]

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let a family stand for the union of its kinds."""
        kinds = cls.list_kinds()
        if not kinds or cls in kinds:
            return handler(source)
        return handler.generate_schema(
            Annotated[Union[tuple(kinds)], Field(discriminator="kind")]  # noqa: UP007 - of a list
        )
