"""Run `chemomech phantom`: write a synthetic measurement as files, ready to be used."""

from __future__ import annotations

from pathlib import Path

import h5py
from mpi4py import MPI

from chemomech.config.templates import create_template
from chemomech.errors import run_on_root
from chemomech.geometry.files.geojson import write_outlines_geojson
from chemomech.geometry.outline import Outline
from chemomech.imaging.formats import write_stack
from chemomech.imaging.phantom import Phantom, create_phantom
from chemomech.imaging.phantom_truth import WireKind
from chemomech.imaging.spectra import write_spectra
from chemomech.output.folder import RunFolder
from chemomech.output.folder_lock import FolderLock


def write_phantom(
    folder: Path,
    wire: WireKind,
    counts: float,
    seed: int,
    comm: MPI.Comm,
    *,
    leaves_view: bool = False,
) -> str:
    """Write a synthetic stack, its standards, its truth and configurations; collective.

    Args:
        folder: Folder to create; refused if it holds anything.
        wire: Kind of wire.
        counts: Incident counts a pixel.
        seed: Seed of noise and drift.
        comm: Ranks of the run; rank 0 does the work.
        leaves_view: Whether the wire leaves the image on two sides.

    Returns:
        Advice on what to do next.

    Raises:
        InputError: The folder is used, or an argument is out of range.
    """
    phantom: Phantom | None = None

    def create() -> None:
        nonlocal phantom
        phantom = create_phantom(wire=wire, counts=counts, seed=seed, leaves_view=leaves_view)

    def write() -> None:
        assert phantom is not None
        attributes = {"synthetic": 1, "wire": wire, "seed": seed, "counts": counts}
        write_stack(folder / "stack.nxs", phantom.stack, attributes)
        standards = phantom.truth.standards
        spectra = dict(zip(standards.names, standards.spectra, strict=True))
        write_spectra(folder / "standards.csv", phantom.stack.energies, spectra)
        _write_truth(folder, phantom)
        for subject, name in (("measurement", "measure.toml"), ("stress", "stress.toml")):
            text = create_template(subject, wire, dark=phantom.truth.dark)  # type: ignore[arg-type]
            (folder / name).write_text(text, encoding="utf-8")

    with FolderLock(folder, comm, is_new=True):
        run_on_root(comm, create)
        RunFolder.create(folder, comm)
        run_on_root(comm, write)
    return (
        f"{folder} holds a synthetic stack (stack.nxs), the spectra of its phases (standards.csv) "
        "and its truth.\nNext, in that folder: chemomech measure measure.toml; "
        "then chemomech stress stress.toml"
    )


def _write_truth(folder: Path, phantom: Phantom) -> None:
    truth = phantom.truth
    write_outlines_geojson(folder / "true_outline.geojson", [Outline(truth.outline)])
    with h5py.File(folder / "truth.h5", "w") as file:
        file["composition"] = truth.composition_map.values
        file["inside"] = truth.mask
        file["thickness"] = truth.thickness_map
        file["thickness"].attrs["units"] = "m"
        file["shifts"] = truth.shifts
        file["shifts"].attrs["units"] = "pixel"
        file["incident"] = truth.incident
