"""A mesh of two grains, ``left`` and ``right`` of the middle of its extent along x."""

from dataclasses import replace

import numpy as np
from dolfinx import mesh
from mpi4py import MPI


def mark_grains(domain):
    """Name the cells left and right of the middle of a box that begins at x = 0; collective."""
    dim = domain.mesh.topology.dim
    cells = domain.mesh.topology.index_map(dim)
    numbers = np.arange(cells.size_local + cells.num_ghosts, dtype=np.int32)
    x = mesh.compute_midpoints(domain.mesh, dim, numbers)[:, 0]
    middle = domain.mesh.comm.allreduce(domain.mesh.geometry.x[:, 0].max(), op=MPI.MAX) / 2
    tags = mesh.meshtags(domain.mesh, dim, numbers, 1 + (x > middle).astype(np.int32))
    groups = {"left": (1,), "right": (2,), "body": (1, 2)}
    return replace(domain, cell_tags=tags, cell_groups=groups)
