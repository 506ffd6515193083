"""Choice of a file's region and detector channel."""

from __future__ import annotations

from collections.abc import Sequence

from chemomech.errors import InputError


def pick_region(region: int, regions: int) -> None:
    """Refuse a region the file has not.

    Args:
        region: Its number, counted from 1.
        regions: How many the file has.

    Raises:
        InputError: There is no such region.
    """
    if not 1 <= region <= regions:
        has = "one region" if regions == 1 else f"{regions} regions"
        raise InputError(f"there is no region {region}; the file has {has}", key="region")


def pick_channel(channel: str | int | None, names: Sequence[str]) -> int:
    """Find a detector channel.

    Args:
        channel: Its name, or its number counted from 1; None for the first.
        names: Names of the file's channels.

    Returns:
        Its index, counted from 0.

    Raises:
        InputError: There is no such channel.
    """
    if channel is None:
        return 0
    if isinstance(channel, str) and channel in names:
        return names.index(channel)
    if isinstance(channel, int) and 1 <= channel <= len(names):
        return channel - 1
    raise InputError(
        f"there is no channel {channel!r}; the file has {', '.join(names)}", key="channel"
    )


def refuse_selection(region: int, channel: str | int | None) -> None:
    """Refuse to look for regions or channels in a format that has neither.

    Raises:
        InputError: Another than the first was asked for.
    """
    pick_region(region, 1)
    if channel not in (None, 1):
        raise InputError("files of this kind have one channel only", key="channel")
