"""Stacks of aXis2000: what is read, and what is refused."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.formats import read_stack

ENERGIES = np.array([515.0, 516.5, 520.0])


@pytest.fixture
def counts():
    """Counts as a microscope gives them, y upwards, shape (energies, y, x)."""
    return np.random.default_rng(3).poisson(3000.0, (3, 4, 5)).astype(np.float64)


def write_ncb(
    folder, numbers, kind, scale, *, x=(0.0, 0.16), y=(2.0, 2.12), energies=ENERGIES, names=True
):
    frames, rows, columns = numbers.shape
    lines = [
        f"\t{columns}\t{rows}\t{scale:.6f}",
        f"\t{x[0]:.6f}\t{x[1]:.6f}",
        f"\t{y[0]:.6f}\t{y[1]:.6f}",
        f"\t{frames}",
        *(f"\t{energy:.6f}" for energy in energies),
    ]
    if names:
        lines += [f"image{n}\t{energy:.6f}\t1.0" for n, energy in enumerate(energies, start=1)]
    (folder / "stack.dat").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "stack.ncb"
    numbers.astype(kind).tofile(path)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "scale"), [("i2", 1.0), ("i2", 10.0), ("i2", 0.1), ("f4", -1.0)])
def test_numbers_and_orders_of_bytes(tmp_path, counts, order, kind, scale):
    numbers = counts * scale if scale > 0.0 else counts
    expected = np.rint(numbers) / scale if scale > 0.0 else counts
    stack = read_stack(write_ncb(tmp_path, np.rint(numbers), f"{order}{kind}", scale))
    # Half a unit of the last place of a float32.
    assert np.allclose(stack.counts, expected[:, ::-1], rtol=2.0**-23, atol=0.0)
    assert np.array_equal(stack.energies, ENERGIES)
    assert stack.grid.pixel_size == pytest.approx(40e-9)
    assert stack.grid.origin == pytest.approx((0.0, 2e-6))
    assert stack.source == "stack.ncb"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "scale"), [("i2", 1000.0), ("f4", -1.0)])
def test_optical_densities(tmp_path, order, kind, scale):
    densities = np.random.default_rng(4).random((3, 4, 5))
    numbers = np.rint(densities * scale) if scale > 0.0 else densities
    stack = read_stack(write_ncb(tmp_path, numbers, f"{order}{kind}", scale))
    assert np.abs(stack.counts - densities[:, ::-1]).max() < 0.51 / 1000.0


def test_few_counts(tmp_path):
    counts = np.random.default_rng(5).integers(0, 200, (3, 4, 5))
    for order in "<>":
        stack = read_stack(write_ncb(tmp_path, counts, f"{order}i2", 1.0))
        assert np.array_equal(stack.counts, counts[:, ::-1])


def test_same_count_everywhere(tmp_path):
    stack = read_stack(write_ncb(tmp_path, np.full((3, 4, 5), 300), "<i2", 1.0))
    assert np.all(stack.counts == 300.0)


def test_limits_that_decrease(tmp_path, counts):
    stack = read_stack(write_ncb(tmp_path, counts, "<i2", 1.0, x=(0.16, 0.0), y=(2.12, 2.0)))
    assert np.array_equal(stack.counts, counts[:, :, ::-1])
    assert stack.grid.origin == pytest.approx((0.0, 2e-6))


def test_energies_that_decrease(tmp_path, counts):
    stack = read_stack(write_ncb(tmp_path, counts, "<i2", 1.0, energies=ENERGIES[::-1]))
    assert np.array_equal(stack.energies, ENERGIES)
    assert np.array_equal(stack.counts, counts[::-1, ::-1])


def test_description_without_names_of_frames(tmp_path, counts):
    stack = read_stack(write_ncb(tmp_path, counts, "<i2", 1.0, names=False))
    assert np.array_equal(stack.counts, counts[:, ::-1])


def edit(line, text):
    def change(folder):
        path = folder / "stack.dat"
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[line:] = [text, *lines[line + 1 :]] if text is not None else []
        path.write_text("\n".join(lines), encoding="utf-8")

    return change


def cut(folder, size):
    path = folder / "stack.ncb"
    path.write_bytes(path.read_bytes()[:size])


BROKEN = {
    "no description": (lambda folder: (folder / "stack.dat").unlink(), "no such file"),
    "empty description": (edit(0, None), "empty"),
    "description cut short": (edit(5, None), "line 6 holds 0 numbers"),
    "no scale": (edit(0, "5 4"), "line 1 holds 2 numbers"),
    "scale zero": (edit(0, "5 4 0.0"), "scale"),
    "scale unknown": (edit(0, "5 4 nan"), "scale"),
    "half a column": (edit(0, "5.5 4 1.0"), "make no stack"),
    "no rows": (edit(0, "5 0 1.0"), "make no stack"),
    "endless columns": (edit(0, "inf 4 1.0"), "make no stack"),
    "too many columns": (edit(0, "1e15 4 1.0"), "are 24000000000000000"),
    "another size": (edit(0, "5 5 1.0"), "are 150"),
    "numbers of four bytes": (edit(0, "5 4 -1.0"), "are 240"),
    "limits as words": (edit(1, "left right"), "line 2"),
    "no width": (edit(1, "0.0 0.0"), "do not move"),
    "energies as words": (edit(4, "low"), "line 5"),
    "energies out of order": (edit(4, "600.0"), "must increase"),
    "too few numbers": (lambda folder: cut(folder, 100), "holds 100 bytes"),
    "an odd byte": (lambda folder: cut(folder, 119), "holds 119 bytes"),
    "no numbers": (lambda folder: cut(folder, 0), "empty"),
    "negative counts": (
        lambda folder: np.full(60, -5, dtype="<i2").tofile(folder / "stack.ncb"),
        "negative",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, counts, name):
    change, message = BROKEN[name]
    path = write_ncb(tmp_path, counts, "<i2", 1.0)
    change(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_stack(path)
    assert caught.value.path is not None
    assert "stack." in caught.value.path


@pytest.mark.parametrize("option", [{"region": 2}, {"channel": "PMT"}, {"channel": 2}])
def test_there_is_one_region_and_one_channel(tmp_path, counts, option):
    path = write_ncb(tmp_path, counts, "<i2", 1.0)
    with pytest.raises(InputError):
        read_stack(path, **option)
    assert read_stack(path, region=1, channel=1).counts.shape == counts.shape
