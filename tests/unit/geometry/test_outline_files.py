"""Outlines from GeoJSON and from images."""

import json
import math

import numpy as np
import pytest
from skimage import io

from chemomech.errors import InputError
from chemomech.geometry.files.geojson import read_outline_geojson
from chemomech.geometry.files.images import read_outline_image, trace_outlines

PIXEL = 10e-9


def _blob(shape, centre, radius, softness=1.0):
    """Brightness 0..1 of a disc with a soft edge, in pixels, rows downwards."""
    rows, columns = np.indices(shape)
    distance = np.hypot(columns - centre[0], rows - centre[1])
    return 1.0 / (1.0 + np.exp((distance - radius) / softness))


def _bytes(brightness):
    return np.rint(255 * brightness).astype(np.uint8)


def _square(x, y, size):
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]


@pytest.fixture
def geojson(tmp_path):
    def write(content):
        path = tmp_path / "outline.geojson"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.fixture
def picture(tmp_path):
    def write(image):
        path = tmp_path / "image.png"
        io.imsave(path, image, check_contrast=False)
        return path

    return write


def test_geojson_with_hole(geojson):
    rings = [_square(0, 0, 10), _square(2, 2, 5)]
    outline = read_outline_geojson(geojson({"type": "Polygon", "coordinates": rings}), 1e-8)
    assert outline.area == pytest.approx(75e-16)
    assert len(outline.holes) == 1


@pytest.mark.parametrize(("particle", "area"), [(1, 25.0), (2, 9.0), (3, 1.0)])
def test_geojson_particles_are_counted_by_area(geojson, particle, area):
    sizes = [3, 5, 1]
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [_square(10 * i, 0, size)]},
        }
        for i, size in enumerate(sizes)
    ]
    path = geojson({"type": "FeatureCollection", "features": features})
    assert read_outline_geojson(path, 1.0, particle).area == pytest.approx(area)


def test_geojson_multipolygon(geojson):
    coordinates = [[_square(0, 0, 2)], [_square(5, 0, 3)]]
    path = geojson({"type": "MultiPolygon", "coordinates": coordinates})
    assert read_outline_geojson(path, 1.0).area == pytest.approx(9.0)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "{}",
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "FeatureCollection", "features": []},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, "a"], [1, 0], [0, 0]]]},
    ],
)
def test_unusable_geojson_is_refused_by_name(geojson, content):
    with pytest.raises(InputError, match=r"outline\.geojson"):
        read_outline_geojson(geojson(content), 1e-9)


def test_missing_particle_is_refused(geojson):
    path = geojson({"type": "Polygon", "coordinates": [_square(0, 0, 1)]})
    with pytest.raises(InputError, match="between 1 and 1"):
        read_outline_geojson(path, 1e-9, particle=2)


def test_disc_in_image(picture):
    path = picture(_bytes(_blob((80, 100), (60.0, 30.0), 20.0)))
    outline = read_outline_image(path, PIXEL, 0.5)
    assert outline.area == pytest.approx(math.pi * 400 * PIXEL**2, rel=0.01)
    # The lowest of 80 rows lies at y = 0: row 30 at 49 pixels.
    assert np.allclose(outline.exterior.mean(axis=0), [60 * PIXEL, 49 * PIXEL], atol=0.5 * PIXEL)
    assert not outline.cut.any()


def test_ring_in_image_has_a_hole():
    ring = _blob((80, 80), (40, 40), 30.0) - _blob((80, 80), (40, 40), 12.0)
    (outline,) = trace_outlines(_bytes(ring), PIXEL, 0.5)
    assert len(outline.holes) == 1
    assert outline.area == pytest.approx(math.pi * (900 - 144) * PIXEL**2, rel=0.01)


def test_specks_and_pinholes_are_dropped():
    image = _blob((80, 80), (40, 40), 25.0)
    image[5, 5] = 1.0
    image[40, 40] = 0.0
    (outline,) = trace_outlines(_bytes(image), PIXEL)
    assert outline.holes == ()


def test_particles_are_sorted_by_area():
    image = _blob((80, 160), (40, 40), 15.0) + _blob((80, 160), (110, 40), 25.0)
    areas = [outline.area / PIXEL**2 for outline in trace_outlines(_bytes(image), PIXEL, 0.5)]
    assert areas == pytest.approx([math.pi * 625, math.pi * 225], rel=0.01)


def test_region_selects_a_particle():
    image = _blob((80, 160), (40, 20), 15.0) + _blob((80, 160), (110, 50), 25.0)
    region = [(10, 0), (70, 0), (70, 45), (10, 45)]
    (outline,) = trace_outlines(_bytes(image), PIXEL, 0.5, region)
    assert outline.area / PIXEL**2 == pytest.approx(math.pi * 225, rel=0.01)


