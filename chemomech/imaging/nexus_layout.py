"""Where the counts and their axes are in a NeXus file, and in which order."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chemomech.errors import InputError

if TYPE_CHECKING:
    import h5py

_ENERGY_NAMES = ("energy", "photon_energy")


@dataclass(frozen=True)
class Layout:
    """The datasets of one detector.

    Args:
        data: Counts, with three axes, or with two (y and x) if there is one energy.
        energy: Photon energies.
        y: Positions of the rows.
        x: Positions of the columns.
        shape: Shape of the counts; a single image has a first axis of length 1.
        order: Axes of ``shape`` that are energy, y and x.
    """

    data: h5py.Dataset
    energy: h5py.Dataset
    y: h5py.Dataset
    x: h5py.Dataset
    shape: tuple[int, ...]
    order: tuple[int, ...]


def find_entries(file: h5py.File) -> list[h5py.Group]:
    """Entries, by name and number: those declared NXentry, or else all groups.

    Raises:
        InputError: There are none.
    """
    groups = _groups(file)
    entries = [group for group in groups if get_text(group, "NX_class") == "NXentry"] or groups
    if not entries:
        raise InputError("the file has no entries (NXentry)")
    return entries


def find_channels(entry: h5py.Group) -> list[h5py.Group]:
    """Groups of counts with sample positions, one for each detector.

    Raises:
        InputError: There are none.
    """
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
    return channels


def find_monitors(entry: h5py.Group) -> list[h5py.Dataset]:
    """Counts of the monitors of the incident beam."""
    signals = [_find_signal(group) for group in _groups(entry) if _is_monitor(group)]
    return [signal for signal in signals if signal is not None]


def find_layout(group: h5py.Group) -> Layout:
    """Find the counts of a detector, their axes and the order of these.

    Raises:
        InputError: An axis is missing, or the order is not known.
    """
    import h5py

    data = _find_signal(group)
    assert data is not None
    energy = next((group[name] for name in _ENERGY_NAMES if name in group), None)
    if energy is None:
        raise InputError(f"{group.name} has no photon energies ({' or '.join(_ENERGY_NAMES)})")
    axes = (energy, group["sample_y"], group["sample_x"])
    for axis in axes:
        if not isinstance(axis, h5py.Dataset) or axis.ndim > 1 or axis.dtype.kind not in "iuf":
            raise InputError(f"{axis.name} should be a list of numbers")
    image = data.ndim == 2 and energy.size == 1
    if not image and data.ndim != 3:
        raise InputError(
            f"{data.name} of shape {data.shape} is no stack of images over energy, y and x"
        )
    shape = (1, *data.shape) if image else tuple(data.shape)
    order = _find_order(group, data, axes[1:] if image else axes)
    if image:
        order = (0, *(axis + 1 for axis in order))
    if sorted(order) != [0, 1, 2]:
        raise InputError(f"the axes declared for {data.name} are not energy, sample_y and sample_x")
    return Layout(data, *axes, shape, order)


def get_text(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """An attribute as text, empty where there is none."""
    values = _get_texts(item, name)
    return values[0] if len(values) == 1 else ""


def _get_texts(item: h5py.Group | h5py.Dataset, name: str) -> list[str]:
    """An attribute as a list of texts, whichever way it was written."""
    import h5py

    value = item.attrs.get(name)
    if value is None or isinstance(value, h5py.Empty):
        return []
    values = value.ravel().tolist() if hasattr(value, "ravel") else [value]
    return [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in values]


def _find_order(
    group: h5py.Group, data: h5py.Dataset, axes: tuple[h5py.Dataset, ...]
) -> tuple[int, ...]:
    """Axes of the data that belong to ``axes``, as declared, or else as the lengths say."""
    names = [str(axis.name).rsplit("/", maxsplit=1)[-1] for axis in axes]
    for item in (group, data):
        declared = _get_texts(item, "axes")
        if len(declared) == 1:
            # NeXus used to separate names by colons, in brackets or not.
            declared = re.split(r"[:,]", declared[0].strip("[]"))
        if declared:
            return tuple(_index(declared, name, str(data.name)) for name in names)
    numbers = [get_text(axis, "axis") for axis in axes]
    if all(number.isdigit() for number in numbers):
        return tuple(int(number) - 1 for number in numbers)
    numbers = [get_text(group, f"{name}_indices") for name in names]
    if all(number.isdigit() for number in numbers):
        return tuple(int(number) for number in numbers)
    return _fit_order(data, axes)


def _index(declared: list[str], name: str, data: str) -> int:
    # Both names of the energy are in use, at times within one file.
    aliases = _ENERGY_NAMES if name in _ENERGY_NAMES else (name,)
    for alias in aliases:
        if alias in declared:
            return declared.index(alias)
    raise InputError(f"the axes of {data} are declared as {', '.join(declared)}, without {name}")


def _fit_order(data: h5py.Dataset, axes: tuple[h5py.Dataset, ...]) -> tuple[int, ...]:
    """The order in which the lengths fit; the standard's own, energy, y, x, if it does."""
    lengths = [axis.size for axis in axes]
    orders = [
        order
        for order in itertools.permutations(range(data.ndim))
        if [data.shape[axis] for axis in order] == lengths
    ]
    if not orders:
        raise InputError(
            f"{data.name} of shape {tuple(data.shape)} does not fit axes of the lengths {lengths}"
        )
    standard = tuple(range(data.ndim))
    if standard not in orders and len(orders) > 1:
        raise InputError(f"the order of the axes of {data.name} is not declared")
    return standard if standard in orders else orders[0]


def _find_signal(group: h5py.Group) -> h5py.Dataset | None:
    """The dataset a group is about: the one it names, the one marked, or ``data``."""
    import h5py

    marked = [name for name in group if get_text(group[name], "signal") == "1"]
    for name in (get_text(group, "signal"), *marked, "data"):
        if name and name in group and isinstance(group[name], h5py.Dataset):
            return group[name]
    return None


def _is_monitor(group: h5py.Group) -> bool:
    last = str(group.name).rsplit("/", maxsplit=1)[-1]
    return get_text(group, "NX_class") == "NXmonitor" or last in ("control", "monitor")


def _groups(parent: h5py.Group) -> list[h5py.Group]:
    """Groups within a group, entry2 before entry10."""
    import h5py

    def sort_key(name: str) -> tuple[str, int]:
        number = re.search(r"\d+$", name)
        return re.sub(r"\d+$", "", name), int(number[0]) if number else 0

    names = sorted(parent, key=sort_key)
    return [parent[name] for name in names if isinstance(parent.get(name), h5py.Group)]
