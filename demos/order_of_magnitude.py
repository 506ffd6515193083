"""Is one wire stressed ten times as much as another? It depends on how the paper is read.

The source paper reports stresses an order of magnitude larger in its epsilon/delta wire than in its
alpha/epsilon wire, though lithium varies by 0.2 in both. This script measures two synthetic wires
and computes their stress under eight readings of what the paper leaves open:

- composition: amounts divided by the thickness (normalised), or eqn 8 as printed: x = sum t x_s
  with t in units of 100 nm, the thickness that the standard spectra belong to;
- boundary: free, or rollers where the wire leaves the image, here on its left and right;
- swelling: one constant partial molar volume, or molar volumes V(x) that tell phases apart.

    ./with-fenicsx python demos/order_of_magnitude.py OUTPUT [--seed N] [--quick]

OUTPUT, a new folder, receives readings.csv, comparisons.csv, readings.png and the synthetic stacks.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from chemomech.analysis import analyse
from chemomech.config import StressConfig, create_config
from chemomech.errors import ChemoMechError, run_on_root
from chemomech.geometry.outline import Outline
from chemomech.imaging.composition import create_composition
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.formats import write_stack
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.phantom_truth import PHASES, WireKind
from chemomech.imaging.spectra import write_spectra
from chemomech.materials.lattice import create_v2o5_volumes
from chemomech.output.folder import RunFolder
from chemomech.output.stress_charts import ReadingRow, write_readings_chart
from chemomech.problems.stress_statistics import StressStatistics
from chemomech.stress_model import STRESS_UNIT, create_model, place
from chemomech.stress_source import ImagedParticle, pick_particle
from chemomech.templates import create_template

WIRES: tuple[WireKind, WireKind] = ("delithiated", "lithiated")
BOUNDARIES = {"free": "free", "border_rollers": "rollers"}
LAWS = {"constant": "constant Ω", "volumes": "V(x)"}
# Rows and columns of pixels. The legs leave a tall view on its left and right, so that rollers hold
# the swelling; a square one on its right and below, where rollers let the wire swell.
TALL, SQUARE = (120, 64), (80, 80)
COARSE = "35 nm"
LEVEL = 95.0
MEGA = 1e6


@dataclass(frozen=True, eq=False)
class Wire:
    """What is known of one wire: all ways to look at it share one outline, but for the truth."""

    measurement: dict[str, Any]
    normalised: ImagedParticle
    as_printed: ImagedParticle
    without_phases: ImagedParticle
    true: ImagedParticle
    folder: Path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Stress of two wires under eight readings.")
    parser.add_argument("output", type=Path, help="new folder for the results")
    parser.add_argument("--seed", type=int, default=0, help="of noise and drift (default: 0)")
    parser.add_argument("--quick", action="store_true", help="a mesh twice as coarse")
    options = parser.parse_args(arguments)
    comm = MPI.COMM_WORLD
    try:
        compare(options.output, options.seed, options.quick, comm)
    except ChemoMechError as error:
        if comm.rank == 0:
            print(f"order_of_magnitude: error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def compare(output: Path, seed: int, quick: bool, comm: MPI.Comm) -> None:
    """Compute all rows, print them and leave them in a new folder; collective."""
    folder = RunFolder.create(output, comm)
    tall = [measure(kind, TALL, seed, folder.path / f"{kind}_tall", comm) for kind in WIRES]
    square = [measure(kind, SQUARE, seed, folder.path / f"{kind}_square", comm) for kind in WIRES]
    readings, bare = compute_readings(tall, quick, comm)
    comparisons = [*bare, *compute_comparisons(tall, square, quick, comm)]

    def write() -> None:
        write_table(folder.partial("readings.csv"), readings, seed)
        write_table(folder.partial("comparisons.csv"), comparisons, seed)
        write_readings_chart(folder.partial("readings.png"), readings)

    run_on_root(comm, write)
    for name in ("readings.csv", "comparisons.csv", "readings.png"):
        folder.finish(name)
    if comm.rank == 0:
        print(format_tables(readings, comparisons, seed))


def measure(
    kind: WireKind, size: tuple[int, int], seed: int, folder: Path, comm: MPI.Comm
) -> Wire:
    """Image a wire that leaves the view, and measure its composition both ways; collective."""
    return run_on_root(comm, lambda: measure_alone(kind, size, seed, folder))


def measure_alone(kind: WireKind, size: tuple[int, int], seed: int, folder: Path) -> Wire:
    phantom = create_phantom(wire=kind, seed=seed, size=size, leaves_view=True)
    truth = phantom.truth
    folder.mkdir()
    write_stack(folder / "stack.h5", phantom.stack, {"synthetic": 1, "wire": kind, "seed": seed})
    spectra = dict(zip(truth.standards.names, truth.standards.spectra, strict=True))
    write_spectra(folder / "standards.csv", phantom.stack.energies, spectra)
    text = create_template("measurement", kind, dark=truth.dark)
    (folder / "measure.toml").write_text(text, encoding="utf-8")
    table = tomllib.loads(text)
    config = configure(table, folder, "free", "constant", quick=False).measurement
    assert config is not None
    analysis = analyse(config)
    found = analysis.measurement
    particle = pick_particle(found, analysis.outlines, 1)
    printed = create_composition(
        found.maps,
        found.end_members.lithium,
        reading="as_printed",
        minimum_thickness=config.composition.min_amount,
    )
    assert found.thickness is not None
    assert found.end_members.thickness is not None
    amounts = found.thickness / found.end_members.thickness
    mean = sum(lithium for _, lithium in PHASES[kind]) / 2.0
    bare = replace(found.composition, values=mean * amounts, reading="as_printed")
    return Wire(
        table,
        particle,
        replace(particle, composition=printed),
        replace(particle, composition=bare),
        ImagedParticle(Outline(truth.outline), trust_all(truth.composition_map)),
        folder,
    )


def trust_all(composition: CompositionMap) -> CompositionMap:
    """The truth carries on outside the wire; nothing has to be extended."""
    return replace(composition, trusted=np.ones(composition.grid.shape, dtype=np.bool_))


def configure(
    measurement: dict[str, Any], folder: Path, boundary: str, law: str, *, quick: bool
) -> StressConfig:
    """The paper's E = 43 GPa, nu = 0.3 and Omega in plane stress; x = 0 is free of stress."""
    lithium, volumes = create_v2o5_volumes()
    laws = {
        "constant": {
            "kind": "vegard",
            "partial_molar_volume": "2.415e-6 m^3/mol",
            "site_concentration": "18500 mol/m^3",
        },
        "volumes": {
            "kind": "molar_volumes",
            "lithium": lithium.tolist(),
            "volumes": [f"{volume:.17g} m^3/mol" for volume in volumes.tolist()],
        },
    }
    table = {
        "measurement": measurement,
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": laws[law],
        "boundary": boundary,
        "statistics": {"tip_widths": 1.0},
        "mesh": {"size": COARSE} if quick else {},
    }
    return create_config(table, folder, model=StressConfig)


