"""Time and memory of the way from a stack file to stress, stage by stage, on one process.

    python benchmarks/imaging_chain.py [--size 500] [--energies 150]

The stack is the package's phantom, a synthetic bent wire that fills as much of the view as it does
by default. A process of its own makes and writes it, so that the memory reported is that of the
chain: the largest resident size so far, less that before the first stage, over the size of the
stack in single precision. Stages are those of `chemomech measure` and `chemomech stress`.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import shapely
from dolfinx import fem
from mpi4py import MPI

from chemomech.forms.energy import Mechanics
from chemomech.geometry.domain import MESH_LENGTH_UNIT
from chemomech.geometry.files.images import trace_outlines
from chemomech.geometry.meshing import create_domain
from chemomech.imaging.alignment import align
from chemomech.imaging.clustering import cluster
from chemomech.imaging.composition import create_composition, extend_outwards
from chemomech.imaging.decomposition import decompose
from chemomech.imaging.formats import read_stack, write_stack
from chemomech.imaging.optical_density import convert, find_empty_region, find_incident
from chemomech.imaging.particle_mask import mean_density
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.unmixing import unmix
from chemomech.imaging.view import View
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset

DARK = 10.0
PRE_EDGE = (508.0, 512.0)
TARGETS = {"align": "40 s", "total": "60 s and 4 stacks"}
# Young's modulus in GPa, the unit of stress here; linear expansion per unit x of the source paper.
MODULUS, RATIO = 43.0, 0.3
EXPANSION = 2.415e-6 * 18.47e3 / 3.0


Times = tuple[float, float]


class Report:
    """Seconds, on the clock and of computing, and memory of each stage, printed as they come."""

    def __init__(self, stack_bytes: int) -> None:
        self.stack_bytes = stack_bytes
        self.baseline = get_peak()
        self.start = get_times()
        print(f"{'stage':<14}{'seconds':>9}{'CPU':>9}  {'peak memory / stack':>20}  target")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begin = get_times()
        yield
        self.write(name, begin)

    def write(self, name: str, begin: Times) -> None:
        seconds, computing = (now - then for now, then in zip(get_times(), begin, strict=True))
        memory = (get_peak() - self.baseline) / self.stack_bytes
        figures = f"{name:<14}{seconds:>9.2f}{computing:>9.2f}  {memory:>20.2f}"
        print(f"{figures}  {TARGETS.get(name, '')}", flush=True)

    def finish(self) -> None:
        self.write("total", self.start)


def get_times() -> Times:
    """Seconds on the clock, and of computing by all threads, which other work does not prolong."""
    return time.perf_counter(), time.process_time()


def get_peak() -> int:
    """Largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def write_phantom(path: Path, size: int, energies: int) -> None:
    phantom = create_phantom(
        wire="delithiated",
        seed=0,
        energies=np.linspace(508.0, 560.0, energies),
        size=(size, size),
        width=280e-9 * size / 80,
        supersampling=3,
    )
    write_stack(path, phantom.stack, {"made_by": "benchmark"})


def run_chain(path: Path, report: Report) -> None:
    with report.stage("read"):
        stack = read_stack(path)
    with report.stage("align"):
        alignment = align(stack)
        stack, rounds = alignment.stack, alignment.iterations
        del alignment
        view = View.find(stack)
        stack = stack.crop(view.rows, view.columns)
    with report.stage("density"):
        region = find_empty_region(stack)
        od = convert(stack, find_incident(stack, region), dark=DARK)
        del stack
    with report.stage("outline"):
        image = mean_density(od)
        image[~od.valid] = 0.0
        outline = trace_outlines(image, od.grid.pixel_size, "half_transmission")[0]
        centres = od.grid.centres()
        polygon = shapely.Polygon(outline.exterior, outline.holes)
        shapely.prepare(polygon)
        particle = shapely.contains_xy(polygon, centres[..., 0], centres[..., 1]) & od.valid
    with report.stage("pca"):
        components = decompose(od, particle, components=6)
    with report.stage("k-means"):
        clusters = cluster(
            od, particle, components, clusters=2, seed=0, skip_first=False, pre_edge=PRE_EDGE
        )
    with report.stage("unmix"):
        maps = unmix(od, particle, clusters.spectra_of_equal_area())
    with report.stage("composition"):
        composition = extend_outwards(create_composition(maps, np.array([0.1, 0.3])))
    with report.stage("mesh"):
        domain = create_domain(outline, od.grid.pixel_size, MPI.COMM_SELF)
    with report.stage("stress"):
        solve(domain, composition)
    report.finish()
    cells = domain.mesh.topology.index_map(2).size_local
    print(f"{np.count_nonzero(particle)} pixels in the particle, {cells} cells, {rounds} rounds")


def solve(domain, composition) -> None:
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    c.interpolate(lambda x: composition.sample(x[:2].T * MESH_LENGTH_UNIT))
    stiffness = create_isotropic_stiffness(MODULUS, RATIO)
    law = Mechanics(
        Elasticity(stiffness, Assumption.PLANE_STRESS), Eigenstrain.isotropic(EXPANSION, 0.2)
    )
    result = NewtonSolver(BlockSystem(StaticStress(domain, law, c)), Preset.DIRECT).solve()
    if not result.converged:
        raise SystemExit("the stress did not converge")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=500, help="rows and columns (500)")
    parser.add_argument("--energies", type=int, default=150, help="photon energies (150)")
    parser.add_argument("--write", type=Path, help="only make the stack and write it to this file")
    options = parser.parse_args()
    if options.write is not None:
        write_phantom(options.write, options.size, options.energies)
        return
    shape = [f"--size={options.size}", f"--energies={options.energies}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.h5"
        subprocess.run([sys.executable, __file__, *shape, f"--write={path}"], check=True)
        stack_bytes = options.energies * options.size**2 * 4
        print(f"{options.energies} x {options.size} x {options.size}: {stack_bytes / 1e6:.0f} MB")
        run_chain(path, Report(stack_bytes))


if __name__ == "__main__":
    main()
