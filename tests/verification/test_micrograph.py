"""Particles of a real STXM image of V2O5 nanowires: outlined, and meshed without slivers."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

from chemomech.cli import main
from chemomech.geometry.files.images import trace_outlines
from chemomech.geometry.meshing import create_domain

IMAGE = Path(__file__).parents[3] / "shared" / "data" / "v2o5" / "STXM.png"
PIXEL = 20e-9  # The image's scale is unknown; nothing here depends on it.
STRIPED = """
[composition]
kind = "map"
file = "x.npy"
pixel_size = "35 nm"
[outline]
file = "MICROGRAPH"
region = [[250, 295], [325, 295], [325, 340], [250, 340]]
[elasticity]
kind = "isotropic"
young_modulus = "43 GPa"
poisson_ratio = 0.3
[eigenstrain]
kind = "vegard"
partial_molar_volume = "2.415e-6 m^3/mol"
site_concentration = "18500 mol/m^3"
[[phase]]
name = "alpha"
lowest = 0.0
highest = 0.2
[[phase]]
name = "epsilon"
lowest = 0.2
highest = 0.4
"""


@pytest.fixture(scope="module")
def image():
    if not IMAGE.is_file():
        pytest.skip(f"the micrograph is not there: {IMAGE.name}")
    return imread(IMAGE)


@pytest.mark.parametrize("size", [2.0, 4.0])
def test_every_particle_makes_a_sound_mesh(comm, image, size):
    outlines = trace_outlines(image, PIXEL)
    assert len(outlines) >= 10
    for outline in outlines:
        domain = create_domain(outline, size * PIXEL, comm)
        assert domain.quality().worst_shape > 0.3


@pytest.mark.parametrize("size", [1.5, 2.5])
def test_whisker_thinner_than_a_cell_makes_no_sliver(comm, image, size):
    # The third particle at this level ends in a whisker one pixel wide and ten long.
    outline = trace_outlines(image, PIXEL, 0.5)[2]
    assert create_domain(outline, size * PIXEL, comm).quality().worst_shape > 0.3


def test_level_of_many_pixels_makes_no_contours_that_meet(comm, image):
    # 0.2 is the brightness 51 of 255: contours would go through such pixels, and touch there.
    outlines = trace_outlines(image, PIXEL, 0.2)
    assert len(outlines) >= 10
    assert create_domain(outlines[0], 4.0 * PIXEL, comm).quality().worst_shape > 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "size"),
    [
        *itertools.product([0.15, 0.3, 0.4, 0.45, 0.5], [1.5, 3.0]),
        (0.45, 1.0),
    ],
)
def test_other_levels_and_sizes(comm, image, level, size):
    outlines = trace_outlines(image, PIXEL, level)
    shapes = [create_domain(each, size * PIXEL, comm).quality().worst_shape for each in outlines]
    assert len(shapes) >= 10
    assert min(shapes) > 0.3


def test_all_cuts_lie_on_the_sides_of_the_image(image):
    rows, columns = image.shape
    sides = [(0, 0.0), (0, columns - 1.0), (1, 0.0), (1, rows - 1.0)]
    outlines = trace_outlines(image, PIXEL)
    cuts = [
        np.stack([each.exterior, np.roll(each.exterior, -1, axis=0)], axis=1)[each.cut] / PIXEL
        for each in outlines
    ]
    ends = np.concatenate(cuts)
    on_side = [np.abs(ends[..., axis] - place).max(axis=1) < 1e-3 for axis, place in sides]
    assert len(ends) >= 5
    assert np.any(on_side, axis=0).all()


def test_stress_of_one_particle_with_stripes(comm, image, tmp_path, monkeypatch):
    """Stripes of alpha and epsilon: at most the misfit's stress, and most of it at the walls.

    The micrograph's scale is not known; 35 nm a pixel is assumed. The particle is a separate wire.
    """
    folder = Path(comm.bcast(str(tmp_path)))
    monkeypatch.chdir(folder)
    if comm.rank == 0:
        shape = image.shape[:2]
        along = np.broadcast_to(np.arange(shape[1]) * 35.0, shape)
        np.save("x.npy", 0.2 + 0.1 * np.tanh(3.0 * np.cos(2.0 * np.pi * along / 600.0)))
        Path("stress.toml").write_text(STRIPED.replace("MICROGRAPH", str(IMAGE.resolve())))
    comm.barrier()
    assert main(["stress", "stress.toml"]) == 0
    comm.barrier()
    with Path("stress-results/stress.csv").open() as file:
        rows = {(row["stress"], row["region"]): row for row in csv.DictReader(file)}
    misfit = 43e9 * 2.415e-6 * 18500 / 3 * 0.2
    everywhere, walls = rows["von_mises", "all"], rows["von_mises", "boundaries"]
    assert 0.1 * misfit < float(everywhere["p95_Pa"]) < misfit
    assert float(walls["p50_Pa"]) > float(everywhere["p50_Pa"])
    # Nothing holds the particle: normal stresses along the wire balance.
    assert abs(float(rows["stress_along", "all"]["mean_Pa"])) < 0.05 * misfit
