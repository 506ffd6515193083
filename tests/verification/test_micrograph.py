"""Particles of a real STXM image of V2O5 nanowires: outlined, and meshed without slivers."""

from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

from chemomech.geometry.meshing import create_domain
from chemomech.geometry.outline_files import trace_outlines

IMAGE = Path(__file__).parents[3] / "shared" / "data" / "v2o5" / "STXM.png"
PIXEL = 20e-9  # The image's scale is unknown; nothing here depends on it.


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


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.15, 0.3, 0.45])
@pytest.mark.parametrize("size", [1.0, 1.5, 3.0])
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
