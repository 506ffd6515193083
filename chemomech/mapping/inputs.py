"""Read the files that a measurement names: the stack, its I0, spectra."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from chemomech.arrays import BoolArray, FloatArray
from chemomech.config import measurement as mcfg
from chemomech.errors import InputError, naming
from chemomech.imaging import optical_density as od
from chemomech.imaging.formats import read_stack
from chemomech.imaging.image_files import read_mask
from chemomech.imaging.spectra import Spectrum, read_spectrum
from chemomech.imaging.stack import Stack
from chemomech.imaging.view import View


def load_stack(settings: mcfg.StackConfig) -> Stack:
    """Read the stack of a table ``stack``; refuse one of a single photon energy."""
    stack = read_stack(
        settings.file,
        region=settings.scan_region,
        channel=settings.channel,
        energies=settings.energies,
        pixel_size=settings.pixel_size,
        leave_out=settings.leave_out,
    )
    if len(stack.energies) < 2:
        raise InputError(
            f"has one photon energy only ({stack.energies[0]:g} eV); spectra need more",
            path=str(settings.file),
        )
    return stack


class _Incident(NamedTuple):
    """I0 at each energy, dark counts included, its source, and number of pixels if known."""

    counts: FloatArray
    source: str
    pixels: int | None = None


def find_incident(stack: Stack, settings: mcfg.OpticalDensityConfig, view: View) -> _Incident:
    """Find I0 of the aligned frames, as far as the view, as a table ``optical_density`` says."""
    match settings.incident:
        case "file":
            assert settings.file is not None
            spectrum = read_spectrum_at(settings.file, 1, stack.energies)
            return _Incident(spectrum.values, settings.file.name)
        case "mask":
            assert settings.mask is not None
            mask = view.crop(read_mask(settings.mask, view.shape))
            return _average(stack, mask, settings.mask.name)
        case "region":
            assert settings.region is not None
            return _average(stack, view.rasterise(settings.region), "a stated region")
    if stack.incident is not None and settings.incident != "brightest":
        return _Incident(stack.incident, "stored with the stack")
    if settings.incident == "stored":
        raise InputError(
            "the file holds no I0; use auto, brightest, file, mask or region", key="incident"
        )
    return _average(stack, od.find_empty_region(stack), "the brightest pixels")


def _average(stack: Stack, mask: BoolArray, source: str) -> _Incident:
    return _Incident(od.find_incident(stack, mask), source, int(mask.sum()))


def read_spectrum_at(file: Path, column: int, energies: FloatArray) -> Spectrum:
    """Read a spectrum, one column of a file counted from 1, at the energies (eV) of a stack."""
    spectrum = read_spectrum(file, column=column)
    with naming(path=file):
        return Spectrum(energies, spectrum.at(energies), spectrum.name)
