"""The phantom's stack against closed forms, statistics and its own truth."""

import numpy as np
import pytest
from scipy.special import ndtr
from skimage.registration import phase_cross_correlation

from chemomech.errors import InputError
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom import _compute_absorption, _create_energies, create_phantom
from chemomech.imaging.phantom_scan import Scanner, draw_drift

FEW = np.array([510.0, 515.6, 518.0, 529.0, 545.0])
PIXEL = 35e-9
SIGMA = 30e-9 / np.sqrt(8.0 * np.log(2.0))


def create(**changes):
    arguments = {"wire": "delithiated", "seed": 1, "energies": FEW}
    return create_phantom(**(arguments | changes))


def compute_density(phantom):
    truth = phantom.truth
    net = phantom.stack.counts.astype(np.float64) - truth.dark
    return -np.log(net / truth.incident[:, None, None])


def find_deep_pixels(truth, depth):
    return truth.wire.signed_distance(truth.grid.centres()) < -depth


@pytest.mark.parametrize("wire", ["delithiated", "lithiated"])
def test_density_amid_the_wire_is_that_of_its_thickness_and_composition(wire):
    phantom = create(wire=wire, drift=0.0, noise=False)
    truth = phantom.truth
    # A pixel, five standard deviations of the spot and a wall away from the surface or a wall, the
    # composition is uniform; what remains is the wedge, 0.4 % a pixel, and single precision.
    reach = 5.0 * SIGMA + PIXEL
    deep = find_deep_pixels(truth, reach)
    centres = truth.grid.centres()
    around = [
        truth.composition(centres + reach * np.array([np.cos(angle), np.sin(angle)]))
        for angle in np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
    ]
    uniform = deep & (np.ptp(around, axis=0) < 1e-12)
    assert np.count_nonzero(uniform) > 30
    x, thickness = truth.composition(centres[uniform]), truth.thickness(centres[uniform])
    expected = _compute_absorption(FEW, x).T * thickness / 100e-9
    assert compute_density(phantom)[:, uniform] == pytest.approx(expected, rel=2e-5, abs=2e-6)


def test_unmixing_with_the_standards_is_exact_without_noise():
    phantom = create(drift=0.0, noise=False, energies=None)
    truth = phantom.truth
    deep = find_deep_pixels(truth, 5.0 * SIGMA + PIXEL)
    densities = compute_density(phantom)[:, deep]
    parts = np.linalg.lstsq(truth.standards.spectra.T, densities, rcond=None)[0]
    plateau = np.isin(truth.composition_map.values[deep], truth.standards.lithium)
    total = parts.sum(axis=0)
    assert total * 100e-9 == pytest.approx(truth.thickness_map[deep], rel=1e-3)
    x = truth.standards.lithium @ parts / total
    # The spot mixes neighbouring phases, never to a content outside theirs.
    assert x.min() > 0.1 - 1e-4
    assert x.max() < 0.3 + 1e-4
    legs = np.abs(truth.wire.measure(truth.grid.centres()[deep])[0]) > 800e-9
    assert np.count_nonzero(legs & plateau) > 20
    assert x[legs] == pytest.approx(0.1, abs=1e-4)


def test_counts_scatter_as_photons_do():
    noisy, expected = (create(noise=noise, energies=None).stack.counts for noise in (True, False))
    assert (noisy == np.rint(noisy)).all()
    scores = ((noisy - expected) / np.sqrt(expected)).astype(np.float64)
    # Five standard deviations of the mean and of the variance of n independent scores.
    assert abs(scores.mean()) < 5.0 / np.sqrt(scores.size)
    assert scores.var() == pytest.approx(1.0, abs=5.0 * np.sqrt(2.0 / scores.size))


def test_the_empty_view_shows_i0_and_dark_counts():
    phantom = create(noise=False, dark=25.0, substrate=0.2)
    empty = phantom.truth.wire.signed_distance(phantom.truth.grid.centres()) > 5.0 * PIXEL
    counts = phantom.stack.counts[:, empty]
    expected = np.broadcast_to(phantom.truth.incident[:, None] + 25.0, counts.shape)
    assert counts == pytest.approx(expected, rel=1e-6)
    assert phantom.stack.incident is None
    bare = create(noise=False, dark=25.0, substrate=0.0).truth.incident
    assert phantom.truth.incident == pytest.approx(bare * np.exp(-0.2 * (508.0 / FEW) ** 3))


