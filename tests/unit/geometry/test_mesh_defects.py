"""Meshes that other programs wrote badly: mended or refused in words, never a crash."""

import gmsh
import meshio
import numpy as np
import pytest
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry import gmsh_session
from chemomech.geometry.meshing import read_domain

COMM = MPI.COMM_WORLD
FORMATS = ["msh2", "msh4", "vtu", "xdmf", "vtk"]
OTHER = ["vtu", "xdmf"]
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]
# As gmsh writes a surface that is in two physical groups: each cell once for each.
TWICE = """$MeshFormat
2.2 0 8
$EndMeshFormat
$Nodes
4
1 0 0 0
2 10 0 0
3 10 10 0
4 0 10 0
$EndNodes
$Elements
4
1 2 2 1 1 1 2 3
2 2 2 1 1 1 3 4
3 2 2 2 1 1 2 3
4 2 2 2 1 1 3 4
$EndElements
"""


def _write_msh(path, kind, points, cells, version):
    """Write a mesh as text in one of gmsh's versions."""
    number = {"triangle": 2, "quad": 3, "tetra": 4, "hexahedron": 5}[kind]
    dim = 2 if number < 4 else 3
    places = [" ".join(map(str, point)) for point in points]
    corners = [" ".join(map(str, cell)) for cell in np.asarray(cells) + 1]
    n, m = len(points), len(cells)
    if version == 2:
        header, kinds = "2.2 0 8", f"{number} 2 1 1"
        nodes = [n, *(f"{i} {place}" for i, place in enumerate(places, 1))]
        elements = [m, *(f"{i} {kinds} {row}" for i, row in enumerate(corners, 1))]
        entities = []
    else:
        header = "4.1 0 8"
        box = "0 0 0 100 100 100 0 0"
        entities = ["$Entities", *(["0 0 1 0"] if dim == 2 else ["0 0 0 1"]), f"1 {box}"]
        entities.append("$EndEntities")
        nodes = [f"1 {n} 1 {n}", f"{dim} 1 0 {n}", *range(1, n + 1), *places]
        elements = [f"1 {m} 1 {m}", f"{dim} 1 {number} {m}"]
        elements += [f"{i} {row}" for i, row in enumerate(corners, 1)]
    lines = ["$MeshFormat", header, "$EndMeshFormat", *entities, "$Nodes", *nodes, "$EndNodes"]
    lines += ["$Elements", *elements, "$EndElements", ""]
    path.write_text("\n".join(map(str, lines)))


@pytest.fixture
def read(write_shared):
    """Return a function that writes a mesh in a format and reads it as the program does."""

    def write_and_read(kind, points, cells, form="vtu"):
        full = np.zeros((len(points), 3))
        full[:, : np.shape(points)[1]] = points

        def write(path):
            if form.startswith("msh"):
                _write_msh(path, kind, full, cells, int(form[3:]))
            elif form == "xdmf":
                dim = np.shape(points)[1]
                mesh = meshio.Mesh(full[:, :dim], [(kind, np.asarray(cells))])
                mesh.write(path, data_format="XML")
            else:
                meshio.Mesh(full, [(kind, np.asarray(cells))]).write(path)

        suffix = "msh" if form.startswith("msh") else form
        return read_domain(write_shared(f"body.{suffix}", write), COMM, 1e-9)

    return write_and_read


def _refusal(read, *arguments):
    with pytest.raises(InputError) as caught:
        read(*arguments)
    assert "body." in str(caught.value)
    assert not gmsh.isInitialized()
    return str(caught.value)


def _grid(columns, rows, origin=(0.0, 0.0)):
    """Squares of 10 nm: points and corners."""
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    points = 10.0 * np.column_stack([x.ravel(), y.ravel()]) + origin
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    corners = first[:, None] + np.array([0, 1, columns + 2, columns + 1])
    return points, corners


def _beside(one, other):
    """Two meshes in one file, with no node in common."""
    return np.vstack([one[0], other[0]]), np.vstack([one[1], other[1] + len(one[0])])


def _merged(points, cells):
    """Points at one place made one."""
    points, number = np.unique(points, axis=0, return_inverse=True)
    return points, number.reshape(-1)[cells]


def _extruded(points, cells, height=10.0):
    """Squares made cubes."""
    count = len(points)
    layers = [np.column_stack([points, np.full(count, z)]) for z in (0.0, height)]
    return np.vstack(layers), np.hstack([cells, cells + count])


