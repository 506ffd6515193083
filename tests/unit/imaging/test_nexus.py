"""Stacks in NXstxm files: what is read, what is written, and what is refused."""

from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.formats import read_stack, write_stack
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.stack import Stack

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stxm" / "formats"

ENERGIES = np.array([515.0, 516.5])
Y = np.array([5.0, 5.04, 5.08])
X = np.array([1.0, 1.04, 1.08, 1.12])
# Frames with y upwards, shape (energies, y, x).
FRAMES = np.arange(1.0, 25.0).reshape(2, 3, 4)
DOWNWARDS = FRAMES[:, ::-1]
NAMES = ("energy", "sample_y", "sample_x")


def write_group(entry, name, frames=FRAMES, order=(0, 1, 2), energies=ENERGIES, y=Y, x=X):
    group = entry.create_group(name)
    group["data"] = np.transpose(frames, order)
    group["energy"] = energies
    group["sample_y"] = y
    group["sample_x"] = x
    return group


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scan.nxs"


def declare_axes(group, order):
    group.attrs["axes"] = [NAMES[axis] for axis in order]


def declare_axes_as_bytes(group, order):
    group.attrs["axes"] = np.array([NAMES[axis].encode() for axis in order])


def declare_axes_on_data(group, order):
    group["data"].attrs["axes"] = ":".join(NAMES[axis] for axis in order)


def declare_numbers(group, order):
    for number, axis in enumerate(order, start=1):
        group[NAMES[axis]].attrs["axis"] = number


def declare_indices(group, order):
    for number, axis in enumerate(order):
        group.attrs[f"{NAMES[axis]}_indices"] = [number]


def declare_nothing(group, order):
    pass


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (2, 1, 0), (2, 0, 1)])
@pytest.mark.parametrize(
    "declare",
    [
        declare_axes,
        declare_axes_as_bytes,
        declare_axes_on_data,
        declare_numbers,
        declare_indices,
        declare_nothing,
    ],
)
def test_order_of_axes(path, order, declare):
    with h5py.File(path, "w") as file:
        declare(write_group(file.create_group("entry1"), "Counter1", order=order), order)
    stack = read_stack(path)
    assert np.array_equal(stack.counts, DOWNWARDS)
    assert np.array_equal(stack.energies, ENERGIES)
    assert stack.grid.pixel_size == pytest.approx(40e-9)
    assert stack.grid.origin == pytest.approx((1e-6, 5e-6))


def test_axes_of_equal_length_follow_the_declaration(path):
    frames = np.arange(1.0, 28.0).reshape(3, 3, 3)
    energies, positions = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0])
    with h5py.File(path, "w") as file:
        group = write_group(
            file.create_group("entry1"), "Counter1", frames, (2, 0, 1), energies, positions, X[:3]
        )
        declare_axes(group, (2, 0, 1))
    assert np.array_equal(read_stack(path).counts, frames[:, ::-1])


def test_photon_energy_and_named_signal(path):
    with h5py.File(path, "w") as file:
        group = write_group(file.create_group("entry1"), "Counter1", order=(2, 1, 0))
        group.move("energy", "photon_energy")
        group.move("data", "transmitted")
        group["data"] = np.zeros(3)
        group.attrs["signal"] = "transmitted"
        group.attrs["axes"] = ["sample_x", "sample_y", "energy"]
    assert np.array_equal(read_stack(path).counts, DOWNWARDS)


def test_positions_that_decrease(path):
    with h5py.File(path, "w") as file:
        write_group(file.create_group("entry1"), "Counter1", y=Y[::-1], x=X[::-1])
    stack = read_stack(path)
    assert np.array_equal(stack.counts, FRAMES[:, :, ::-1])
    assert stack.grid.origin == pytest.approx((1e-6, 5e-6))


def test_energies_that_decrease(path):
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        write_group(entry, "Counter1", energies=ENERGIES[::-1])
        entry["control/data"] = np.array([10.0, 20.0])
    stack = read_stack(path)
    assert np.array_equal(stack.energies, ENERGIES)
    assert np.array_equal(stack.counts, DOWNWARDS[::-1])
    assert np.array_equal(stack.incident, [20.0, 10.0])


