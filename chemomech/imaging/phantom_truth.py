"""Truth of a phantom: its shape in closed form, its lithium and its thickness."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from chemomech.arrays import BoolArray, FloatArray
from chemomech.errors import InputError
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.spectra import EndMembers

WireKind = Literal["delithiated", "lithiated"]

PHASES: dict[WireKind, tuple[tuple[str, float], tuple[str, float]]] = {
    "delithiated": (("alpha", 0.1), ("epsilon", 0.3)),
    "lithiated": (("epsilon", 0.7), ("delta", 0.9)),
}

# Largest distance of the outline's edges from the true curve, in widths: 0.03 nm at 280 nm.
_FLATNESS = 1e-4
_BEND_RADIUS_WIDTHS = 2.5
# Free tips stay away from the borders by this part of the view.
_MARGIN = 0.1
# Where the topmost point of the bend lies in the view if the legs leave it.
_APEX = (0.54, 0.78)

_STRIPE = 150e-9
_STRIPES = 5
_WALL = 40e-9
# Lithium-poor domains of a lithiated wire, in widths of the wire: how deep the one on the outside
# of the bend is and how far from the bend's middle it ends; where the one at the tip begins.
_CAP_DEPTH = 0.7
_CAP_REACH = 2.2
_TIP_DOMAIN = 4.2

_THICKNESS = 100e-9
_WEDGE = 0.15


@dataclass(frozen=True)
class BentWire:
    """Leg, circular arc, leg, all of one width; the tips are half circles.

    Along the wire runs s, zero amid the bend and growing clockwise about ``centre``; across it n,
    zero on the mid-line and growing outwards. Lengths are in m, those of the legs up to where their
    tips begin to round. The rotation is the direction of the bend's middle seen from the centre,
    counter-clockwise from +y, in radians; without it, a mirrored image would look right.
    """

    width: float
    leg: float
    centre: tuple[float, float] = (0.0, 0.0)
    bend_angle: float = math.radians(120.0)
    rotation: float = math.radians(10.0)

    @property
    def bend_radius(self) -> float:
        """Radius of the mid-line in the bend, in m."""
        return _BEND_RADIUS_WIDTHS * self.width

    @property
    def end(self) -> float:
        """Largest s of the legs, where a tip begins to round, in m."""
        return self.bend_radius * self.bend_angle / 2.0 + self.leg

    def measure(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Find s and n (m), shape (...), of points (m), shape (..., 2).

        On the legs' axis of symmetry, well outside the wire, s jumps.
        """
        x, y = points[..., 0] - self.centre[0], points[..., 1] - self.centre[1]
        sine, cosine = np.sin(self.rotation), np.cos(self.rotation)
        aside, outwards = cosine * x + sine * y, cosine * y - sine * x
        half = self.bend_angle / 2.0
        along_leg = np.abs(aside) * np.cos(half) - outwards * np.sin(half)
        across_leg = np.abs(aside) * np.sin(half) + outwards * np.cos(half)
        on_leg = along_leg > 0.0
        radius = np.where(on_leg, across_leg, np.hypot(aside, outwards))
        along_arc = self.bend_radius * np.arctan2(np.abs(aside), outwards)
        along = np.where(on_leg, self.bend_radius * half + along_leg, along_arc)
        return np.copysign(along, aside), radius - self.bend_radius

    def locate(self, along: FloatArray, across: FloatArray) -> FloatArray:
        """Find the points, shape (k, 2), at s and n, shape (k,) each, all in m."""
        half = self.bend_angle / 2.0
        turn = np.clip(along / self.bend_radius, -half, half)
        beyond = along - self.bend_radius * turn
        radius, angle = self.bend_radius + across, turn - self.rotation
        x = self.centre[0] + radius * np.sin(angle) + beyond * np.cos(angle)
        y = self.centre[1] + radius * np.cos(angle) - beyond * np.sin(angle)
        return np.stack([x, y], axis=-1)

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """Compute the distance to the wire's surface in m, negative within, shape (...)."""
        along, across = self.measure(points)
        beyond = np.maximum(np.abs(along) - self.end, 0.0)
        return np.asarray(np.hypot(beyond, across) - self.width / 2.0)

    def trace(self, extent: tuple[float, float]) -> FloatArray:
        """Draw the outline of what lies in a view of this width and height (m) from (0, 0).

        Corners in m, counter-clockwise, the first not repeated, have the shape (n, 2); they lie
        exactly on the wire's surface or on the view's border.
        """
        half, reach = self.bend_angle / 2.0, self.width / 2.0
        # A chord of an arc of radius r and angle a is at most r a^2 / 8 away from it.
        gap = 8.0 * _FLATNESS * self.width
        steps = 2 + int(self.bend_angle / math.sqrt(gap / (self.bend_radius + reach)))
        bend = self.bend_radius * np.linspace(-half, half, steps)
        turn = np.linspace(0.0, np.pi, 2 + int(np.pi / math.sqrt(gap / reach)))
        beyond, side = self.end + reach * np.sin(turn), reach * np.cos(turn)
        inner = np.full(steps, -reach)
        corners = self.locate(
            np.concatenate([bend, beyond, bend[::-1], -beyond]),
            np.concatenate([inner, -side, -inner, side]),
        )
        # shapely compares coordinates near 1 more safely than near 1e-7.
        view = shapely.box(0.0, 0.0, extent[0] / self.width, extent[1] / self.width)
        visible = shapely.Polygon(corners / self.width).intersection(view)
        ring = shapely.geometry.polygon.orient(visible).exterior
        return np.asarray(shapely.get_coordinates(ring)[:-1] * self.width)


