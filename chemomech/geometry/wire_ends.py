"""The two ends of a wire: named, cut off by the image, or its free tips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import default_scalar_type, fem, mesh
from mpi4py import MPI
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from chemomech.arrays import FloatArray
from chemomech.geometry.components import connect
from chemomech.geometry.domain import Domain
from chemomech.geometry.measures import compile_integral

IntArray = npt.NDArray[np.int32]
Facets = tuple[IntArray, FloatArray]
"""Facets on this rank, and the middle of those on all ranks, shape (3,)."""

_NAMED = (("start", "end"), ("left", "right"))
_BORDER = "border"


@dataclass(frozen=True, eq=False)
class _WireEnds:
    """Start and end of a wire: their facets on this rank and their middles, shape (2, gdim).

    Where no facet groups name them they are a guess.
    """

    start: IntArray
    end: IntArray
    middles: FloatArray
    are_named: bool

    @property
    def chord(self) -> FloatArray:
        """Unit vector from the middle of the start to that of the end, shape (gdim,)."""
        way: FloatArray = self.middles[1] - self.middles[0]
        return way / np.linalg.norm(way)


def find_wire_ends(domain: Domain) -> _WireEnds:
    """Find the ends of a wire on any mesh; collective.

    They are the facet groups ``start`` and ``end`` (or ``left`` and ``right``). Without them, they
    are the cuts: the connected parts of the group ``border``, of more than two the two farthest
    apart. With one cut alone the other end is the tip farthest from it, without any the ends are
    the two farthest points. A tip is the boundary within half a width of its point. Unless named,
    the start is the end further left (then lower).
    """
    for start, end in _NAMED:
        if start in domain.groups and end in domain.groups:
            named = [domain.facets(name) for name in (start, end)]
            ends = [(facets, _mean_midpoint(domain.mesh, facets)) for facets in named]
            return _to_ends(domain.mesh, ends, are_named=True)
    cuts = _find_cuts(domain)
    hull = _hull_points(domain.mesh)
    if len(cuts) >= 2:
        first, second = _farthest_pair(np.array([middle for _, middle in cuts]))
        ends = [cuts[first], cuts[second]]
    elif cuts:
        middle = cuts[0][1]
        tip = hull[np.argmax(np.round(np.linalg.norm(hull - middle, axis=1), 6))]
        ends = [cuts[0], (_find_tip(domain.mesh, tip, middle), tip)]
    else:
        one, other = (hull[i] for i in _farthest_pair(hull))
        ends = [
            (_find_tip(domain.mesh, one, other), one),
            (_find_tip(domain.mesh, other, one), other),
        ]
    ends.sort(key=lambda each: tuple(np.round(each[1], 6)))
    return _to_ends(domain.mesh, ends, are_named=False)


def _to_ends(domain: mesh.Mesh, ends: list[Facets], *, are_named: bool) -> _WireEnds:
    """Ends and their middles."""
    middles = np.array([middle[: domain.geometry.dim] for _, middle in ends])
    return _WireEnds(ends[0][0], ends[1][0], middles, are_named)


def _mean_midpoint(domain: mesh.Mesh, facets: IntArray) -> FloatArray:
    """Mean of the facets' midpoints over all ranks, shape (3,)."""
    midpoints = mesh.compute_midpoints(domain, domain.topology.dim - 1, facets)
    total = domain.comm.allreduce(np.append(midpoints.sum(axis=0), len(facets)), op=MPI.SUM)
    return total[:3] / total[3]


def _find_cuts(domain: Domain) -> list[Facets]:
    """Find the connected parts of the border, the one with the lowest vertex number first."""
    if _BORDER not in domain.groups:
        return []
    topology = domain.mesh.topology
    facets = domain.facets(_BORDER)
    topology.create_connectivity(topology.dim - 1, 0)
    connectivity = topology.connectivity(topology.dim - 1, 0)
    local = [connectivity.links(facet) for facet in facets]
    corners = np.array(local, dtype=np.int32).reshape(len(facets), topology.dim)
    # Vertices are numbered alike on all ranks, facets of two ranks meet in them.
    names = topology.index_map(0).local_to_global(corners.reshape(-1)).reshape(corners.shape)
    gathered = np.concatenate(domain.mesh.comm.allgather(names))
    vertices, numbers = np.unique(gathered, return_inverse=True)
    numbers = numbers.reshape(gathered.shape)
    pairs = np.column_stack([np.repeat(numbers[:, 0], topology.dim), numbers.reshape(-1)])
    parts, labels = connect(pairs, len(vertices))
    mine = labels[np.searchsorted(vertices, names[:, 0])]
    chosen = [np.asarray(facets[mine == part], dtype=np.int32) for part in range(parts)]
    return [(each, _mean_midpoint(domain.mesh, each)) for each in chosen]


def _boundary_midpoints(domain: mesh.Mesh) -> tuple[IntArray, FloatArray]:
    """Exterior facets on this rank and their midpoints, shape (facets, 3)."""
    facet_dim = domain.topology.dim - 1
    domain.topology.create_connectivity(facet_dim, facet_dim + 1)
    facets = mesh.exterior_facet_indices(domain.topology)
    return facets, mesh.compute_midpoints(domain, facet_dim, facets)


def _hull_points(domain: mesh.Mesh) -> FloatArray:
    """Corners of the convex hull of the boundary's midpoints, from left to right, shape (n, 3)."""
    _, local = _boundary_midpoints(domain)
    points = np.concatenate(domain.comm.allgather(local))
    corners = points[ConvexHull(points[:, : domain.geometry.dim]).vertices]
    # Ranks gather in another order when the partition changes: sorted, ties fall the same way.
    return corners[np.lexsort(np.round(corners.T[::-1], 6))]


def _farthest_pair(points: FloatArray) -> tuple[int, int]:
    """Indices of the two farthest points, the lower one first."""
    distances = np.round(squareform(pdist(points)), 6)
    first, second = np.unravel_index(np.argmax(distances), distances.shape)
    return int(min(first, second)), int(max(first, second))


def _find_tip(domain: mesh.Mesh, tip: FloatArray, other: FloatArray) -> IntArray:
    """Exterior facets within half a width, taken as measure over length, of a tip."""
    facets, midpoints = _boundary_midpoints(domain)
    one = fem.Constant(domain, default_scalar_type(1.0))
    measure = compile_integral(one * ufl.dx, domain.comm)()
    length = np.linalg.norm(other - tip)
    width = (measure / length) ** (1.0 / (domain.topology.dim - 1))
    distance = np.linalg.norm(midpoints - tip, axis=1)
    # The tip's own facet is always among them, however slender the wire.
    return np.asarray(facets[distance <= max(width / 2.0, 1e-6 * length)], dtype=np.int32)
