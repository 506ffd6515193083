"""Few large domains or many stripes: the same wire lithiated and delithiated, side by side.

    mpirun -n 2 python demos/both_ways.py OUTPUT [--set KEY=VALUE ...]

Runs lithiation.toml and delithiation.toml, which lie beside this file and differ in start and drive
alone, into OUTPUT, a new folder. Their films are joined in OUTPUT/both_ways.mp4, and what became of
the wires is printed: the numbers of domains and how far one extends along the wire. `--set` changes
a key of both files, as `chemomech run` does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

import chemomech
from chemomech.config import Config, NanowireConfig
from chemomech.drawing.film import write_side_by_side
from chemomech.errors import ChemoMechError, InputError, run_on_root
from chemomech.geometry.cells import VTK_ORDER
from chemomech.geometry.files.field_data import FieldData
from chemomech.geometry.files.fields import read_field
from chemomech.output.domains import count_domains
from chemomech.output.folder import RunFolder
from chemomech.output.snapshot_grid import SnapshotGrid

DEMOS = Path(__file__).resolve().parent
RUNS = {"lithiation": "Lithiation", "delithiation": "Delithiation"}
STAGES = {1: "soak", 2: "rest"}
FILM = "both_ways.mp4"
NANO = 1e-9
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pattern:
    """What a wire looks like at one time.

    Args:
        rich: Number of connected regions with c > 0.5.
        poor: Number of connected regions with c < 0.5.
        rich_length: Mean extent of a Li-rich region along the wire, its area over the width (nm).
        poor_length: That of a Li-poor one (nm).
    """

    rich: int
    poor: int
    rich_length: float
    poor_length: float


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path, help="new folder for both runs and their film")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    options = parser.parse_args(arguments)
    comm = MPI.COMM_WORLD
    try:
        compare(options.output, options.changes, comm)
    except (ChemoMechError, OSError) as error:
        if comm.rank == 0:
            print(f"both_ways: error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ChemoMechError) else InputError.exit_code
    return 0


def compare(output: Path, changes: Sequence[str], comm: MPI.Comm) -> None:
    """Run both, join their films and print the table; collective."""
    configs = {name: chemomech.load_config(DEMOS / f"{name}.toml", comm, changes) for name in RUNS}
    folder = RunFolder.create(output, comm)
    for name, config in configs.items():
        chemomech.simulate(config, folder.path / name, comm)
    run_on_root(comm, lambda: print_table(folder.path, configs))
    films = {title: folder.path / name / "movie.mp4" for name, title in RUNS.items()}
    # Without VTK there is none.
    if run_on_root(comm, lambda: all(film.exists() for film in films.values())):
        run_on_root(comm, lambda: write_side_by_side(folder.partial(FILM), films))
        folder.finish(FILM)


def print_table(folder: Path, configs: dict[str, Config]) -> None:
    print(
        f"\n{'':13}{'':6}{'time':>9}{'mean c':>8}   {'Li-rich domains':<18}{'Li-poor domains':<18}"
    )
    for name, config in configs.items():
        ledger = chemomech.read_ledger(folder / name / "ledger.csv")
        [fields] = [path for path in (folder / name).glob("fields.*") if path.suffix != ".h5"]
        for stage, words in STAGES.items():
            last = np.flatnonzero(ledger["stage"] == stage)[-1]
            time = float(ledger["time_s"][last])
            pattern = measure(read_field(fields, "composition", time), find_width(config))
            print(
                f"{name:13}{words:6}{time:>7.0f} s{ledger['lithium_mean'][last]:>8.3f}   "
                f"{describe(pattern.rich, pattern.rich_length)}"
                f"{describe(pattern.poor, pattern.poor_length)}"
            )


def describe(count: int, length: float) -> str:
    words = f"{count:2d}, each {length:.0f} nm" if count else " 0"
    return words.ljust(18)


def find_width(config: Config) -> float:
    """Width of the wire in nm."""
    if not isinstance(config.geometry, NanowireConfig):
        raise InputError("must be a nanowire, along which domains are measured", key="geometry")
    return config.geometry.width / NANO


def measure(field: FieldData, width: float) -> Pattern:
    """Count the domains of a composition, and measure how long they are."""
    # VTK's order of corners runs around a cell; the way to it is the way back.
    cells = field.cells[:, VTK_ORDER[field.cell]]
    grid = SnapshotGrid(np.pad(field.points, ((0, 0), (0, 1))), cells, field.cell)
    areas = compute_vertex_areas(field.points, cells)
    is_rich = field.values > 0.5
    rich = count_domains(grid.edges, field.values, 0.5)
    poor = count_domains(grid.edges, -field.values, -0.5)
    return Pattern(
        rich,
        poor,
        float(areas[is_rich].sum()) / width / max(rich, 1),
        float(areas[~is_rich].sum()) / width / max(poor, 1),
    )


def compute_vertex_areas(points: FloatArray, cells: npt.NDArray[np.int64]) -> FloatArray:
    """The share of each vertex in the area of its cells, shape (vertices,)."""
    x, y = np.moveaxis(points[cells], -1, 0)
    following_x, following_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    areas = np.abs((x * following_y - following_x * y).sum(axis=1)) / 2
    corners = cells.shape[1]
    return np.bincount(cells.ravel(), np.repeat(areas / corners, corners), minlength=len(points))


if __name__ == "__main__":
    sys.exit(main())