def place_wire(extent: tuple[float, float], width: float, *, leaves_view: bool) -> BentWire:
    """Fit a wire of a width (m), bent by 120 degrees, into a view of an extent (x, y), in m.

    The bend's radius is 2.5 widths. The legs leave the view, or their tips keep a tenth of it away
    from its borders.
    """
    size = np.array(extent)
    bend = BentWire(width, leg=0.0)
    # Ends of the bend from its centre, and where the legs go from there; y upwards.
    tips = bend.end * np.array([-1.0, 1.0])
    ends = bend.locate(tips, np.zeros(2))
    ways = (bend.locate(2.0 * tips, np.zeros(2)) - ends) / bend.end
    room = (1.0 - 2.0 * _MARGIN) * size - width
    across = (room[0] - (ends[1, 0] - ends[0, 0])) / (ways[1, 0] - ways[0, 0])
    down = (room[1] - bend.bend_radius + ends[:, 1]) / -ways[:, 1]
    leg = float(min(across, *down))
    if leg < 0.0:
        raise InputError(
            f"a wire {width * 1e9:.4g} nm wide needs a larger view than {extent[0] * 1e9:.4g} x "
            f"{extent[1] * 1e9:.4g} nm",
            key="size",
        )
    if leaves_view:
        leg = 2.0 * sum(extent)
        centre = np.array(_APEX) * size - [0.0, bend.bend_radius + width / 2.0]
    else:
        left, right = ends + leg * ways
        low = np.array([left[0], min(left[1], right[1])])
        centre = (size - low - [right[0], bend.bend_radius]) / 2.0
    return BentWire(width, leg, (float(centre[0]), float(centre[1])))