def compute_stress(
    config: StressConfig, particles: Sequence[ImagedParticle], comm: MPI.Comm
) -> list[float]:
    """95th percentile of von Mises stress in Pa for maps on the first particle; collective."""
    model = create_model(config, particles[0], comm)
    statistics = StressStatistics(
        model.problem.stress(),
        model.composition,
        model.domain,
        STRESS_UNIT,
        tangent=model.tangent,
        excluded=model.find_tips(config.statistics.tip_widths),
        levels=(LEVEL,),
    )
    stress = []
    for particle in particles:
        place(particle.composition, config, model.composition)
        model.solve()
        stress.append(statistics.compute().find("von_mises", "all").percentiles[0])
    return stress


def compute_readings(
    wires: Sequence[Wire], quick: bool, comm: MPI.Comm
) -> tuple[list[ReadingRow], list[ReadingRow]]:
    """The eight readings, and as printed where there are no phases at all; collective."""
    kinds = ("normalised", "as printed", "no phases, as printed")
    rows: dict[str, list[ReadingRow]] = {kind: [] for kind in kinds}
    for boundary, law in itertools.product(BOUNDARIES, LAWS):
        found = []
        for wire in wires:
            config = configure(wire.measurement, wire.folder, boundary, law, quick=quick)
            maps = (wire.normalised, wire.as_printed, wire.without_phases)
            found.append(compute_stress(config, maps, comm))
        for kind, first, second in zip(kinds, *found, strict=True):
            name = f"{kind}, {BOUNDARIES[boundary]}, {LAWS[law]}"
            rows[kind].append(ReadingRow(name, first, second))
    # Without phases there is no volume of a phase.
    bare = [row for row in rows[kinds[2]] if row.reading.endswith(LAWS["constant"])]
    return rows[kinds[0]] + rows[kinds[1]], bare


def compute_comparisons(
    tall: Sequence[Wire], square: Sequence[Wire], quick: bool, comm: MPI.Comm
) -> list[ReadingRow]:
    """The truth instead of a measurement, and rollers that do not hold; collective."""

    def compute(name: str, wires: Sequence[Wire], boundary: str, law: str) -> ReadingRow:
        stress = []
        for wire in wires:
            config = configure(wire.measurement, wire.folder, boundary, law, quick=quick)
            particle = wire.true if name.startswith("true") else wire.normalised
            stress += compute_stress(config, [particle], comm)
        return ReadingRow(f"{name}, {BOUNDARIES[boundary]}, {LAWS[law]}", *stress)

    rows = [compute("true map", tall, *choice) for choice in itertools.product(BOUNDARIES, LAWS)]
    name = "normalised, square view"
    return [*rows, *(compute(name, square, boundary, "constant") for boundary in BOUNDARIES)]


def expect_volumes() -> float:
    """Ratio of the swelling from one phase to the other in the two wires, by V(x)."""
    lithium, volumes = create_v2o5_volumes()
    contents = [[content for _, content in PHASES[kind]] for kind in WIRES]
    first, second = np.diff(np.interp(contents, lithium, volumes), axis=1)[:, 0]
    return float(second / first)


def write_table(path: Path, rows: Sequence[ReadingRow], seed: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reading", "alpha_epsilon_p95_Pa", "epsilon_delta_p95_Pa", "ratio", "seed"])
        for row in rows:
            numbers = [f"{number:.6g}" for number in (row.first, row.second, ratio(row))]
            writer.writerow([row.reading, *numbers, seed])


def ratio(row: ReadingRow) -> float:
    return row.second / row.first if row.first > 0.0 else float("nan")


def format_tables(
    readings: Sequence[ReadingRow], comparisons: Sequence[ReadingRow], seed: int
) -> str:
    def format_row(row: ReadingRow) -> str:
        return (
            f"{row.reading:<42}{row.first / MEGA:>10.1f}{row.second / MEGA:>10.1f}"
            f"{ratio(row):>8.2f}"
        )

    lines = [
        f"95th percentile of von Mises stress (MPa), synthetic wires, seed {seed}",
        f"{'reading':<42}{'α/ε':>10}{'ε/δ':>10}{'ratio':>8}",
        *(format_row(row) for row in readings),
        "for comparison",
        *(format_row(row) for row in comparisons),
        "theory, normalised and free: the difference in swelling between the phases",
        f"{'constant Ω':<62}{1.0:>8.2f}",
        f"{'V(x)':<62}{expect_volumes():>8.2f}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