def test_surface_in_two_physical_groups_of_gmsh_2_is_one_surface(write_shared, measure):
    path = write_shared("two_groups.msh", lambda path: path.write_text(TWICE))
    domain = read_domain(path, COMM, 1e-9)
    assert domain.quality().cells == 2
    assert measure(domain) == pytest.approx(100.0)
    assert measure(domain, "surface") == pytest.approx(40.0)


def test_file_at_which_gmsh_crashes_is_refused(write_shared):
    """One node fewer than the elements name: gmsh itself ends by a signal."""
    lines = TWICE.splitlines()
    lines[4] = "3"
    del lines[8]
    path = write_shared("short.msh", lambda path: path.write_text("\n".join(lines)))
    with pytest.raises(InputError, match=r"short\.msh.*nodes that it does not list"):
        read_domain(path, COMM, 1e-9)


def test_file_that_gmsh_does_not_finish_reading_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gmsh_session, "_PATIENCE", 0.0)
    monkeypatch.setattr(gmsh_session, "_SLOWEST", np.inf)
    path = tmp_path / "endless.msh"
    path.write_text(TWICE)
    with pytest.raises(InputError, match="does not finish"):
        gmsh_session.require_readable(path)


@pytest.mark.parametrize("form", FORMATS)
def test_cell_written_twice_counts_once(read, measure, form):
    domain = read("triangle", SQUARE, [[0, 1, 2], [0, 2, 3], [0, 1, 2], [3, 2, 0]], form)
    assert domain.quality().cells == 2
    assert measure(domain) == pytest.approx(100.0)
    assert measure(domain, "surface") == pytest.approx(40.0)


def test_volume_written_twice_counts_once(read, measure):
    points, cells = _extruded(*_grid(2, 1))
    domain = read("hexahedron", points, np.vstack([cells, cells]), "msh2")
    assert domain.quality().cells == 2
    assert measure(domain, "surface") == pytest.approx(1000.0)


@pytest.mark.parametrize("form", OTHER)
@pytest.mark.parametrize("kind", ["triangle", "quad"])
def test_cells_may_run_either_way_round(read, measure, form, kind):
    cells = [[0, 1, 2], [0, 3, 2]] if kind == "triangle" else [[0, 3, 2, 1]]
    assert measure(read(kind, SQUARE, cells, form)) == pytest.approx(100.0)


FLAT = [[0, 0], [10, 0], [10, 10], [0, 10], [20, 0]]
CUBE = _extruded(*_grid(1, 1))
CELLS = {
    "corner that does not exist": ("triangle", SQUARE, [[0, 1, 2], [0, 2, 9]], OTHER),
    "corner below zero": ("triangle", SQUARE, [[0, 1, 2], [0, 2, -1]], OTHER),
    "corner that is nowhere": (
        "triangle", [*SQUARE[:3], [0, np.nan]], [[0, 1, 2], [0, 2, 3]], ["vtu"],
    ),
    "corner named twice": ("quad", FLAT, [[0, 1, 2, 3], [1, 4, 4, 2]], ["msh2", "vtk"]),
    "flat triangle": ("triangle", FLAT, [[0, 1, 2], [0, 2, 3], [0, 1, 4]], ["msh4", "vtu"]),
    "bow tie": ("quad", SQUARE, [[0, 1, 3, 2]], OTHER),
    "folded triangle": (
        "triangle", [*SQUARE, [9, 2]], [[0, 1, 2], [0, 2, 4]], OTHER,
    ),
    "three triangles at one edge": (
        "triangle", [*SQUARE, [-5, 5]], [[0, 1, 2], [0, 2, 3], [0, 2, 4]], OTHER,
    ),
    "inverted cube": ("hexahedron", CUBE[0], CUBE[1][:, [0, 1, 2, 3, 5, 4, 6, 7]], ["vtu"]),
    "flat tetrahedron": ("tetra", CUBE[0], [[0, 1, 2, 3]], ["vtu"]),
}  # fmt: skip
PLACES = {
    "flat triangle": "1 of 3 cells are flat",
    "bow tie": "(5, 5)",
    "folded triangle": "lie over a neighbour",
    "three triangles at one edge": "share a facet with two others",
    "inverted cube": "folded over",
    "flat tetrahedron": "(5, 5, 0)",
    "corner that does not exist": "0 to 9, and there are 4 points",
}


@pytest.mark.parametrize(
    ("case", "form"), [(case, form) for case in CELLS for form in CELLS[case][3]]
)
def test_bad_cell_is_refused_with_its_place(read, case, form):
    kind, points, cells, _ = CELLS[case]
    assert PLACES.get(case, "") in _refusal(read, kind, points, cells, form)


