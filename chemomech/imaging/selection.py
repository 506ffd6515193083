"""Choice of a file's region, detector and frames, and refusal of frames of no use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemomech.arrays import FloatArray, IndexArray
from chemomech.errors import InputError

# Energies this close, relative and in eV, are the same one: messages print so many digits.
_SAME_RELATIVE, _SAME_ENERGY = 1e-5, 0.01
_NAMED = 5


@dataclass(frozen=True)
class Selection:
    """Choice among what a file of a stack holds, and what it does not state, as in `read_stack`."""

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

    def select_frames(self, energies: FloatArray) -> IndexArray:
        """Return the indices, from 0, of the frames used; energies (eV) are in the file's order."""
        kept = np.ones(len(energies), dtype=np.bool_)
        for frame in self.leave_out:
            if isinstance(frame, int | np.integer):
                if not 1 <= frame <= len(energies):
                    raise InputError(
                        f"there is no frame {frame}; the file has {len(energies)}", key="leave_out"
                    )
                kept[frame - 1] = False
                continue
            there = np.isclose(energies, frame, rtol=_SAME_RELATIVE, atol=_SAME_ENERGY)
            if not there.any():
                nearest = energies[int(np.argmin(np.abs(energies - frame)))]
                raise InputError(
                    f"there is no frame at {frame:g} eV; the nearest is at {nearest:g} eV",
                    key="leave_out",
                )
            kept &= ~there
        if not kept.any():
            raise InputError("leaves out every frame", key="leave_out")
        return np.flatnonzero(kept)


def check_pixel_size(pixel_size: float) -> None:
    """Refuse a pixel size that is no positive length."""
    if not np.isfinite(pixel_size) or pixel_size <= 0.0:
        raise InputError(
            f"must be some positive length in m, e.g. 40e-9, got {pixel_size}", key="pixel_size"
        )


def refuse_frames(indices: IndexArray, kept: IndexArray, energies: FloatArray, fault: str) -> None:
    """Refuse frames, if there are any, and say how to go on without them.

    Indices of frames at fault, and of those kept until now, count from 0 in the order of the file,
    as do the photon energies (eV). The fault is said of one frame, e.g. ``holds nothing but
    zeros``.
    """
    if indices.size == 0:
        return
    named = ", ".join(f"frame {i + 1} ({energies[i]:g} eV)" for i in indices[:_NAMED])
    if len(indices) > _NAMED:
        named += f" and {len(indices) - _NAMED} more"
    if len(indices) > 1:
        named += " each"
    left_out = np.setdiff1d(np.arange(len(energies)), np.setdiff1d(kept, indices))
    raise InputError(f"{named} {fault}; {suggest_leaving_out(*(left_out + 1).tolist())}")


def suggest_leaving_out(*frames: int | float) -> str:
    """Return words that offer to leave frames out, by number (int) or energy in eV (float)."""
    named = ", ".join(
        str(frame) if isinstance(frame, int) else f'"{frame:g} eV"' for frame in frames
    )
    return f"to go on without, set the stack's leave_out = [{named}]"
