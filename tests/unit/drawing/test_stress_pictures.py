"""Pictures of the mesh and the stress, and charts of the stress in numbers."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from chemomech.drawing import stress_charts
from chemomech.drawing.figure_parts import MISSING, _create_plane
from chemomech.drawing.stress_pictures import (
    StressMap,
    TriangleMesh,
    cut_half_way,
    draw_stress,
    write_mesh_picture,
    write_stress_picture,
)
from chemomech.drawing.styles import FieldStyle
from chemomech.errors import InputError
from chemomech.output.snapshot_grid import SnapshotGrid


def create_grid(columns=20, rows=6, pitch=40.0):
    """A flat strip of quadrilaterals in nanometres."""
    x, y = np.meshgrid(np.arange(columns + 1) * pitch, np.arange(rows + 1) * pitch)
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    corners = np.column_stack([first, first + 1, first + columns + 2, first + columns + 1])
    return SnapshotGrid(points, corners, "quadrilateral")


def create_bricks():
    """Two layers of hexahedra, 400 nm x 100 nm x 100 nm, with a layer of vertices at z = 0."""
    x, y, z = np.meshgrid(np.arange(5) * 100.0, [0.0, 100.0], [-50.0, 0.0, 50.0], indexing="ij")
    number = np.arange(x.size).reshape(x.shape)
    corners = [
        (0, 0, 0),
        (1, 0, 0),
        (1, 1, 0),
        (0, 1, 0),
        (0, 0, 1),
        (1, 0, 1),
        (1, 1, 1),
        (0, 1, 1),
    ]
    cells = [number[i : i + 4, j : j + 1, k : k + 2].ravel() for i, j, k in corners]
    return SnapshotGrid(
        np.column_stack([x.ravel(), y.ravel(), z.ravel()]), np.column_stack(cells), "hexahedron"
    )


MESH = TriangleMesh.from_grid(create_grid())


def draw(stress, **options):
    axes = _create_plane(stress.mesh.extent)
    draw_stress(axes, stress, **options)
    return axes


def get_colour_bar(axes):
    (bar,) = axes.child_axes
    return bar.get_xlabel() or bar.get_ylabel()


def get_mappable(axes):
    return next(c for c in axes.collections if c.get_array() is not None)


def test_quadrilaterals_are_halved():
    assert MESH.triangles.shape == (240, 3)
    ends = MESH.points[MESH.triangles]
    sides = ends[:, 1:] - ends[:, :1]
    area = 0.5 * (sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0])
    assert area.min() > 0.0
    assert area.sum() == pytest.approx(800.0 * 240.0)
    assert len(MESH.boundary) == 2 * (20 + 6)


def test_signed_stress_has_symmetric_limits():
    axes = draw(StressMap(MESH, "stress_along", 1e5 * MESH.points[:, 0] - 2e7))
    low, high = get_mappable(axes).get_clim()
    assert low == -high
    assert high == pytest.approx(60.0, rel=0.04)
    assert get_colour_bar(axes).endswith("(MPa)")


def test_von_mises_stress_starts_from_zero_and_is_given_in_gpa_where_large():
    axes = draw(StressMap(MESH, "von_mises", 1e9 + 1e6 * MESH.points[:, 0]))
    low, high = get_mappable(axes).get_clim()
    assert low == 0.0
    assert high == pytest.approx(1.8, rel=0.01)
    assert get_colour_bar(axes).endswith("(GPa)")


def test_rounding_errors_are_no_pattern():
    rounding = 1e-7 * np.sin(MESH.points[:, 0])
    axes = draw(StressMap(MESH, "hydrostatic", rounding))
    assert get_mappable(axes).get_clim() == (-1e-3, 1e-3)


def test_triangles_without_a_value_are_grey(tmp_path):
    values = np.where(MESH.points[:, 0] < 400.0, np.nan, 5e7)
    path = tmp_path / "stress.png"
    write_stress_picture(path, StressMap(MESH, "stress_along", values))
    page = imread(path)[..., :3]
    grey = (np.abs(page - to_rgb(MISSING)).max(axis=2) < 0.01).mean()
    red = (page[..., 0] - page[..., 2] > 0.2).mean()
    assert grey > 0.1
    assert red > 0.1


def test_stress_without_values_is_refused():
    empty = np.full(len(MESH.points), np.nan)
    with pytest.raises(InputError, match="nothing to draw"):
        draw(StressMap(MESH, "von_mises", empty))
    lone = empty.copy()
    lone[0] = 1.0
    with pytest.raises(InputError, match="nothing to draw"):
        draw(StressMap(MESH, "von_mises", lone))


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [("mises", 147, "no stress called"), ("von_mises", 146, "147 points")],
)
def test_stress_that_does_not_fit_is_refused(name, count, message):
    with pytest.raises(InputError, match=message):
        StressMap(MESH, name, np.zeros(count))


def test_meshes_of_other_shapes_are_refused():
    with pytest.raises(InputError, match="points need shape"):
        TriangleMesh(np.zeros((3, 3)), np.array([[0, 1, 2]]))
    with pytest.raises(InputError, match="triangles need shape"):
        TriangleMesh(np.zeros((3, 2)), np.empty((0, 3), dtype=int))
    with pytest.raises(InputError, match="none of 3"):
        TriangleMesh(np.zeros((3, 2)), np.array([[0, 1, 3]]))
    with pytest.raises(InputError, match="not flat"):
        TriangleMesh.from_grid(create_bricks())


def test_edges_are_drawn_where_they_can_be_told_apart(tmp_path):
    write_mesh_picture(tmp_path / "mesh.png", MESH)
    page = imread(tmp_path / "mesh.png")[..., :3]
    assert 0.01 < (page[..., 2] - page[..., 0] > 0.2).mean() < 0.5
    fine = TriangleMesh.from_grid(create_grid(200, 60, 4.0))
    for mesh, drawn in ((MESH, True), (fine, False)):
        stress = StressMap(mesh, "von_mises", mesh.points[:, 0] * 1e5)
        lines = [line for line in draw(stress, edges=True).lines if line.get_gid() is None]
        assert bool(lines) == drawn


def test_cut_through_a_solid():
    pytest.importorskip("pyvista")
    grid = create_bricks()
    mesh, values = cut_half_way(grid, grid.points[:, 0] + 2.0 * grid.points[:, 2])
    np.testing.assert_allclose(values, mesh.points[:, 0], atol=1e-3)
    ends = mesh.points[mesh.triangles]
    sides = ends[:, 1:] - ends[:, :1]
    area = 0.5 * np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0])
    assert area.sum() == pytest.approx(400.0 * 100.0)


def test_cut_of_a_flat_mesh_is_refused():
    pytest.importorskip("pyvista")
    with pytest.raises(InputError, match="needs no cut"):
        cut_half_way(create_grid(), np.zeros(147))


def test_solid_stress_is_drawn_by_the_renderer():
    pictures = pytest.importorskip("chemomech.drawing.pictures")
    grid = create_bricks()
    style = FieldStyle("Shear stress (MPa)", "RdBu_r", 1e-6, symmetric=True)
    values = 1e5 * (grid.points[:, 0] - 200.0)
    renderer = pictures.Renderer(grid, style, style.compute_limits(values))
    image = renderer.render(values).astype(int)
    renderer.close()
    field = image[90:-250, :-300]
    assert (field[..., 0] - field[..., 2]).max() > 80
    assert (field[..., 2] - field[..., 0]).max() > 80


def test_bands_hold_their_numbers(tmp_path, pages):
    percentiles = np.array([5.0, 50.0, 95.0])
    stress = percentiles * 1e6
    band = stress_charts.PercentileBand("σ", percentiles, stress, stress - 5e6, stress + 5e6)
    stress_charts.write_bands_chart(tmp_path / "bands.png", [band])
    (axes,) = pages["bands"].axes
    (mean,) = [line for line in axes.lines if line.get_label() == "σ"]
    np.testing.assert_allclose(mean.get_xydata(), np.stack([percentiles, percentiles], axis=1))
    (shade,) = axes.collections
    ends = shade.get_paths()[0].vertices
    at_half = ends[ends[:, 1] == 50.0, 0]
    assert (at_half.min(), at_half.max()) == pytest.approx((45.0, 55.0))


def test_bands_that_make_no_sense_are_refused(tmp_path):
    two, three = np.ones(2), np.ones(3)
    with pytest.raises(InputError, match="have shapes"):
        stress_charts.PercentileBand("σ", two, two, two, three)
    with pytest.raises(InputError, match="not a finite number"):
        stress_charts.PercentileBand("σ", two, two, two, two * np.nan)
    with pytest.raises(InputError, match="between 1 and 8"):
        stress_charts.write_bands_chart(tmp_path / "bands.png", [])
