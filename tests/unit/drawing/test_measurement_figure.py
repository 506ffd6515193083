"""The whole measurement on one page."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from chemomech.drawing import measurement_figure
from chemomech.drawing.spectra_charts import NamedSpectra
from chemomech.drawing.stress_pictures import StressMap, TriangleMesh
from chemomech.errors import InputError
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid


def create_data(rows, columns):
    grid = PixelGrid(rows, columns, 35e-9, 35e-9)
    x = grid.centres()[..., 0]
    inside = np.zeros(grid.shape, dtype=bool)
    inside[2:-2, 2:-2] = True
    values = 0.2 + 0.1 * np.sin(x / 50e-9)
    (right, _), (_, top) = grid.centres()[0, -1], grid.centres()[0, -1]
    corners = np.array([(0.0, 0.0), (right, 0.0), (right, top), (0.0, top)])
    mesh = TriangleMesh(corners * 1e9, np.array([(0, 1, 2), (0, 2, 3)]))
    energies = np.linspace(508.0, 560.0, 30)
    return measurement_figure.PanelData(
        density=values,
        outlines=[corners],
        variances=10.0 ** -np.arange(6.0),
        scores=np.where(inside, np.stack([values - 0.2] * 4), np.nan),
        used=3,
        labels=np.where(inside, (values > 0.2).astype(int), -1),
        clusters=NamedSpectra(
            energies,
            ["alpha", "epsilon"],
            np.stack([energies / 500.0, energies / 400.0]),
            np.full((2, 30), 0.05),
        ),
        composition=CompositionMap(grid, values, np.zeros(grid.shape), inside),
        von_mises=StressMap(mesh, "von_mises", np.array([0.0, 1e7, 2e7, 3e7])),
        stress=StressMap(mesh, "stress_along", np.array([-1e7, 2e7, 0.0, 1e7])),
    )


def draw(monkeypatch, path, data):
    """Write the page and keep its figure."""
    figures = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda self, *args, **rest: (figures.append(self), save(self, *args, **rest)),
    )
    measurement_figure.write_panels(path, data)
    return figures[0]


@pytest.mark.parametrize(("rows", "columns"), [(40, 44), (20, 90), (90, 20)])
def test_panels_are_lettered_and_apart(monkeypatch, tmp_path, rows, columns):
    path = tmp_path / "panels.png"
    figure = draw(monkeypatch, path, create_data(rows, columns))
    letters = [text for text in figure.texts if text.get_gid() == "letter"]
    assert [letter.get_text() for letter in letters] == list("ABCDEFG")
    # With their titles, labels, colour bars and legends.
    boxes = [axes.get_tightbbox().padded(-1) for axes in figure.axes]
    boxes += [letter.get_window_extent() for letter in letters]
    assert len(boxes) == 10 + 7
    pairs = [(i, j) for i in range(len(boxes)) for j in range(i)]
    assert [(i, j) for i, j in pairs if boxes[i].overlaps(boxes[j])] == []
    page = imread(path)[..., :3]
    assert page.shape[1] > 1500
    assert (page.min(axis=2) < 0.9).mean() > 0.1


def test_panel_without_values_is_refused(tmp_path):
    data = create_data(30, 30)
    empty = replace(data, density=np.full((30, 30), np.nan))
    with pytest.raises(InputError, match="nothing to draw"):
        measurement_figure.write_panels(tmp_path / "panels.png", empty)
    assert not list(tmp_path.iterdir())
