"""The shape of the phantom: a bent wire with round tips, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.polygon import orient

from chemomech.arrays import FloatArray
from chemomech.errors import InputError

# Largest distance of the outline's edges from the true curve, in widths: 0.03 nm at 280 nm.
_FLATNESS = 1e-4

_BEND_RADIUS_WIDTHS = 2.5
_BEND_ANGLE = math.radians(120.0)
# Turned a little, or a mirrored image would look right.
_ROTATION = math.radians(10.0)
# Free tips stay away from the borders by this part of the view.
_MARGIN = 0.1
# Where the topmost point of the bend lies in the view if the legs leave it.
_APEX = (0.54, 0.78)


@dataclass(frozen=True)
class BentWire:
    """Leg, circular arc, leg, all of one width; the tips are half circles.

    Along the wire runs s, zero amid the bend and growing clockwise about ``centre``; across it n,
    zero on the mid-line and growing outwards.

    Args:
        width: In m.
        bend_radius: Radius of the mid-line in the bend, in m.
        bend_angle: Angle the bend turns by, in radians.
        leg: Length of each leg up to where its tip begins to round, in m.
        centre: Centre of curvature (x, y), in m.
        rotation: Direction of the bend's middle seen from there, counter-clockwise from +y, in
            radians.
    """

    width: float
    bend_radius: float
    bend_angle: float
    leg: float
    centre: tuple[float, float]
    rotation: float

    def measure(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Find s and n of points; on the legs' axis of symmetry, well outside the wire, s jumps.

        Args:
            points: Positions in m, shape (..., 2).

        Returns:
            s and n in m, shape (...) each.
        """
        aside, outwards = self._turn(points)
        half = self.bend_angle / 2.0
        along_leg = np.abs(aside) * np.cos(half) - outwards * np.sin(half)
        across_leg = np.abs(aside) * np.sin(half) + outwards * np.cos(half)
        on_leg = along_leg > 0.0
        radius = np.where(on_leg, across_leg, np.hypot(aside, outwards))
        along_arc = self.bend_radius * np.arctan2(np.abs(aside), outwards)
        along = np.where(on_leg, self.bend_radius * half + along_leg, along_arc)
        return np.copysign(along, aside), radius - self.bend_radius

    def signed_distance(self, points: FloatArray) -> FloatArray:
        """Compute the distance to the wire's surface in m, negative within, shape (...)."""
        along, across = self.measure(points)
        beyond = np.abs(along) - self.bend_radius * self.bend_angle / 2.0 - self.leg
        distance = np.hypot(np.maximum(beyond, 0.0), across) - self.width / 2.0
        return np.asarray(distance)

    def trace(self, extent: tuple[float, float]) -> FloatArray:
        """Draw the outline of what lies in a view.

        Args:
            extent: Width and height of the view, whose lower left corner is (0, 0), in m.

        Returns:
            Corners in m, counter-clockwise, the first not repeated, shape (n, 2); exactly on the
            wire's surface or on the view's border.
        """
        # shapely compares coordinates near 1 more safely than near 1e-7.
        polygon = shapely.Polygon(self._trace() / self.width)
        view = shapely.box(0.0, 0.0, extent[0] / self.width, extent[1] / self.width)
        visible = orient(polygon.intersection(view))
        return np.asarray(shapely.get_coordinates(visible.exterior)[:-1] * self.width)

    def _trace(self) -> FloatArray:
        """Create the corners of the whole outline, counter-clockwise, shape (n, 2)."""
        half, reach = self.bend_angle / 2.0, self.width / 2.0
        # A chord of an arc of radius r and angle a is at most r a^2 / 8 away from it.
        gap = 8.0 * _FLATNESS * self.width
        steps = 2 + int(self.bend_angle / math.sqrt(gap / (self.bend_radius + reach)))
        bend = np.linspace(-half, half, steps, dtype=np.float64)
        inner = (self.bend_radius - reach) * _directions(bend)
        outer = (self.bend_radius + reach) * _directions(bend[::-1])
        steps = 2 + int(np.pi / math.sqrt(gap / reach))
        turn = np.linspace(0.0, np.pi, steps, dtype=np.float64)
        # Clockwise angles from the bend's middle: the legs point along half + 90 degrees.
        right = self._tip(half) + reach * _directions(half + np.pi - turn)
        left = self._tip(-half) + reach * _directions(-half - turn)
        aside, outwards = np.concatenate([inner, right, outer, left]).T
        sine, cosine = np.sin(self.rotation), np.cos(self.rotation)
        x = self.centre[0] + cosine * aside - sine * outwards
        y = self.centre[1] + sine * aside + cosine * outwards
        return np.stack([x, y], axis=-1)

    def _tip(self, half: float) -> FloatArray:
        """Find a tip's centre, (aside, outwards) from the centre of curvature."""
        end = self.bend_radius * _directions(np.array(half))
        return np.asarray(
            end + self.leg * _directions(np.array(half + np.copysign(np.pi / 2.0, half)))
        )

    def _turn(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Turn positions from the centre of curvature, across and along the bend's middle."""
        x, y = points[..., 0] - self.centre[0], points[..., 1] - self.centre[1]
        sine, cosine = np.sin(self.rotation), np.cos(self.rotation)
        return cosine * x + sine * y, cosine * y - sine * x


def place_wire(extent: tuple[float, float], width: float, *, leaves_view: bool) -> BentWire:
    """Fit a wire bent by 120 degrees into a view.

    Args:
        extent: Width and height of the view, from the first to the last pixel's centre, in m.
        width: Width of the wire, in m; the bend's radius is 2.5 times that.
        leaves_view: Whether the legs leave the view; else the tips keep a tenth of it away from its
            borders.

    Raises:
        InputError: The view is too small.
    """
    radius = _BEND_RADIUS_WIDTHS * width
    half = _BEND_ANGLE / 2.0
    # Ends of the bend from its centre, and where the legs go from there; y upwards.
    angles = np.array([-half, half]) - _ROTATION
    ends = radius * _directions(angles)
    ways = _directions(angles + np.array([-np.pi / 2.0, np.pi / 2.0]))
    room = (1.0 - 2.0 * _MARGIN) * np.array(extent) - width
    across = (room[0] - (ends[1, 0] - ends[0, 0])) / (ways[1, 0] - ways[0, 0])
    down = (room[1] - radius + ends[:, 1]) / -ways[:, 1]
    leg = float(min(across, *down))
    if leg < 0.0:
        raise InputError(
            f"a wire {width * 1e9:.4g} nm wide needs a larger view than {extent[0] * 1e9:.4g} x "
            f"{extent[1] * 1e9:.4g} nm",
            key="size",
        )
    if leaves_view:
        apex = np.array(_APEX) * extent
        centre = apex - [0.0, radius + width / 2.0]
        leg = 2.0 * sum(extent)
    else:
        tips = ends + leg * ways
        low = np.array([tips[0, 0], tips[:, 1].min()])
        high = np.array([tips[1, 0], radius])
        centre = (np.array(extent) - low - high) / 2.0
    return BentWire(
        width, radius, _BEND_ANGLE, leg, (float(centre[0]), float(centre[1])), _ROTATION
    )


def _directions(angles: FloatArray) -> FloatArray:
    """Create unit vectors at clockwise angles from the second axis, shape (..., 2)."""
    return np.asarray(np.stack([np.sin(angles), np.cos(angles)], axis=-1))