def test_the_seed_decides():
    first, same, other = (create(seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.stack.counts, same.stack.counts)
    assert np.array_equal(first.truth.shifts, same.truth.shifts)
    assert not np.array_equal(first.stack.counts, other.stack.counts)
    assert not np.array_equal(first.truth.shifts, other.truth.shifts)
    assert np.array_equal(first.truth.shifts, create(seed=4, counts=100.0).truth.shifts)


def test_the_particle_is_where_the_truth_says():
    phantom = create(drift=0.0, noise=False, energies=FEW[-1:], dark=0.0)
    truth = phantom.truth
    absorbed = 1.0 - phantom.stack.counts[0] / truth.incident[0]
    seen = np.tensordot(absorbed, truth.grid.centres(), 2) / absorbed.sum()
    # The same centre of gravity by quadrature, without pixels: y upwards from the lowest left one.
    axis = np.arange(-PIXEL, 80 * PIXEL, PIXEL / 8.0)
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    density = (
        truth.thickness(points) / 100e-9 * _compute_absorption(FEW[-1:], np.array([0.1]))[0, 0]
    )
    weight = np.where(truth.contains(points), -np.expm1(-density), 0.0)
    wanted = np.tensordot(weight, points, 2) / weight.sum()
    assert seen == pytest.approx(wanted, abs=0.01 * PIXEL)
    # The bend is at the top: high y is a low row.
    rows = np.flatnonzero(truth.mask.any(axis=1))
    assert rows[0] * PIXEL == pytest.approx(
        79 * PIXEL - truth.outline[:, 1].max(), abs=1.01 * PIXEL
    )


def test_a_step_is_seen_as_spot_and_pixel_blur_it():
    grid = PixelGrid(12, 16, PIXEL, PIXEL)
    scanner = Scanner(grid, 30e-9, 7, 2.0)
    shift = np.array([0.0, 0.37])
    columns = (np.arange(scanner.shape[1]) + 0.5) / 7 - 0.5 - scanner.border
    # Between two points, so that the points draw the step exactly.
    step = 8.0 + 0.5 / 7
    image = np.broadcast_to(columns > step, scanner.shape).astype(np.float32)
    deviation = SIGMA / PIXEL

    def ramp(z):
        return deviation * (z * ndtr(z) + np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi))

    distance = np.arange(16) + shift[1] - step
    expected = ramp((distance + 0.5) / deviation) - ramp((distance - 0.5) / deviation)
    frame = scanner.scan(image, shift)
    step_error = 1.0 / 7**2  # of the midpoint rule, whose point is at most h / 2 off
    assert frame == pytest.approx(np.tile(expected, (12, 1)), abs=step_error)


def test_a_shift_moves_rows_and_columns_by_itself():
    grid = PixelGrid(10, 14, PIXEL, PIXEL)
    scanner = Scanner(grid, 30e-9, 5, 1.0)
    rows, columns = ((np.arange(count) + 0.5) / 5 - 0.5 - scanner.border for count in scanner.shape)
    image = (rows[:, None] + 100.0 * columns).astype(np.float32)
    frame = scanner.scan(image, np.array([0.25, -0.4]))
    expected = np.arange(10)[:, None] + 0.25 + 100.0 * (np.arange(14) - 0.4)
    assert frame == pytest.approx(expected, abs=2e-3)


def test_shifts_register_the_frames():
    energies = np.linspace(535.0, 560.0, 9)
    still, moving = (
        create(drift=drift, noise=False, energies=energies, counts=1e5) for drift in (0.0, 2.0)
    )
    assert (still.truth.shifts == 0.0).all()
    found = [
        phase_cross_correlation(one, other, upsample_factor=50, normalization=None)[0]
        for one, other in zip(still.stack.counts, moving.stack.counts, strict=True)
    ]
    assert np.array(found) == pytest.approx(moving.truth.shifts, abs=0.05)


