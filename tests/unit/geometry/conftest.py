"""What the geometry tests share."""

from pathlib import Path

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI


@pytest.fixture
def shared_path(tmp_path):
    """Return one temporary folder for all ranks."""
    return Path(MPI.COMM_WORLD.bcast(str(tmp_path)))


@pytest.fixture
def write_shared(shared_path):
    """Return a function that writes a file on rank 0 and gives its path to all ranks."""
    comm = MPI.COMM_WORLD

    def write(name, write_to):
        path = shared_path / name
        if comm.rank == 0:
            write_to(path)
        comm.barrier()
        return path

    return write


@pytest.fixture
def measure():
    """Return a function for the volume of a domain or the area of one of its groups, in nm."""

    def integrate(domain, group=None):
        one = fem.Constant(domain.mesh, 1.0)
        if group is None:
            form = one * ufl.dx
        else:
            ds = ufl.Measure("ds", domain.mesh, subdomain_data=domain.facet_tags)
            form = one * ds(domain.tags(group))
        return domain.mesh.comm.allreduce(fem.assemble_scalar(fem.form(form)), op=MPI.SUM)

    return integrate


@pytest.fixture
def circle():
    """Return a function for the corners of a regular polygon, counter-clockwise."""

    def corners(radius, count=200, centre=(0.0, 0.0)):
        angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
        return np.array(centre) + radius * np.column_stack([np.cos(angle), np.sin(angle)])

    return corners
