"""Base class of the tables that state a law."""

from __future__ import annotations

from typing import Annotated, Self, Union

from pydantic import (
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema

from chemomech.config.base import Section
from chemomech.config.laws.axes import Frame


class LawConfig(Section):
    """A table that states a law of the material and makes it.

    A class below this one is a family, such as that of free energies. The classes below a family
    that give ``kind`` a value are its kinds: a field of the family's type takes any of them.
    """

    kind: str

    @property
    def frames(self) -> dict[str, Frame | None]:
        """Axes that the law refers to, by the keys that say so."""
        return {"frame": self.frame} if hasattr(self, "frame") else {}

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
        schema = handler.generate_schema(
            Annotated[Union[tuple(kinds)], Field(discriminator="kind")]  # noqa: UP007 - of a list
        )
        return core_schema.with_info_wrap_validator_function(
            cls._validate,
            schema,
            serialization=core_schema.wrap_serializer_function_ser_schema(
                _serialise, info_arg=True, schema=schema
            ),
        )

    @classmethod
    def read_user_law(cls, value: object, info: ValidationInfo) -> Self | None:
        """Make a table of what the kinds of a family do not know; None where it is not a law."""
        tables = (child.read_user_law(value, info) for child in cls.__subclasses__())
        return next((table for table in tables if table is not None), None)

    @classmethod
    def _validate(
        cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        table = cls.read_user_law(value, info)
        return handler(value) if table is None else table


def _serialise(
    value: LawConfig, handler: SerializerFunctionWrapHandler, info: SerializationInfo
) -> object:
    if any(type(value) is kind for kind in type(value).list_kinds()):
        return handler(value)
    # The table of a user's law is none of the union's.
    return value.model_dump(mode=info.mode, exclude_none=info.exclude_none)
