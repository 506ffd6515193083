"""Pictures of pixel maps and charts of spectra."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from chemomech.drawing import cluster_pictures, image_pictures, spectra_charts
from chemomech.drawing.figure_parts import (
    CATEGORY_COLOURS,
    MISSING,
    _create_plane,
    choose_scale,
    compute_limits,
    create_figure,
    draw_scale_bar,
    prepare_plane,
)
from chemomech.drawing.spectra_charts import NamedSpectra, _find_edges
from chemomech.drawing.styles import FieldStyle
from chemomech.errors import InputError
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid

GRID = PixelGrid(40, 60, 35e-9, 35e-9)


def create_axes(grid=GRID):
    return _create_plane(image_pictures.get_extent(grid))


def find(axes, gid):
    return axes.findobj(lambda artist: artist.get_gid() == gid)


def get_images(figure):
    """The pixels drawn on a page, NaN where they are masked."""
    images = [image for axes in figure.axes for image in axes.images]
    return [np.ma.filled(image.get_array(), np.nan) for image in images]


@pytest.mark.parametrize(
    ("longest", "length"), [(1.0, 1.0), (99.0, 50.0), (0.3, 0.2), (750.0, 500.0), (2000.0, 2000.0)]
)
def test_scales_are_round(longest, length):
    assert choose_scale(longest) == pytest.approx(length)


@pytest.mark.parametrize(
    ("size", "length", "text"),
    [
        ((2100.0, 1400.0), 500.0, "500 nm"),
        ((12000.0, 8000.0), 2000.0, "2 µm"),
        ((400.0, 4000.0), 200.0, "200 nm"),
    ],
)
def test_scale_bar_has_its_length_on_paper(size, length, text):
    extent = (-10.0, size[0] - 10.0, 0.0, size[1])
    axes = _create_plane(extent)
    prepare_plane(axes, extent)
    assert draw_scale_bar(axes) == length
    axes.figure.canvas.draw()
    (bar,) = find(axes, "scale bar")
    drawn = bar.get_transform().transform(bar.get_xydata())
    box = axes.get_window_extent()
    assert np.ptp(drawn[:, 0]) / box.width == pytest.approx(length / size[0])
    assert drawn[:, 1].max() < box.y0
    assert find(axes, "scale bar length")[0].get_text() == text
    assert axes.get_xlim() == extent[:2]


def test_pixel_lies_where_the_grid_says():
    values = np.zeros(GRID.shape)
    values[5, 48] = 1.0
    axes = create_axes()
    x, y = GRID.centres()[5, 48] * 1e9
    square = [(x - 60, y - 60), (x + 60, y - 60), (x + 60, y + 60), (x - 60, y + 60)]
    style = FieldStyle("value", "gray", limits=(0.0, 1.0))
    image_pictures.draw_map(axes, values, GRID, style, [np.array(square) * 1e-9])
    axes.figure.canvas.draw()
    page = np.asarray(axes.figure.canvas.buffer_rgba())
    column, row = axes.transData.transform((x, y))
    assert page[round(page.shape[0] - row), round(column), 0] == 255
    (outline,) = find(axes, "outline")
    np.testing.assert_allclose(outline.get_xydata()[[0, -1]], [square[0], square[0]])


def test_pictures_of_maps_hold_their_values(tmp_path, pages):
    values = np.linspace(0.1, 0.3, GRID.rows * GRID.columns).reshape(GRID.shape)
    values[:5] = np.nan
    outline = np.array([(0.0, 0.0), (1e-6, 0.0), (1e-6, 1e-6)])
    trusted = np.isfinite(values)
    composition = CompositionMap(GRID, values, np.zeros(GRID.shape), trusted)
    scores = np.stack([values * factor for factor in (1.0, -2.0, 3.0, 4.0, 5.0)])
    image_pictures.write_map_picture(
        tmp_path / "density.png", values, GRID, image_pictures.DENSITY, [outline]
    )
    image_pictures.write_map_picture(
        tmp_path / "residual.png", 2 * values, GRID, image_pictures.RESIDUAL
    )
    image_pictures.write_composition_picture(tmp_path / "x.png", composition, [outline])
    cluster_pictures.write_component_images(tmp_path / "scores.png", scores, GRID)
    for name, expected in (("density", values), ("residual", 2 * values), ("x", values)):
        np.testing.assert_allclose(get_images(pages[name])[0], expected)
        assert bool(find(pages[name].axes[0], "outline")) == (name != "residual")
    np.testing.assert_allclose(get_images(pages["scores"]), scores)
    titles = [axes.get_title() for axes in pages["scores"].axes[:5]]
    assert titles == ["PC 1", "PC 2", "PC 3", "PC 4", "PC 5"]
    assert {path.stem for path in tmp_path.iterdir()} == set(pages)


def test_untrusted_pixels_are_grey():
    trusted = np.ones(GRID.shape, dtype=bool)
    trusted[:20] = False
    composition = CompositionMap(GRID, np.full(GRID.shape, 0.2), np.zeros(GRID.shape), trusted)
    axes = create_axes()
    image_pictures.draw_composition(axes, composition)
    (image,) = axes.images
    shown = image.to_rgba(image.get_array())
    np.testing.assert_allclose(shown[0, 0, :3], to_rgb(MISSING))
    assert shown[-1, 0, 2] > shown[-1, 0, 0] + 0.2


def test_as_printed_composition_says_so():
    ones = np.ones(GRID.shape)
    printed = CompositionMap(GRID, ones, ones, ones > 0, reading="as_printed")
    axes = create_axes()
    image_pictures.draw_composition(axes, printed)
    assert "as printed" in axes.child_axes[0].get_ylabel()


def test_eigen_images_are_centred_on_zero():
    axes = create_axes()
    scores = np.linspace(-1.0, 3.0, GRID.rows * GRID.columns).reshape(GRID.shape)
    cluster_pictures.draw_component(axes, scores, GRID, 1)
    low, high = axes.images[0].get_clim()
    assert low == -high
    assert high == pytest.approx(3.0, rel=0.02)


def test_limits_leave_out_hot_pixels_and_need_no_contrast():
    values = np.append(np.linspace(0.0, 1.0, 1000), [1e9, np.nan])
    assert compute_limits(values)[1] < 1.01
    low, high = compute_limits(np.full(10, 0.2))
    assert low < 0.2 < high
    low, high = compute_limits(np.zeros(10), symmetric=True)
    assert low < 0.0 < high


@pytest.mark.parametrize("middle", [-3.5209e-3, 0.152, 7.0, -2.4e5, 0.0])
def test_a_map_of_round_off_is_flat_and_its_bar_has_no_offset(middle):
    """No "1e-8-3.5209e-3" beside the bar; what stands at its ticks are their values."""
    axes = create_axes()
    noise = np.random.default_rng(1).uniform(-1.0, 1.0, GRID.shape)
    values = middle + 1e-8 * max(abs(middle), 1e-3) * noise
    image_pictures.draw_map(axes, values, GRID, FieldStyle("map", "viridis"))
    low, high = axes.images[0].get_clim()
    assert low <= values.min() < values.max() < high
    assert np.ptp(values) < (high - low) / 256
    bar = axes.images[0].colorbar
    axes.figure.canvas.draw()
    assert bar.ax.yaxis.get_offset_text().get_text() == ""
    assert bar.ax.xaxis.get_offset_text().get_text() == ""
    texts = [text.get_text() for text in bar.ax.get_xticklabels() + bar.ax.get_yticklabels()]
    shown = [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts if text]
    assert len(shown) == len(set(shown)) >= 3
    np.testing.assert_allclose(shown, bar.get_ticks(), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full(GRID.shape, np.nan), "nothing to draw"),
        (np.zeros((3, 4)), r"shape \(3, 4\) on a grid of shape \(40, 60\)"),
    ],
)
def test_maps_without_values_are_refused(tmp_path, values, message):
    with pytest.raises(InputError, match=message):
        image_pictures.write_map_picture(tmp_path / "map.png", values, GRID, image_pictures.DENSITY)
    assert not list(tmp_path.iterdir())


def test_clusters_have_the_colours_of_their_spectra(tmp_path):
    labels = np.full(GRID.shape, -1)
    labels[10:20], labels[20:30] = 0, 1
    path = tmp_path / "clusters.png"
    cluster_pictures.write_cluster_map(path, labels, GRID, ["alpha", "epsilon"])
    page = (imread(path)[..., :3] * 255).round().astype(int)
    for colour in CATEGORY_COLOURS[:2]:
        wanted = (np.array(to_rgb(colour)) * 255).round().astype(int)
        assert (page == wanted).all(axis=2).mean() > 0.1
    axes = create_axes()
    spectra = np.ones((2, 5))
    energies = np.linspace(500.0, 540.0, 5)
    spectra_charts.draw_spectra(axes, NamedSpectra(energies, ["a", "b"], spectra, 0.1 * spectra))
    drawn = [line.get_color() for line in axes.lines if line.get_label() in ("a", "b")]
    assert drawn == list(CATEGORY_COLOURS[:2])


def test_many_clusters_still_differ():
    assert len(set(cluster_pictures.choose_colours(12))) == 12


@pytest.mark.parametrize(
    ("labels", "message"),
    [(np.full(GRID.shape, -1), "no pixel belongs"), (np.full(GRID.shape, 2), "has no name")],
)
def test_clusters_without_pixels_or_names_are_refused(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        cluster_pictures.write_cluster_map(tmp_path / "map.png", labels, GRID, ["a", "b"])


@pytest.mark.parametrize(
    ("ends", "names"),
    [
        ((508.0, 560.0), ["V L3", "V L2", "O K"]),
        ((515.0, 525.0), ["V L2"]),
        ((695.0, 735.0), ["Fe L3", "Fe L2"]),
        ((300.0, 310.0), []),
    ],
)
def test_edges_are_named_within_the_range_only(ends, names):
    energies = np.linspace(*ends, 20)
    assert [f"{edge.element} {edge.shell}" for edge in _find_edges(energies)] == names
    axes = create_axes()
    spectra_charts.draw_spectra(axes, NamedSpectra(energies, ["a"], np.ones((1, 20))))
    written = [text.get_text().replace("$", "").replace("_", "") for text in find(axes, "edge")]
    assert written == names
    assert axes.get_xlim() == ends


def test_names_of_edges_do_not_overlap():
    axes = create_figure(5.2, 3.0).add_subplot()
    energies = np.linspace(440.0, 735.0, 50)
    spectra_charts.draw_spectra(axes, NamedSpectra(energies, ["a"], np.ones((1, 50))))
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in find(axes, "edge")]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert len(boxes) > 8
    assert not any(a.overlaps(b) for a, b in pairs)


def test_scree_fills_the_components_used(tmp_path, pages):
    variances = np.append(10.0 ** -np.arange(30.0), 0.0)
    axes = create_axes()
    spectra_charts.draw_scree(axes, variances, used=3)
    (points,) = axes.collections
    faces = points.get_facecolors()
    assert (faces[:, :3].sum(axis=1) < 2.9).tolist() == [True] * 3 + [False] * 17
    np.testing.assert_allclose(points.get_offsets()[0, 1], 90.0)
    spectra_charts.write_scree(tmp_path / "scree.png", variances)
    (points,) = pages["scree"].axes[0].collections
    np.testing.assert_allclose(points.get_offsets()[:2, 1], [90.0, 9.0])


@pytest.mark.parametrize("variances", [np.zeros(3), np.full(3, np.nan), np.empty(0)])
def test_scree_without_variance_is_refused(tmp_path, variances):
    with pytest.raises(InputError, match="no variance"):
        spectra_charts.write_scree(tmp_path / "scree.png", variances)


def test_spectra_of_other_shapes_are_refused():
    energies = np.linspace(500.0, 540.0, 5)
    with pytest.raises(InputError, match="2 names and 5 energies"):
        NamedSpectra(energies, ["a", "b"], np.ones((2, 4)))
    with pytest.raises(InputError, match="2 names and 5 energies"):
        NamedSpectra(energies, ["a", "b"], np.ones((2, 5)), np.ones((2, 4)))
    with pytest.raises(InputError, match="nothing to draw"):
        NamedSpectra(energies, ["a"], np.full((1, 5), np.nan))
