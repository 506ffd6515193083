"""Where the coordinates of a particle begin."""

import json

import numpy as np
import pytest

from chemomech.config import OutlineConfig
from chemomech.models.particle import create_shape


@pytest.mark.parametrize(
    ("corner", "lowest", "hints"),
    [((0.5, -0.3), (0.0, 0.0), 1), ((5e-6, -3e-6), (5e-6, -3e-6), 0)],
    ids=["half a metre away", "elsewhere in the image"],
)
def test_drawn_particle_keeps_its_coordinates_unless_far_away(
    tmp_path, caplog, corner, lowest, hints
):
    square = np.array([[0.0, 0.0], [60e-9, 0.0], [60e-9, 60e-9], [0.0, 60e-9]])
    rings = [(square + corner).tolist(), (20e-9 + square / 3.0 + corner).tolist()]
    path = tmp_path / "stage.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": rings}))
    outline = create_shape(OutlineConfig(file=path, unit="1 m"))
    np.testing.assert_allclose(outline.exterior.min(axis=0), lowest, atol=1e-15)
    np.testing.assert_allclose(outline.holes[0].min(axis=0) - lowest, 20e-9, rtol=1e-6)
    said = [record.message for record in caplog.records]
    assert sum("(0.5, -0.3) in the file" in message for message in said) == hints
