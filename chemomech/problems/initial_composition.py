"""Initial compositions: uniform, noisy, from a file, from a formula, measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import scipy  # which loads its parts when they are used
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming, run_on_root
from chemomech.geometry.formula import evaluate_formula
from chemomech.geometry.measures import compute_mean
from chemomech.geometry.periodicity import create_fold, find_periods
from chemomech.text_files import read_text

Bounds = tuple[float, float]

_LATTICE_LIMIT = 20_000_000
_LATTICE_MARGIN = 4
# A spline forgets its ends by a factor of 3.7 at each point.
_REPEATED = 20
_NANOMETRE = 1e-9


class InitialComposition(Protocol):
    """Anything that fills a composition with its initial values."""

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``, within the open interval ``bounds`` of the free energy or refused; collective.

        ``length_unit`` is the length, in m, of one unit of the mesh coordinates.
        """


@dataclass(frozen=True)
class Uniform:
    """c = mean everywhere."""

    mean: float

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`."""
        c.x.array[:] = self.mean
        _require_bounds(c, bounds)


@dataclass(frozen=True)
class Noise:
    """Smooth Gaussian noise about a mean.

    White noise on a lattice over the whole body, smoothed by a Gaussian of standard deviation
    ``smoothing`` (m; the correlation length is 2 times as long), is interpolated at the nodes. It
    is the same for any number of ranks and any partition. The composition has exactly the mean and
    the standard deviation, ``amplitude``, asked for, both taken over the body's volume.
    """

    mean: float
    amplitude: float
    smoothing: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.amplitude) and self.amplitude >= 0.0):
            raise InputError(
                f"must be zero or positive, got {self.amplitude:g}", key="initial.amplitude"
            )
        if not (math.isfinite(self.smoothing) and self.smoothing > 0.0):
            raise InputError(f"must be positive, got {self.smoothing:g} m", key="initial.smoothing")
        if self.seed < 0:
            raise InputError(f"must be zero or positive, got {self.seed}", key="initial.seed")

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`."""
        mesh = c.function_space.mesh
        field_at = self._create_field(c, length_unit)
        _interpolate(c, lambda x: field_at(x[: mesh.geometry.dim]))
        c.x.array[:] -= compute_mean(c, mesh, ufl.dx)
        deviation = math.sqrt(compute_mean(c * c, mesh, ufl.dx))
        c.x.array[:] *= self.amplitude / deviation
        c.x.array[:] += self.mean
        _require_bounds(c, bounds)

    def _create_field(
        self, c: fem.Function, length_unit: float
    ) -> Callable[[FloatArray], FloatArray]:
        """Smoothed noise as a function of points of shape (gdim, n) in mesh units."""
        mesh = c.function_space.mesh
        points = mesh.geometry.x[:, : mesh.geometry.dim]
        lower = np.empty(mesh.geometry.dim)
        upper = np.empty(mesh.geometry.dim)
        mesh.comm.Allreduce(np.min(points, axis=0, initial=np.inf), lower, op=MPI.MIN)
        mesh.comm.Allreduce(np.max(points, axis=0, initial=-np.inf), upper, op=MPI.MAX)
        # The same mesh coordinates on all ranks and the rounding make one lattice of it.
        steps = np.ceil(np.round((upper - lower) / (self.smoothing / length_unit), 6)).astype(int)
        is_periodic = find_periods(mesh)[: mesh.geometry.dim] > 0.0
        # A period is a whole number of steps, and the field goes on beyond it as it began.
        spacing = np.where(is_periodic, (upper - lower) / steps, self.smoothing / length_unit)
        margins = np.where(is_periodic, 0, _LATTICE_MARGIN)
        repeats = np.where(is_periodic, _REPEATED, 0)
        counts = steps + 2 * margins
        if math.prod(counts.tolist()) > _LATTICE_LIMIT:
            raise InputError(
                f"is too short for this body: {self.smoothing:g} m needs a noise lattice of "
                f"{' x '.join(map(str, counts))} points",
                key="initial.smoothing",
            )
        white = np.random.default_rng(self.seed).standard_normal(counts)
        # One lattice step is one smoothing length.
        smooth = scipy.ndimage.gaussian_filter(white, sigma=1.0, mode="wrap")
        smooth = np.pad(smooth, repeats[:, None], mode="wrap")
        spline = scipy.ndimage.spline_filter(smooth, order=3, mode="mirror")

        def evaluate(x: FloatArray) -> FloatArray:
            positions = (x - lower[:, None]) / spacing[:, None] + (margins + repeats)[:, None] - 0.5
            values: FloatArray = scipy.ndimage.map_coordinates(
                spline, positions, order=3, mode="mirror", prefilter=False
            )
            return values

        return evaluate


@dataclass(frozen=True)
class FromFile:
    """Composition measured or computed elsewhere, given at scattered points.

    It is interpolated linearly between the points and takes the value of the nearest one outside
    their hull. The CSV file has the header ``x_nm,y_nm,c`` or ``x_nm,y_nm,z_nm,c``.
    """

    path: Path

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`; refuses a file it cannot use likewise."""
        mesh = c.function_space.mesh
        gdim = mesh.geometry.dim
        table = run_on_root(mesh.comm, lambda: _read_table(Path(self.path), gdim))
        points, values = table[:, :-1], table[:, -1]
        try:
            linear = scipy.interpolate.LinearNDInterpolator(points, values)
        except scipy.spatial.QhullError as error:
            raise InputError(
                f"needs at least {gdim + 1} points that do not lie on a line or in a plane",
                path=str(self.path),
            ) from error
        nearest = scipy.interpolate.NearestNDInterpolator(points, values)

        def evaluate(x: FloatArray) -> FloatArray:
            where = x[:gdim].T * (length_unit / _NANOMETRE)
            inside = linear(where)
            return np.where(np.isnan(inside), nearest(where), inside)

        _interpolate(c, evaluate)
        _require_bounds(c, bounds)


