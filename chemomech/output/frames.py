"""Keep the frames of a film on disk until it is drawn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from chemomech.output.context import Context

_SINGLE = np.dtype(np.float32)


@dataclass(frozen=True)
class Frame:
    """A field's nodal values in SI units, shape ``(vertices,)``, at one time in seconds."""

    time_s: float
    values: NDArray[np.floating]


class FrameFile(Context):
    """Append frames to a nameless file and read them back one by one; only for one rank.

    Values are kept as single floats, with the `times` of the frames in seconds, in a folder or,
    where None, in the system's place for temporary files. Nothing is left of the file when it is
    closed, or when the process that wrote it has died.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self.times: list[float] = []
        self._size = 0

    def append(self, time_s: float, values: NDArray[np.floating]) -> None:
        """Append values of shape ``(vertices,)``, the same for all frames, at a time in seconds."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
        self._size = values.size
        self._file.seek(len(self) * self._size * _SINGLE.itemsize)
        self._file.write(values.astype(_SINGLE).tobytes())
        self._file.flush()
        self.times.append(time_s)

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[Frame]:
        length = self._size * _SINGLE.itemsize
        for number, time_s in enumerate(self.times):
            assert self._file is not None
            self._file.seek(number * length)
            yield Frame(time_s, np.frombuffer(self._file.read(length), dtype=_SINGLE))

    def close(self) -> None:
        """Close the file, which removes it."""
        if self._file is not None:
            self._file.close()
