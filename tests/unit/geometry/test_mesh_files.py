"""Meshes from files, with their facet groups by name."""

import gmsh
import meshio
import numpy as np
import pytest
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.meshing import read_domain

COMM = MPI.COMM_WORLD
POINTS = np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]], dtype=np.float64)
QUADS = np.array([[0, 1, 4, 3], [1, 2, 5, 4]])
TRIANGLES = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]])
LINES = np.array([[0, 3], [0, 1], [1, 2]])


def _write(mesh, path):
    # XML keeps the numbers in the file itself, where a broken file shows.
    if path.suffix == ".xdmf":
        mesh.write(path, data_format="XML")
    else:
        mesh.write(path)


def _write_msh(path, order=1):
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.model.occ.addRectangle(0, 0, 0, 2, 1)
    gmsh.model.occ.synchronize()
    gmsh.model.addPhysicalGroup(2, [1], name="body")
    gmsh.model.addPhysicalGroup(1, [1], name="floor")
    gmsh.model.addPhysicalGroup(1, [1, 4], name="floor_and_left")
    gmsh.model.addPhysicalGroup(1, [3])
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.3)
    gmsh.model.mesh.generate(2)
    gmsh.model.mesh.setOrder(order)
    gmsh.write(str(path))
    gmsh.finalize()


@pytest.mark.parametrize("order", [1, 2])
def test_gmsh_file_keeps_names_and_overlaps(write_shared, measure, order):
    path = write_shared("box.msh", lambda path: _write_msh(path, order))
    domain = read_domain(path, COMM, 1e-6)
    assert measure(domain) == pytest.approx(2e6)
    assert measure(domain, "floor") == pytest.approx(2000.0)
    assert measure(domain, "floor_and_left") == pytest.approx(3000.0)
    assert measure(domain, "surface") == pytest.approx(6000.0)
    assert len(domain.groups) == 4


def test_xdmf_with_its_numbers_in_hdf5(write_shared, measure):
    """What most programs write: the numbers lie in a file beside the one that is named."""
    mesh = meshio.Mesh(POINTS, [("quad", QUADS)])
    path = write_shared("box.xdmf", lambda path: mesh.write(path, data_format="HDF"))
    assert path.with_suffix(".h5").exists()
    domain = read_domain(path, COMM, 1e-9)
    assert measure(domain) == pytest.approx(2.0)


@pytest.mark.parametrize(("kind", "cells"), [("triangle", TRIANGLES), ("quad", QUADS)])
@pytest.mark.parametrize("suffix", ["xdmf", "vtu"])
def test_numbered_facets_of_other_formats(write_shared, measure, kind, cells, suffix):
    def write(path):
        mesh = meshio.Mesh(
            POINTS if suffix == "xdmf" else np.column_stack([POINTS, np.zeros(6)]),
            [(kind, cells), ("line", LINES)],
            cell_data={"tag": [np.zeros(len(cells), dtype=int), np.array([7, 8, 8])]},
        )
        _write(mesh, path)

    domain = read_domain(write_shared(f"box.{suffix}", write), COMM, 1e-9)
    assert measure(domain) == pytest.approx(2.0)
    assert measure(domain, "7") == pytest.approx(1.0)
    assert measure(domain, "8") == pytest.approx(2.0)
    assert measure(domain, "surface") == pytest.approx(6.0)
    assert domain.quality().worst_shape > 0.8


def test_named_facets_of_xdmf(write_shared, measure):
    def write(path):
        data = {"tag": [np.zeros(4, dtype=int), np.array([7, 8, 8])]}
        _write(
            meshio.Mesh(POINTS, [("triangle", TRIANGLES), ("line", LINES)], cell_data=data), path
        )
        # meshio reads names, but no longer writes them.
        names = '<names><map key="left" dim="1">7</map><map key="floor" dim="1">8</map></names>'
        information = f"<Information Name='names' Value='2'><![CDATA[{names}]]></Information>"
        path.write_text(path.read_text().replace("</Grid>", f"{information}</Grid>"))

    domain = read_domain(write_shared("box.xdmf", write), COMM, 1e-9)
    assert measure(domain, "left") == pytest.approx(1.0)
    assert measure(domain, "floor") == pytest.approx(2.0)


