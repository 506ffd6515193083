import re
import subprocess

import numpy as np
import pytest

from chemomech.drawing.film import LEAST_SECONDS, write_movie
from chemomech.drawing.styles import STYLES, choose_style, format_time
from chemomech.materials.phases import Phase
from chemomech.output.snapshot_grid import SnapshotGrid

pictures = pytest.importorskip("chemomech.drawing.pictures")
imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")


def create_sheet(columns=40, rows=10, pitch=10.0):
    """A flat strip of quadrilaterals in nanometres."""
    x, y = np.meshgrid(np.arange(columns + 1) * pitch, np.arange(rows + 1) * pitch)
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    corners = np.column_stack([first, first + 1, first + columns + 2, first + columns + 1])
    return SnapshotGrid(points, corners, "quadrilateral")


def create_brick():
    """One hexahedron of 100 nm."""
    points = 100.0 * np.array(
        [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    )
    return SnapshotGrid(points, np.arange(8)[None], "hexahedron")


def mean_colour(image, row, column):
    return image[row - 3 : row + 4, column - 3 : column + 4].mean(axis=(0, 1))


def test_field_has_the_colour_bars_colours():
    grid = create_sheet()
    style = STYLES["composition"]
    renderer = pictures.Renderer(grid, style, style.compute_limits())
    values = (grid.points[:, 0] > 200).astype(float)
    image = renderer.render(values, 1.0)
    renderer.close()
    assert image.dtype == np.uint8
    assert image.shape[0] % 2 == image.shape[1] % 2 == 0
    # The strip is 1280 pixels wide from the left margin on; viridis ends in dark violet and yellow.
    middle = 90 + 160
    np.testing.assert_allclose(mean_colour(image, middle, 60 + 320), (68, 1, 84), atol=3)
    np.testing.assert_allclose(mean_colour(image, middle, 60 + 960), (253, 231, 37), atol=3)
    np.testing.assert_array_equal(image[0, 0], 255)


def test_scale_bar_has_its_length():
    grid = create_sheet()
    style = STYLES["composition"]
    renderer = pictures.Renderer(grid, style, (0.0, 1.0))
    image = renderer.render(np.zeros(len(grid.points)))
    renderer.close()
    # The widest black run below the field is the bar; the strip is 400 nm wide.
    black = (image[-90:, :] < 60).all(axis=2).sum(axis=1).max()
    pixels_per_nm = 1280 / (400 * 1.024)
    assert 300 / pixels_per_nm >= 50
    np.testing.assert_allclose(black / pixels_per_nm, 50.0, rtol=0.03)


def test_solid_is_drawn_in_colour():
    grid = create_brick()
    style = STYLES["hydrostatic"]
    values = np.linspace(-1e9, 1e9, 8)
    renderer = pictures.Renderer(grid, style, style.compute_limits(values))
    image = renderer.render(values).astype(int)
    renderer.close()
    field = image[90:-250, :-300]
    assert (field[..., 0] - field[..., 2]).max() > 80
    assert (field[..., 2] - field[..., 0]).max() > 80


def test_limits_leave_out_the_corner_of_a_clamp():
    style = STYLES["von_mises"]
    stress = np.append(np.linspace(0.0, 2e9, 1000), 1e12)
    low, high = style.compute_limits(stress)
    assert 0.0 <= low < 0.05
    assert 1.9 < high <= 2.0


def test_limits_of_signed_fields_are_symmetric():
    style = STYLES["hydrostatic"]
    low, high = style.compute_limits(np.array([-1e9, -1e9, 3e9, 3e9]))
    assert (low, high) == (-3.0, 3.0)
    low, high = style.compute_limits(np.zeros(5))
    assert low < 0 < high


def test_a_potential_at_rest_is_drawn_flat_with_its_value_at_the_bar(tmp_path):
    """Structure of 1e-8 kJ/mol is a billionth of RT: round-off, not a pattern."""
    grid, style = create_sheet(), STYLES["chemical_potential"]
    values = -3.5209 + 1e-5 * np.sin(grid.points[:, 0] / 30)
    renderer = pictures.Renderer(grid, style, style.compute_limits(values))
    image = renderer.render(values, 1.0)
    renderer.save_vector(tmp_path / "field.svg", values)
    renderer.close()
    field = image[240:260, 60 + 30 : 60 + 1250].reshape(-1, 3)
    assert np.ptp(field, axis=0).max() <= 3
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "field.svg").read_text())
    ticks = [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts if "0.00" in text]
    assert len(ticks) == len(set(ticks)) >= 2
    assert min(ticks) < -3.5209e-3 < max(ticks)
    assert not [text for text in texts if "e" in text and text[-1].isdigit()]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (2.5e-7, "0.250 µs"),
        (0.0125, "12.5 ms"),
        (1.0, "1.00 s"),
        (90.0, "1.50 min"),
        (7200.0, "2.00 h"),
        (864000.0, "10.0 d"),
        (123 * 60 * 60 * 24.0, "123 d"),
    ],
)
def test_times_bear_the_unit_one_expects(seconds, text):
    assert format_time(seconds) == text


@pytest.mark.parametrize(("longest", "scale"), [(1.0, 1), (99.0, 50), (0.3, 0.2), (750.0, 500)])
def test_scales_are_round(longest, scale):
    assert pictures.choose_scale(longest) == pytest.approx(scale)


@pytest.mark.parametrize("count", [1, 3, 200])
def test_film_begins_and_ends_with_its_snapshots(tmp_path, count):
    path = tmp_path / "movie.mp4"
    greys = np.linspace(40, 220, count).round()
    write_movie(path, (np.full((62, 98, 3), grey, np.uint8) for grey in greys), count)
    decoder = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo"]
    decoded = subprocess.run([*decoder, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    frames = np.frombuffer(decoded.stdout, np.uint8).reshape(-1, 62, 98, 3)
    assert len(frames) >= LEAST_SECONDS * 24
    assert re.search(rb"Video: h264 .* yuv420p.* 98x62.* 24 fps", decoded.stderr)
    np.testing.assert_allclose(frames[0], greys[0], atol=3)
    np.testing.assert_allclose(frames[-1], greys[-1], atol=3)


def test_phases_are_named_beside_the_colour_bar(tmp_path):
    phases = [Phase("poor", -np.inf, 0.1), Phase("rich & ready", 0.3, 1.0)]
    style = choose_style("composition", phases)
    grid = create_sheet()
    with pictures.Renderer(grid, style, style.compute_limits()) as renderer:
        image = renderer.render(np.zeros(len(grid.points)))
        renderer.save_vector(tmp_path / "c.svg", np.zeros(len(grid.points)))
    text = (tmp_path / "c.svg").read_text()
    assert ">poor</text>" in text
    assert ">rich &amp; ready</text>" in text
    # Room for the names on the right of the strip, whose scale they do not change.
    with pictures.Renderer(grid, STYLES["composition"], (0.0, 1.0)) as plain:
        assert image.shape[1] - plain.render(np.zeros(len(grid.points))).shape[1] > 12 * 10