def test_particle_cut_by_the_image_edge_marks_the_cut():
    (outline,) = trace_outlines(_bytes(_blob((80, 80), (0, 40), 20.0)), PIXEL, 0.5)
    ends = np.stack([outline.exterior, np.roll(outline.exterior, -1, axis=0)], axis=1)[outline.cut]
    assert np.allclose(ends[..., 0], 0.0, atol=1e-3 * PIXEL)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum()
    assert length == pytest.approx(40 * PIXEL, rel=0.02)
    assert outline.area == pytest.approx(math.pi * 200 * PIXEL**2, rel=0.02)


def test_half_transmission_is_unbiased_under_blur():
    from scipy.ndimage import gaussian_filter

    # A sharp strip, 21 pixels wide, blurred in transmission: half transmission finds its edge, half
    # density not.
    plateau = 3.0
    sharp = np.zeros((60, 60))
    sharp[20:41, 10:50] = plateau
    density = -np.log(gaussian_filter(np.exp(-sharp), 2.0))
    (outline,) = trace_outlines(density, 1.0, "half_transmission")
    (biased,) = trace_outlines(density, 1.0, 0.5)
    exact = 21.0
    heights = [np.interp(30, [30], [np.ptp(each.exterior[:, 1])]) for each in (outline, biased)]
    assert abs(heights[0] - exact) < 0.2
    assert abs(heights[1] - exact) > 0.5


def _mean_distance(outline, centre, radius):
    """Mean distance of points on an outline from a circle."""
    ends = np.stack([outline.exterior, np.roll(outline.exterior, -1, axis=0)])
    points = np.concatenate([(1 - s) * ends[0] + s * ends[1] for s in np.linspace(0, 0.9, 10)])
    weights = np.tile(np.linalg.norm(ends[1] - ends[0], axis=1), 10)
    distances = np.abs(np.linalg.norm(points - centre, axis=1) - radius)
    return np.average(distances, weights=weights)


@pytest.mark.parametrize("plateau", [0.3, 1.0, 2.0])
def test_disc_under_blur_keeps_its_area_at_half_transmission(plateau):
    from scipy.ndimage import gaussian_filter

    # Eight samples a pixel; the spot is as wide (FWHM) as the phantom's: 30 nm of 35 nm pixels.
    fine = np.indices((80 * 8, 80 * 8)).astype(float) / 8 + 0.5 / 8 - 0.5
    inside = np.hypot(fine[0] - 40, fine[1] - 38) < 20.0
    blurred = gaussian_filter(np.exp(-plateau * inside), 8 * (30 / 35) / 2.355)
    density = -np.log(blurred.reshape(80, 8, 80, 8).mean(axis=(1, 3)))
    (outline,) = trace_outlines(density, 1.0, "half_transmission")
    assert abs(outline.area / (math.pi * 400.0) - 1.0) < 0.017
    assert _mean_distance(outline, [38.0, 39.0], 20.0) < 0.2


def test_pixels_without_value_are_counted_and_refused():
    density = _blob((80, 80), (40, 40), 20.0)
    density[:2, 0] = np.nan
    with pytest.raises(InputError, match="2 of the image's 6400 pixels are not finite; fill them"):
        trace_outlines(density, PIXEL)


@pytest.mark.parametrize(
    "changes",
    [
        {"level": 0.0},
        {"level": 1.5},
        {"level": "median"},
        {"level": "half_transmission"},
        {"pixel_size": 0.0},
        {"simplify": -1.0},
        {"region": [(0, 0), (1, 1)]},
        {"region": [(0, 0), (50, 50), (50, 0), (0, 50)]},
        {"region": [(200, 200), (300, 200), (300, 300)]},
        {"image": np.zeros((20, 20), dtype=np.uint8)},
        {"image": np.full((20, 20), np.nan)},
        {"image": np.zeros((20, 20, 2), dtype=np.uint8)},
    ],
)
def test_impossible_tracing_is_refused(changes):
    arguments = {"image": _bytes(_blob((80, 80), (40, 40), 20.0)), "pixel_size": PIXEL, **changes}
    with pytest.raises(InputError):
        trace_outlines(**arguments)


def test_colour_image_is_read_as_grey(picture):
    disc = _bytes(_blob((80, 80), (40, 40), 20.0))
    outline = read_outline_image(picture(np.dstack([disc] * 3)), PIXEL, 0.5)
    assert outline.area == pytest.approx(math.pi * 400 * PIXEL**2, rel=0.01)


def test_optical_densities_from_numpy_file(tmp_path):
    path = tmp_path / "density.npy"
    np.save(path, 1.2 * _blob((80, 80), (40, 40), 20.0, softness=0.3))
    outline = read_outline_image(path, PIXEL, 0.5)
    assert outline.area == pytest.approx(math.pi * 400 * PIXEL**2, rel=0.01)


