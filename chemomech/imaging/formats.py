"""Read a stack from whatever file a microscope wrote; write one back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chemomech.errors import InputError, naming
from chemomech.imaging.axis2000 import read_axis2000
from chemomech.imaging.nexus import read_nexus
from chemomech.imaging.nexus_writer import write_nexus
from chemomech.imaging.numpy_files import read_npz
from chemomech.imaging.sdf import read_sdf
from chemomech.imaging.selection import Selection
from chemomech.imaging.stack import Stack
from chemomech.imaging.tiff import read_tiff_stack
from chemomech.text_files import require_file

_READERS: dict[str, Callable[[Path, Selection], Stack]] = {
    ".hdr": read_sdf,
    ".nxs": read_nexus,
    ".h5": read_nexus,
    ".hdf5": read_nexus,
    ".hdf": read_nexus,
    ".ncb": read_axis2000,
    ".tif": read_tiff_stack,
    ".tiff": read_tiff_stack,
    ".npz": read_npz,
}
_MAGIC_BYTES = {
    b"\x89HDF\r\n\x1a\n": read_nexus,
    b"PK\x03\x04": read_npz,
    b"II*\x00": read_tiff_stack,
    b"MM\x00*": read_tiff_stack,
    b"II+\x00": read_tiff_stack,
    b"MM\x00+": read_tiff_stack,
}


def read_stack(
    path: Path | str,
    *,
    region: int = 1,
    channel: str | int | None = None,
    energies: Path | str | None = None,
    pixel_size: float | None = None,
    leave_out: Sequence[int | float] = (),
) -> Stack:
    """Read a stack of images, with I0 if the file holds it.

    The kind of file is told by its first bytes, or else by its ending: SDF (``.hdr``, with its
    ``.xim`` files beside it), NXstxm (``.nxs``, ``.h5``, ``.hdf5``), aXis2000 (``.ncb``, with its
    ``.dat`` file), multi-page TIFF with a list of energies, or a NumPy archive (``.npz``). Row 0 of
    the stack is the one with the largest y, column 0 the one with the smallest x. A scan from high
    to low energies is turned round. A single image becomes a stack of one frame.

    Args:
        path: The file.
        region: Number of the region scanned, counted from 1.
        channel: Name or number (from 1) of the detector; the first where not given.
        energies: For TIFF: text file whose first column lists the photon energies, in eV.
        pixel_size: Edge of a pixel, in m; needed for TIFF, elsewhere in place of what the file
            says.
        leave_out: Frames that are not used, by number (an int, counted from 1 in the order of the
            file) or by photon energy (a float, in eV).

    Raises:
        InputError: The file is missing, of an unknown kind, cut short or wrong, or an argument
            does not fit it.
    """
    path = Path(path)
    with naming(path=path):
        listed = None if energies is None else Path(energies)
        selection = Selection(region, channel, listed, pixel_size, leave_out)
        reader = _find_reader(path)
        if reader is not read_tiff_stack and energies is not None:
            raise InputError("only TIFF files need a list; this file has its own", key="energies")
        if reader not in (read_sdf, read_nexus):
            selection.refuse_choice()
        return reader(path, selection)


def write_stack(
    path: Path | str, stack: Stack, attributes: Mapping[str, str | float | int]
) -> None:
    """Write a stack as an NXstxm HDF5 file; `read_stack` reads the same one back.

    Args:
        path: File to create, ``.nxs``, ``.h5`` or ``.hdf5``.
        stack: The stack.
        attributes: Where it came from and what was done to it, for the record.

    Raises:
        InputError: The file exists, cannot be written, or its name does not say that it is HDF5.
    """
    path = Path(path)
    if _READERS.get(path.suffix.lower()) is not read_nexus:
        raise InputError("is to be HDF5; end its name in .nxs, .h5 or .hdf5", path=str(path))
    write_nexus(path, stack, attributes)


def _find_reader(path: Path) -> Callable[[Path, Selection], Stack]:
    require_file(path)
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    for known, reader in _MAGIC_BYTES.items():
        if beginning.startswith(known):
            return reader
    if path.suffix.lower() == ".xim":
        raise InputError("is one frame of a stack; name the .hdr file beside it")
    if path.suffix.lower() not in _READERS:
        raise InputError(f"is of an unknown kind; known are {', '.join(_READERS)}")
    return _READERS[path.suffix.lower()]
