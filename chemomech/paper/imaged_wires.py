"""Figures 3 and 5: a synthetic wire through the whole chain, from the stack to the stress."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from mpi4py import MPI

from chemomech.config import MeasurementConfig, StressConfig, load_config
from chemomech.imaging.measurement import read_measurement
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.phantom_truth import PHASES, WireKind
from chemomech.mapping.measure import RESULT, measure
from chemomech.mapping.phantom_files import write_phantom
from chemomech.mapping.stress import stress
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.text_files import read_csv

_WIRES: dict[str, WireKind] = {"3": "delithiated", "5": "lithiated"}
_CHAIN = "chain"
_MEASURED, _STRESSED = "measure-results", "stress-results"
_LAST = f"{_STRESSED}/figure.png"
_COUNTS, _SEED = 3000.0, 0
_PICTURES = {
    f"{_STRESSED}/figure.png": "The figure: clusters, spectra, composition and stress.",
    f"{_MEASURED}/pictures/clusters.png": "Clusters of pixels with like spectra.",
    f"{_MEASURED}/pictures/cluster_spectra.png": "Spectra of the clusters and of the phases.",
    f"{_MEASURED}/pictures/composition.png": "Lithium content x, by eqns 7 and 8.",
    f"{_STRESSED}/pictures/von_mises.png": "Von Mises stress, by eqns 9 to 11.",
}
_SYNTHETIC = "The wire is synthetic."


def make(work: Reproduction) -> Findings:
    """Make a synthetic stack, measure it, compute its stress, and compare with the truth."""
    wire = _WIRES[work.figure.name]
    chain = work.folder / _CHAIN
    if not (chain / _LAST).exists():
        _run_chain(work, wire, chain)
    (poor, low), (rich, high) = PHASES[wire]
    error, pixels = _compare_with_truth(chain, wire)
    rows = _read_stress(chain / _STRESSED / "stress.csv")
    p95 = next(row for row in rows if row["stress"] == "von_mises" and row["region"] == "all")
    header = list(rows[0])
    cells: list[list[Cell]] = [list(row.values()) for row in rows]
    return Findings(
        computed=f"A synthetic stack of a bent wire with domains of {poor} (x = {low:g}) and "
        f"{rich} (x = {high:g}), noise, drift and blur, goes through `measure` and `stress` as a "
        f"real one would. Over the {pixels} pixels that can be trusted the composition is off by "
        f"**{error:.3f}** (root mean square; the phases differ by {high - low:g}). The von Mises "
        f"stress has its 95th percentile at **{float(p95['p95_Pa']) / 1e6:.0f} MPa** (E = 43 GPa, "
        "nu = 0.3, Omega = 2.415e-6 m3/mol, plane stress, free borders).",
        differs="The microscope's data are not public, so the wire, its pattern and its spectra "
        "are made up here, and only the kind of picture can be compared. The paper does not say "
        "whether its maps are in plane stress or plane strain, and holds the borders of the image "
        "by rollers, which matters where the wire leaves it (figure 3-5). Published magnitudes may "
        "also contain a slip in how concentrations were mapped; factors of several are no sign of "
        "an error here.",
        pictures=[
            Picture(f"{_CHAIN}/{name}", f"{caption} {_SYNTHETIC}")
            for name, caption in _PICTURES.items()
            if (chain / name).exists()
        ],
        tables=[Table("stress", "Stress by phase, in Pa", header, cells, shown=len(cells) <= 20)],
    )


def _compare_with_truth(chain: Path, wire: WireKind) -> tuple[float, int]:
    """Compute the composition's root mean square error over trusted pixels, and their number.

    Args:
        chain: Folder with the measurement's results.
        wire: Which wire was measured.
    """
    truth = create_phantom(wire=wire, counts=_COUNTS, seed=_SEED).truth
    measured = read_measurement(chain / _MEASURED / RESULT).composition
    expected = truth.composition(measured.grid.centres() + np.array(measured.grid.origin))
    error = (measured.values - expected)[measured.trusted]
    return float(np.sqrt(np.mean(error**2))), int(measured.trusted.sum())


def _run_chain(work: Reproduction, wire: WireKind, chain: Path) -> None:
    """Do what ``phantom``, ``measure`` and ``stress`` do, from the beginning."""
    comm = MPI.COMM_SELF
    shutil.rmtree(chain, ignore_errors=True)
    write_phantom(chain, wire, _COUNTS, _SEED, comm)
    measure(
        load_config(chain / "measure.toml", comm, model=MeasurementConfig), chain / _MEASURED, comm
    )
    coarse = ["mesh.size=40 nm"] if work.short else []
    config = load_config(chain / "stress.toml", comm, coarse, model=StressConfig)
    stress(config, chain / _STRESSED, comm)


def _read_stress(path: Path) -> list[dict[str, str]]:
    header, rows = read_csv(path)
    return [dict(zip(header, row, strict=True)) for row in rows]
