"""Cells of named bodies: from files, on any number of ranks, and into files."""

import meshio
import numpy as np
import pytest
from core_and_shell import AREAS, write_core_and_shell
from dolfinx import fem, io
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes
from chemomech.geometry.box import Box
from chemomech.geometry.distribution import MeshArrays, distribute
from chemomech.geometry.measures import compile_integral
from chemomech.geometry.meshing import create_domain, read_domain
from chemomech.geometry.partition import collect_owners, compute_fingerprint
from chemomech.output.mesh_files import write_mesh_file

COMM = MPI.COMM_WORLD
POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [1.0, 1.0], [3.0, 1.0]])
QUADS = np.array([[0, 1, 3, 4], [1, 2, 4, 5]])


@pytest.fixture
def path(write_shared):
    return write_shared("two.msh", write_core_and_shell)


def compute_area(domain, group):
    one = fem.Constant(domain.mesh, 1.0)
    return compile_integral(one * domain.dx(1)(domain.cell_tags_of(group)), domain.mesh.comm)()


def compute_areas(domain):
    return {group: compute_area(domain, group) for group in domain.cell_groups}


def gather_tags(domain):
    """Tag of each cell in the order of the mesh's input, on all ranks."""
    tags = domain.cell_tags
    cells = domain.mesh.topology.original_cell_index[tags.indices]
    gathered = domain.mesh.comm.allgather(dict(zip(cells.tolist(), tags.values, strict=True)))
    return dict(sorted({cell: tag for part in gathered for cell, tag in part.items()}.items()))


@pytest.mark.parametrize("version", [2.2, 4.1])
def test_bodies_of_a_gmsh_file_are_groups_of_cells(write_shared, measure, version):
    """Overlapping ones as well, for which gmsh 2.2 writes a cell twice."""
    path = write_shared("two.msh", lambda path: write_core_and_shell(path, version))
    domain = read_domain(path, COMM, 1e-9)
    assert compute_areas(domain) == pytest.approx(AREAS, rel=1e-12)
    assert compile_integral(fem.Constant(domain.mesh, 1.0) * domain.dx(1), COMM)() == pytest.approx(
        1600.0, rel=1e-12
    )
    assert set(domain.groups) == {"inside", "surface"}
    assert measure(domain, "surface") == pytest.approx(160.0)
    midpoints = domain.mesh.geometry.x[get_cell_nodes(domain.mesh.geometry)].mean(axis=1)
    core = np.abs(midpoints[:, :2] - 20.0).max(axis=1) < 10.0
    np.testing.assert_array_equal(domain.cells("core"), np.flatnonzero(core))
    np.testing.assert_array_equal(domain.cells("shell"), np.flatnonzero(~core))
    np.testing.assert_array_equal(domain.cells("body"), np.arange(len(core)))


def test_tags_do_not_depend_on_the_ranks(path):
    domain, alone = read_domain(path, COMM, 1e-9), read_domain(path, MPI.COMM_SELF, 1e-9)
    assert domain.cell_groups == alone.cell_groups
    assert gather_tags(domain) == gather_tags(alone)
    assert list(gather_tags(domain)) == list(range(domain.quality().cells))


def test_owners_give_the_same_tags_again(path):
    """As a restart makes its mesh."""
    first = read_domain(path, COMM, 1e-9)
    again = read_domain(path, COMM, 1e-9, collect_owners(first.mesh))
    np.testing.assert_array_equal(first.cell_tags.indices, again.cell_tags.indices)
    np.testing.assert_array_equal(first.cell_tags.values, again.cell_tags.values)
    assert again.cell_groups == first.cell_groups


def test_bodies_are_written_and_read_again(path, shared_path):
    domain = read_domain(path, COMM, 1e-9)
    for suffix in (".msh", ".vtu", ".xdmf"):
        write_mesh_file(domain, shared_path / f"again{suffix}")
    again = read_domain(shared_path / "again.msh", COMM, 1e-9)
    assert again.groups == domain.groups
    assert again.cell_groups == domain.cell_groups
    assert compute_areas(again) == pytest.approx(AREAS, rel=1e-12)
    areas = {
        f"cell_tag:{tag}": AREAS[group]
        for group in ("core", "shell")
        for tag in set(domain.cell_tags_of(group))
    }
    numbered = compute_areas(read_domain(shared_path / "again.vtu", COMM, 1e-9))
    assert numbered == pytest.approx(areas | {"facet_tag:0": AREAS["body"]}, rel=1e-12)
    with io.XDMFFile(COMM, shared_path / "again.xdmf", "r") as file:
        mesh = file.read_mesh()
        tags = file.read_meshtags(mesh, "cell_tags")
    owned = tags.values[tags.indices < mesh.topology.index_map(2).size_local]
    counts = COMM.allreduce(np.bincount(owned, minlength=3))
    expected = COMM.allreduce(np.bincount(domain.cell_tags.values, minlength=3))
    np.testing.assert_array_equal(counts, expected)