@pytest.mark.parametrize("form", ["msh4", "vtk"])
def test_two_bodies_are_named_with_the_gap_between_them(read, form):
    message = _refusal(read, "quad", *_beside(_grid(3, 2), _grid(2, 2, (32.0, 0.0))), form)
    for piece in ("(0, 0) to (30, 20)", "(32, 0) to (52, 20)", "2 apart", "(30, ", "one body"):
        assert piece in message


def test_double_nodes_along_an_inner_line_are_named(read):
    message = _refusal(read, "quad", *_beside(_grid(3, 2), _grid(2, 2, (30.0, 0.0))))
    assert "parts 1 and 2 touch in double nodes from (30, 0) to (30, 20)" in message
    assert "Coherence Mesh" in message


def test_coherence_mesh_mends_double_nodes_as_the_refusal_says(write_shared, measure):
    def mend(path):
        points, cells = _beside(_grid(3, 2), _grid(2, 2, (30.0, 0.0)))
        full = np.column_stack([points, np.zeros(len(points))])
        _write_msh(path.with_name("double.msh"), "quad", full, cells, 2)
        script = path.with_name("mend.geo")
        script.write_text('Merge "double.msh"; Coherence Mesh; Save "mended.msh";\n')
        gmsh.initialize(interruptible=False)
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(script))
        gmsh.finalize()

    domain = read_domain(write_shared("mended.msh", mend), COMM, 1e-9)
    assert measure(domain) == pytest.approx(1000.0)
    assert measure(domain, "surface") == pytest.approx(140.0)


def test_line_of_double_nodes_that_ends_inside_is_named(read):
    points, cells = _grid(4, 2)
    # The upper half gets nodes of its own from x = 0 to 20 nm at y = 10 nm.
    cut = [5, 6, 7]
    upper = cells[4:]
    for number, node in enumerate(cut, len(points)):
        upper[upper == node] = number
    message = _refusal(read, "quad", np.vstack([points, points[cut]]), cells)
    assert "double nodes from (0, 10) to (20, 10)" in message


def test_parts_joined_in_one_node_are_named(read):
    parts = _merged(*_beside(_grid(3, 2), _grid(2, 2, (30.0, 20.0))))
    message = _refusal(read, "quad", *parts)
    assert "share points at (30, 20), and no facet" in message


def test_cubes_joined_in_one_edge_are_named(read):
    parts = _merged(*_beside(_grid(1, 1), _grid(1, 1, (10.0, 10.0))))
    message = _refusal(read, "hexahedron", *_extruded(*parts))
    assert "share points from (10, 10, 0) to (10, 10, 10), and no facet" in message


def test_body_that_touches_itself_in_a_point_is_named(read):
    points, cells = _grid(3, 3)
    # A ring of eight squares without its right upper one, whose hole meets the outside in a point.
    ring = np.delete(cells, [4, 8], axis=0)
    assert "touches itself at (20, 20)" in _refusal(read, "quad", points, ring)


def test_only_some_of_many_parts_are_named(read):
    points, cells = _grid(4, 4)
    message = _refusal(read, "quad", points[cells].reshape(-1, 2), np.arange(64).reshape(16, 4))
    assert "holds 16 parts" in message
    assert "and 12 more" in message


def test_parts_bear_their_groups(write_shared):
    points, cells = _beside(_grid(1, 1), _grid(1, 1, (15.0, 0.0)))
    lines = np.array([[0, 3], [5, 6]])

    def write(path):
        data = {"tag": [np.array([1, 2]), np.array([7, 8])]}
        blocks = [("quad", cells), ("line", lines)]
        meshio.Mesh(points, blocks, cell_data=data).write(path, data_format="XML")

    with pytest.raises(InputError, match=r"from \(15, 0\) to \(25, 10\), with '2', '8'"):
        read_domain(write_shared("bodies.xdmf", write), COMM, 1e-9)


def test_close_walls_are_no_double_nodes(read, measure):
    """A crack that has a width, and small cells beside large ones, stay as they are."""
    points, cells = _grid(4, 2)
    upper = cells[4:]
    for number, node in enumerate([5, 6], len(points)):
        upper[upper == node] = number
    open_crack = np.vstack([points, points[[5, 6]] + [0.0, 0.1]])
    assert measure(read("quad", open_crack, cells), "surface") == pytest.approx(160.0, abs=0.3)
