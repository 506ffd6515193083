"""The cases of a sweep: their names, and the configuration of each."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpi4py import MPI

from chemomech.config import Config, load_config
from chemomech.errors import InputError
from chemomech.sweeps.definition import SweepConfig, Value, split_value

_MOST_CASES = 10_000
"""More cases than this are taken for a mistake."""

_LONGEST_NAME = 120


@dataclass(frozen=True)
class Case:
    """One configuration of a sweep, named by the value of each key that varies."""

    name: str
    changes: Mapping[str, Value]
    config: Config


@dataclass(frozen=True)
class Sweep:
    """A sweep whose every case can be run: axes in their order, the last one varying fastest."""

    file: Path
    definition: SweepConfig
    keys: tuple[str, ...]
    shape: tuple[int, ...]
    cases: tuple[Case, ...]


def read_sweep(path: Path | str, base: Path | None = None, *, allow_code: bool = False) -> Sweep:
    """Read the file of a sweep and the configuration of every case; only for one rank.

    Args:
        path: TOML file; ``base`` counts from its folder.
        base: Configuration that takes the place of the one the file names.
        allow_code: Run the modules that it names for laws of its user's own.

    Raises:
        InputError: The file or a case cannot be used; the message names case, key and value.
    """
    file = Path(path)
    definition = load_config(file, MPI.COMM_SELF, model=SweepConfig)
    if base is not None:
        definition = definition.model_copy(update={"base": base})
    axes = [axis.list_changes() for axis in definition.axis]
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > _MOST_CASES:
        raise InputError(f"makes {count} cases; at most {_MOST_CASES}", key="axis", path=str(file))
    combinations = [_merge(parts) for parts in itertools.product(*axes)]
    names = _name_cases(combinations)
    cases = tuple(
        Case(name, changes, _configure(file, definition, name, changes, allow_code=allow_code))
        for name, changes in zip(names, combinations, strict=True)
    )
    shape = tuple(len(axis) for axis in axes)
    return Sweep(file, definition, tuple(combinations[0]), shape, cases)


def _name_cases(combinations: Sequence[Mapping[str, Value]]) -> list[str]:
    """Name cases by what varies, such as ``kappa-1e-14-seed-2``; safe for files, each once.

    Keys are cut to their last word where that tells them apart, and units left out where all
    values of a key have the same.
    """
    words = _shorten(list(combinations[0]))
    columns = {key: [changes[key] for changes in combinations] for key in words}
    texts = {key: _write_values(values) for key, values in columns.items()}
    names = [
        "-".join(f"{word}-{texts[key][i]}" for key, word in words.items())
        for i in range(len(combinations))
    ]
    if any(len(name) > _LONGEST_NAME for name in names):
        names = [f"case-{number}" for number in range(1, len(names) + 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"two cases are the same, {twice[0]}", key="axis")
    return names


def _merge(parts: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    return {key: value for part in parts for key, value in part.items()}


def _configure(
    file: Path,
    definition: SweepConfig,
    name: str,
    changes: Mapping[str, Value],
    *,
    allow_code: bool,
) -> Config:
    # Every JSON text or number is TOML's as well.
    overrides = [
        f"{key}={json.dumps(value)}" for key, value in {**definition.set, **changes}.items()
    ]
    try:
        return load_config(
            definition.base,
            MPI.COMM_SELF,
            overrides,
            unset=definition.unset,
            allow_code=allow_code,
        )
    except InputError as error:
        if error.key is None:
            # No fault of this case: the base itself cannot be used.
            raise
        said = str(InputError(error.message, key=error.key))
        raise InputError(f"case {name}: {said}", path=str(file)) from error


def _shorten(keys: Sequence[str]) -> dict[str, str]:
    last = [key.rpartition(".")[2] for key in keys]
    # The number of an entry in a list says nothing by itself.
    plain = len(set(last)) == len(keys) and not any(word.isdecimal() for word in last)
    return {key: word if plain else key for key, word in zip(keys, last, strict=True)}


def _write_values(values: Sequence[Value]) -> list[str]:
    parts = [split_value(value) for value in values]
    if all(number is not None for number, _ in parts) and len({unit for _, unit in parts}) == 1:
        return [f"{number:g}" for number, _ in parts]
    return [re.sub(r"[^\w.+-]+", "_", _flatten(value)).strip("_") for value in values]


def _flatten(value: Value) -> str:
    return "_".join(map(str, value)) if isinstance(value, list) else str(value)
