"""Stacks in the self-describing format: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.formats import read_stack

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stxm"

X = np.array([-2.0, -1.96, -1.92, -1.88])
Y = np.array([10.0, 10.04, 10.08])
ENERGIES = np.array([515.0, 516.5, 520.0])


def axis(name, points, unit):
    words = ", ".join(f"{point:.4f}" for point in points)
    return (
        f'{{ Name = "{name}"; Unit = "{unit}"; Min = {points[0]}; Max = {points[-1]}; Dir = 1;\n'
        f"\tPoints = ({len(points)}, {words});\n}};\n"
    )


def write_sdf(folder, frames, x=X, y=Y, energies=ENERGIES, channels=("PMT",), number="{}"):
    """Write regions of frames, shape (regions, channels, energies, y, x)."""
    frames = np.asarray(frames)
    regions = ",\n".join(
        f"{{\nPAxis = {axis('Sample X', x, 'um')}\nQAxis = {axis('Sample Y', y, 'um')}\n}}"
        for _ in frames
    )
    detectors = ",\n".join(f'{{ Name = "{name}"; Unit = "Hz";}}' for name in channels)
    path = folder / "scan.hdr"
    path.write_text(
        '\nScanDefinition = { Label = "scan.hdr"; Type = "NEXAFS Image Scan"; '
        'Flags = "Image Stack"; Dwell = 1.5;\n'
        f"\tRegions = ({len(frames)},\n{regions});\n"
        f"\tStackAxis = {axis('Energy', energies, 'eV')}\n"
        f"\tChannels = ({len(channels)},\n{detectors});\n}};\n"
        ' Time = "2020 October 15 11:59:33"; BeamFeedback = false;\n'
        "Channels = (1,\n"
        '{ ID = 6; Type = 0; Name = "PMT"; ProcessString = "Io";});\n'
        "Image000_0 = {StorageRingCurrent = 248.32; Energy = 515.00;};\n",
        encoding="utf-8",
    )
    for region, detectors_frames in enumerate(frames):
        for letter, stack in zip("abc", detectors_frames, strict=False):
            for index, frame in enumerate(stack):
                last = str(region) if len(frames) > 1 else ""
                name = folder / f"scan_{letter}{index:03d}{last}.xim"
                lines = ["\t".join(number.format(n) for n in row) + "\t" for row in frame.tolist()]
                name.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def frames():
    return np.arange(1, 37).reshape(1, 1, 3, 3, 4)


@pytest.mark.parametrize("number", ["{}", "{:.6f}", "{:.6e}"])
def test_rows_go_downwards(tmp_path, frames, number):
    stack = read_stack(write_sdf(tmp_path, frames, number=number))
    # The first line of a frame is the lowest y.
    assert np.array_equal(stack.counts, frames[0, 0][:, ::-1])
    assert np.array_equal(stack.energies, ENERGIES)
    assert stack.counts.dtype == np.float32
    assert stack.grid.pixel_size == pytest.approx(40e-9, rel=1e-9)
    assert stack.grid.origin == pytest.approx((-2e-6, 10e-6))
    assert "scan.hdr" in stack.source


def test_axes_that_decrease(tmp_path, frames):
    stack = read_stack(write_sdf(tmp_path, frames, x=X[::-1], y=Y[::-1]))
    assert np.array_equal(stack.counts, frames[0, 0][:, :, ::-1])
    assert stack.grid.origin == pytest.approx((-2e-6, 10e-6))


def test_energies_that_decrease(tmp_path, frames):
    stack = read_stack(write_sdf(tmp_path, frames, energies=ENERGIES[::-1]))
    assert np.array_equal(stack.energies, ENERGIES)
    assert np.array_equal(stack.counts, frames[0, 0][::-1, ::-1])


def test_spacing_is_the_median_of_jittered_steps(tmp_path, frames):
    jitter = np.array([0.0, 0.004, 0.0, 0.0])
    stack = read_stack(write_sdf(tmp_path, frames, x=X + jitter))
    steps = np.diff(X + jitter)
    assert stack.grid.column_spacing == pytest.approx(np.median(steps) * 1e-6)


def test_regions_and_channels(tmp_path):
    frames = np.arange(1, 145).reshape(2, 2, 3, 3, 4)
    path = write_sdf(tmp_path, frames, channels=("PMT", "TEY"))
    for region in (1, 2):
        for number, name in enumerate(("PMT", "TEY"), start=1):
            expected = frames[region - 1, number - 1][:, ::-1]
            for channel in (number, name):
                stack = read_stack(path, region=region, channel=channel)
                assert np.array_equal(stack.counts, expected)
    assert np.array_equal(read_stack(path).counts, frames[0, 0][:, ::-1])


def test_single_image(tmp_path, frames):
    path = write_sdf(tmp_path, frames[:, :, :1], energies=ENERGIES[:1])
    assert read_stack(path).counts.shape == (1, 3, 4)
    path.write_text(path.read_text().replace("Image Stack", "Image"))
    (tmp_path / "scan_a000.xim").rename(tmp_path / "scan_a.xim")
    assert np.array_equal(read_stack(path).counts, frames[0, 0, :1, ::-1])


def test_pixel_size_replaces_the_header(tmp_path, frames):
    stack = read_stack(write_sdf(tmp_path, frames), pixel_size=25e-9)
    assert stack.grid.pixel_size == 25e-9


def replace(name, old, new):
    def change(folder):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def cut(name, share):
    def change(folder):
        path = folder / name
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])

    return change


BROKEN = {
    "empty header": (cut("scan.hdr", 0.0), "empty"),
    "header cut short": (cut("scan.hdr", 0.3), "cut short|should hold"),
    "header of something else": (
        lambda folder: (folder / "scan.hdr").write_text("<html></html>"),
        "no ScanDefinition",
    ),
    "binary header": (
        lambda folder: (folder / "scan.hdr").write_bytes(bytes(range(256))),
        "no text",
    ),
    "points miscounted": (replace("scan.hdr", "Points = (4,", "Points = (5,"), "hold 5 values"),
    "a point without number": (replace("scan.hdr", "-1.9600", "here"), "not all numbers"),
    "a point left out": (
        replace("scan.hdr", "Points = (4, -2.0000, -1.9600,", "Points = (4, -2.0000, "),
        "hold 4 values",
    ),
    "a gap between columns": (replace("scan.hdr", "-1.8800", "-1.6000"), "step evenly"),
    "energies out of order": (replace("scan.hdr", "516.5000", "530.0000"), "must increase"),
    "energy twice": (replace("scan.hdr", "516.5000", "515.0000"), "must increase"),
    "unknown unit": (replace("scan.hdr", '"um"', '"furlong"'), "furlong"),
    "line scan": (replace("scan.hdr", '"Sample X"', '"Energy"'), "line scan"),
    "focus scan": (replace("scan.hdr", '"Energy"', '"ZonePlate Z"'), "not in photon energy"),
    "no channels": (
        lambda folder: (folder / "scan.hdr").write_text(
            (folder / "scan.hdr").read_text().replace("Channels", "Detectors")
        ),
        "no Channels",
    ),
    "frame missing": (
        lambda folder: (folder / "scan_a001.xim").unlink(),
        r"frame 2 \(516.5 eV\) is missing \(scan_a001.xim;",
    ),
    "frame empty": (cut("scan_a001.xim", 0.0), "empty"),
    "frame cut within a line": (cut("scan_a002.xim", 0.9), "frame 3"),
    "frame a line short": (replace("scan_a000.xim", "9\t10\t11\t12\t\n", ""), "frame 1 holds 2"),
    "frame a line long": (
        replace("scan_a000.xim", "1\t2\t3\t4\t\n", 2 * "1\t2\t3\t4\t\n"),
        "frame 1 holds 4",
    ),
    "frame with a word": (replace("scan_a001.xim", "15", "abc"), "frame 2 is no table.*abc"),
    "frame of zeros": (
        lambda folder: (folder / "scan_a001.xim").write_text("0 0 0 0\n" * 3),
        r"frame 2 \(516.5 eV\) holds nothing but zeros",
    ),
    "negative count": (replace("scan_a001.xim", "15", "-15"), "negative"),
    "infinite count": (replace("scan_a001.xim", "15", "inf"), "finite"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, frames, name):
    change, message = BROKEN[name]
    path = write_sdf(tmp_path, frames)
    change(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_stack(path)
    assert caught.value.path is not None
    assert "scan" in caught.value.path


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"region": 2}, "region"),
        ({"region": 0}, "region"),
        ({"channel": "TEY"}, "channel"),
        ({"channel": 2}, "channel"),
        ({"pixel_size": -1.0}, "pixel_size"),
        ({"energies": "list.txt"}, "energies"),
    ],
)
def test_wrong_options_are_refused(tmp_path, frames, options, key):
    with pytest.raises(InputError) as caught:
        read_stack(write_sdf(tmp_path, frames), **options)
    assert caught.value.key == key


def test_missing_frames_are_named_and_can_be_left_out(tmp_path, frames):
    path = write_sdf(tmp_path, frames)
    (tmp_path / "scan_a000.xim").unlink()
    (tmp_path / "scan_a002.xim").unlink()
    with pytest.raises(InputError) as caught:
        read_stack(path)
    for words in ("frame 1 (515 eV)", "frame 3 (520 eV)", "leave_out = [1, 3]"):
        assert words in caught.value.message
    stack = read_stack(path, leave_out=[1, 520.0])
    assert np.array_equal(stack.energies, ENERGIES[1:2])
    assert np.array_equal(stack.counts, frames[0, 0, 1:2, ::-1])


def test_frame_cut_short_can_be_left_out(tmp_path, frames):
    path = write_sdf(tmp_path, frames)
    cut("scan_a002.xim", 0.6)(tmp_path)
    with pytest.raises(InputError, match=r"leave_out = \[3\]"):
        read_stack(path)
    assert np.array_equal(read_stack(path, leave_out=[3]).counts, frames[0, 0, :2, ::-1])


def test_names_of_frames_in_capitals(tmp_path, frames):
    path = write_sdf(tmp_path, frames)
    for number in range(3):
        old = tmp_path / f"scan_a00{number}.xim"
        old.rename(tmp_path / f"SCAN_A00{number}.XIM")
    assert np.array_equal(read_stack(path).counts, frames[0, 0][:, ::-1])


def test_renamed_header_is_no_stopped_scan(tmp_path, frames):
    path = write_sdf(tmp_path, frames).rename(tmp_path / "best_wire.hdr")
    with pytest.raises(InputError) as caught:
        read_stack(path)
    for words in ("best_wire_a000.xim", "was the header renamed", "scan.hdr"):
        assert words in caught.value.message
    assert "stopped" not in caught.value.message


def test_header_without_any_frames(tmp_path, frames):
    path = write_sdf(tmp_path, frames)
    for number in range(3):
        (tmp_path / f"scan_a00{number}.xim").unlink()
    with pytest.raises(InputError, match=r"scan_a000\.xim and so on should be beside it"):
        read_stack(path)


def test_energies_without_a_unit_that_are_keV(tmp_path, frames):
    path = write_sdf(tmp_path, frames, energies=ENERGIES / 1e3)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('Unit = "eV"; ', ""), encoding="utf-8")
    assert np.allclose(read_stack(path).energies, ENERGIES)


def test_a_frame_is_not_the_stack(tmp_path, frames):
    write_sdf(tmp_path, frames)
    with pytest.raises(InputError, match=r"name the \.hdr"):
        read_stack(tmp_path / "scan_a000.xim")


def find_shared(*parts):
    path = SHARED.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"the measured stacks are not there: {path.name}")
    return path


def test_stack_of_the_advanced_light_source():
    path = find_shared("als_fe2p_71214078", "71214078.hdr")
    stack = read_stack(path)
    assert stack.counts.shape == (123, 125, 125)
    assert np.array_equal(stack.energies, np.loadtxt(path.with_name("i0.xsp"))[:, 0])
    assert stack.grid.pixel_size == pytest.approx(80e-9, rel=1e-6)
    assert stack.grid.origin == pytest.approx((-4736.602e-6, -638.153e-6))
    lowest = np.loadtxt(path.with_name("71214078_a122.xim"), max_rows=1)
    assert np.array_equal(stack.counts[122, -1], lowest.astype(np.float32))


def test_stack_of_max_iv():
    stack = read_stack(find_shared("formats", "max_iv.hdr"), channel="PMT")
    assert stack.counts.shape == (2, 10, 10)
    assert np.array_equal(stack.energies, [698.0, 700.0])
    assert stack.grid.pixel_size == pytest.approx(50e-9, rel=1e-6)
    assert np.array_equal(stack.counts[0, -1, :3], [1251, 1281, 1275])
