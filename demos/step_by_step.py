"""From a microscope stack to a stress map one step after another, each a function of its own.

    ./with-fenicsx python demos/step_by_step.py OUTPUT [--seed N] [--quick]

The stack is the package's phantom: it is synthetic, and its truth is known. OUTPUT, a new folder,
receives the stack and a picture of most steps; the key figure of each step is printed, beside the
true one where there is one. `chemomech measure` and `chemomech stress` do the same from a file.
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

from chemomech.config import StressConfig, create_config
from chemomech.drawing import cluster_pictures, image_pictures, spectra_charts, stress_pictures
from chemomech.errors import ChemoMechError, InputError
from chemomech.geometry.files.geojson import write_outlines_geojson
from chemomech.geometry.files.images import trace_outlines
from chemomech.geometry.outline import Outline
from chemomech.imaging.alignment import align
from chemomech.imaging.clustering import cluster
from chemomech.imaging.composition import create_composition
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.decomposition import decompose
from chemomech.imaging.formats import read_stack, write_stack
from chemomech.imaging.optical_density import (
    OpticalDensity,
    convert,
    find_empty_region,
    find_incident,
)
from chemomech.imaging.particle_mask import find_particles, mean_density
from chemomech.imaging.phantom import create_phantom
from chemomech.imaging.phantom_truth import PhantomTruth
from chemomech.imaging.stack import Stack, mask_invalid_counts
from chemomech.imaging.unmixing import unmix
from chemomech.imaging.view import View
from chemomech.mapping.stress_model import STRESS_UNIT, StressModel, create_model
from chemomech.mapping.stress_source import ImagedParticle
from chemomech.output.folder import RunFolder
from chemomech.output.snapshots import Gatherer
from chemomech.problems.stress_fields import StressFields
from chemomech.problems.stress_statistics import StressStatistics

PRE_EDGE = (508.0, 512.0)  # eV
COARSE = "40 nm"
SHOWN = ("von_mises", "stress_along")
NANO, MEGA = 1e-9, 1e6
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures in the folder of the run; each is complete once it bears its name."""

    folder: RunFolder

    def path(self, name: str) -> Path:
        return self.folder.partial(f"{name}.png")

    def finish(self, *names: str) -> None:
        for name in names:
            self.folder.finish(f"{name}.png")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="From a stack to its stress, step by step.")
    parser.add_argument("output", type=Path, help="new folder for the stack and the pictures")
    parser.add_argument("--seed", type=int, default=0, help="of noise and drift (default: 0)")
    parser.add_argument("--quick", action="store_true", help="a coarser mesh")
    options = parser.parse_args(arguments)
    try:
        if MPI.COMM_WORLD.size > 1:
            raise InputError("shows one step after another on one rank; start it without mpirun")
        walk(options.output, options.seed, options.quick)
    except (ChemoMechError, OSError) as error:
        print(f"step_by_step: error: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ChemoMechError) else InputError.exit_code
    return 0


def walk(output: Path, seed: int, quick: bool) -> None:
    """All steps; each hands on plain arrays with their units."""
    folder = RunFolder.create(output, MPI.COMM_SELF)
    phantom = create_phantom(wire="delithiated", seed=seed)
    truth = phantom.truth
    file = folder.path / "stack.nxs"
    write_stack(file, phantom.stack, {"synthetic": 1, "seed": seed})

    pictures = Pictures(folder)
    density = measure_density(read_and_align(file, truth), truth.dark)
    particle = find_particles(density)
    sort_pixels(density, particle, pictures)
    composition = measure_lithium(density, particle, truth, pictures)
    outline = draw_outline(density, truth, folder, pictures)
    np.save(folder.path / "x.npy", composition.values)
    config = configure(folder.path, quick=quick)
    compute_stress(config, ImagedParticle(outline, composition), pictures)


def report(step: str, figure: str) -> None:
    print(f"{step:<20}{figure}", flush=True)


def read_and_align(file: Path, truth: PhantomTruth) -> Stack:
    """Frames on each other, as far as every one of them shows the same part of the sample."""
    stack = read_stack(file)
    energies, (rows, columns) = stack.energies, stack.grid.shape
    report(
        "read_stack",
        f"{len(energies)} energies from {energies[0]:g} to {energies[-1]:g} eV, "
        f"{columns} x {rows} pixels of {stack.grid.pixel_size / NANO:g} nm",
    )
    # Before frames are moved, which mixes neighbouring pixels.
    alignment = align(mask_invalid_counts(stack, dark=truth.dark))
    # The origin is free: a shift of all frames together is no error.
    errors = alignment.shifts - truth.shifts
    error = float(np.sqrt(np.mean((errors - errors.mean(axis=0)) ** 2)))
    report(
        "align",
        f"shifts up to {np.abs(alignment.shifts).max():.2f} pixels in {alignment.iterations} "
        f"rounds; RMS error {error:.3f} pixels",
    )
    view = View.find(alignment.stack)
    return alignment.stack.crop(view.rows, view.columns)


def measure_density(stack: Stack, dark: float) -> OpticalDensity:
    empty = find_empty_region(stack)
    incident = find_incident(stack, empty)
    count = int(empty.sum())
    density = convert(stack, incident, dark=dark, incident_pixels=count)
    largest = float(np.percentile(density.values.max(axis=0)[density.valid], 99.0))
    report(
        "convert",
        f"I0 up to {incident.max():.0f} counts, of {count} pixels; OD up to {largest:.2f}",
    )
    return density


def sort_pixels(density: OpticalDensity, particle: BoolArray, pictures: Pictures) -> None:
    """Components and clusters: which spectra there are, and where."""
    components = decompose(density, particle, components=6)
    shares = components.variances / components.scree.sum()
    report("decompose", "shares of variance " + ", ".join(f"{share:.4f}" for share in shares))
    clusters = cluster(
        density,
        particle,
        components,
        clusters=2,
        seed=0,
        skip_first=False,
        pre_edge=PRE_EDGE,
    )
    names = [f"cluster {number + 1}" for number in range(len(clusters.sizes))]
    report("cluster", f"{' and '.join(map(str, clusters.sizes))} pixels, edges left out")
    spectra_charts.write_scree(pictures.path("scree"), components.scree, components.components)
    cluster_pictures.write_component_images(
        pictures.path("components"), components.scores, density.grid
    )
    cluster_pictures.write_cluster_map(
        pictures.path("clusters"), clusters.labels, density.grid, names
    )
    spectra = spectra_charts.NamedSpectra(
        density.energies, names, clusters.spectra, clusters.spread
    )
    spectra_charts.write_spectra(pictures.path("cluster_spectra"), spectra)
    pictures.finish("scree", "components", "clusters", "cluster_spectra")


def measure_lithium(
    density: OpticalDensity, particle: BoolArray, truth: PhantomTruth, pictures: Pictures
) -> CompositionMap:
    """Amounts of the two phases, and the lithium content they make."""
    standards = truth.standards
    maps = unmix(density, particle, standards.spectra)
    report(
        "unmix",
        f"condition number {maps.condition:.1f}; RMS residual {maps.rms_residual:.3f} in OD",
    )
    composition = create_composition(maps, standards.lithium, minimum_thickness=0.2)
    # The measured frame begins at the lowest left pixel that all frames show.
    points = density.grid.centres() + np.array(density.grid.origin)
    trusted = composition.trusted
    error = composition.values[trusted] - truth.composition(points[trusted])
    report(
        "create_composition",
        f"mean x {composition.values[trusted].mean():.3f}, median uncertainty "
        f"{np.median(composition.uncertainty[trusted]):.3f}; median error "
        f"{np.median(np.abs(error)):.3f}",
    )
    image_pictures.write_composition_picture(pictures.path("composition"), composition)
    pictures.finish("composition")
    return composition


def draw_outline(
    density: OpticalDensity, truth: PhantomTruth, folder: RunFolder, pictures: Pictures
) -> Outline:
    """The outline of the largest particle, drawn on the grey image and not on a mask."""
    image = mean_density(density)
    outlines = trace_outlines(image, density.grid.pixel_size, "half_transmission")
    write_outlines_geojson(folder.path / "outlines.geojson", outlines)
    true = Outline(truth.outline).area
    report(
        "trace_outlines",
        f"{len(outlines)} particle; {outlines[0].area * 1e12:.4f} um2, true {true * 1e12:.4f}",
    )
    image_pictures.write_map_picture(
        pictures.path("optical_density"),
        image,
        density.grid,
        image_pictures.DENSITY,
        [outlines[0].exterior],
    )
    pictures.finish("optical_density")
    return outlines[0]


def configure(folder: Path, *, quick: bool) -> StressConfig:
    """The paper's constants in plane stress, for the map and the outline just written."""
    table = {
        "composition": {"kind": "map", "file": "x.npy", "pixel_size": "35 nm"},
        "outline": {"file": "outlines.geojson"},
        "mesh": {"size": COARSE} if quick else {},
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {
            "kind": "vegard",
            "partial_molar_volume": "2.415e-6 m^3/mol",
            "site_concentration": "18500 mol/m^3",
        },
    }
    return create_config(table, folder, model=StressConfig)


def compute_stress(config: StressConfig, particle: ImagedParticle, pictures: Pictures) -> None:
    """Mesh the outline, put the composition on it and solve for equilibrium."""
    model = create_model(config, particle, MPI.COMM_SELF)
    quality = model.domain.quality()
    report("create_domain", f"{quality.cells} cells of {quality.h_mean:.1f} nm")
    model.solve()
    statistics = StressStatistics(
        model.problem.stress(),
        model.composition,
        model.domain,
        STRESS_UNIT,
        tangent=model.tangent,
        levels=(50.0, 95.0),
    )
    median, high = statistics.compute().find("von_mises", "all").percentiles
    report(
        "StaticStress",
        f"von Mises {median / MEGA:.1f} MPa (median), {high / MEGA:.1f} MPa (95th percentile)",
    )
    draw_stress(model, pictures)


def draw_stress(model: StressModel, pictures: Pictures) -> None:
    fields = StressFields(
        model.problem.stress(), model.composition.function_space, STRESS_UNIT, model.tangent
    )
    fields.update()
    gatherer = Gatherer(model.domain.mesh)
    assert gatherer.grid is not None
    mesh = stress_pictures.TriangleMesh.from_grid(gatherer.grid)
    stress_pictures.write_mesh_picture(pictures.path("mesh"), mesh)
    pictures.finish("mesh")
    for field in fields.fields:
        if field.name in SHOWN:
            values = gatherer.gather(field)
            assert values is not None
            stress = stress_pictures.StressMap(mesh, field.name, values)
            stress_pictures.write_stress_picture(pictures.path(field.name), stress)
            pictures.finish(field.name)


if __name__ == "__main__":
    sys.exit(main())
