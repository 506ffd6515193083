"""The pure phases into which spectra are taken apart."""

from __future__ import annotations

from dataclasses import dataclass

from chemomech.arrays import FloatArray
from chemomech.errors import InputError


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

    Raises:
        InputError: The shapes do not fit, or fewer than two are given.
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
