"""A phantom: the synthetic stack of a bent Li_xV2O5 nanowire, and the truth behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
from scipy.special import expit

from chemomech.arrays import CountArray, FloatArray
from chemomech.errors import InputError, naming
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom_scan import Scanner, draw_drift
from chemomech.imaging.phantom_truth import PHASES, PhantomTruth, WireKind, place_wire
from chemomech.imaging.spectra import EndMembers
from chemomech.imaging.stack import Stack, check_energies

_STANDARD_THICKNESS = 100e-9
_SUBSTRATE_EDGE_EV = 508.0
_BEAM_CENTRE_EV = 534.0
_BEAM_DECAY_EV = 260.0
# Counts are kept in single precision, which holds integers up to here.
_MOST_COUNTS = 2.0**23
_LARGEST_DRIFT = 0.1

# OD of 100 nm of V2O5 before the first edge, and what each edge adds: 0.34 past vanadium's two L
# edges, split 2 : 1 as the electrons of their shells are, and 0.63 past the K edge of oxygen.
_PRE_EDGE = 0.07
_EDGES_EV = np.array([517.5, 524.5, 531.5])
_STEPS = np.array([0.18, 0.09, 0.29])
_EDGE_WIDTH_EV = 0.3

# Resonances: energy, standard deviation (both eV), height (OD of 100 nm) at x = 0 and at x = 1.
_RESONANCES = np.array(
    [
        [515.6, 0.55, 0.25, 0.60],
        [516.8, 0.55, 0.45, 0.85],
        [518.0, 0.65, 1.05, 0.50],
        [525.0, 1.00, 0.60, 0.45],
        [529.0, 0.65, 0.60, 0.30],
        [531.0, 0.80, 0.40, 0.45],
    ]
)

# From, to (not included) and step, in eV: a pre-edge, then the finer the steeper.
_SCAN = (
    (508.0, 514.0, 1.0),
    (514.0, 519.6, 0.2),
    (519.6, 523.6, 0.5),
    (523.6, 526.8, 0.4),
    (526.8, 528.0, 0.3),
    (528.0, 532.4, 0.2),
    (532.4, 536.4, 0.5),
    (536.4, 560.5, 2.0),
)


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic stack and its truth.

    Counts hold the dark counts, and come without I0: the empty part of the view shows it.
    """

    stack: Stack
    truth: PhantomTruth


def create_phantom(
    *,
    wire: WireKind,
    seed: int,
    counts: float = 3000.0,
    pixel_size: float = 35e-9,
    spot: float = 30e-9,
    drift: float = 2.0,
    energies: FloatArray | None = None,
    size: tuple[int, int] = (80, 80),
    width: float = 280e-9,
    leaves_view: bool = False,
    dark: float = 10.0,
    substrate: float = 0.1,
    noise: bool = True,
    supersampling: int = 7,
) -> Phantom:
    """Create a synthetic stack of a bent nanowire: Poisson(I0 <exp(-OD(E, x, t))> + dark counts).

    <.> is the average over a Gaussian spot and over the pixel, of a transmission known at points 5
    nm apart (``pixel_size / supersampling``); OD = mu(E, x) t / 100 nm with made-up spectra that
    are linear in x, and x and t as `PhantomTruth` describes them. All of it is synthetic: no
    measured stack or spectrum of Li_xV2O5 is public.

    I0 falls smoothly with the energy, by about a fifth from 508 to 560 eV, and passes a substrate
    that fills the view. From frame to frame the stage drifts along a smooth random walk, which is
    part of the measurement and not made by moving pixels. The same arguments give the same counts,
    bit by bit; the drift depends on ``seed``, ``drift`` and the number of energies alone.

    A view of 500 x 500 pixels and 150 energies takes about half a minute, half of that with
    ``supersampling=3``, whose error at the edges of the wire is still below the noise of 3000
    counts.

    Args:
        wire: ``delithiated`` (alpha and epsilon stripes) or ``lithiated`` (epsilon and delta).
        seed: Seed of the random numbers, zero or more.
        counts: I0 at 534 eV before the substrate, in counts a pixel.
        pixel_size: Edge of a pixel, in m.
        spot: Full width of the spot at half its height, in m.
        drift: Largest distance of a frame from the mean position, in pixels, at most a tenth of the
            view.
        energies: Photon energies, in eV, increasing; 508 to about 560 eV if None, densest at
            resonances.
        size: Rows and columns of pixels.
        width: Width of the wire, in m.
        leaves_view: Whether the wire's legs leave the view, through its right and lower borders if
            it is square, or else end in round tips within it.
        dark: Dark counts a pixel.
        substrate: Optical density of the substrate at 508 eV; it falls with the cube of the energy.
        noise: Whether counts scatter; without, they are the expected ones.
        supersampling: Points along a pixel's edge at which the transmission is computed.

    Returns:
        The stack and the truth.

    Raises:
        InputError: An argument is out of range, or the wire does not fit into the view.
    """
    chosen = _create_energies() if energies is None else np.asarray(energies, dtype=np.float64)
    with naming(key="energies"):
        check_energies(chosen)
    if wire not in get_args(WireKind):
        raise InputError(f"must be {' or '.join(get_args(WireKind))}, got {wire!r}", key="wire")
    positive = {"counts": counts, "pixel_size": pixel_size, "spot": spot, "width": width}
    _check_numbers(positive, {"seed": seed, "drift": drift, "dark": dark, "substrate": substrate})
    _check_scan(counts + dark, size, drift, supersampling, pixel_size, spot)
    grid = PixelGrid(*size, pixel_size, pixel_size)
    extent = (grid.columns - 1) * pixel_size, (grid.rows - 1) * pixel_size
    shape = place_wire(extent, width, leaves_view=leaves_view)
    drift_rng, noise_rng = np.random.default_rng(seed).spawn(2)
    beam = counts * np.exp(-(chosen - _BEAM_CENTRE_EV) / _BEAM_DECAY_EV)
    truth = PhantomTruth(
        kind=wire,
        grid=grid,
        wire=shape,
        outline=shape.trace(extent),
        shifts=draw_drift(len(chosen), drift, drift_rng),
        incident=beam * np.exp(-substrate * (_SUBSTRATE_EDGE_EV / chosen) ** 3),
        dark=dark,
        standards=_create_standards(wire, chosen),
    )
    scanner = Scanner(grid, spot, supersampling, drift)
    frames = _scan(truth, chosen, scanner, noise_rng if noise else None)
    source = f"phantom ({wire} wire, seed {seed}), synthetic"
    return Phantom(Stack(frames, chosen, grid, source=source), truth)


