"""Spectra: numbers over photon energy, such as I0 or the absorption of a pure phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming
from chemomech.imaging.scan_axes import read_energies
from chemomech.imaging.stack import check_energies
from chemomech.imaging.text_tables import read_table
from chemomech.text_files import create_csv

# Rounding in files, far below what a monochromator resolves.
_ROUNDING_EV = 1e-3


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Numbers over photon energy (eV, increasing), straight between them; both (energies,)."""

    energies: FloatArray
    values: FloatArray
    name: str = ""

    def __post_init__(self) -> None:
        energies = np.asarray(self.energies, dtype=np.float64)
        values = np.asarray(self.values, dtype=np.float64)
        object.__setattr__(self, "energies", energies)
        object.__setattr__(self, "values", values)
        if energies.ndim != 1 or values.shape != energies.shape:
            raise InputError(f"{values.shape} values do not fit {energies.shape} energies")
        check_energies(energies)
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            raise InputError(f"the value at {energies[wrong[0]]:g} eV is {values[wrong[0]]}")

    def at(self, energies: FloatArray) -> FloatArray:
        """Interpolate linearly at photon energies in eV, of any shape.

        Raises:
            InputError: An energy is not finite, or more than rounding outside the spectrum.
        """
        wanted = np.asarray(energies, dtype=np.float64)
        first, last = self.energies[0], self.energies[-1]
        outside = ~((wanted >= first - _ROUNDING_EV) & (wanted <= last + _ROUNDING_EV))
        if outside.any():
            raise InputError(
                f"the spectrum {self.name!r} reaches from {first:g} to {last:g} eV and says "
                f"nothing about {wanted[outside].flat[0]:g} eV"
            )
        return np.asarray(np.interp(wanted, self.energies, self.values))


@dataclass(frozen=True, eq=False)
class EndMembers:
    """Names, lithium contents and spectra of pure phases.

    Args:
        names: What each is called.
        lithium: Lithium content x of each, shape (k,).
        spectra: Optical density of each at the stack's energies, shape (k, energies), all for the
            same thickness.
        thickness: That thickness, in m; None where it is not known, as with spectra of clusters.
        sources: Where each spectrum came from, for the record.
    """

    names: tuple[str, ...]
    lithium: FloatArray
    spectra: FloatArray
    thickness: float | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        if count < 2:
            raise InputError("at least two end members are needed to make a composition of them")
        if self.lithium.shape != (count,) or self.spectra.shape[:1] != (count,):
            raise InputError("each end member needs a name, a lithium content and a spectrum")


def _read_spectra(path: Path | str) -> list[Spectrum]:
    """Read the spectra in a text file: photon energies, then one or more columns of values.

    See `chemomech.imaging.text_tables.read_table` for what such a file may look like. Energies may
    rise or fall; they are in eV or keV, as the heading says, or else in keV if all are below 20.
    Spectra are named by the heading of their column, or else by the file.
    """
    path = Path(path)
    table = read_table(path)
    columns = table.numbers.shape[1] - 1
    if columns < 1:
        raise InputError("holds one column; energies and values are two", path=str(path))
    energies = read_energies(table, path)
    numbers, lines = table.numbers, table.lines
    if len(energies) > 1 and np.all(np.diff(energies) < 0.0):
        energies, numbers, lines = energies[::-1], numbers[::-1], lines[::-1]
    falling = np.flatnonzero(np.diff(energies) <= 0.0)
    if falling.size:
        first, second = energies[falling[0]], energies[falling[0] + 1]
        raise InputError(
            f"line {lines[falling[0] + 1]}: {second:g} eV follows {first:g} eV; energies must "
            "increase",
            path=str(path),
        )
    if table.names:
        names = table.names[1:]
    else:
        names = tuple(f"{path.stem} {number + 1}" for number in range(columns))
        names = names if columns > 1 else (path.stem,)
    with naming(path=path):
        return [
            Spectrum(energies, values, name)
            for values, name in zip(numbers.T[1:], names, strict=True)
        ]


def read_spectrum(path: Path | str, column: int = 1) -> Spectrum:
    """Read one spectrum from a text file, by the number of its column of values, from 1 on."""
    spectra = _read_spectra(path)
    if not 1 <= column <= len(spectra):
        raise InputError(
            f"there is no column {column}; the file has {len(spectra)} of values",
            key="column",
            path=str(path),
        )
    return spectra[column - 1]


def write_spectra(
    path: Path | str, energies: FloatArray, spectra: Mapping[str, FloatArray]
) -> None:
    """Write spectra as a table of comma-separated values that keeps every digit.

    Args:
        path: File to create.
        energies: Photon energies, in eV, increasing, shape (energies,).
        spectra: Values by name, each of shape (energies,).

    Raises:
        InputError: There are no spectra, one is not valid, its name cannot head a column, or the
            file exists or cannot be written.
    """
    path = Path(path)
    if not spectra:
        raise InputError("there are no spectra to write", path=str(path))
    for name in spectra:
        if not name.strip() or set(name) & set(',;"\t\r\n'):
            raise InputError(f"{name!r} cannot head a column of a table", path=str(path))
    checked = [Spectrum(energies, values, name) for name, values in spectra.items()]
    columns = np.stack([checked[0].energies, *(spectrum.values for spectrum in checked)], axis=1)
    try:
        create_csv(path, [["energy (eV)", *spectra], *map(list, columns)])
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=str(path)) from error
