"""Figure 3: a synthetic wire through the whole chain, from the stack to the stress."""

from __future__ import annotations

import shutil
from pathlib import Path

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
from chemomech.paper.page import Findings, Table, read_table
from chemomech.paper.reproduction import Reproduction

_CHAIN = "chain"
_MEASURED, _STRESSED = "measure-results", "stress-results"
_LAST = f"{_STRESSED}/figure.png"
_COUNTS, _SEED = 3000.0, 0


def make(work: Reproduction) -> Findings:
    """Make a synthetic stack, measure it, compute its stress, and compare with the truth."""
    chain = work.folder / _CHAIN
    if not (chain / _LAST).exists():
        shutil.rmtree(chain, ignore_errors=True)
        write_phantom(chain, "delithiated", _COUNTS, _SEED, MPI.COMM_SELF)
        _run_chain(chain, ["mesh.size=40 nm"] if work.short else [])
    truth = create_phantom(wire="delithiated", counts=_COUNTS, seed=_SEED).truth
    measured = read_measurement(chain / _MEASURED / "measurement.h5").composition
    expected = truth.composition(measured.grid.centres() + np.array(measured.grid.origin))
    error = np.sqrt(np.mean((measured.values - expected)[measured.trusted] ** 2))
    rows = read_table(chain / _STRESSED / "stress.csv")
    p95 = next(row for row in rows if row["stress"] == "von_mises" and row["region"] == "all")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Findings(
        values={
            "phases": truth.standards.names,
            "lithium": truth.standards.lithium,
            "pixels": measured.trusted.sum(),
            "error": error,
            "p95": float(p95["p95_Pa"]) / 1e6,
        },
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
