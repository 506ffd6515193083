"""Warn of measurements that can be computed, but are hardly what was meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemomech.geometry.outline import Outline
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.selection import suggest_leaving_out
from chemomech.imaging.spectra import EndMembers
from chemomech.imaging.stack import Stack

# Share of the lines of an image that frames lose when they are moved; a stopped scan lacks more.
_LOST_LINES = 0.05
_NEARLY_ALL = 0.95
# At the very limit of the range, noise takes one pixel in 740 this many uncertainties beyond it.
_UNCERTAINTIES, _CHANCE = 3.0, 0.005
_NAMED = 5


def describe_incomplete_frames(stack: Stack) -> str | None:
    """Name the frames that lack many more rows or columns than others do, or return None.

    The view is cropped to what every frame shows, so that one stopped scan would crop them all.
    """
    lost = np.array(
        [[np.isnan(frame).all(axis=axis).mean() for axis in (1, 0)] for frame in stack.counts]
    )
    partial = np.flatnonzero((lost > _LOST_LINES + 2.0 * np.median(lost, axis=0)).any(axis=1))
    if not partial.size:
        return None
    named = [
        f"{stack.energies[i]:g} eV ({lost[i, 0]:.0%} of its rows, {lost[i, 1]:.0%} of its columns)"
        for i in partial[:_NAMED]
    ]
    more = f" and {len(partial) - _NAMED} more" if len(partial) > _NAMED else ""
    offer = suggest_leaving_out(*(float(stack.energies[i]) for i in partial))
    return (
        "frames lack counts in whole rows or columns, and the view is cropped to what all frames "
        f"show: {', '.join(named)}{more}. Was the scan stopped? If so, {offer}"
    )


def describe_full_outline(
    outlines: Sequence[Outline], grid: PixelGrid, incident: str
) -> str | None:
    """Say so where the outlines cover nearly the whole image, or return None.

    Outlines are clipped to the centres of the outermost pixels; ``incident`` is where I0 came from.
    """
    box = (grid.rows - 1) * grid.row_spacing * (grid.columns - 1) * grid.column_spacing
    share = sum(outline.area for outline in outlines) / box
    if share <= _NEARLY_ALL:
        return None
    return (
        f"the outlines cover {share:.0%} of the image: I0 ({incident}) may be that of another "
        'stack; optical_density.incident = "brightest" takes it from the image, outline.region '
        "bounds the outline"
    )


def find_impossible_share(composition: CompositionMap, end_members: EndMembers) -> float:
    """Return the share of trusted pixels whose x cannot be noise about a possible one.

    Possible are 0 to 1, or to the largest content of an end member; what lies beyond by more than
    three times its uncertainty is counted.
    """
    trusted = composition.trusted
    values, uncertainty = composition.values[trusted], composition.uncertainty[trusted]
    excess = np.maximum(-values, values - max(1.0, float(end_members.lithium.max())))
    return float(np.mean(excess > _UNCERTAINTIES * uncertainty))


def describe_impossible_x(composition: CompositionMap, end_members: EndMembers) -> str | None:
    """Say so where more trusted pixels than by chance have an impossible x, or return None."""
    share = find_impossible_share(composition, end_members)
    if share <= _CHANCE:
        return None
    trusted = composition.values[composition.trusted]
    return (
        f"{share:.1%} of the trusted pixels have a lithium content that cannot be, by more than "
        f"three times its uncertainty (x from {trusted.min():.3g} to {trusted.max():.3g}): look at "
        "I0, at the outline and at the spectra of the end members"
    )
