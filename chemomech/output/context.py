"""Close what holds a file or a terminal at the end of a ``with`` block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Context(ABC):
    """Something that holds a file or a terminal until it is closed."""

    @abstractmethod
    def close(self) -> None:
        """Release it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