@pytest.mark.parametrize("name", ["missing.png", "empty.png", "text.png", "empty.npy", "text.npy"])
def test_unusable_image_is_refused_by_name(tmp_path, name):
    path = tmp_path / name
    if not name.startswith("missing"):
        path.write_text("" if name.startswith("empty") else "no picture")
    with pytest.raises(InputError, match=name):
        read_outline_image(path, PIXEL)


BAR = np.zeros((40, 60))
BAR[10:18, 8:48] = 1.0


@pytest.mark.parametrize("level", ["otsu", 0.5])
@pytest.mark.parametrize(
    "image",
    [_bytes(BAR), BAR.astype(np.uint8), BAR.astype(bool), BAR, BAR.astype(np.int64) * 4095],
    ids=["0 and 255", "0 and 1", "false and true", "densities", "12 bits"],
)
def test_mask_keeps_its_number_of_pixels(image, level):
    (outline,) = trace_outlines(image, 1.0, level)
    # A contour halfway between pixels cuts each corner by half a pixel of a half.
    assert outline.area == pytest.approx(320.0 - 4.0 / 8.0, abs=1e-9)


def test_brightness_of_a_12_bit_camera_runs_to_4095():
    disc = _blob((80, 80), (40, 40), 20.0)
    outlines = trace_outlines(np.rint(4095 * disc).astype(np.uint16), PIXEL, 0.5)
    assert outlines[0].area == pytest.approx(math.pi * 400 * PIXEL**2, rel=0.01)


def test_level_beyond_the_brightness_is_refused_with_its_range():
    image = _bytes(0.1 + 0.2 * _blob((80, 80), (40, 40), 20.0))
    with pytest.raises(InputError, match=r"level: .* from 0\.1.* to 0\.29.*, got 0\.5"):
        trace_outlines(image, PIXEL, 0.5)


def test_contours_that_meet_in_a_pixel_come_apart():
    # Between the ground above and a pore lies one row, with one pixel of the very level in it.
    image = np.full((30, 30), 200, dtype=np.uint8)
    image[:5] = image[6:13, 7:14] = 0
    image[5, 10] = 51
    (outline,) = trace_outlines(image, 1.0, 0.2)
    assert outline.holes == ()


def test_bars_that_almost_touch_are_two_particles():
    # Halfway between the pixels' brightness, a bridge of a hundredth of a pixel joins them.
    image = np.zeros((30, 60))
    image[10:20, 10:25] = image[10:20, 26:40] = 1.0
    image[15, 25] = 0.505
    areas = [outline.area for outline in trace_outlines(image, 1.0, 0.5)]
    assert areas == pytest.approx([150.0, 140.0], rel=0.01)


def test_pages_are_not_dropped(tmp_path):
    import tifffile

    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.stack([_bytes(BAR)] * 3), photometric="minisblack")
    with pytest.raises(InputError, match=r"pages\.tif: has 3 pages"):
        read_outline_image(path, 1.0)
    tifffile.imwrite(path, _bytes(BAR), photometric="minisblack")
    assert read_outline_image(path, 1.0).area == pytest.approx(319.5)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((40, 60, 5), dtype=np.uint8), r"array of shape .*no picture"),
        (np.zeros((40, 60, 4), dtype=np.float32), "transparency in floating-point"),
    ],
)
def test_unusual_channels_are_refused_in_words(tmp_path, image, message):
    import tifffile

    path = tmp_path / "channels.tif"
    tifffile.imwrite(path, image, photometric="minisblack", planarconfig="contig")
    with pytest.raises(InputError, match=rf"channels\.tif: .*{message}|channels\.tif: cannot be"):
        read_outline_image(path, 1.0)


WHITE, BLACK = np.full((40, 60), 255), np.zeros((40, 60))


@pytest.mark.parametrize(
    "channels",
    [
        [WHITE, WHITE, WHITE, 255 * BAR],
        [WHITE - 155 * BAR, WHITE, WHITE, 255 * BAR],
        [BLACK, BLACK, BLACK, 255 * BAR],
        [255 * BAR, 255 * BAR, 255 * BAR, WHITE],
        [WHITE, 255 * BAR],
        [255 * BAR, WHITE],
    ],
    ids=["white", "coloured", "black", "opaque", "grey with alpha", "opaque grey"],
)
def test_transparent_ground_is_no_particle(picture, channels):
    path = picture(np.dstack(channels).astype(np.uint8))
    assert read_outline_image(path, 1.0).area == pytest.approx(319.5, abs=1e-6)


@pytest.mark.parametrize(("image", "hints"), [(1.0 - BAR, 1), (BAR, 0)])
def test_dark_particle_on_bright_ground_gets_a_hint(picture, caplog, image, hints):
    outline = read_outline_image(picture(_bytes(image)), 1.0)
    said = [record.message for record in caplog.records if "invert the image" in record.message]
    assert len(said) == hints
    assert len(outline.holes) == hints
