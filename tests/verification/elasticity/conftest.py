"""Bodies, solutions and error norms shared by the tests of elasticity.

Lengths are in nm, stresses in MPa; E = 43 GPa and nu = 0.3 unless a test says otherwise.
"""

from types import SimpleNamespace

import gmsh
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.forms.energy import Mechanics
from chemomech.geometry.distribution import distribute
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.outline import Outline
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver


@pytest.fixture(scope="session")
def comm():
    return MPI.COMM_WORLD


@pytest.fixture(scope="session")
def solid():
    """Constants of the solid and a function that makes its mechanics; c is the eigenstrain."""
    young, poisson = 43e3, 0.3

    def create(assumption, expansion=1.0):
        stiffness = create_isotropic_stiffness(young, poisson)
        return Mechanics(
            Elasticity(stiffness, Assumption(assumption)), Eigenstrain.isotropic(expansion, 0.0)
        )

    return SimpleNamespace(young=young, poisson=poisson, mechanics=create)


@pytest.fixture
def solve(preset):
    """Return a function that solves a static problem, and finds it solved in one linear solve."""

    def run(problem):
        result = NewtonSolver(BlockSystem(problem), preset).solve()
        assert result.converged
        assert result.iterations == 1
        return problem

    return run


@pytest.fixture(scope="session")
def integrate(comm):
    """Return a function for integrals over a mesh."""

    def total(expression, mesh, degree=4):
        dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": degree})
        return comm.allreduce(fem.assemble_scalar(fem.form(expression * dx)), op=MPI.SUM)

    return total


@pytest.fixture(scope="session")
def relative_error(integrate):
    """Return a function for |computed - exact| / |exact| in L2, over the whole mesh or a part."""

    def compare(computed, exact, mesh, where=1.0):
        difference = computed - exact
        error = integrate(where * ufl.inner(difference, difference), mesh)
        return np.sqrt(error / integrate(where * ufl.inner(exact, exact), mesh))

    return compare


@pytest.fixture(scope="session")
def largest(comm):
    """Return a function for the largest magnitude of any component of a tensor in any cell.

    What a uniform tensor should be is subtracted as numbers: nothing is compiled for it.
    """

    def find(tensor, mesh, less=0.0):
        space = fem.functionspace(mesh, ("DG", 1, (3, 3)))
        points = space.element.interpolation_points
        field = fem.Function(space)
        field.interpolate(fem.Expression(tensor, points() if callable(points) else points))
        off = field.x.array.reshape(-1, 3, 3) - np.asarray(less)
        return comm.allreduce(np.abs(off).max(initial=0.0), op=MPI.MAX)

    return find


@pytest.fixture(scope="session")
def quarter_disc(comm):
    """Return a function for a quarter disc, its straight edges ``x_axis`` and ``y_axis``.

    A circle of radius ``core`` is resolved by edges of ``size``, which grow towards the rim.
    """

    def arrays(core, rim, size, rim_size):
        with GmshSession("quarter_disc"):
            geo = gmsh.model.geo
            centre = geo.addPoint(0, 0, 0, size)
            east = [geo.addPoint(radius, 0, 0, h) for radius, h in ((core, size), (rim, rim_size))]
            north = [geo.addPoint(0, radius, 0, h) for radius, h in ((core, size), (rim, rim_size))]
            arcs = [
                geo.addCircleArc(*ends) for ends in zip(east, (centre, centre), north, strict=True)
            ]
            x_axis = [geo.addLine(centre, east[0]), geo.addLine(*east)]
            y_axis = [geo.addLine(centre, north[0]), geo.addLine(*north)]
            geo.addPlaneSurface([geo.addCurveLoop([x_axis[0], arcs[0], -y_axis[0]])])
            geo.addPlaneSurface([geo.addCurveLoop([x_axis[1], arcs[1], -y_axis[1], -arcs[0]])])
            geo.synchronize()
            gmsh.model.mesh.generate(2)
            return extract_arrays(2, {"x_axis": x_axis, "y_axis": y_axis, "rim": [arcs[1]]})

    return lambda *sizes: distribute(comm, lambda: arrays(*sizes))


@pytest.fixture(scope="session")
def polar_tensor():
    """Return a function for the tensor with given polar components about a centre."""

    def create(mesh, radial, hoop, axial, centre=(0.0, 0.0)):
        x = ufl.SpatialCoordinate(mesh) - ufl.as_vector(centre)
        r = ufl.sqrt(ufl.dot(x, x))
        along = ufl.as_vector([x[0] / r, x[1] / r, 0])
        across = ufl.as_vector([-x[1] / r, x[0] / r, 0])
        up = ufl.as_vector([0, 0, 1])
        parts = ((radial, along), (hoop, across), (axial, up))
        return sum((s * ufl.outer(e, e) for s, e in parts[1:]), radial * ufl.outer(along, along))

    return create


@pytest.fixture(scope="session")
def mark():
    """Return a function for the piecewise constant 1 in cells within a radius, 0 elsewhere."""

    def create(mesh, radius):
        inside = fem.Function(fem.functionspace(mesh, ("DG", 0)))
        inside.interpolate(lambda x: np.where(np.hypot(x[0], x[1]) < radius, 1.0, 0.0))
        return inside

    return create


@pytest.fixture(scope="session")
def mesh_outline():
    """Return a function that meshes an outline from its corners and holes, in nm.

    ``cut`` names the exterior's edges that are cuts, by the number of their first corner.
    """

    def create(corners, size, comm, holes=(), cut=()):
        marks = np.isin(np.arange(len(corners)), cut)
        shape = Outline(np.asarray(corners) * 1e-9, tuple(h * 1e-9 for h in holes), marks)
        return create_domain(shape, size * 1e-9, comm)

    return create


@pytest.fixture(scope="session")
def circle():
    """Return a function for the corners of a circle about the origin, ``size`` nm apart."""

    def corners(radius, size):
        angle = np.linspace(0, 2 * np.pi, max(24, round(2 * np.pi * radius / size)), endpoint=False)
        return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    return corners


@pytest.fixture(scope="session")
def sample():
    """Return a function for a composition of degree 1, as a map at the nodes gives it."""

    def create(mesh, values):
        c = fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))
        c.interpolate(values)
        return c

    return create
