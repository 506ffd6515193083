"""Telling files apart, TIFF stacks and NumPy archives."""

import h5py
import numpy as np
import pytest
import tifffile

from chemomech.errors import InputError
from chemomech.imaging.formats import read_stack, write_stack
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.stack import Stack

ENERGIES = np.array([515.0, 516.5])
COUNTS = np.arange(1.0, 25.0).reshape(2, 3, 4)


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "energies.csv"
    path.write_text("energy (eV),dwell\n515.0,1\n516.5,1\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("name", ["stack.tif", "stack.TIFF", "stack"])
def test_tiff(tmp_path, listed, kind, name):
    path = tmp_path / name
    tifffile.imwrite(path, COUNTS.astype(kind), photometric="minisblack")
    stack = read_stack(path, energies=listed, pixel_size=40e-9)
    # The top row of a picture is the first.
    assert np.array_equal(stack.counts, COUNTS)
    assert np.array_equal(stack.energies, ENERGIES)
    assert stack.grid == PixelGrid(3, 4, 40e-9, 40e-9)


def test_tiff_of_falling_energies(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", COUNTS, photometric="minisblack")
    listed = tmp_path / "energies.txt"
    listed.write_text("# high to low\n516.5\n515.0\n", encoding="utf-8")
    stack = read_stack(tmp_path / "stack.tif", energies=listed, pixel_size=40e-9)
    assert np.array_equal(stack.energies, ENERGIES)
    assert np.array_equal(stack.counts, COUNTS[::-1])


def test_tiff_of_one_page(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", COUNTS[0])
    (tmp_path / "energies.txt").write_text("515.0", encoding="utf-8")
    stack = read_stack(tmp_path / "stack.tif", energies=tmp_path / "energies.txt", pixel_size=40e-9)
    assert np.array_equal(stack.counts, COUNTS[:1])


@pytest.mark.parametrize("missing", ["energies", "pixel_size"])
def test_tiff_needs_energies_and_pixel_size(tmp_path, listed, missing):
    tifffile.imwrite(tmp_path / "stack.tif", COUNTS, photometric="minisblack")
    options = {"energies": listed, "pixel_size": 40e-9, missing: None}
    with pytest.raises(InputError) as caught:
        read_stack(tmp_path / "stack.tif", **options)
    assert caught.value.key == missing


def write_tiff(array, **options):
    def write(folder):
        tifffile.imwrite(folder / "stack.tif", array, **options)

    return write


def cut_tiff(share):
    def write(folder):
        write_tiff(COUNTS, photometric="minisblack")(folder)
        data = (folder / "stack.tif").read_bytes()
        (folder / "stack.tif").write_bytes(data[: int(share * len(data))])

    return write


def write_pages_of_two_shapes(folder):
    with tifffile.TiffWriter(folder / "stack.tif") as file:
        file.write(COUNTS[0])
        file.write(COUNTS[1].T)


def write_list(text):
    def write(folder):
        write_tiff(COUNTS, photometric="minisblack")(folder)
        (folder / "energies.csv").write_text(text, encoding="utf-8")

    return write


BROKEN_TIFF = {
    "missing": (lambda folder: None, "no such file"),
    "empty": (lambda folder: (folder / "stack.tif").touch(), "empty"),
    "text": (lambda folder: (folder / "stack.tif").write_text("a picture"), "TIFF"),
    "nothing but a beginning": (cut_tiff(0.02), "TIFF"),
    "cut at 30 %": (cut_tiff(0.3), "TIFF|cut short"),
    "cut at 60 %": (cut_tiff(0.6), "has 1 pages"),
    "cut at 95 %": (cut_tiff(0.95), "TIFF|cut short"),
    "a page too many": (
        write_tiff(np.ones((3, 3, 4)), photometric="minisblack"),
        "lists 2 energies, but stack.tif has 3 pages",
    ),
    "colours": (write_tiff(np.ones((3, 4, 3), np.uint8), photometric="rgb"), "no grey image"),
    "pages of two shapes": (write_pages_of_two_shapes, "page 2 has the shape"),
    "complex numbers": (
        write_tiff(COUNTS.astype(np.complex64), photometric="minisblack"),
        "no grey image",
    ),
    "a page of zeros": (
        write_tiff(COUNTS * [[[0.0]], [[1.0]]], photometric="minisblack"),
        "frame 1 .* zeros",
    ),
    "list empty": (write_list(""), "empty"),
    "list too short": (write_list("515.0\n"), "lists 1 energies"),
    "list of words": (write_list("energy\nlow\nhigh\n"), "line 2"),
    "list out of order": (write_list("516.5\n516.5\n"), "must increase"),
    "list negative": (write_list("-5\n5\n"), "greater than zero"),
}


@pytest.mark.parametrize("name", BROKEN_TIFF)
def test_broken_tiff_is_refused(tmp_path, listed, name):
    write, message = BROKEN_TIFF[name]
    write(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_stack(tmp_path / "stack.tif", energies=listed, pixel_size=40e-9)
    assert caught.value.path is not None


def test_npz_with_pixel_size(tmp_path):
    path = tmp_path / "stack.npz"
    incident = np.array([30.0, 31.0])
    np.savez(path, counts=COUNTS, energies=ENERGIES, pixel_size=40e-9, incident=incident)
    stack = read_stack(path)
    assert np.array_equal(stack.counts, COUNTS)
    assert stack.grid == PixelGrid(3, 4, 40e-9, 40e-9)
    assert np.array_equal(stack.incident, incident)


def test_npz_with_positions(tmp_path):
    path = tmp_path / "stack.npz"
    x, y = 1e-6 + 40e-9 * np.arange(4), 5e-6 + 40e-9 * np.arange(3)
    incident = np.array([30.0, 31.0])
    np.savez_compressed(
        path, counts=COUNTS, energies=ENERGIES[::-1], x=x, y=y, incident=incident, truth=x
    )
    stack = read_stack(path)
    assert np.array_equal(stack.counts, COUNTS[::-1, ::-1])
    assert np.array_equal(stack.energies, ENERGIES)
    assert np.array_equal(stack.incident, incident[::-1])
    assert stack.grid.pixel_size == pytest.approx(40e-9)
    assert stack.grid.origin == (1e-6, 5e-6)


FIVE = np.arange(1.0, 61.0).reshape(5, 3, 4)


def write_five(folder, counts, energies, kind):
    """Write five frames, and return the arguments with which to read them."""
    if kind == "npz":
        path = folder / "stack.npz"
        np.savez(path, counts=counts, energies=energies, pixel_size=40e-9, incident=energies)
        return {"path": path}
    if kind == "tiff":
        path = folder / "stack.tif"
        tifffile.imwrite(path, counts, photometric="minisblack")
        np.savetxt(folder / "energies.txt", energies)
        return {"path": path, "energies": folder / "energies.txt", "pixel_size": 40e-9}
    if kind == "nexus":
        path = folder / "stack.nxs"
        with h5py.File(path, "w") as file:
            group = file.create_group("entry1/counter0")
            group["data"] = counts[:, ::-1]
            group["energy"] = energies
            group["sample_x"], group["sample_y"] = 0.04 * np.arange(4), 0.04 * np.arange(3)
        return {"path": path}
    path = folder / "stack.ncb"
    path.write_bytes(counts[:, ::-1].astype("<f4").tobytes())
    lines = ["4 3 -1", "0 0.12", "0 0.08", "5", *map(str, energies), *["frame"] * 5]
    path.with_suffix(".dat").write_text("\n".join(lines), encoding="utf-8")
    return {"path": path}


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("kind", ["npz", "tiff", "nexus", "ncb"])
def test_frames_of_zeros_are_named_as_scanned_and_can_be_left_out(tmp_path, kind, falling):
    energies = np.array([510.0, 511.0, 512.5, 514.0, 515.0])[:: -1 if falling else 1]
    counts = FIVE.copy()
    counts[[1, 4]] = 0.0
    arguments = write_five(tmp_path, counts, energies, kind)
    with pytest.raises(InputError) as caught:
        read_stack(**arguments)
    for number in (2, 5):
        assert f"frame {number} ({energies[number - 1]:g} eV)" in caught.value.message
    assert "leave_out = [2, 5]" in caught.value.message
    # What is left out already stays in the advice.
    with pytest.raises(InputError, match=r"leave_out = \[1, 2, 5\]"):
        read_stack(**arguments, leave_out=[1])
    stack = read_stack(**arguments, leave_out=[2, float(energies[4])])
    order = [3, 2, 0] if falling else [0, 2, 3]
    assert np.array_equal(stack.energies, energies[order])
    assert np.array_equal(stack.counts, FIVE[order])
    assert stack.incident is None or np.array_equal(stack.incident, energies[order])


def test_frames_scanned_twice_are_named_and_one_of_each_left_out(tmp_path):
    energies = np.array([510.0, 511.0, 511.0, 510.5, 512.0])
    arguments = write_five(tmp_path, FIVE, energies, "npz")
    with pytest.raises(InputError, match=r"frame 3 \(511 eV\), frame 4 \(510.5 eV\)") as caught:
        read_stack(**arguments)
    assert "leave_out = [3, 4]" in caught.value.message
    stack = read_stack(**arguments, leave_out=[3, 4])
    assert np.array_equal(stack.energies, [510.0, 511.0, 512.0])
    assert np.array_equal(stack.counts, FIVE[[0, 1, 4]])


@pytest.mark.parametrize("kind", ["npz", "nexus"])
def test_frames_never_scanned_are_named_and_can_be_left_out(tmp_path, kind):
    energies = np.array([510.0, 511.0, 512.5, 514.0, 515.0])
    arguments = write_five(tmp_path, FIVE[:3], energies, kind)
    if kind == "nexus":
        with h5py.File(arguments["path"], "r+") as file:
            file["entry1/counter0"].attrs["axes"] = ["energy", "sample_y", "sample_x"]
    with pytest.raises(InputError, match=r"frame 4 \(514 eV\), frame 5 \(515 eV\) each is missing"):
        read_stack(**arguments)
    stack = read_stack(**arguments, leave_out=[2, 4, 5])
    assert np.array_equal(stack.energies, [510.0, 512.5])
    assert np.array_equal(stack.counts, FIVE[[0, 2]])


@pytest.mark.parametrize(
    ("leave_out", "message"),
    [
        ([6], "no frame 6; the file has 5"),
        ([0], "no frame 0"),
        ([513.4], r"no frame at 513.4 eV; the nearest is at 514 eV"),
        ([1, 2, 3, 4, 5], "every frame"),
    ],
)
def test_frames_that_are_not_there_cannot_be_left_out(tmp_path, leave_out, message):
    energies = np.array([510.0, 511.0, 512.5, 514.0, 515.0])
    arguments = write_five(tmp_path, FIVE, energies, "npz")
    with pytest.raises(InputError, match=message) as caught:
        read_stack(**arguments, leave_out=leave_out)
    assert caught.value.key == "leave_out"


@pytest.mark.parametrize("kind", ["npz", "tiff", "nexus", "ncb"])
def test_energies_in_kev(tmp_path, kind):
    energies = np.array([0.51, 0.511, 0.5125, 0.514, 0.515])
    stack = read_stack(**write_five(tmp_path, FIVE, energies, kind))
    assert np.allclose(stack.energies, 1e3 * energies)


def test_npz_with_other_names_says_what_is_there_and_what_is_needed(tmp_path):
    path = tmp_path / "stack.npz"
    np.savez(path, od=COUNTS, ev=ENERGIES, x=np.arange(4.0), y=np.arange(3.0))
    with pytest.raises(InputError) as caught:
        read_stack(path)
    for words in ("no array counts and no energies", "holds od, ev, x, y", "pixel_size or x and y"):
        assert words in caught.value.message


def test_npz_with_an_axis_of_length_one_more(tmp_path):
    np.savez(tmp_path / "stack.npz", counts=COUNTS[None], energies=ENERGIES, pixel_size=40e-9)
    assert np.array_equal(read_stack(tmp_path / "stack.npz").counts, COUNTS)


def write_npz(**changes):
    def write(folder):
        arrays = {"counts": COUNTS, "energies": ENERGIES, "pixel_size": 40e-9} | changes
        given = {name: array for name, array in arrays.items() if array is not None}
        np.savez(folder / "stack.npz", **given)

    return write


def cut_npz(folder):
    write_npz()(folder)
    data = (folder / "stack.npz").read_bytes()
    (folder / "stack.npz").write_bytes(data[: len(data) // 2])


def scramble_npz(folder):
    write_npz()(folder)
    data = bytearray((folder / "stack.npz").read_bytes())
    data[200:260] = bytes(60)
    (folder / "stack.npz").write_bytes(data)


BROKEN_NPZ = {
    "cut short": (cut_npz, "npz"),
    "scrambled": (scramble_npz, "npz"),
    "text": (lambda folder: (folder / "stack.npz").write_text("an archive"), "npz"),
    "no counts": (write_npz(counts=None), "no array counts"),
    "no energies": (write_npz(energies=None), "no array energies"),
    "no pixel size": (write_npz(pixel_size=None), "no array pixel_size"),
    "pixel size negative": (write_npz(pixel_size=-1.0), "positive length"),
    "y without x": (write_npz(y=np.arange(3.0)), "no array x"),
    "x too short": (write_npz(y=np.arange(3.0), x=np.arange(3.0)), "do not fit y and x"),
    "one frame only": (write_npz(counts=COUNTS[0]), "3 axes"),
    "no frames": (write_npz(counts=np.empty((0, 3, 4))), "3 axes"),
    "counts of text": (write_npz(counts=COUNTS.astype(str)), "real numbers"),
    "counts of objects": (write_npz(counts=COUNTS.astype(object)), "npz"),
    "an energy too many": (write_npz(energies=np.arange(1.0, 4.0)), "do not fit 3 energies"),
    "incident too short": (write_npz(incident=np.ones(1)), "I0"),
    "incident zero": (write_npz(incident=np.zeros(2)), "I0"),
    "only NaN": (write_npz(counts=COUNTS * np.nan), "nothing but NaN"),
}


@pytest.mark.parametrize("name", BROKEN_NPZ)
def test_broken_npz_is_refused(tmp_path, name):
    write, message = BROKEN_NPZ[name]
    write(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_stack(tmp_path / "stack.npz")
    assert caught.value.path == str(tmp_path / "stack.npz")


def test_kinds_are_told_by_content(tmp_path):
    stack = Stack(COUNTS, ENERGIES, PixelGrid(3, 4, 40e-9, 40e-9))
    write_stack(tmp_path / "stack.nxs", stack, {})
    renamed = (tmp_path / "stack.nxs").rename(tmp_path / "stack.tif")
    assert np.array_equal(read_stack(renamed).counts, COUNTS)


@pytest.mark.parametrize("name", ["stack.xyz", "stack", "stack.hdr", "stack.nxs", "stack.ncb"])
@pytest.mark.parametrize("content", [b"", b"something else", bytes(1000)])
def test_unknown_files_are_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_stack(path)
    assert caught.value.path is not None


def test_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_stack(tmp_path)