@pytest.mark.parametrize(
    ("unit", "metres"), [("um", 1e-6), ("µm", 1e-6), ("nm", 1e-9), ("mm", 1e-3), ("m", 1.0)]
)
def test_units_of_positions(path, unit, metres):
    with h5py.File(path, "w") as file:
        group = write_group(file.create_group("entry1"), "Counter1")
        group["sample_x"].attrs["units"] = unit
        group["sample_y"].attrs["units"] = unit
        group["energy"].attrs["units"] = "keV"
    stack = read_stack(path)
    assert stack.grid.pixel_size == pytest.approx(0.04 * metres)
    assert np.allclose(stack.energies, 1e3 * ENERGIES)


@pytest.mark.parametrize(("scale", "unit"), [(1.0, ""), (1e-3, "mm"), (1e-6, "m")])
def test_unit_not_stated(path, scale, unit):
    with h5py.File(path, "w") as file:
        write_group(file.create_group("entry1"), "Counter1", y=Y * scale, x=X * scale)
    stack = read_stack(path)
    assert stack.grid.pixel_size == pytest.approx(40e-9)
    assert stack.source.endswith(f"taken for {unit}") == bool(unit)


def test_entries_are_regions_and_groups_are_channels(path):
    with h5py.File(path, "w") as file:
        # By name alone, entry10 would come before entry2.
        for region, name in enumerate(("entry1", "entry2", "entry10"), start=1):
            entry = file.create_group(name)
            entry.attrs["NX_class"] = "NXentry"
            for number, channel in enumerate(("counter0", "counter1")):
                write_group(entry, channel, FRAMES + 100 * region + 1000 * number)
            entry.create_group("control").attrs["NX_class"] = "NXmonitor"
        file.create_group("another")
    for region in (1, 2, 3):
        first = DOWNWARDS + 100 * region
        assert np.array_equal(read_stack(path, region=region).counts, first)
        for channel in (2, "counter1"):
            stack = read_stack(path, region=region, channel=channel)
            assert np.array_equal(stack.counts, first + 1000)
    with pytest.raises(InputError, match="3 regions"):
        read_stack(path, region=4)
    with pytest.raises(InputError, match="counter0, counter1"):
        read_stack(path, channel="counter2")


@pytest.mark.parametrize("shape", ["stack", "image"])
def test_single_image(path, shape):
    with h5py.File(path, "w") as file:
        group = file.create_group("entry1/counter0")
        group["data"] = FRAMES[0].T if shape == "image" else FRAMES[:1]
        group["energy"] = 515.0 if shape == "image" else ENERGIES[:1]
        group["sample_y"] = Y
        group["sample_x"] = X
        if shape == "image":
            group.attrs["axes"] = ["sample_x", "sample_y"]
    assert np.array_equal(read_stack(path).counts, DOWNWARDS[:1])


@pytest.mark.parametrize("kind", ["energies", "pixels", "list"])
def test_incident_from_a_monitor(path, kind):
    monitor = FRAMES if kind == "pixels" else FRAMES.mean(axis=(1, 2))
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        write_group(entry, "counter0")
        group = entry.create_group("I0")
        group.attrs["NX_class"] = np.bytes_("NXmonitor")
        group["data"] = FRAMES.ravel() if kind == "list" else monitor
    assert np.allclose(read_stack(path).incident, FRAMES.mean(axis=(1, 2)))


@pytest.mark.parametrize("what", ["ring current", "zeros", "infinite", "another length"])
def test_what_is_no_incident_is_left_alone(path, what):
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        write_group(entry, "counter0")
        values = {
            "ring current": [500.0, 499.0],
            "zeros": [0.0, 0.0],
            "infinite": [np.inf, 1.0],
            "another length": [1.0] * 5,
        }
        entry["control/data"] = values[what]
        if what == "ring current":
            entry["control/data"].attrs["units"] = "mA"
    assert read_stack(path).incident is None


# Currents (mA) of a storage ring, and counts of the beam behind a monochromator, over 40 frames.
NUMBER = np.arange(40)
CURRENTS = {
    "steady": np.full(40, 220.0),
    "topped up": 220.0 + 1.2 * (NUMBER % 5) / 5.0,
    "decaying": 220.0 * np.exp(-NUMBER / 400.0),
}
BEAMS = {
    "dip": 9e3 - 3e3 * np.exp(-(((NUMBER - 20) / 6.0) ** 2)),
    "as at the Advanced Light Source": 900.0 + 8.0 * np.sin(NUMBER / 3.0) - 0.3 * NUMBER,
    "from half the light": np.linspace(5e3, 1.1e4, 40),
}


