"""Compare the stress of figures 3 and 5 in two synthetic wires, under each reading.

Between the phases of both wires lithium differs by 0.2. The readings differ in what the paper does
not say: composition normalised or as eqn 8 is printed, borders of the image free or on rollers, and
one partial molar volume Omega or the volumes V(x) of each phase. The field of view ends within both
legs of the wires, on the left and on the right, so that rollers hold them. As printed, amounts are
in units of the standards' thickness, 100 nm.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from mpi4py import MPI

from chemomech import config as cfg
from chemomech.config import create_config
from chemomech.imaging.formats import write_stack
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.phantom_truth import PhantomTruth, WireKind
from chemomech.imaging.spectra import write_spectra
from chemomech.mapping.analysis import Analysis, analyse
from chemomech.mapping.stress_model import STRESS_UNIT, create_model
from chemomech.mapping.stress_source import pick_particle
from chemomech.materials.lattice import create_v2o5_volumes
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.readings_chart import ReadingRow, write_readings_chart
from chemomech.paper.reproduction import Reproduction
from chemomech.problems.stress_statistics import StressStatistics

WIRES: tuple[WireKind, ...] = ("delithiated", "lithiated")
_READINGS = ("normalised", "as_printed")
_BOUNDARIES = ("free", "border_rollers")
_CROPPED = 8
"""Pixels of each leg that lie beyond the field of view."""

_MESH_SIZE = {False: "15 nm", True: "40 nm"}


def make(work: Reproduction) -> Findings:
    """Measure both wires and compute their stress under eight readings."""
    rows = tabulate(work.folder, _MESH_SIZE[work.short])
    write_readings_chart(work.folder / "figure.png", rows)
    ratios = {row.reading: row.second / row.first for row in rows}
    alike = ratios["normalised, free, constant Ω"]
    swelling = ratios["normalised, free, V(x)"]
    held = ratios["normalised, rollers, constant Ω"]
    cells: list[list[Cell]] = [
        [row.reading, row.first, row.second, row.second / row.first] for row in rows
    ]
    header = ["reading", "alpha_epsilon_p95_Pa", "epsilon_delta_p95_Pa", "ratio"]
    return Findings(
        computed="The 95th percentile of the von Mises stress over each of two synthetic wires "
        f"(plane stress, E = 43 GPa, cells of {_MESH_SIZE[work.short]}) under eight readings of "
        f"the method. With one Omega and free borders the ratio is **{alike:.2f}**: stress goes "
        "with the contrast of lithium, which is 0.2 in both, and what is left is the pattern. "
        f"With the volumes of each phase it is **{swelling:.1f}**: nearly all of the 12.8 % by "
        "which V2O5 swells lies between epsilon and delta. With borders on rollers it is "
        f"**{held:.1f}** even with one Omega: a wire held at both ends feels all of its lithium.",
        differs="Whether the claim of the paper comes out depends on which reading was used, and "
        "that is not known. With the constant Omega and the linear elastic equations that it "
        "prints (eqns 9 to 11) and free particles, it cannot. The volume at x = 0.7 is "
        "extrapolated, and "
        "the whole swelling is placed at x = 0.9.",
        pictures=[Picture("figure.png", "The readings as bars. The wires are synthetic.")],
        tables=[Table("readings", "The readings", header, cells), _tabulate_volumes()],
    )


def _create_expansion_laws() -> dict[str, dict[str, Any]]:
    """Create two laws: the paper's Omega for all phases, and V2O5's volumes by lithium."""
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


def tabulate(folder: Path, mesh_size: str) -> list[ReadingRow]:
    """Compute the stress of both wires under the eight readings.

    Args:
        folder: Folder for stacks and spectra.
        mesh_size: Size of the cells, with its unit.
    """
    truths = {wire: _write_wire(folder, wire) for wire in WIRES}
    rows = []
    for reading in _READINGS:
        analyses = {wire: _measure(folder, wire, reading, truths[wire]) for wire in WIRES}
        laws = _create_expansion_laws()
        for boundary, (name, law) in itertools.product(_BOUNDARIES, laws.items()):
            stress = [
                _compute_p95(folder, wire, analyses[wire], boundary, law, mesh_size)
                for wire in WIRES
            ]
            words = (reading.replace("_", " "), boundary.replace("border_", ""), name)
            rows.append(ReadingRow(", ".join(words), *stress))
    return rows


def _write_wire(folder: Path, wire: WireKind) -> PhantomTruth:
    """Write a stack whose view ends within both legs, and its standards."""
    phantom = create_phantom(wire=wire, seed=0)
    columns = phantom.truth.outline[:, 0] / phantom.stack.grid.pixel_size
    view = slice(int(columns.min()) + _CROPPED, int(columns.max()) - _CROPPED)
    write_stack(folder / f"{wire}.h5", phantom.stack.crop(slice(None), view), {"synthetic": 1})
    standards = phantom.truth.standards
    spectra = dict(zip(standards.names, standards.spectra, strict=True))
    write_spectra(folder / f"{wire}.csv", phantom.stack.energies, spectra)
    return phantom.truth


def _measure(folder: Path, wire: WireKind, reading: str, truth: PhantomTruth) -> Analysis:
    standards = truth.standards
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
        "optical_density": {"dark": truth.dark},
        "clusters": {"pre_edge": {"lowest": "508 eV", "highest": "512 eV"}},
        "end_member": members,
        "composition": {"reading": reading},
    }
    return analyse(create_config(table, folder, model=cfg.MeasurementConfig))


def _compute_p95(
    folder: Path, wire: WireKind, analysis: Analysis, boundary: str, law: dict[str, Any], size: str
) -> float:
    """Compute the 95th percentile of the von Mises stress over the whole particle, in Pa."""
    table = {
        "composition": {"kind": "map", "file": f"{wire}.csv", "pixel_size": "35 nm"},
        "outline": {"file": f"{wire}.csv"},
        "mesh": {"size": size},
        "boundary": boundary,
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": law,
    }
    config = create_config(table, folder, model=cfg.StressConfig)
    particle = pick_particle(analysis.measurement, analysis.outlines, 1)
    model = create_model(config, particle, MPI.COMM_SELF)
    model.solve()
    statistics = StressStatistics(
        model.problem.stress(),
        model.composition,
        model.domain,
        STRESS_UNIT,
        levels=[95.0],
    )
    return float(statistics.compute().find("von_mises", "all").percentiles[0])


def _tabulate_volumes() -> Table:
    lithium, volumes = create_v2o5_volumes()
    rows = [[float(x), float(v)] for x, v in zip(lithium, volumes, strict=True)]
    return Table("volumes", "Volumes of V2O5", ["x", "volume_m3_per_mol"], rows)