@dataclass(frozen=True, eq=False)
class PhantomTruth:
    """Truth behind a phantom's stack, in the particle frame of its grid (see `PixelGrid`).

    Composition and thickness are defined everywhere: they carry on outside the wire.

    Args:
        kind: ``delithiated`` or ``lithiated``.
        grid: Pixels of the stack.
        wire: The wire's shape.
        outline: Corners of the wire's outline in m, counter-clockwise, the first not repeated,
            shape (n, 2). A wire that leaves the view is cut along the outermost pixels' centres, as
            traced outlines are.
        shifts: (rows, columns) to move each frame by, in pixels, so that it registers with the
            truth, shape (energies, 2); the sign of `skimage.registration.phase_cross_correlation`.
            Their mean is zero.
        incident: Expected counts where there is no wire, behind the substrate and without the dark
            counts, shape (energies,).
        dark: Expected dark counts of every pixel and frame.
        standards: The two phases: lithium contents and optical densities of 100 nm at the
            stack's energies.
    """

    kind: WireKind
    grid: PixelGrid
    wire: BentWire
    outline: FloatArray
    shifts: FloatArray
    incident: FloatArray
    dark: float
    standards: EndMembers

    def composition(self, points: FloatArray) -> FloatArray:
        """Compute x of Li_xV2O5, shape (...), at points in m, shape (..., 2).

        In a delithiated wire (alpha, x = 0.1, and epsilon, x = 0.3) five stripes of epsilon, 150 nm
        wide and 150 nm apart, cross the wire at the bend. In a lithiated one (epsilon, x = 0.7, and
        delta, x = 0.9) epsilon fills the outside of the bend and one tip. Away from walls of 40 nm
        x is exactly that of a phase; it is twice continuously differentiable.
        """
        (_, low), (_, high) = PHASES[self.kind]
        along, across = self.wire.measure(points)
        if self.kind == "delithiated":
            rich = _stripes(along)
        else:
            rich = 1.0 - _domains(along, across, self.wire.width)
        return low + (high - low) * rich

    def thickness(self, points: FloatArray) -> FloatArray:
        """Compute the thickness in m, shape (...), at points in m, shape (..., 2).

        It rises from 85 nm at the view's left border to 115 nm at the right.
        """
        extent = max(self.grid.columns - 1, 1) * self.grid.column_spacing
        return _THICKNESS * (1.0 + _WEDGE * (2.0 * points[..., 0] / extent - 1.0))

    def contains(self, points: FloatArray) -> BoolArray:
        """Tell which points, shape (..., 2) in m, lie in the wire, shape (...)."""
        return self.wire.signed_distance(points) < 0.0

    @property
    def mask(self) -> BoolArray:
        """Pixels whose centres lie in the wire, shape (rows, columns)."""
        return self.contains(self.grid.centres())

    @property
    def composition_map(self) -> CompositionMap:
        """Lithium content x at the pixels' centres, trusted within the wire."""
        values = self.composition(self.grid.centres())
        return CompositionMap(
            self.grid, values, np.zeros_like(values), self.mask, source="truth of a phantom"
        )

    @property
    def thickness_map(self) -> FloatArray:
        """Thickness at the pixels' centres, in m, shape (rows, columns)."""
        return self.thickness(self.grid.centres())


def _stripes(along: FloatArray) -> FloatArray:
    """Return 1 in the stripes, 0 elsewhere; the stripes lie evenly about s = 0."""
    last = (_STRIPES - 1) * _STRIPE
    nearest = np.clip(2.0 * _STRIPE * np.rint(along / (2.0 * _STRIPE)), -last, last)
    return _step(_STRIPE / 2.0 - np.abs(along - nearest))


def _domains(along: FloatArray, across: FloatArray, width: float) -> FloatArray:
    """Return 1 in the lithium-poor domains of a lithiated wire, 0 elsewhere."""
    # A parabola cuts the cap off; divided by its slope, heights above it become distances.
    curvature = _CAP_DEPTH / (_CAP_REACH**2 * width)
    height = across - (0.5 - _CAP_DEPTH) * width - curvature * along**2
    cap = _step(height / np.sqrt(1.0 + (2.0 * curvature * along) ** 2))
    tip = _step(along - _TIP_DOMAIN * width)
    return cap + tip - cap * tip


def _step(distance: FloatArray) -> FloatArray:
    """Rise from 0 to 1 across a wall amid which the distance (m) is zero, by a quintic."""
    t = np.clip(distance / _WALL + 0.5, 0.0, 1.0)
    return np.asarray(t**3 * (10.0 + t * (6.0 * t - 15.0)))