def test_cell_sets_name_facets(write_shared, measure):
    lines = "\n".join(f"{i + 1}, {p[0]}, {p[1]}, 0.0" for i, p in enumerate(POINTS))
    cells = "\n".join(f"{i + 1}, {', '.join(map(str, t + 1))}" for i, t in enumerate(TRIANGLES))
    edges = "\n".join(f"{i + 5}, {', '.join(map(str, e + 1))}" for i, e in enumerate(LINES))
    text = (
        f"*NODE\n{lines}\n*ELEMENT, TYPE=CPS3\n{cells}\n*ELEMENT, TYPE=T3D2\n{edges}\n"
        "*ELSET, ELSET=left\n5\n*ELSET, ELSET=floor\n6, 7\n"
    )
    path = write_shared("box.inp", lambda path: path.write_text(text))
    domain = read_domain(path, COMM, 1e-9)
    assert measure(domain, "left") == pytest.approx(1.0)
    assert measure(domain, "floor") == pytest.approx(2.0)


@pytest.fixture
def write_gmsh(write_shared):
    """Return a function that meshes a box, 60 nm x 30 nm, and saves what is in a physical group."""

    def write(groups, version=4.1, depth=0.0):
        def mesh(path):
            gmsh.initialize(interruptible=False)
            gmsh.option.setNumber("General.Terminal", 0)
            gmsh.option.setNumber("Mesh.MshFileVersion", version)
            gmsh.option.setNumber("Mesh.MeshSizeMax", 15)
            if depth:
                gmsh.model.occ.addBox(0, 0, 0, 60, 30, depth)
            else:
                gmsh.model.occ.addRectangle(0, 0, 0, 60, 30)
            gmsh.model.occ.synchronize()
            for tag, (dim, entity, name) in enumerate(groups, 1):
                gmsh.model.addPhysicalGroup(dim, [entity], tag, name)
            gmsh.model.mesh.generate(3 if depth else 2)
            gmsh.write(str(path))
            gmsh.finalize()
            # gmsh gives a name to one tag alone; scripts may give it to several.
            path.write_text(path.read_text().replace("_too", ""))

        return write_shared("body.msh", mesh)

    return write


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize("suffix", ["vtu", "xdmf", "vtk"])
def test_converted_gmsh_file_has_its_physical_groups_and_no_others(
    write_shared, write_gmsh, measure, version, suffix
):
    # Entities 4 (left) and 1 (bottom), whose numbers are also those of other groups.
    source = write_gmsh([(1, 4, "left"), (1, 1, "floor"), (2, 1, "body")], version)

    def convert(path):
        _write(meshio.read(source), path)

    domain = read_domain(write_shared(f"body.{suffix}", convert), COMM, 1e-9)
    assert set(domain.groups) == {"1", "2", "surface"}
    assert measure(domain, "1") == pytest.approx(30.0)
    assert measure(domain, "2") == pytest.approx(60.0)


@pytest.mark.parametrize("version", [2.2, 4.1])
def test_one_physical_name_for_two_tags_is_one_group(write_gmsh, measure, version):
    path = write_gmsh([(2, 1, "body"), (1, 4, "wet"), (1, 2, "wet_too")], version)
    domain = read_domain(path, COMM, 1e-9)
    assert set(domain.groups) == {"wet", "surface"}
    assert measure(domain, "wet") == pytest.approx(60.0)


@pytest.mark.parametrize("version", [2.2, 4.1])
@pytest.mark.parametrize(
    ("groups", "depth"), [([(1, 1, "floor")], 0.0), ([(2, 1, "left"), (2, 2, "right")], 10.0)]
)
def test_file_without_the_body_says_that_it_needs_a_physical_group(
    write_gmsh, version, groups, depth
):
    with pytest.raises(InputError, match="put the body itself in one too") as caught:
        read_domain(write_gmsh(groups, version, depth), COMM, 1e-9)
    assert "Mesh.SaveAll" in str(caught.value)


