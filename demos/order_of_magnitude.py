"""Is the stress in a wire of epsilon and delta really ten times that of alpha and epsilon?

    python demos/order_of_magnitude.py OUTPUT [--seed N] [--mesh-size "20 nm"]

The source paper reports stresses an order of magnitude larger in the wire of its Fig. 5 (epsilon,
delta) than in that of Fig. 3 (alpha, epsilon), although the lithium differs by 0.2 between the
phases of both. This demo measures two synthetic wires and computes their stress under each reading
of the method: composition normalised or as eqn 8 is printed, borders of the image free or on
rollers, and one partial molar volume Omega or the volumes V(x) of each phase. The field of view
ends within both legs of the wires, on the left and on the right, so that rollers hold them.

As printed, amounts are in units of the standards' thickness, 100 nm.
"""

import argparse
import csv
import itertools
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

from chemomech import config as cfg
from chemomech.config import create_config
from chemomech.errors import InputError, run_on_root
from chemomech.imaging.formats import write_stack
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.spectra import write_spectra
from chemomech.mapping.analysis import Analysis
from chemomech.mapping.measure import analyse_on_root
from chemomech.mapping.stress_model import STRESS_UNIT, create_model
from chemomech.mapping.stress_source import pick_particle
from chemomech.materials.lattice import create_v2o5_volumes
from chemomech.output.stress_charts import ReadingRow, write_readings_chart
from chemomech.problems.stress_statistics import StressStatistics

WIRES = ("delithiated", "lithiated")
READINGS = ("normalised", "as_printed")
BOUNDARIES = ("free", "border_rollers")
CROPPED = 8  # pixels of each leg that lie beyond the field of view


def expansion_laws():
    """One Omega for all phases (the paper's), and the volumes of V2O5 by lithium content."""
    lithium, volumes = create_v2o5_volumes()
    return {
        "constant Ω": {
            "kind": "vegard",
            "partial_molar_volume": "2.415e-6 m^3/mol",
            "site_concentration": "18500 mol/m^3",
        },
        "V(x)": {
            "kind": "molar_volumes",
            "lithium": [float(x) for x in lithium],
            "volumes": [f"{float(volume)!r} m^3/mol" for volume in volumes],
        },
    }


def write_wire(folder, wire, seed):
    """A stack whose view ends within both legs, and its standards; on one rank."""
    phantom = create_phantom(wire=wire, seed=seed)
    columns = phantom.truth.outline[:, 0] / phantom.stack.grid.pixel_size
    view = slice(int(columns.min()) + CROPPED, int(columns.max()) - CROPPED)
    write_stack(folder / f"{wire}.h5", phantom.stack.crop(slice(None), view), {"synthetic": 1})
    standards = phantom.truth.standards
    spectra = dict(zip(standards.names, standards.spectra, strict=True))
    write_spectra(folder / f"{wire}.csv", phantom.stack.energies, spectra)
    return standards, phantom.truth.dark


def measure(folder, wire, reading, standards, dark, comm) -> Analysis | None:
    members = [
        {
            "name": name,
            "lithium": float(lithium),
            "file": f"{wire}.csv",
            "column": column,
            "thickness": "100 nm",
        }
        for column, (name, lithium) in enumerate(
            zip(standards.names, standards.lithium, strict=True), start=1
        )
    ]
    table = {
        "stack": {"file": f"{wire}.h5"},
        "optical_density": {"dark": dark},
        "clusters": {"pre_edge": {"lowest": "508 eV", "highest": "512 eV"}},
        "end_member": members,
        "composition": {"reading": reading},
    }
    config = create_config(table, folder, model=cfg.MeasurementConfig)
    return analyse_on_root(config, comm)


def compute_p95(folder, wire, analysis, boundary, law, size, comm):
    """95th percentile of the von Mises stress over the whole particle, in Pa."""
    table = {
        "composition": {"kind": "map", "file": f"{wire}.csv", "pixel_size": "35 nm"},
        "outline": {"file": f"{wire}.csv"},
        "mesh": {"size": size},
        "boundary": boundary,
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": law,
    }
    config = create_config(table, folder, model=cfg.StressConfig)
    particle = run_on_root(comm, lambda: pick_particle(analysis.measurement, analysis.outlines, 1))
    model = create_model(config, particle, comm)
    model.solve()
    statistics = StressStatistics(
        model.problem.stress(),
        model.composition,
        model.domain,
        STRESS_UNIT,
        levels=[95.0],
    )
    return statistics.compute().find("von_mises", "all").percentiles[0]


def tabulate(folder, seed, size, comm):
    """Stress of both wires under the eight readings."""
    written = {
        wire: run_on_root(comm, lambda wire=wire: write_wire(folder, wire, seed)) for wire in WIRES
    }
    rows = []
    for reading in READINGS:
        analyses = {wire: measure(folder, wire, reading, *written[wire], comm) for wire in WIRES}
        for boundary, (name, law) in itertools.product(BOUNDARIES, expansion_laws().items()):
            stress = [
                compute_p95(folder, wire, analyses[wire], boundary, law, size, comm)
                for wire in WIRES
            ]
            words = (reading.replace("_", " "), boundary.replace("border_", ""), name)
            rows.append(ReadingRow(", ".join(words), *stress))
    return rows


def write_table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reading", "alpha_epsilon_p95_Pa", "epsilon_delta_p95_Pa", "ratio"])
        writer.writerows(
            [row.reading, row.first, row.second, row.second / row.first] for row in rows
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path, help="new folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mesh-size", default="15 nm")
    words = parser.parse_args(arguments)
    comm = MPI.COMM_WORLD
    run_on_root(comm, lambda: words.output.mkdir(parents=True))
    rows = tabulate(words.output, words.seed, words.mesh_size, comm)

    def report():
        write_table(words.output / "readings.csv", rows)
        write_readings_chart(words.output / "readings.png", rows)
        volumes = dict(zip(*map(np.ndarray.tolist, create_v2o5_volumes()), strict=True))
        print(f"Volumes of V2O5 (m^3/mol) by lithium content: {volumes}")
        for row in rows:
            pair = f"{row.first / 1e6:7.1f} {row.second / 1e6:8.1f} MPa"
            print(f"{row.reading:34} {pair}   x {row.second / row.first:.2f}")

    run_on_root(comm, report)


if __name__ == "__main__":
    try:
        main()
    except (InputError, OSError) as error:
        sys.exit(f"order_of_magnitude: error: {error}")
