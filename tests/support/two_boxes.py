"""A mesh of two boxes that nothing joins, the second one turned and shifted."""

import basix.ufl
import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from chemomech.geometry.domain import Domain

#: Lengths, cells along each edge, and where the lower corner lies.
FIRST = ((40.0, 20.0, 10.0), (8, 4, 2), (0.0, 0.0, 0.0))
SECOND = ((30.0, 20.0, 10.0), (6, 4, 2), (70.0, 15.0, 3.0))
TURN = 0.4


def create_boxes(dimension, boxes=(FIRST, SECOND)):
    """A domain of quadrilaterals or hexahedra; ``left`` is the first box's face at x = 0."""
    points, cells = np.empty((0, dimension)), np.empty((0, 2**dimension), dtype=np.int64)
    for box in boxes:
        more_points, more_cells = _fill(box, dimension)
        cells = np.concatenate([cells, more_cells + len(points)])
        points = np.concatenate([points, more_points])
    comm = MPI.COMM_WORLD
    if comm.rank > 0:
        points, cells = points[:0], cells[:0]
    kind = "quadrilateral" if dimension == 2 else "hexahedron"
    element = basix.ufl.element("Lagrange", kind, 1, shape=(dimension,))
    body = mesh.create_mesh(comm, cells=cells, x=points, e=element)
    body.topology.create_connectivity(dimension - 1, dimension)
    facets = np.sort(mesh.exterior_facet_indices(body.topology))
    left = mesh.locate_entities_boundary(body, dimension - 1, lambda x: np.isclose(x[0], 0.0))
    tags = mesh.meshtags(body, dimension - 1, facets, np.isin(facets, left).astype(np.int32))
    return Domain(body, tags, {"surface": (0, 1), "left": (1,)})


def _fill(box, dimension):
    """Points and cells of one box, cells in tensor-product order."""
    lengths, counts, corner = (part[:dimension] for part in box)
    axes = [np.linspace(0.0, length, n + 1) for length, n in zip(lengths, counts, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    if box is SECOND:
        cosine, sine = np.cos(TURN), np.sin(TURN)
        points[:, :2] = points[:, :2] @ np.array([[cosine, sine], [-sine, cosine]])
    numbers = np.arange(len(points)).reshape([n + 1 for n in counts])
    corners = np.stack(
        [
            numbers[tuple(slice(s, s + n) for s, n in zip(shift, counts, strict=True))]
            # The first axis runs fastest, as in DOLFINx's cells.
            for shift in (index[::-1] for index in np.ndindex(*[2] * dimension))
        ],
        axis=-1,
    )
    return points + np.array(corner), corners.reshape(-1, 2**dimension)