def write_monitor(path, values, unit="", name="control"):
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        write_group(entry, "counter0", np.ones((40, 3, 4)), energies=500.0 + NUMBER)
        group = entry.create_group(name)
        group.attrs["NX_class"] = "NXmonitor"
        group["data"] = values
        if unit:
            group["data"].attrs["units"] = unit


@pytest.mark.parametrize("current", CURRENTS)
def test_ring_current_without_a_unit_is_not_taken_for_incident_light(path, current):
    write_monitor(path, CURRENTS[current])
    stack = read_stack(path)
    assert stack.incident is None
    assert "control is not taken for I0" in stack.source


@pytest.mark.parametrize("beam", BEAMS)
def test_monitor_without_a_unit_that_varies_like_a_beam_is_incident_light(path, beam):
    write_monitor(path, BEAMS[beam])
    stack = read_stack(path)
    assert np.array_equal(stack.incident, BEAMS[beam])
    assert "I0 of control" in stack.source


@pytest.mark.parametrize(
    ("name", "unit"), [("I0", ""), ("incident_beam", ""), ("control", "counts"), ("control", "Hz")]
)
def test_steady_monitor_that_says_it_counts_the_beam_is_incident_light(path, name, unit):
    write_monitor(path, CURRENTS["steady"], unit, name)
    assert np.array_equal(read_stack(path).incident, CURRENTS["steady"])


def test_monitor_that_ends_with_a_stopped_scan_is_incident_light_of_the_frames_kept(path):
    beam = np.concatenate([BEAMS["dip"][:38], [0.0, 0.0]])
    write_monitor(path, beam)
    assert read_stack(path).incident is None
    assert np.array_equal(read_stack(path, leave_out=[39, 40]).incident, beam[:38])


@pytest.mark.parametrize(("name", "unit"), [("storage_ring", ""), ("control", "mA")])
def test_monitor_that_says_it_is_the_ring_is_not_incident_light(path, name, unit):
    write_monitor(path, BEAMS["dip"], unit, name)
    with h5py.File(path, "r+") as file:
        file["entry1"][name].attrs["NX_class"] = "NXmonitor"
    assert read_stack(path).incident is None


@pytest.mark.parametrize("declared", [True, False])
def test_stack_with_an_axis_of_length_one_more(path, declared):
    with h5py.File(path, "w") as file:
        group = write_group(file.create_group("entry1"), "counter0", FRAMES[np.newaxis], range(4))
        if declared:
            group.attrs["axes"] = ["polarisation", *NAMES]
        file["entry1/control/data"] = FRAMES[np.newaxis]
    stack = read_stack(path)
    assert np.array_equal(stack.counts, DOWNWARDS)
    assert np.allclose(stack.incident, FRAMES.mean(axis=(1, 2)))


def write_fly_scan(path, *, binned):
    """Write the second layout of pystxmcontrol: counts and positions point by point.

    Four points are counted in each column, at random places within it, and one before the first.
    """
    rng = np.random.default_rng(1)
    x = np.repeat(X, 4) + 0.039 * (rng.random((2, 3, 16)) - 0.5)
    x = np.concatenate([np.full((2, 3, 1), X[0] - 0.03), x], axis=2)
    noise = np.tile([1.0, -1.0, 0.5, -0.5], 4)
    counts = np.repeat(FRAMES, 4, axis=2) + noise
    counts = np.concatenate([np.full((2, 3, 1), 1e6), counts], axis=2)
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry0")
        write_group(entry, "counter0", counts, x=x, y=np.broadcast_to(Y[:, None], x.shape))
        if binned:
            write_group(entry, "binned_values")
            del entry["binned_values/energy"]
        else:
            entry["requested_values/sample_x"] = X
            entry["requested_values/sample_y"] = Y


@pytest.mark.parametrize("binned", [True, False])
def test_fly_scan_of_pystxmcontrol(path, binned):
    write_fly_scan(path, binned=binned)
    stack = read_stack(path)
    assert np.allclose(stack.counts, DOWNWARDS)
    assert np.array_equal(stack.energies, ENERGIES)
    assert stack.grid.pixel_size == pytest.approx(40e-9)


def test_column_that_a_fly_scan_missed_has_no_counts(path):
    write_fly_scan(path, binned=False)
    with h5py.File(path, "r+") as file:
        file["entry0/counter0/sample_x"][1, 0, 1:5] += 10.0
    counts = read_stack(path).counts
    # The first line scanned is the lowest.
    assert np.argwhere(np.isnan(counts)).tolist() == [[1, 2, 0]]


