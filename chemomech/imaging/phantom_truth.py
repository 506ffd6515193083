"""Truth of a phantom: its lithium and thickness, and the drift of the stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from chemomech.arrays import BoolArray, FloatArray
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.end_members import EndMembers
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.phantom_shape import BentWire

WireKind = Literal["delithiated", "lithiated"]

PHASES: dict[WireKind, tuple[tuple[str, float], tuple[str, float]]] = {
    "delithiated": (("alpha", 0.1), ("epsilon", 0.3)),
    "lithiated": (("epsilon", 0.7), ("delta", 0.9)),
}

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


@dataclass(frozen=True, eq=False)
class PhantomTruth:
    """The truth behind a phantom's stack, in the particle frame of its grid (see `PixelGrid`).

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

    @property
    def width(self) -> float:
        """Width of the wire, in m."""
        return self.wire.width

    def composition(self, points: FloatArray) -> FloatArray:
        """Compute x of Li_xV2O5: two phases 0.2 apart, and walls 40 nm thick between them.

        In a delithiated wire (alpha, x = 0.1, and epsilon, x = 0.3) five stripes of epsilon, 150 nm
        wide and 150 nm apart, cross the wire at the bend. In a lithiated one (epsilon, x = 0.7, and
        delta, x = 0.9) epsilon fills the outside of the bend and one tip. Away from the walls x is
        exactly that of a phase; it is twice continuously differentiable.

        Args:
            points: Positions in m, shape (..., 2).

        Returns:
            x, shape (...).
        """
        (_, low), (_, high) = PHASES[self.kind]
        along, across = self.wire.measure(points)
        if self.kind == "delithiated":
            rich = _stripes(along)
        else:
            rich = 1.0 - _domains(along, across, self.width)
        return low + (high - low) * rich

    def thickness(self, points: FloatArray) -> FloatArray:
        """Compute the thickness in m: 85 nm at the view's left border to 115 nm at the right.

        Args:
            points: Positions in m, shape (..., 2).

        Returns:
            Thickness, shape (...).
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
