"""A phantom: the synthetic stack of a bent Li_xV2O5 nanowire, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming
from chemomech.imaging.end_members import EndMembers
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom_absorption import compute_absorption, create_energies
from chemomech.imaging.phantom_scan import Scanner, Scene, draw_drift
from chemomech.imaging.phantom_shape import place_wire
from chemomech.imaging.phantom_truth import PHASES, PhantomTruth, WireKind
from chemomech.imaging.stack import Stack, check_energies

_STANDARD_THICKNESS = 100e-9
_SUBSTRATE_EDGE_EV = 508.0
_BEAM_CENTRE_EV = 534.0
_BEAM_DECAY_EV = 260.0
# Counts are kept in single precision, which holds integers up to here.
_MOST_COUNTS = 2.0**23
_LARGEST_DRIFT = 0.1


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic measurement.

    Args:
        stack: Counts, with the dark counts, without I0: the empty part of the view shows it.
        truth: What a measurement should find.
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
    nm apart (``pixel_size / supersampling``); OD = mu(E, x) t / 100 nm with the made-up spectra of
    `compute_absorption`, which are linear in x, and x and t as `PhantomTruth` describes them. All
    of it is synthetic: no measured stack or spectrum of Li_xV2O5 is public.

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
        energies: Photon energies, in eV, increasing; those of `create_energies` if None.
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
    chosen = create_energies() if energies is None else np.asarray(energies, dtype=np.float64)
    _check_energies(chosen)
    _check_choice(wire, seed)
    positive = {"counts": counts, "pixel_size": pixel_size, "spot": spot, "width": width}
    for name, value in positive.items():
        _check_positive(name, value)
    for name, value in {"drift": drift, "dark": dark, "substrate": substrate}.items():
        _check_not_negative(name, value)
    _check_counts(counts, dark)
    _check_supersampling(supersampling, pixel_size, spot)
    grid = _create_grid(size, pixel_size, drift)
    extent = (grid.columns - 1) * pixel_size, (grid.rows - 1) * pixel_size
    shape = place_wire(extent, width, leaves_view=leaves_view)
    drift_rng, noise_rng = np.random.default_rng(seed).spawn(2)
    truth = PhantomTruth(
        wire,
        grid,
        shape,
        shape.trace(extent),
        draw_drift(len(chosen), drift, drift_rng),
        _create_incident(chosen, counts, substrate),
        dark,
        _create_standards(wire, chosen),
    )
    scanner = Scanner.create(grid, spot, supersampling, drift)
    frames = _scan(truth, chosen, scanner, noise_rng if noise else None)
    source = f"phantom ({wire} wire, seed {seed}), synthetic"
    return Phantom(Stack(frames, chosen, grid, source=source), truth)


def _scan(
    truth: PhantomTruth, energies: FloatArray, scanner: Scanner, rng: np.random.Generator | None
) -> npt.NDArray[np.float32]:
    """Compute the counts of all frames, shape (energies, rows, columns)."""
    scene = Scene.create(truth, scanner)
    image = np.ones(scene.shape, dtype=np.float32)
    pristine, full = compute_absorption(energies, np.array([0.0, 1.0])) / _STANDARD_THICKNESS
    frames = np.empty((len(energies), *truth.grid.shape), dtype=np.float32)
    for number, shift in enumerate(truth.shifts):
        scene.transmit(pristine[number], full[number] - pristine[number], image)
        expected = truth.incident[number] * scanner.scan(image, shift) + truth.dark
        frames[number] = expected if rng is None else rng.poisson(expected)
    return frames


def _create_incident(energies: FloatArray, counts: float, substrate: float) -> FloatArray:
    """Create the expected counts behind the substrate, shape (energies,)."""
    beam = counts * np.exp(-(energies - _BEAM_CENTRE_EV) / _BEAM_DECAY_EV)
    incident = beam * np.exp(-substrate * (_SUBSTRATE_EDGE_EV / energies) ** 3)
    return np.asarray(incident)


def _create_standards(wire: WireKind, energies: FloatArray) -> EndMembers:
    """Create the spectra of the wire's two phases."""
    names = tuple(name for name, _ in PHASES[wire])
    lithium = np.array([content for _, content in PHASES[wire]])
    spectra = compute_absorption(energies, lithium)
    return EndMembers(names, lithium, spectra, _STANDARD_THICKNESS, ("synthetic",) * len(names))


def _create_grid(size: tuple[int, int], pixel_size: float, drift: float) -> PixelGrid:
    rows, columns = size
    if drift > _LARGEST_DRIFT * min(rows, columns):
        raise InputError(
            f"a drift by {drift:g} pixels is more than a tenth of {rows} x {columns} pixels",
            key="drift",
        )
    return PixelGrid(rows, columns, pixel_size, pixel_size)


def _check_energies(energies: FloatArray) -> None:
    if energies.ndim != 1:
        raise InputError(f"needs a list of energies, got shape {energies.shape}", key="energies")
    with naming(key="energies"):
        check_energies(energies)


def _check_choice(wire: str, seed: int) -> None:
    if wire not in get_args(WireKind):
        raise InputError(f"must be {' or '.join(get_args(WireKind))}, got {wire!r}", key="wire")
    if seed < 0:
        raise InputError(f"must not be negative, got {seed}", key="seed")


def _check_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise InputError(f"must be greater than zero, got {value:g}", key=name)


def _check_not_negative(name: str, value: float) -> None:
    if not (np.isfinite(value) and value >= 0.0):
        raise InputError(f"must be zero or more, got {value:g}", key=name)


def _check_counts(counts: float, dark: float) -> None:
    if counts + dark > _MOST_COUNTS:
        raise InputError(f"at most {_MOST_COUNTS:g} counts a pixel, got {counts:g}", key="counts")


def _check_supersampling(supersampling: int, pixel_size: float, spot: float) -> None:
    """Refuse points further apart than the spot is wide: they would miss what it sees."""
    if supersampling < 1 or pixel_size > supersampling * spot:
        raise InputError(
            f"{supersampling} points along {pixel_size * 1e9:.4g} nm do not resolve a spot of "
            f"{spot * 1e9:.4g} nm; needs at least {int(np.ceil(pixel_size / spot))}",
            key="supersampling",
        )