def test_energies_without_unit_that_are_keV(path):
    with h5py.File(path, "w") as file:
        write_group(file.create_group("entry1"), "Counter1", energies=ENERGIES / 1e3)
    assert np.allclose(read_stack(path).energies, ENERGIES)


def test_photons_too_weak_for_x_rays_are_refused(path):
    with h5py.File(path, "w") as file:
        group = write_group(file.create_group("entry1"), "Counter1", energies=ENERGIES / 1e3)
        group["energy"].attrs["units"] = "eV"
    with pytest.raises(InputError, match=r"0\.515 to 0\.5165 eV.*keV\?"):
        read_stack(path)


def create_stack(incident=None, rows=3):
    rng = np.random.default_rng(1)
    counts = rng.random((2, rows, 4)).astype(np.float32)
    counts[0, 0, 1] = np.nan
    grid = PixelGrid(rows, 4, 1e-7 / 3, 40e-9 / 7, (-4.736602e-3 / 3, 1e-3 / 7))
    return Stack(counts, ENERGIES + 0.1, grid, incident, "a phantom")


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("suffix", [".nxs", ".h5", ".hdf5"])
@pytest.mark.parametrize("incident", [None, np.array([1e4 / 3, 2e4 / 7])])
def test_written_stack_is_read_back_identically(tmp_path, suffix, incident, rows):
    stack = create_stack(incident, rows)
    file = tmp_path / f"aligned{suffix}"
    write_stack(file, stack, {"chemomech_version": "0.1", "shift": 0.5, "frames": 2})
    read = read_stack(file)
    assert np.array_equal(read.counts, stack.counts, equal_nan=True)
    assert np.array_equal(read.energies, stack.energies)
    assert read.grid == stack.grid
    assert (read.incident is None) == (incident is None)
    assert incident is None or np.array_equal(read.incident, incident)
    with h5py.File(file) as content:
        notes = content["entry1/provenance"].attrs
        assert (notes["chemomech_version"], notes["shift"], notes["frames"]) == ("0.1", 0.5, 2)
        # As microscopes write it: y upwards, in micrometres.
        assert np.all(np.diff(content["entry1/counter0/sample_y"]) > 0.0)
        assert content["entry1/counter0/sample_y"].attrs["units"] == "um"
    assert [item.name for item in tmp_path.iterdir()] == [file.name]


def test_written_stack_is_what_other_programs_call_nxstxm(tmp_path):
    """What MANTiS and the validators of `.ci/nxstxm` look for, and how."""
    incident = np.array([1e4 / 3, 2e4 / 7])
    write_stack(tmp_path / "stack.nxs", create_stack(incident), {})
    with h5py.File(tmp_path / "stack.nxs") as file:
        entry = file["entry1"]
        assert entry.attrs["NX_class"] == "NXentry"
        assert list(entry["definition"].asstr()) == ["NXstxm"]
        for name in ("start_time", "end_time"):
            (time,) = entry[name].asstr()
            assert datetime.fromisoformat(time).tzinfo is not None
        instrument = entry["instrument"]
        assert [instrument[f"source/{name}"].shape for name in ("type", "name", "probe")] == [
            (1,)
        ] * 3
        assert np.array_equal(instrument["monochromator/energy"], ENERGIES + 0.1)
        assert instrument["detector/data"] == entry["counter0/data"]
        assert entry["sample/rotation_angle"].dtype.kind == "f"
        group = entry["counter0"]
        assert list(group["stxm_scan_type"].asstr()) == ["sample image stack"]
        assert group["count_time"].shape == ENERGIES.shape
        # As h5py returns them, bytes of a fixed length can be decoded, other strings not.
        assert [name.decode() for name in group.attrs["axes"]] == list(NAMES)
        # A monitor has the shape of the frames.
        assert entry["control"].attrs["NX_class"] == "NXmonitor"
        expected = np.broadcast_to(incident[:, None, None], group["data"].shape)
        assert np.array_equal(entry["control/data"], expected)


def test_positions_changed_by_others_count(tmp_path):
    file = tmp_path / "stack.nxs"
    write_stack(file, create_stack(), {})
    with h5py.File(file, "r+") as content:
        content["entry1/counter0/sample_x"][...] *= 2.0
    assert read_stack(file).grid.column_spacing == pytest.approx(80e-9 / 7)