def test_drift_is_a_smooth_walk_about_zero():
    shifts = draw_drift(100, 2.0, np.random.default_rng(2))
    assert shifts.mean(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert np.hypot(*shifts.T).max() == pytest.approx(2.0)
    assert np.hypot(*np.diff(shifts, axis=0).T).max() < 0.5
    assert np.array_equal(draw_drift(1, 2.0, np.random.default_rng(2)), [[0.0, 0.0]])


def test_fewer_points_a_pixel_change_less_than_the_noise():
    fine, coarse, reference = (
        create(noise=False, supersampling=points).stack.counts for points in (7, 3, 21)
    )
    noise = np.sqrt(reference)
    assert (np.abs(coarse - reference) < noise).all()
    # The points' squares err where the surface cuts them, by less the smaller they are.
    errors = [np.sqrt(np.mean((counts - reference) ** 2)) for counts in (coarse, fine)]
    assert errors[1] < (3.0 / 7.0) ** 1.5 * errors[0]


def test_spectra_follow_the_brief():
    energies = _create_energies()
    assert 90 <= len(energies) <= 110
    assert (np.diff(energies) > 0.0).all()
    assert (energies[0], energies[-1]) == (508.0, pytest.approx(560.0, abs=0.5))
    assert np.count_nonzero(energies < 514.0) >= 5
    x = np.array([0.0, 0.1, 0.3, 1.0])
    pre, low, high, post = _compute_absorption(np.array([508.0, 515.6, 518.0, 560.0]), x).T
    assert pre == pytest.approx(0.07, abs=1e-6)
    assert post == pytest.approx(0.63, abs=1e-6)
    t2g, eg = _compute_absorption(np.array([529.0, 531.0]), x).T
    assert (np.diff(low / high) > 0.0).all()
    assert (np.diff(t2g / eg) < 0.0).all()
    spectra = _compute_absorption(energies, x)
    assert spectra[1] == pytest.approx(0.9 * spectra[0] + 0.1 * spectra[3])
    assert spectra.min() > 0.0


def test_the_stack_has_the_size_asked_for():
    phantom = create(size=(60, 90), pixel_size=40e-9, energies=None, leaves_view=True)
    assert phantom.stack.counts.shape == (len(_create_energies()), 60, 90)
    assert phantom.stack.counts.dtype == np.float32
    assert phantom.stack.grid == PixelGrid(60, 90, 40e-9, 40e-9) == phantom.truth.grid
    assert "synthetic" in phantom.stack.source


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"wire": "sodiated"}, "wire", "delithiated or lithiated"),
        ({"seed": -1}, "seed", "zero or more"),
        ({"counts": 0.0}, "counts", "greater than zero"),
        ({"counts": 1e9}, "counts", "at most"),
        ({"pixel_size": -35e-9}, "pixel_size", "greater than zero"),
        ({"spot": np.nan}, "spot", "greater than zero"),
        ({"width": 0.0}, "width", "greater than zero"),
        ({"width": 900e-9}, "size", "larger view"),
        ({"size": (12, 12), "drift": 0.0}, "size", "larger view"),
        ({"size": (0, 80), "drift": 0.0}, None, "holds nothing"),
        ({"drift": -1.0}, "drift", "zero or more"),
        ({"drift": 9.0}, "drift", "a tenth"),
        ({"dark": np.inf}, "dark", "zero or more"),
        ({"substrate": -0.1}, "substrate", "zero or more"),
        ({"supersampling": 1}, "supersampling", "at least 2"),
        ({"supersampling": 0}, "supersampling", "at least 2"),
        ({"energies": np.array([518.0, 510.0])}, "energies", "increase"),
        ({"energies": np.array([])}, "energies", "no photon energies"),
        ({"energies": np.ones((2, 2))}, "energies", "shape"),
    ],
)
def test_refuses(changes, key, message):
    with pytest.raises(InputError, match=message) as caught:
        create(**changes)
    assert caught.value.key == key
