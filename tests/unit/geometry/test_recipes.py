"""The recipes in meshes/ make the meshes they promise."""

import math
from pathlib import Path

import gmsh
import numpy as np
import pytest
from dolfinx import fem
from dolfinx.mesh import compute_midpoints
from mpi4py import MPI

from chemomech.geometry.files.geojson import read_outline_geojson
from chemomech.geometry.frame import create_wire_tangent
from chemomech.geometry.measures import compile_integral
from chemomech.geometry.meshing import create_domain, read_domain

RECIPES = Path(__file__).parents[3] / "meshes"


def test_tapered_wire(measure):
    outline = read_outline_geojson(RECIPES / "tapered_wire.geojson", 1e-9)
    domain = create_domain(outline, 10e-9, MPI.COMM_WORLD)
    assert measure(domain) == pytest.approx(outline.area / 1e-18, rel=5e-3)
    assert measure(domain, "holes") == pytest.approx(30.0 * math.pi, rel=0.05)
    assert domain.quality().worst_shape > 0.4


@pytest.fixture
def read_recipe(write_shared):
    """Return a function for the domain that gmsh makes of a recipe."""

    def read(name):
        def mesh(path):
            gmsh.initialize(interruptible=False)
            gmsh.option.setNumber("General.Terminal", 0)
            gmsh.open(str(RECIPES / f"{name}.geo"))
            gmsh.model.mesh.generate(2)
            gmsh.write(str(path))
            gmsh.finalize()

        return read_domain(write_shared(f"{name}.msh", mesh), MPI.COMM_WORLD, 1e-9)

    return read


def test_bicrystal_wire(measure, read_recipe):
    domain = read_recipe("bicrystal_wire")
    assert measure(domain, "surface") == pytest.approx(2 * (240.0 + 80.0), rel=1e-12)
    one = fem.Constant(domain.mesh, 1.0)
    for grain in ("left", "right"):
        area = compile_integral(one * domain.dx(0)(domain.cell_tags_of(grain)), MPI.COMM_WORLD)()
        assert area == pytest.approx(120.0 * 80.0, rel=1e-12)


def test_notched_wire(measure, read_recipe):
    domain = read_recipe("notched_wire")
    assert measure(domain) == pytest.approx(40000.0 - 200.0 * math.pi, rel=1e-3)
    assert measure(domain, "notch") == pytest.approx(20.0 * math.pi, rel=1e-2)
    tangent = create_wire_tangent(domain).x.array.reshape(-1, 2)
    cells = np.arange(len(tangent), dtype=np.int32)
    midpoints = compute_midpoints(domain.mesh, 2, cells)
    # Around the notch the direction follows its wall; elsewhere it is that of the wire.
    away = np.abs(midpoints[:, 0] - 200.0) > 80.0
    assert np.all(tangent[away, 0] > 0.98)
