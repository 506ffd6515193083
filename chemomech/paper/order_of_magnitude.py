"""Compare the stress of figures 3 and 5 in two synthetic wires, under each reading.

Between the phases of both wires lithium differs by 0.2. The readings differ in what the paper does
not say: composition normalised or as eqn 8 is printed, borders of the image free or on rollers, and
one partial molar volume Omega or the volumes V(x) of each phase. The field of view ends within both
legs of the wires, on the left and on the right, so that rollers hold them. As printed, amounts are
in units of the standards' thickness, 100 nm.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech import (
    MeasurementConfig,
    StressConfig,
    create_config,
    create_phantom,
    create_v2o5_volumes,
    measure,
    stress,
    write_spectra,
    write_stack,
)
from chemomech.paper.charts import COLOURS, LETTERS, open_page
from chemomech.paper.page import Findings, Table, read_table
from chemomech.paper.reproduction import Reproduction

_WIRES: tuple[Literal["delithiated", "lithiated"], ...] = ("delithiated", "lithiated")
_LABELS = ("α/ε wire", "ε/δ wire")
_BOUNDARIES = {"free": "free", "rollers": "border_rollers"}
_CROPPED = 8
"""Pixels of each leg that lie beyond the field of view."""
_BAR = 0.36
_DECADE = 10.0
"""Ratio of the largest to the smallest bar from which on the scale is logarithmic."""


def make(work: Reproduction) -> Findings:
    """Measure both wires and compute their stress under eight readings."""
    size = "40 nm" if work.short else "15 nm"
    found = _compute_readings(work.folder / "chains", size)
    readings, values = list(found), np.array(list(found.values()))
    draw_readings(work.folder / "figure.png", readings, values)
    ratios = dict(zip(readings, values[:, 1] / values[:, 0], strict=True))
    lithium, volumes = create_v2o5_volumes()
    return Findings(
        values={"size": size, "ratios": ratios},
        tables=[
            Table(
                "readings",
                "The readings",
                {
                    "reading": readings,
                    "alpha_epsilon_p95_Pa": values[:, 0],
                    "epsilon_delta_p95_Pa": values[:, 1],
                    "ratio": ratios.values(),
                },
            ),
            Table("volumes", "Volumes of V2O5", {"x": lithium, "volume_m3_per_mol": volumes}),
        ],
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
            "lithium": list(map(float, lithium)),
            "volumes": [f"{float(volume)!r} m^3/mol" for volume in volumes],
        },
    }


def _compute_readings(folder: Path, size: str) -> dict[str, list[float]]:
    """Compute the 95th percentile of the von Mises stress of both wires under each reading.

    Args:
        folder: Folder for stacks, spectra and results.
        size: Size of the cells, with its unit.

    Returns:
        Stress in Pa of both wires, by the name of the reading.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tables = [_write_wire(folder, wire) for wire in _WIRES]
    found: dict[str, list[float]] = {}
    for reading in ("normalised", "as_printed"):
        measured = [folder / f"{wire}-{reading}" for wire in _WIRES]
        for table, output in zip(tables, measured, strict=True):
            table = {**table, "composition": {"reading": reading}}
            config = create_config(table, folder, model=MeasurementConfig)
            measure(config, output, MPI.COMM_SELF)
        laws = _create_expansion_laws()
        for boundary, (name, law) in itertools.product(_BOUNDARIES, laws.items()):
            words = f"{reading.replace('_', ' ')}, {boundary}, {name}"
            found[words] = [
                _compute_p95(folder / f"{number}-{len(found)}", output, boundary, law, size)
                for number, output in enumerate(measured)
            ]
    return found


def _write_wire(folder: Path, wire: Literal["delithiated", "lithiated"]) -> dict[str, Any]:
    """Write a stack whose view ends within both legs, and its standards.

    Returns:
        The configuration that measures it.
    """
    phantom = create_phantom(wire=wire, seed=0)
    columns = phantom.truth.outline[:, 0] / phantom.stack.grid.pixel_size
    view = slice(int(columns.min()) + _CROPPED, int(columns.max()) - _CROPPED)
    write_stack(folder / f"{wire}.h5", phantom.stack.crop(slice(None), view), {"synthetic": 1})
    standards = phantom.truth.standards
    spectra = dict(zip(standards.names, standards.spectra, strict=True))
    write_spectra(folder / f"{wire}.csv", phantom.stack.energies, spectra)
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
    return {
        "stack": {"file": f"{wire}.h5"},
        "optical_density": {"dark": phantom.truth.dark},
        "clusters": {"pre_edge": {"lowest": "508 eV", "highest": "512 eV"}},
        "end_member": members,
        "output": {"pictures": False},
    }


def _compute_p95(
    output: Path, measured: Path, boundary: str, law: dict[str, Any], size: str
) -> float:
    """Compute the 95th percentile of the von Mises stress over the whole particle, in Pa."""
    table = {
        "composition": {"kind": "measurement", "file": str(measured / "measurement.h5")},
        "mesh": {"size": size},
        "boundary": _BOUNDARIES[boundary],
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": law,
        "output": {"fields": False, "pictures": False},
    }
    config = create_config(table, output.parent, model=StressConfig)
    stress(config, output, MPI.COMM_SELF)
    rows = read_table(output / "stress.csv")
    return next(
        float(row["p95_Pa"])
        for row in rows
        if (row["stress"], row["region"]) == ("von_mises", "all")
    )


def draw_readings(path: Path, readings: Sequence[str], stresses: NDArray[np.float64]) -> None:
    """Draw the stress of two wires under each reading.

    The ratio of the second wire to the first stands at the right end of each pair of bars. The
    scale is logarithmic where the stresses span a decade or more.

    Args:
        path: PNG file to write.
        readings: The choices made, e.g. ``normalised, free, constant Ω``, from top to bottom.
        stresses: 95th percentile of the von Mises stress in each wire, in Pa, shape (readings, 2).
    """
    values, places = stresses / 1e6, np.arange(len(readings))
    with open_page(path, 5.4, 0.9 + 0.42 * len(readings)) as page:
        axes = page.add_subplot()
        for column, (wire, colour) in enumerate(zip(_LABELS, COLOURS, strict=False)):
            shift = (column - 0.5) * _BAR
            axes.barh(places + shift, values[:, column], _BAR, color=colour, label=wire)
        _write_ratios(axes, values)
        if values.min() > 0.0 and values.max() >= _DECADE * values.min():
            axes.set_xscale("log")
            axes.set_xlim(left=values.min() / 2)
        axes.set_yticks(places, readings)
        axes.invert_yaxis()
        axes.set_xlabel("95th percentile of von Mises stress (MPa)")
        axes.tick_params(axis="y", length=0, labelsize=LETTERS)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=LETTERS)


def _write_ratios(axes: Axes, values: NDArray[np.floating]) -> None:
    for place, (first, second) in enumerate(values):
        text = f"× {second / first:#.2g}".rstrip(".") if first > 0.0 else "no stress in one wire"
        axes.annotate(
            text,
            xy=(max(first, second), place),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=LETTERS,
            va="center",
            gid="ratio",
        )
