"""Find the counts and their axes in a NeXus file, and their order."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import h5py

from chemomech.errors import InputError

_ENERGY_NAMES = ("energy", "photon_energy")
_REQUESTED = "requested_values"


@dataclass(frozen=True)
class Layout:
    """Datasets of one detector: counts, photon energies, positions of rows and columns.

    Counts have three axes, or two (y and x) if there is one energy; more only of length 1.
    ``shape`` is theirs with three axes, ``order`` those that are energy, y and x. In a scan that
    did not stop at the columns (pystxmcontrol, version 2) points tell where along x each number was
    counted.
    """

    data: h5py.Dataset
    energy: h5py.Dataset
    y: h5py.Dataset
    x: h5py.Dataset
    shape: tuple[int, ...]
    order: tuple[int, ...]
    points: h5py.Dataset | None = None


def find_entries(file: h5py.File) -> list[h5py.Group]:
    """Find entries, by name and number: those declared NXentry, or else all groups."""
    groups = _groups(file)
    entries = [group for group in groups if get_text(group, "NX_class") == "NXentry"] or groups
    if not entries:
        raise InputError("the file has no entries (NXentry)")
    return entries


def find_channels(entry: h5py.Group) -> list[h5py.Group]:
    """Find groups of counts with sample positions, one for each detector; grids come first."""
    channels = [
        group
        for group in _groups(entry)
        if not _is_monitor(group)
        and _find_signal(group) is not None
        and "sample_x" in group
        and "sample_y" in group
    ]
    if not channels:
        names = ", ".join(entry) or "nothing"
        raise InputError(
            f"{entry.name} has no group with data, sample_x and sample_y; it holds {names}"
        )
    return sorted(channels, key=lambda group: getattr(group["sample_x"], "ndim", 0) > 1)


def find_monitors(entry: h5py.Group) -> list[h5py.Dataset]:
    """Find the counts of the monitors of the incident beam."""
    signals = [_find_signal(group) for group in _groups(entry) if _is_monitor(group)]
    return [signal for signal in signals if signal is not None]


def find_layout(entry: h5py.Group, group: h5py.Group) -> Layout:
    """Find the counts of a detector's group, their axes and the order of these.

    Energies are in the entry where the group has none.
    """
    data = _find_signal(group)
    assert data is not None
    energy = _find_energy(entry, group)
    x, y, points = group["sample_x"], group["sample_y"], None
    requested = entry.get(_REQUESTED)
    if requested is not None and getattr(x, "ndim", 0) > 1:
        points, x, y = x, requested["sample_x"], requested["sample_y"]
    axes = (energy, y, x)
    for axis in axes:
        if not isinstance(axis, h5py.Dataset) or axis.ndim > 1 or axis.dtype.kind not in "iuf":
            raise InputError(f"{axis.name} should be a list of numbers")
    if points is not None:
        if data.ndim != 3 or points.shape != data.shape:
            raise InputError(f"{points.name} does not give a position for each of {data.name}")
        return Layout(data, *axes, tuple(data.shape), (0, 1, 2), points)
    image = energy.size == 1 and data.ndim == 2
    kept = (0, 1) if image else _drop_axes(group, data)
    if len(kept) != (2 if image else 3):
        raise InputError(
            f"{data.name} of shape {data.shape} is no stack of images over energy, y and x"
        )
    order = _find_order(group, data, axes[1:] if image else axes, kept)
    shape = tuple(data.shape[axis] for axis in kept)
    if image:
        shape, order = (1, *shape), (0, *(axis + 1 for axis in order))
    if sorted(order) != [0, 1, 2]:
        raise InputError(f"the axes declared for {data.name} are not energy, sample_y and sample_x")
    return Layout(data, *axes, shape, order)


def _find_energy(entry: h5py.Group, group: h5py.Group) -> h5py.Dataset:
    """Find a detector's photon energies: its own, the monochromator's, or another one's."""
    for place in (group, entry.get("instrument/monochromator", {}), *_groups(entry)):
        for name in _ENERGY_NAMES:
            if name in place:
                return place[name]
    raise InputError(f"{group.name} has no photon energies ({' or '.join(_ENERGY_NAMES)})")


