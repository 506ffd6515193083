"""Maps and masks from files."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from chemomech.errors import InputError
from chemomech.imaging.formats import read_stack
from chemomech.imaging.image_files import read_map, read_mask

ALS = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stxm" / "als_fe2p_71214078"

MAP = np.array([[0.1, 1 / 3, 0.25], [np.nan, 0.5, 0.0]])
MASK = np.array([[True, True, False], [False, True, False]])


@pytest.mark.parametrize("name", ["map.npy", "map.tif", "map.csv", "map.txt"])
def test_maps_are_read_exactly(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".npy":
        np.save(path, MAP)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, MAP)
    else:
        np.savetxt(path, MAP, delimiter="," if path.suffix == ".csv" else " ")
    values = read_map(path)
    assert values.dtype == np.float64
    assert np.array_equal(values, MAP, equal_nan=True)


def write_array(array):
    def write(path):
        with path.open("wb") as file:
            np.save(file, array)

    return write


def write_text(text):
    return lambda path: path.write_text(text, encoding="utf-8")


def write_pages(path):
    tifffile.imwrite(path, np.ones((2, 3, 4)), photometric="minisblack")


def write_picture(path):
    imsave(path, np.eye(3, dtype=np.uint8), check_contrast=False)


BROKEN_MAPS = {
    "missing": ("map.npy", lambda path: None, "no such file"),
    "empty": ("map.npy", lambda path: path.touch(), "empty"),
    "picture": ("map.png", write_picture, "picture"),
    "stack": ("map.npy", write_array(np.ones((2, 3, 4))), "rows and columns"),
    "no pixels": ("map.npy", write_array(np.ones((0, 4))), "rows and columns"),
    "text array": ("map.npy", write_array(np.array([["a"]])), "real numbers"),
    "complex": ("map.npy", write_array(np.array([[1j]])), "real numbers"),
    "objects": ("map.npy", write_array(np.array([[None]])), "NumPy array"),
    "infinite": ("map.npy", write_array(np.array([[np.inf]])), "infinite"),
    "only NaN": ("map.npy", write_array(np.array([[np.nan]])), "nothing but NaN"),
    "no array": ("map.npy", write_text("0.1 0.2"), "NumPy array"),
    "no TIFF": ("map.tif", write_text("0.1 0.2"), "TIFF"),
    "two pages": ("map.tif", write_pages, "2 pages"),
    "words": ("map.csv", write_text("0.1,0.2\n0.3,high\n"), "no table of numbers.*high"),
    "ragged": ("map.csv", write_text("0.1,0.2\n0.3\n"), "no table of numbers"),
    "a hole": ("map.csv", write_text("0.1,0.2\n0.3,\n"), "no table of numbers"),
    "blank": ("map.csv", write_text("\n\n"), "empty"),
}


@pytest.mark.parametrize("name", BROKEN_MAPS)
def test_broken_maps_are_refused(tmp_path, name):
    file, write, message = BROKEN_MAPS[name]
    write(tmp_path / file)
    with pytest.raises(InputError, match=message) as caught:
        read_map(tmp_path / file)
    assert caught.value.path == str(tmp_path / file)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
def test_masks_from_arrays(tmp_path, kind):
    np.save(tmp_path / "mask.npy", MASK.astype(kind))
    assert np.array_equal(read_mask(tmp_path / "mask.npy", (2, 3)), MASK)


@pytest.mark.parametrize("bright", [1, 255])
@pytest.mark.parametrize("name", ["mask.png", "mask.tif"])
def test_masks_from_images(tmp_path, name, bright):
    image = (bright * MASK).astype(np.uint8)
    if name.endswith("tif"):
        tifffile.imwrite(tmp_path / name, image, photometric="minisblack")
    else:
        imsave(tmp_path / name, image, check_contrast=False)
    assert np.array_equal(read_mask(tmp_path / name, (2, 3)), MASK)


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 0, 0), (0, 0, 255, 255)])
def test_masks_in_colour(tmp_path, colour):
    imsave(tmp_path / "mask.png", MASK[..., None] * np.array(colour, np.uint8))
    assert np.array_equal(read_mask(tmp_path / "mask.png", (2, 3)), MASK)


@pytest.mark.parametrize("channels", [2, 4], ids=["grey", "colour"])
def test_masks_on_a_transparent_ground(tmp_path, channels):
    picture = np.full((*MASK.shape, channels), 255, dtype=np.uint8)
    picture[..., -1] = 255 * MASK
    imsave(tmp_path / "mask.png", picture, check_contrast=False)
    assert np.array_equal(read_mask(tmp_path / "mask.png", MASK.shape), MASK)


def test_masks_drawn_in_text(tmp_path):
    # Lines follow the scan, the lowest first; an editor may strip the blanks at their ends.
    for text in ("OO \n O \n", "OO\n O\n", "xx \r\n # \r\n"):
        (tmp_path / "mask.msk").write_text(text, encoding="utf-8")
        assert np.array_equal(read_mask(tmp_path / "mask.msk", (2, 3)), MASK[::-1])


@pytest.mark.parametrize("text", ["1 1 0\n0 1 0\n", "1,1,0\n0,1,0\n", "1\t1\t0\n0\t1\t0"])
def test_masks_as_tables(tmp_path, text):
    (tmp_path / "mask.csv").write_text(text, encoding="utf-8")
    assert np.array_equal(read_mask(tmp_path / "mask.csv", (2, 3)), MASK)


def test_masks_of_every_pixel(tmp_path):
    np.save(tmp_path / "mask.npy", np.ones((2, 3), dtype=bool))
    assert read_mask(tmp_path / "mask.npy", (2, 3)).all()


BROKEN_MASKS = {
    "missing": ("mask.npy", lambda path: None, "no such file"),
    "no pixel marked": ("mask.npy", write_array(np.zeros((2, 3))), "marks no pixel"),
    "turned": ("mask.npy", write_array(MASK.T), "has the shape"),
    "three values": ("mask.npy", write_array(np.array([[0, 1, 2], [0, 0, 1]])), "a mask has two"),
    "NaN": ("mask.npy", write_array(np.array([[0, 1, np.nan], [0, 0, 1]])), "a mask has two"),
    "no picture": ("mask.png", write_text("a picture"), "as an image"),
    "a line short": ("mask.msk", write_text("OO \n"), "has 1 lines"),
    "a line long": ("mask.msk", write_text("OO \n O \n O \n"), "has 3 lines"),
    "a column long": ("mask.msk", write_text("OO  \n O  \n"), "line 1 has 4 characters"),
    "cut short": ("mask.msk", write_text("OO \n O"), "line 2 has 2 characters"),
    "blanks only": ("mask.msk", write_text("   \n   \n"), "empty"),
}


@pytest.mark.parametrize("name", BROKEN_MASKS)
def test_broken_masks_are_refused(tmp_path, name):
    file, write, message = BROKEN_MASKS[name]
    write(tmp_path / file)
    with pytest.raises(InputError, match=message) as caught:
        read_mask(tmp_path / file, (2, 3))
    assert caught.value.path == str(tmp_path / file)


def test_measured_mask_lies_on_its_stack():
    if not (ALS / "mask_file.msk").is_file():
        pytest.skip("the measured mask is not there: mask_file.msk")
    stack = read_stack(ALS / "71214078.hdr")
    mask = read_mask(ALS / "mask_file.msk", stack.grid.shape)
    assert mask.shape == (125, 125)
    # Where the sample is, less light comes through; upside down, the two would hardly differ.
    frame = stack.counts[60]
    inside, outside = frame[mask].mean(), frame[~mask].mean()
    turned = mask[::-1]
    assert inside / outside < 0.75
    assert inside / outside < frame[turned].mean() / frame[~turned].mean()
