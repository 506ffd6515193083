"""Figures 3 and 5: a synthetic wire through the whole chain, from the stack to the stress."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import numpy as np
from mpi4py import MPI

from chemomech import (
    MeasurementConfig,
    StressConfig,
    create_phantom,
    load_config,
    measure,
    read_measurement,
    stress,
    write_phantom,
)
from chemomech.paper.page import Findings, Picture, Table, read_table
from chemomech.paper.reproduction import Reproduction

_WIRES: dict[str, Literal["delithiated", "lithiated"]] = {"3": "delithiated", "5": "lithiated"}
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
        shutil.rmtree(chain, ignore_errors=True)
        write_phantom(chain, wire, _COUNTS, _SEED, MPI.COMM_SELF)
        _run_chain(chain, ["mesh.size=40 nm"] if work.short else [])
    truth = create_phantom(wire=wire, counts=_COUNTS, seed=_SEED).truth
    (poor, rich), (low, high) = truth.standards.names, truth.standards.lithium
    measured = read_measurement(chain / _MEASURED / "measurement.h5").composition
    expected = truth.composition(measured.grid.centres() + np.array(measured.grid.origin))
    error = np.sqrt(np.mean((measured.values - expected)[measured.trusted] ** 2))
    rows = read_table(chain / _STRESSED / "stress.csv")
    p95 = next(row for row in rows if row["stress"] == "von_mises" and row["region"] == "all")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Findings(
        computed=f"A synthetic stack of a bent wire with domains of {poor} (x = {low:g}) and "
        f"{rich} (x = {high:g}), noise, drift and blur, goes through `measure` and `stress` as a "
        f"real one would. Over the {measured.trusted.sum()} pixels that can be trusted the "
        f"composition is off by **{error:.3f}** (root mean square; the phases differ by "
        f"{high - low:g}). The von Mises stress has its 95th percentile at "
        f"**{float(p95['p95_Pa']) / 1e6:.0f} MPa** (E = 43 GPa, nu = 0.3, Omega = 2.415e-6 m3/mol, "
        "plane stress, free borders).",
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
        tables=[Table("stress", "Stress by phase, in Pa", columns, shown=len(rows) <= 20)],
    )


def _run_chain(chain: Path, changes: list[str]) -> None:
    """Measure the stack and compute its stress, as ``measure`` and ``stress`` do."""
    comm = MPI.COMM_SELF
    measurement = load_config(chain / "measure.toml", comm, model=MeasurementConfig)
    measure(measurement, chain / _MEASURED, comm)
    stress(
        load_config(chain / "stress.toml", comm, changes, model=StressConfig),
        chain / _STRESSED,
        comm,
    )
