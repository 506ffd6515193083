"""The same owners give the same distributed mesh, and a mesh keeps its name on any ranks."""

import hashlib
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.distribution import MeshArrays, distribute
from chemomech.geometry.meshing import create_domain, read_domain
from chemomech.geometry.outline import Outline
from chemomech.geometry.partition import collect_owners, compute_fingerprint

COMM = MPI.COMM_WORLD
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
CELLS = np.array([[0, 1, 3, 4], [1, 2, 4, 5]])
LAUNCHES = pytest.mark.skipif(
    COMM.size > 1 or shutil.which("mpirun") is None, reason="starts mpirun of its own"
)


def create_disc(circle, owners=None, comm=COMM):
    return create_domain(Outline(circle(30e-9)), 2e-9, comm, owners=owners)


def list_arrays(domain):
    """Everything in which two distributions of a mesh could differ on this rank."""
    mesh, topology = domain.mesh, domain.mesh.topology
    spaces = [fem.functionspace(mesh, element) for element in (("P", 1), ("P", 2, (2,)))]
    maps = [
        mesh.geometry.index_map(),
        *(topology.index_map(dim) for dim in (0, topology.dim)),
        *(space.dofmap.index_map for space in spaces),
    ]
    return [
        mesh.geometry.x,
        mesh.geometry.input_global_indices,
        topology.original_cell_index,
        topology.connectivity(topology.dim, 0).array,
        domain.facet_tags.indices,
        domain.facet_tags.values,
        *(space.dofmap.list for space in spaces),
        *(part for each in maps for part in (each.local_range, each.ghosts, each.owners)),
    ]


def test_owners_are_those_of_the_cells(circle):
    mesh = create_disc(circle).mesh
    owners = collect_owners(mesh)
    if COMM.rank > 0:
        assert owners is None
    owners = COMM.bcast(owners)
    cells = mesh.topology.index_map(2)
    assert owners.dtype == np.int32
    assert len(owners) == cells.size_global
    mine = np.sort(mesh.topology.original_cell_index[: cells.size_local])
    np.testing.assert_array_equal(np.flatnonzero(owners == COMM.rank), mine)