@dataclass(frozen=True)
class Formula:
    """Composition as a formula of the coordinates; see `evaluate_formula` for both arguments."""

    text: str
    unroll: Callable[[FloatArray], tuple[FloatArray, FloatArray]] | None = None

    def __post_init__(self) -> None:
        self._evaluate(np.zeros((3, 1)))

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`."""
        _interpolate(c, lambda x: self._evaluate(x * (length_unit / _NANOMETRE)))
        _require_bounds(c, bounds)

    def _evaluate(self, x: FloatArray) -> FloatArray:
        """Values at points of shape (3, n), in nm."""
        with naming(key="initial.formula"):
            return evaluate_formula(self.text, x, self.unroll)


class _SampledMap(Protocol):
    """A map of lithium contents with a value everywhere."""

    def sample(self, points: FloatArray) -> FloatArray:
        """Lithium contents, shape (n,), at points in m, shape (n, 2)."""


@dataclass(frozen=True)
class FromMeasurement:
    """c = x / x_full, x as measured, on the mesh of its own outline, in the same frame.

    The map is read on one rank. Values beyond the bounds, which noise makes, are set by the margin
    within them; None refuses them.
    """

    read: Callable[[], _SampledMap]
    lithium_at_full: float = 1.0
    margin: float | None = None

    def apply(self, c: fem.Function, length_unit: float, bounds: Bounds) -> None:
        """Set ``c``; see `InitialComposition.apply`; refuses a file it cannot use likewise."""
        with naming(key="initial"):
            measured = run_on_root(c.function_space.mesh.comm, self.read)

        def evaluate(x: FloatArray) -> FloatArray:
            return np.asarray(measured.sample(x[:2].T * length_unit) / self.lithium_at_full)

        _interpolate(c, evaluate)
        if self.margin is not None:
            lower, upper = bounds
            np.clip(c.x.array, lower + self.margin, upper - self.margin, out=c.x.array)
        _require_bounds(c, bounds)


def _interpolate(c: fem.Function, evaluate: Callable[[FloatArray], FloatArray]) -> None:
    """Interpolate a function of points of shape (3, n), where sides meet that of the near side."""
    fold = create_fold(c.function_space.mesh)
    c.interpolate(lambda x: evaluate(fold(x)))


def _read_table(path: Path, gdim: int) -> FloatArray:
    """Columns of a composition file, shape (points, gdim + 1)."""
    expected = ",".join(["x_nm", "y_nm", "z_nm"][:gdim]) + ",c"
    header, _, body = read_text(path).partition("\n")
    if header.replace(" ", "").strip() != expected:
        raise InputError(f"must begin with the line {expected}, got {header!r}", path=str(path))
    if not body.strip():
        raise InputError("has a header, but no line of numbers", path=str(path))
    try:
        table = np.loadtxt(body.splitlines(), delimiter=",", ndmin=2)
    except ValueError as error:
        raise InputError(f"is no table of numbers: {error}", path=str(path)) from error
    if table.shape[1] != gdim + 1:
        raise InputError(f"needs {gdim + 1} columns, got {table.shape[1]}", path=str(path))
    if not np.isfinite(table).all():
        raise InputError("holds numbers that are not finite", path=str(path))
    return table


def _require_bounds(c: fem.Function, bounds: Bounds) -> None:
    """Refuse, on all ranks, values not finite or outside the open interval ``bounds``."""
    comm = c.function_space.mesh.comm
    values = np.real(c.x.array)
    if comm.allreduce(not np.isfinite(values).all(), op=MPI.LOR):
        raise InputError("the initial composition is not a finite number everywhere", key="initial")
    lowest = comm.allreduce(float(np.min(values, initial=np.inf)), op=MPI.MIN)
    highest = comm.allreduce(float(np.max(values, initial=-np.inf)), op=MPI.MAX)
    if not (bounds[0] < lowest and highest < bounds[1]):
        raise InputError(
            f"the initial composition runs from {lowest:g} to {highest:g}, but must stay between "
            f"{bounds[0]:g} and {bounds[1]:g}",
            key="initial",
        )
