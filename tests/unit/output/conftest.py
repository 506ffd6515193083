"""Fixtures shared by the tests of output."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import run_on_root
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain


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


@pytest.fixture
def small_disk(shared_path, comm):
    """Return a function that makes a disk of so many bytes; skips where that is not allowed."""
    made = []

    def create(size):
        path = shared_path / f"disk{len(made)}"
        said = None
        if comm.rank == 0:
            path.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "small_disk", str(path)]
            said = subprocess.run(command, check=False, capture_output=True, text=True).stderr
        said = comm.bcast(said)
        if said:
            pytest.skip(f"NOT TESTED: a disk that fills up needs root: {said.strip()}")
        made.append(path)
        return path

    yield create
    comm.barrier()
    for path in made if comm.rank == 0 else ():
        subprocess.run(["umount", "--lazy", str(path)], check=True)
    comm.barrier()


@pytest.fixture
def on_root(comm):
    """Return a function that lets rank 0 do something while the others wait."""
    return lambda action: run_on_root(comm, lambda: (action(), None)[1])


@pytest.fixture
def create_function():
    """Return a function for a composition on a mesh of 48 cells."""

    def create(comm):
        mesh = create_domain(Box((8e-9, 6e-9)), 1e-9, comm).mesh
        return fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))

    return create


@pytest.fixture
def function(comm, create_function):
    return create_function(comm)


@pytest.fixture
def write_state():
    """Return a function that writes a state which can be told from others."""

    def write(store, number, function, **options):
        function.x.array[:] = 1.0 + number
        store.write(number, {"composition": function}, {"number": number}, **options)

    return write


@pytest.fixture
def assert_state():
    """Return a function that checks that a state is the one of its number."""

    def check(state, number, function):
        assert state is not None
        assert state.record == {"number": number}
        function.x.array[:] = -1.0
        state.read_functions({"composition": function})
        np.testing.assert_array_equal(function.x.array, 1.0 + number)

    return check