def test_file_with_the_body_alone_says_how_to_name_its_sides(write_gmsh, measure):
    domain = read_domain(write_gmsh([(2, 1, "body")]), COMM, 1e-9)
    assert measure(domain, "surface") == pytest.approx(180.0)
    with pytest.raises(InputError, match=r"'left'.*physical group"):
        domain.tags("left")


@pytest.mark.parametrize("name", ["wire.geo", "wire.step"])
def test_shape_that_is_not_yet_a_mesh_says_how_to_mesh_it(write_shared, name):
    path = write_shared(name, lambda path: path.write_text("Point(1) = {0, 0, 0, 1};"))
    with pytest.raises(InputError, match=rf"gmsh -2 {name} -o wire\.msh"):
        read_domain(path, COMM, 1e-9)


def test_groups_of_several_numberings_stay_apart(write_shared, measure):
    def write(path):
        cells = [("triangle", TRIANGLES), ("line", LINES)]
        data = {
            "side": [np.zeros(4, dtype=int), np.array([7, 8, 8])],
            "part": [np.zeros(4, dtype=int), np.array([7, 7, 9])],
        }
        _write(meshio.Mesh(POINTS, cells, cell_data=data), path)

    domain = read_domain(write_shared("box.xdmf", write), COMM, 1e-9)
    assert set(domain.groups) == {"side:7", "side:8", "part:7", "part:9", "surface"}
    assert measure(domain, "side:7") == pytest.approx(1.0)
    assert measure(domain, "part:7") == pytest.approx(2.0)


def _points(path):
    _write(meshio.Mesh(POINTS, [("line", LINES)]), path)


def _mixed(path):
    _write(meshio.Mesh(POINTS, [("quad", QUADS[:1]), ("triangle", TRIANGLES[2:])]), path)


def _bent(path):
    points = np.column_stack([POINTS, POINTS[:, 0] ** 2])
    _write(meshio.Mesh(points, [("triangle", TRIANGLES)]), path)


def _foreign_facet(path):
    lines = np.array([[0, 5]])
    data = {"tag": [np.zeros(4, dtype=int), np.ones(1, dtype=int)]}
    mesh = meshio.Mesh(POINTS, [("triangle", TRIANGLES), ("line", lines)], cell_data=data)
    _write(mesh, path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("lines.xdmf", _points),
        ("mixed.xdmf", _mixed),
        ("bent.xdmf", _bent),
        ("foreign.xdmf", _foreign_facet),
        ("empty.msh", lambda path: path.write_bytes(b"")),
        ("empty.xdmf", lambda path: path.write_bytes(b"")),
        ("text.msh", lambda path: path.write_text("not a mesh\n")),
        (
            "bytes.msh",
            lambda path: path.write_bytes(b"$MeshFormat\n2.2 0 8\n$\x96\xff\n$Nodes\n\x96"),
        ),
        ("text.xdmf", lambda path: path.write_text("not a mesh\n")),
        ("cut.xdmf", lambda path: path.write_text("<Xdmf><Domain></Domain></Xdmf>")),
        ("text.vtk", lambda path: path.write_text("not a mesh\n")),
        ("text.vtu", lambda path: path.write_text("not a mesh\n")),
        ("text.stl", lambda path: path.write_text("not a mesh\n")),
        ("unknown.foo", lambda path: path.write_text("not a mesh\n")),
        ("missing.msh", lambda path: None),
    ],
)
def test_unusable_file_is_refused_by_name(write_shared, name, write):
    with pytest.raises(InputError) as caught:
        read_domain(write_shared(name, write), COMM, 1e-9)
    assert name in str(caught.value)
    assert not gmsh.isInitialized()