def test_owners_give_the_same_mesh_again(circle):
    first = create_disc(circle)
    again = create_disc(circle, collect_owners(first.mesh))
    for one, other in zip(list_arrays(first), list_arrays(again), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", ["triangle", "quadrilateral", "tetrahedron", "hexahedron"])
def test_any_division_can_be_asked_for(cell):
    lengths = (8e-9, 4e-9, 3e-9)[: 2 if cell in ("triangle", "quadrilateral") else 3]
    count = create_domain(Box(lengths), 1e-9, COMM, cell).quality().cells
    wanted = np.random.default_rng(1).integers(COMM.size, size=count).astype(np.int32)
    mesh = create_domain(Box(lengths), 1e-9, COMM, cell, wanted if COMM.rank == 0 else None).mesh
    owners = collect_owners(mesh)
    if COMM.rank == 0:
        np.testing.assert_array_equal(owners, wanted)


def test_no_rank_has_ghost_cells(circle):
    """As without owners, where solvers expect none."""
    for owners in (None, collect_owners(create_disc(circle).mesh)):
        assert create_disc(circle, owners).mesh.topology.index_map(2).num_ghosts == 0


def test_owners_divide_a_mesh_from_a_file(write_shared):
    meshio = pytest.importorskip("meshio")
    quads = meshio.Mesh(POINTS, [("quad", CELLS[:, [0, 1, 3, 2]])])
    path = write_shared("two.vtu", quads.write)
    wanted = np.array([COMM.size - 1, 0], dtype=np.int32)
    owners = collect_owners(read_domain(path, COMM, 1e-9, wanted).mesh)
    if COMM.rank == 0:
        np.testing.assert_array_equal(owners, wanted)
    with pytest.raises(InputError, match=r"two.vtu: the division of 3 cells .* has 2 cells"):
        read_domain(path, COMM, 1e-9, np.zeros(3, dtype=np.int32))


@pytest.mark.parametrize(
    ("owners", "message"),
    [
        (
            np.zeros(11, dtype=np.int32),
            "11 cells among ranks is that of another mesh; this one has 12",
        ),
        (np.full(12, COMM.size, dtype=np.int32), f"0 to {COMM.size - 1}; got {COMM.size} to"),
        (np.full(12, -1, dtype=np.int32), "got -1 to -1"),
        (np.zeros((12, 1), dtype=np.int32), "list of whole numbers"),
        (np.zeros(12), "list of whole numbers, not of float64"),
    ],
)
def test_unsuitable_owners_are_refused_on_all_ranks(owners, message):
    with pytest.raises(InputError, match=message):
        create_domain(Box((4e-9, 3e-9)), 1e-9, COMM, owners=owners if COMM.rank == 0 else None)


def test_fingerprint_does_not_depend_on_the_ranks(circle):
    first = compute_fingerprint(create_disc(circle).mesh)
    assert len(first) == 64
    assert set(COMM.allgather(first)) == {first}
    assert compute_fingerprint(create_disc(circle).mesh) == first
    assert compute_fingerprint(create_disc(circle, comm=MPI.COMM_SELF).mesh) == first


@pytest.mark.parametrize(
    "change",
    [
        (np.nextafter(POINTS, 9.0), CELLS, "quadrilateral"),
        (POINTS, CELLS[::-1], "quadrilateral"),
        (POINTS, CELLS[:, [1, 0, 3, 2]], "quadrilateral"),
        (POINTS[[0, 1, 3, 4]], np.array([[0, 1, 2, 3]]), "quadrilateral"),
        (POINTS, np.array([[0, 1, 3], [1, 3, 4], [1, 2, 4], [2, 4, 5]]), "triangle"),
    ],
    ids=["a last bit", "order of cells", "order of corners", "a cell less", "type of cells"],
)
def test_fingerprint_tells_meshes_apart(change):
    def compute(points, cells, cell):
        arrays = MeshArrays(points, cells.astype(np.int64), cell, {})
        return compute_fingerprint(distribute(MPI.COMM_SELF, lambda: arrays).mesh)

    assert compute(*change) != compute(POINTS, CELLS, "quadrilateral")
    assert compute(-1.0 * (0.0 - POINTS), CELLS, "quadrilateral") == compute(
        POINTS, CELLS, "quadrilateral"
    )


PROGRAM = textwrap.dedent("""
    import hashlib, sys
    from pathlib import Path
    import numpy as np
    from mpi4py import MPI
    sys.path.insert(0, sys.argv[1])
    import test_partition as tests
    from chemomech.geometry.partition import collect_owners

    comm, path = MPI.COMM_WORLD, Path(sys.argv[2])
    angle = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    circle = lambda radius: radius * np.column_stack([np.cos(angle), np.sin(angle)])
    known = comm.bcast(path.exists())
    domain = tests.create_disc(circle, np.load(path) if known and comm.rank == 0 else None)
    digest = comm.gather(tests.digest(domain))
    if not known:
        owners = collect_owners(domain.mesh)
        if comm.rank == 0:
            np.save(path, owners)
    if comm.rank == 0:
        print("digests", *digest)
""")


def digest(domain):
    arrays = list_arrays(domain)
    return hashlib.sha256(b"".join(np.asarray(each).tobytes() for each in arrays)).hexdigest()


@LAUNCHES
@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_another_process_makes_the_same_mesh(tmp_path, ranks):
    """Of one divided by a graph partitioner, and made again in a process started later."""
    (tmp_path / "program.py").write_text(PROGRAM)
    paths = [tmp_path / "program.py", Path(__file__).parent, tmp_path / "owners.npy"]
    command = ["mpirun", "-n", str(ranks), sys.executable, *map(str, paths)]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        for _ in range(2)
    )
    assert "digests" in first.stdout, first.stderr
    assert len(set(first.stdout.split())) == 1 + ranks
    assert first.stdout == second.stdout
