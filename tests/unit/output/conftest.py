"""Fixtures shared by the tests of output."""

from pathlib import Path

import pytest
from mpi4py import MPI


@pytest.fixture
def comm():
    return MPI.COMM_WORLD


@pytest.fixture
def shared_path(tmp_path, comm):
    """One empty folder that all ranks see."""
    path = Path(comm.bcast(str(tmp_path)))
    comm.barrier()
    yield path
    comm.barrier()