def test_nothing_is_overwritten(path):
    write_stack(path, create_stack(), {})
    with pytest.raises(InputError, match="exists already"):
        write_stack(path, create_stack(), {})


@pytest.mark.parametrize("name", ["stack.tif", "no/such/folder/stack.nxs"])
def test_where_nothing_can_be_written(tmp_path, name):
    with pytest.raises(InputError):
        write_stack(tmp_path / name, create_stack(), {})


def drop(name):
    def change(group):
        del group[name]

    return change


def put(name, values):
    def change(group):
        if name in group:
            del group[name]
        group[name] = values

    return change


def tag(name, value):
    def change(group):
        group.attrs[name] = value

    return change


def tag_unit(name, value):
    def change(group):
        group[name].attrs["units"] = value

    return change


BROKEN = {
    "no data": (drop("data"), "no group with data"),
    "no energies": (drop("energy"), "no photon energies"),
    "no positions": (drop("sample_y"), "no group with data"),
    "energies too few": (put("energy", [515.0]), "does not fit"),
    "energies as text": (put("energy", ["a", "b"]), "list of numbers"),
    "energies out of order": (put("energy", [515.0, 515.0]), "must increase"),
    "energies in nm": (tag_unit("energy", "nm"), "eV or keV"),
    "positions in inches": (tag_unit("sample_x", "inch"), "inch"),
    "positions at rest": (put("sample_x", np.ones(4)), "do not move"),
    "positions that jump": (put("sample_x", [1.0, 1.04, 1.08, 1.4]), "step evenly"),
    "positions unknown": (put("sample_x", [1.0, np.nan, 1.08, 1.12]), "finite"),
    "positions for each pixel": (put("sample_x", np.ones((3, 4))), "list of numbers"),
    "no positions in the list": (put("sample_x", np.ones(0)), "does not fit"),
    "data of text": (put("data", np.full((2, 3, 4), b"1")), "does not hold numbers"),
    "data complex": (put("data", FRAMES + 1j), "does not hold numbers"),
    "data of one frame": (put("data", FRAMES[0]), "no stack of images"),
    "data of zeros": (put("data", 0 * FRAMES), "nothing but zeros"),
    "data negative": (put("data", -FRAMES), "negative"),
    "axes unknown": (tag("axes", ["line_position", "energy", "sample_x"]), "without sample_y"),
    "axes too few": (tag("axes", ["energy", "sample_y"]), "without sample_x"),
    "axes that do not fit": (tag("axes", ["sample_x", "sample_y", "energy"]), "does not fit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(path, name):
    change, message = BROKEN[name]
    with h5py.File(path, "w") as file:
        change(write_group(file.create_group("entry1"), "Counter1"))
    with pytest.raises(InputError, match=message) as caught:
        read_stack(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.95])
def test_files_cut_short_are_refused(path, share):
    write_stack(path, create_stack(), {})
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError) as caught:
        read_stack(path)
    assert caught.value.path == str(path)


def test_empty_hdf5_is_refused(path):
    with h5py.File(path, "w"):
        pass
    with pytest.raises(InputError, match="no entries"):
        read_stack(path)


def find_shared(name):
    if not (SHARED / name).is_file():
        pytest.skip(f"the measured stacks are not there: {name}")
    return SHARED / name


def test_stack_of_hermes():
    stack = read_stack(find_shared("small_OK.hdf5"))
    assert np.array_equal(stack.energies, [100.1, 101.1])
    # No order is declared and all lengths are two: the standard's order, energy, y, x.
    expected = [[[2000.1, 2001.1], [1000.1, 1001.1]], [[4000.1, 4001.1], [3000.1, 3001.1]]]
    assert np.allclose(stack.counts, expected, rtol=1e-6)
    assert stack.grid.column_spacing == pytest.approx(1e-6)
    assert stack.grid.row_spacing == pytest.approx(11e-6)


def test_stack_of_diamond():
    path = find_shared("small_diamond_nxs.nxs")
    stack = read_stack(path, channel="Counter1")
    assert stack.counts.shape == (8, 7, 6)
    assert stack.energies[[0, -1]] == pytest.approx([278.0, 282.2])
    # The beamline writes millimetres, and no unit.
    assert stack.grid.pixel_size == pytest.approx(66.67e-9, rel=1e-3)
    with h5py.File(path) as file:
        assert np.array_equal(stack.counts, file["entry1/Counter1/data"][...][:, ::-1])