def _drop_axes(group: h5py.Group, data: h5py.Dataset) -> tuple[int, ...]:
    """Drop axes of length 1 and of another name, beyond three."""
    ours = (*_ENERGY_NAMES, "sample_y", "sample_x")
    declared = _get_declared(group, data)
    if len(declared) != data.ndim:
        declared = [""] * data.ndim
    spare = [
        axis for axis, name in enumerate(declared) if data.shape[axis] == 1 and name not in ours
    ][: max(data.ndim - 3, 0)]
    return tuple(axis for axis in range(data.ndim) if axis not in spare)


def get_name(item: h5py.Group | h5py.Dataset) -> str:
    """Return the last part of the path of a group or dataset."""
    return str(item.name).rsplit("/", maxsplit=1)[-1]


def get_text(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute as text, empty where there is none."""
    values = _get_texts(item, name)
    return values[0] if len(values) == 1 else ""


def _get_texts(item: h5py.Group | h5py.Dataset, name: str) -> list[str]:
    """Return an attribute as a list of texts, whichever way it was written."""
    value = item.attrs.get(name)
    if value is None or isinstance(value, h5py.Empty):
        return []
    values = value.ravel().tolist() if hasattr(value, "ravel") else [value]
    return [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in values]


def _get_declared(group: h5py.Group, data: h5py.Dataset) -> list[str]:
    """Return the axes of the data, as they are declared; none where they are not."""
    for item in (group, data):
        declared = _get_texts(item, "axes")
        if len(declared) == 1:
            # NeXus used to separate names by colons, in brackets or not.
            declared = re.split(r"[:,]", declared[0].strip("[]"))
        if declared:
            return declared
    return []


def _find_order(
    group: h5py.Group, data: h5py.Dataset, axes: tuple[h5py.Dataset, ...], kept: tuple[int, ...]
) -> tuple[int, ...]:
    """Match the axes kept to ``axes``, as declared, or else as the lengths say."""
    names = [get_name(axis) for axis in axes]
    declared = _get_declared(group, data)
    if declared:
        if len(declared) == data.ndim:
            declared = [declared[axis] for axis in kept]
        return tuple(_index(declared, name, str(data.name)) for name in names)
    for numbers, first in (
        ([get_text(axis, "axis") for axis in axes], 1),
        ([get_text(group, f"{name}_indices") for name in names], 0),
    ):
        stated = [int(number) - first for number in numbers if number.isdigit()]
        if len(stated) == len(axes) and set(stated) <= set(kept):
            return tuple(kept.index(axis) for axis in stated)
    return _fit_order(data, axes, kept)


def _index(declared: list[str], name: str, data: str) -> int:
    # Both names of the energy are in use, at times within one file.
    aliases = _ENERGY_NAMES if name in _ENERGY_NAMES else (name,)
    for alias in aliases:
        if alias in declared:
            return declared.index(alias)
    raise InputError(f"the axes of {data} are declared as {', '.join(declared)}, without {name}")


def _fit_order(
    data: h5py.Dataset, axes: tuple[h5py.Dataset, ...], kept: tuple[int, ...]
) -> tuple[int, ...]:
    """Find the order in which the lengths fit; the standard's own, energy, y, x, if it does."""
    lengths = [axis.size for axis in axes]
    orders = [
        order
        for order in itertools.permutations(range(len(kept)))
        if [data.shape[kept[axis]] for axis in order] == lengths
    ]
    if not orders:
        raise InputError(
            f"{data.name} of shape {tuple(data.shape)} does not fit axes of the lengths {lengths}"
        )
    standard = tuple(range(len(kept)))
    if standard not in orders and len(orders) > 1:
        raise InputError(f"the order of the axes of {data.name} is not declared")
    return standard if standard in orders else orders[0]


def _find_signal(group: h5py.Group) -> h5py.Dataset | None:
    """Find the dataset a group is about: the one it names, the one marked, or ``data``."""
    marked = [name for name in group if get_text(group[name], "signal") == "1"]
    for name in (get_text(group, "signal"), *marked, "data"):
        if name and name in group and isinstance(group[name], h5py.Dataset):
            return group[name]
    return None


def _is_monitor(group: h5py.Group) -> bool:
    named = get_name(group) in ("control", "monitor")
    return named or get_text(group, "NX_class") == "NXmonitor"


def _groups(parent: h5py.Group) -> list[h5py.Group]:
    """List the groups within a group, entry2 before entry10."""

    def sort_key(name: str) -> tuple[str, int]:
        number = re.search(r"\d+$", name)
        return re.sub(r"\d+$", "", name), int(number[0]) if number else 0

    names = sorted(parent, key=sort_key)
    return [parent[name] for name in names if isinstance(parent.get(name), h5py.Group)]
