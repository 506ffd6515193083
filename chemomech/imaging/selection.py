"""Choice among what a stack's file holds, and what the file does not state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemomech.errors import InputError


@dataclass(frozen=True)
class Selection:
    """Choice of a file's region, detector and frames, and what the file does not state.

    Args:
        region: Number of the region scanned, counted from 1.
        channel: Name or number (from 1) of the detector; None for the first.
        energies: Text file whose first column lists the photon energies; for TIFF.
        pixel_size: Edge of a pixel, in m, in place of what the file says.
        leave_out: Frames that are not used, see `select_frames`.

    Raises:
        InputError: The pixel size is no positive length.
    """

    region: int = 1
    channel: str | int | None = None
    energies: Path | None = None
    pixel_size: float | None = None
    leave_out: Sequence[int | float] = ()

    def __post_init__(self) -> None:
        if self.pixel_size is not None:
            check_pixel_size(self.pixel_size)

    def pick_region(self, regions: int) -> int:
        """Return the index, from 0, of the region among so many; refuse one that is not there."""
        if not 1 <= self.region <= regions:
            has = "one region" if regions == 1 else f"{regions} regions"
            raise InputError(f"there is no region {self.region}; the file has {has}", key="region")
        return self.region - 1

    def pick_channel(self, names: Sequence[str]) -> int:
        """Return the index, from 0, of the detector among names; refuse one that is not there."""
        if self.channel is None:
            return 0
        if isinstance(self.channel, str) and self.channel in names:
            return names.index(self.channel)
        if isinstance(self.channel, int) and 1 <= self.channel <= len(names):
            return self.channel - 1
        raise InputError(
            f"there is no channel {self.channel!r}; the file has {', '.join(names)}", key="channel"
        )

    def refuse_choice(self) -> None:
        """Refuse to look for regions or channels in a format that has neither."""
        self.pick_region(1)
        if self.channel not in (None, 1):
            raise InputError("files of this kind have one channel only", key="channel")


def check_pixel_size(pixel_size: float) -> None:
    """Refuse a pixel size that is no positive length."""
    if not np.isfinite(pixel_size) or pixel_size <= 0.0:
        raise InputError(
            f"must be some positive length in m, e.g. 40e-9, got {pixel_size}", key="pixel_size"
        )