def create_pair(cell_groups):
    groups = {name: np.array(rows) for name, rows in cell_groups.items()}
    arrays = MeshArrays(POINTS, QUADS, "quadrilateral", {}, groups)
    # Of two cells some ranks would have none.
    return distribute(MPI.COMM_SELF, lambda: arrays)


def test_cells_of_no_group_are_written_too(tmp_path):
    domain = create_pair({"right": [1]})
    assert domain.cells("right").tolist() == [
        int(np.flatnonzero(domain.mesh.topology.original_cell_index == 1)[0])
    ]
    write_mesh_file(domain, tmp_path / "pair.msh")
    again = read_domain(tmp_path / "pair.msh", MPI.COMM_SELF, 1e-9)
    left, right = sorted(again.cell_groups)
    assert right == "right"
    assert left.isdecimal()
    assert len(again.cells(left)) == len(again.cells(right)) == 1


def test_fingerprint_is_that_of_the_mesh_and_of_the_groups_that_matter(path):
    first, second = create_pair({}), create_pair({"right": [1]})
    assert first.cell_tags is None
    assert compute_fingerprint(first.mesh) == compute_fingerprint(second.mesh)

    def compute(comm, *groups):
        domain = read_domain(path, comm, 1e-9)
        return compute_fingerprint(domain.mesh, {name: domain.cells(name) for name in groups})

    found = [compute(COMM, *names) for names in ((), ("core",), ("shell",), ("core", "shell"))]
    assert len(set(found)) == 4
    assert found[-1] == compute(MPI.COMM_SELF, "core", "shell")


@pytest.mark.parametrize("suffix", ["vtu", "xdmf"])
def test_integer_cell_data_name_groups(write_shared, suffix):
    """Not what differs from cell to cell, nor numbers that are no integers, nor vectors."""
    count = 1001
    points = np.array([[x, y, 0.0] for x in range(count + 1) for y in (0.0, 1.0)])
    corners = np.arange(count)[:, None] * 2 + [0, 2, 3, 1]
    data = {"id": np.arange(count), "vector": np.zeros((count, 3), dtype=int)}
    data |= {"grain": np.arange(count) // 500, "density": np.ones(count)}
    mesh = meshio.Mesh(points, [("quad", corners)], cell_data={k: [v] for k, v in data.items()})
    mode = {"data_format": "XML"} if suffix == "xdmf" else {}
    path = write_shared(f"strip.{suffix}", lambda path: mesh.write(path, **mode))
    areas = compute_areas(read_domain(path, COMM, 1e-9))
    assert areas == pytest.approx({"grain:0": 500.0, "grain:1": 500.0, "grain:2": 1.0})


def test_cell_sets_name_bodies(write_shared):
    nodes = "\n".join(f"{i + 1}, {x}, {y}, 0.0" for i, (x, y) in enumerate(POINTS))
    cells = "\n".join(
        f"{i + 1}, {', '.join(map(str, quad[[0, 1, 3, 2]] + 1))}" for i, quad in enumerate(QUADS)
    )
    text = (
        f"*NODE\n{nodes}\n*ELEMENT, TYPE=CPS4\n{cells}\n*ELSET, ELSET=left\n1\n"
        "*ELSET, ELSET=both\n1, 2\n"
    )
    path = write_shared("pair.inp", lambda path: path.write_text(text))
    assert compute_areas(read_domain(path, MPI.COMM_SELF, 1e-9)) == pytest.approx(
        {"left": 1.0, "both": 3.0}
    )


def test_unknown_group_is_refused(path):
    domain = read_domain(path, COMM, 1e-9)
    words = r"no cell group 'shel'; did you mean 'shell'\? \(known groups: body, core, shell\)"
    with pytest.raises(InputError, match=words):
        domain.cells("shel")
    with pytest.raises(InputError, match=r"known groups: none; parts of the body are physical gro"):
        create_domain(Box((4e-9, 2e-9)), 1e-9, COMM).cell_tags_of("shell")