def _check_numbers(positive: Mapping[str, float], not_negative: Mapping[str, float]) -> None:
    for name, value in positive.items():
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"must be greater than zero, got {value:g}", key=name)
    for name, value in not_negative.items():
        if not (np.isfinite(value) and value >= 0.0):
            raise InputError(f"must be zero or more, got {value:g}", key=name)


def _create_standards(wire: WireKind, energies: FloatArray) -> EndMembers:
    """Create the spectra of a wire's two phases."""
    names = tuple(name for name, _ in PHASES[wire])
    lithium = np.array([content for _, content in PHASES[wire]])
    spectra = _compute_absorption(energies, lithium)
    return EndMembers(names, lithium, spectra, _STANDARD_THICKNESS, ("synthetic",) * len(names))


def _create_energies() -> FloatArray:
    """Create the photon energies of the scan, 508 to about 560 eV, densest at resonances."""
    parts = [np.arange(start, stop - 0.01, step) for start, stop, step in _SCAN]
    return np.round(np.concatenate(parts), 2)


def _compute_absorption(energies: FloatArray, lithium: FloatArray) -> FloatArray:
    """Compute mu(E, x) = (1 - x) mu_0(E) + x mu_1(E), that of 100 nm of Li_xV2O5, shape (k, n).

    Synthetic: no spectra of Li_xV2O5 are public. The continuum is that of V2O5 (0.07 before the
    V L edges, 0.34 after them, 0.63 after the O K edge); it rises at the edges by smooth steps. On
    it stand Gaussian resonances of V L (515.6, 516.8, 518 and 525 eV) and O K (529 and 531 eV).
    Lithium reduces V5+ to V4+: intensity moves from 518 eV to 515.6 and 516.8 eV, and the resonance
    at 529 eV, whose empty states the electrons fill, loses against that at 531 eV. The signs follow
    measurements; heights and widths are chosen. Energies (n,) are in eV, lithium is x, shape (k,).
    """
    steps = expit((energies[:, None] - _EDGES_EV) / _EDGE_WIDTH_EV)
    continuum = _PRE_EDGE + steps @ _STEPS
    centres, widths, pristine, full = _RESONANCES.T
    shapes = np.exp(-0.5 * ((energies[:, None] - centres) / widths) ** 2)
    heights = pristine + np.multiply.outer(lithium, full - pristine)
    return np.asarray(continuum + heights @ shapes.T)


def _scan(
    truth: PhantomTruth, energies: FloatArray, scanner: Scanner, rng: np.random.Generator | None
) -> CountArray:
    """Compute the counts of all frames, shape (energies, rows, columns)."""
    points, coverage, positions = scanner.find_points(truth.wire)
    thickness, composition = truth.thickness(positions), truth.composition(positions)
    image = np.ones(scanner.shape, dtype=np.float32)
    pristine, full = _compute_absorption(energies, np.array([0.0, 1.0])) / _STANDARD_THICKNESS
    frames = np.empty((len(energies), *truth.grid.shape), dtype=np.float32)
    for number, shift in enumerate(truth.shifts):
        slope = full[number] - pristine[number]
        density = thickness * (pristine[number] + slope * composition)
        image.ravel()[points] = 1.0 + coverage * np.expm1(-density)
        expected = truth.incident[number] * scanner.scan(image, shift) + truth.dark
        frames[number] = expected if rng is None else rng.poisson(expected)
    return frames


def _check_scan(
    counts: float,
    size: tuple[int, int],
    drift: float,
    supersampling: int,
    pixel_size: float,
    spot: float,
) -> None:
    """Refuse too many counts, a drift out of the view, and points that miss what the spot sees."""
    if counts > _MOST_COUNTS:
        raise InputError(f"at most {_MOST_COUNTS:g} counts a pixel, got {counts:g}", key="counts")
    if drift > _LARGEST_DRIFT * min(size):
        raise InputError(
            f"a drift by {drift:g} pixels is more than a tenth of {size[0]} x {size[1]} pixels",
            key="drift",
        )
    if supersampling < 1 or pixel_size > supersampling * spot:
        raise InputError(
            f"{supersampling} points along {pixel_size * 1e9:.4g} nm do not resolve a spot of "
            f"{spot * 1e9:.4g} nm; needs at least {int(np.ceil(pixel_size / spot))}",
            key="supersampling",
        )
