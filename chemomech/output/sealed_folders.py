"""Seal folders by a manifest of checksums, and verify it before they are read.

What lies in a folder is data and may have been changed by anyone: names in a manifest are compared
with the files that are there and never opened, links are refused, and sizes are looked at before
memory is taken.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

MANIFEST = "manifest.json"

_FORMAT = 1
#: Kinds of NumPy's types that are plain numbers: truth values, integers, reals, complex numbers.
_PLAIN_NUMBERS = "biufc"
#: Bytes beyond which a JSON file is none of ours.
_LARGEST_JSON = 2**24


class DamagedError(Exception):
    """A file or folder is not what was written; the message says how."""


def seal_folder(folder: Path) -> None:
    """Write a manifest of all files in a folder, and flush everything to the disk."""
    files = _list_files(folder)
    entries = {name: {"size": size, "sha256": _hash(folder / name)} for name, size in files.items()}
    write_json(folder / MANIFEST, {"format": _FORMAT, "files": entries})
    for name in (*files, MANIFEST):
        synchronise(folder / name)
    for place in {(folder / name).parent for name in (*files, MANIFEST)}:
        synchronise(place)


def check_folder(folder: Path) -> None:
    """Compare a folder with its manifest: names, then sizes, then hashes.

    Raises:
        DamagedError: It is not what was sealed.
        OSError: A file cannot be read.
    """
    files = _list_files(folder)
    if files.pop(MANIFEST, None) is None:
        raise DamagedError(f"it has no {MANIFEST}")
    entries = _read_manifest(folder / MANIFEST)
    for name in sorted(entries.keys() - files.keys()):
        raise DamagedError(f"{name!r} is missing")
    for name in sorted(files.keys() - entries.keys()):
        raise DamagedError(f"{name!r} is not in its {MANIFEST}")
    for name, (size, _) in entries.items():
        if files[name] != size:
            raise DamagedError(f"{name!r} has {files[name]} bytes instead of {size}")
    for name in files:
        if _hash(folder / name) != entries[name][1]:
            raise DamagedError(f"{name!r} was changed")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file that `read_json` takes; floats, NaN and inf too, are kept as they are."""
    content = json.dumps(value).encode()
    if len(content) > _LARGEST_JSON:
        raise ValueError(f"{path.name} would be larger than {_LARGEST_JSON} bytes.")
    path.write_bytes(content)


def read_json(path: Path) -> object:
    """Read a JSON file of reasonable size.

    Raises:
        DamagedError: It is too large or not JSON.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST_JSON + 1)
    if len(content) > _LARGEST_JSON:
        raise DamagedError(f"{path.name} is larger than {_LARGEST_JSON} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path.name} is not JSON: {error}") from error


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array of plain numbers to a ``.npy`` file."""
    if array.dtype.kind not in _PLAIN_NUMBERS:
        raise ValueError(f"An array of {array.dtype} cannot be stored.")
    # NumPy's own way to a file does not say why it failed.
    content = BytesIO()
    np.save(content, array, allow_pickle=False)
    path.write_bytes(content.getvalue())


def read_array(path: Path) -> NDArray[np.generic]:
    """Read an array of plain numbers from a ``.npy`` file.

    Raises:
        DamagedError: It holds something else, or not as much as it says.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        try:
            shape, kind = _read_header(file)
        except ValueError as error:
            raise DamagedError(f"is no array: {error}") from error
        if kind.kind not in _PLAIN_NUMBERS or kind.hasobject:
            raise DamagedError(f"holds {kind}, not plain numbers")
        there = os.fstat(file.fileno()).st_size - file.tell()
        if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != there:
            raise DamagedError(f"holds {there} bytes, which do not make an array {shape} of {kind}")
        file.seek(0)
        array: NDArray[np.generic] = np.load(file, allow_pickle=False)
    return array


def synchronise(path: Path) -> None:
    """Flush a file's content, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, _, kind = npy.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, kind = npy.read_array_header_2_0(file)
    else:
        raise ValueError(f"its version {version} is not known")
    return shape, kind


def _list_files(folder: Path) -> dict[str, int]:
    """Find the sizes of all files in a folder and its subfolders, by name."""
    sizes = {}
    for place, folders, files in os.walk(folder, onerror=_raise):
        for each in (*folders, *files):
            path = Path(place, each)
            name = path.relative_to(folder).as_posix()
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                sizes[name] = status.st_size
            elif not stat.S_ISDIR(status.st_mode):
                raise DamagedError(f"{name!r} is neither file nor folder")
    return sizes


def _raise(error: OSError) -> None:
    raise error


def _read_manifest(path: Path) -> dict[str, tuple[int, str]]:
    """Read size and hash of each file by name."""
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DamagedError(f"its {MANIFEST} is not of format {_FORMAT}")
    try:
        return {
            str(name): (int(entry["size"]), str(entry["sha256"]))
            for name, entry in content["files"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DamagedError(f"its {MANIFEST} has another form") from error


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
