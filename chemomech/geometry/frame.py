"""The direction along the wire, and the distance from its ends, at each cell of any mesh."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import default_scalar_type, fem, mesh
from dolfinx.fem import petsc
from mpi4py import MPI
from petsc4py import PETSc
from scipy.spatial import KDTree

from chemomech.arrays import FloatArray
from chemomech.errors import ConvergenceError, InputError
from chemomech.geometry.domain import Domain
from chemomech.geometry.files.mesh_checks import name_point
from chemomech.geometry.measures import compile_integral
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.wire_ends import find_wire_ends

IntArray = npt.NDArray[np.int32]

# Where the gradient is below this part of its mean, next to nothing flows.
_STILL = 0.1


def create_wire_tangent(domain: Domain, shape: object = None) -> fem.Function:
    """Create the unit vector t along the wire, constant in each cell, from its start to its end.

    For a nanowire it is that of the mid-line. For any other shape it is ``t = grad(phi) /
    |grad(phi)|`` with the cell mean of grad(phi), where phi solves Laplace's equation with phi = 0
    at the start, 1 at the end and no flux elsewhere, exact in straight wires and circular bends
    whose ends are square cuts. The ends are named groups, cuts of the image or free tips: see
    `find_wire_ends`. Within about one width of free tips or slanted cuts t is a guess, which
    `create_end_distance` tells apart. The call is collective.
    """
    gdim = domain.mesh.geometry.dim
    space = fem.functionspace(domain.mesh, ("DG", 0, (gdim,)))
    tangent = fem.Function(space, name="wire_tangent")
    if isinstance(shape, Nanowire):
        tangent.interpolate(lambda x: shape.tangent(x * domain.length_unit))
        tangent.x.scatter_forward()
        return tangent
    ends = find_wire_ends(domain)
    potential = _solve_laplace(domain.mesh, ends.start, ends.end)
    directions = _cell_directions(potential, ends.chord)
    tangent.x.array[: directions.size] = directions.reshape(-1)
    tangent.x.scatter_forward()
    return tangent


def create_end_distance(domain: Domain) -> fem.Function:
    """Create the distance of each cell from the nearer end of the wire, in widths of the wire.

    ``d = |x - x_end| / w``, from the cell's midpoint to the nearest facet of an end. The width is
    that of a straight wire of this measure V and conductance: ``w = sqrt(V G)`` in 2-D and
    ``(V G)**(1/4)`` in 3-D, with ``G`` the integral of |grad(phi)|^2 for the potential of
    `create_wire_tangent`. Stresses where d < 1 are those of an end, not of the wire. The call is
    collective.
    """
    ends = find_wire_ends(domain)
    width = _compute_width(_solve_laplace(domain.mesh, ends.start, ends.end))
    distance = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)), name="end_distance")
    dim = domain.mesh.topology.dim
    facets = np.unique(np.concatenate([ends.start, ends.end]))
    corners = _facet_corners(domain.mesh, facets)
    middles = mesh.compute_midpoints(domain.mesh, dim - 1, facets)
    # Corners and middles: facets are no longer than cells, of which d is an average anyway.
    places = np.concatenate(domain.mesh.comm.allgather(np.concatenate([corners, middles])))
    index_map = domain.mesh.topology.index_map(dim)
    cells = np.arange(index_map.size_local + index_map.num_ghosts, dtype=np.int32)
    midpoints = mesh.compute_midpoints(domain.mesh, dim, cells)
    distance.x.array[:] = KDTree(places).query(midpoints)[0] / width
    return distance


def require_clear_ends(domain: Domain) -> None:
    """Refuse a shape whose ends, where they are not named, cannot be guessed; collective.

    Between the right ends, all of a wire conducts. In the third arm of a Y, or in a leg of a U the
    ends of which are not its two farthest points, the potential of `create_wire_tangent` is flat
    and its gradient no direction to trust. More than a square (in 3-D a cube) of the wire's width
    where |grad(phi)| is below a tenth of its mean along the wire is such an arm. That mean is
    weighted with the flux, and the width that of the conducting part alone.
    """
    ends = find_wire_ends(domain)
    if ends.are_named:
        return
    gdim = domain.mesh.geometry.dim
    potential = _solve_laplace(domain.mesh, ends.start, ends.end)
    volumes = _integrate_one(domain.mesh)
    sizes = np.linalg.norm(_integrate_gradient(potential), axis=1) / volumes
    powers = [volumes @ sizes**order for order in (1, 2)]
    flow, power = domain.mesh.comm.allreduce(np.array(powers), op=MPI.SUM)
    mean = power / flow
    width = (flow / mean * power) ** (0.5 / (gdim - 1))
    cells = np.flatnonzero(sizes < _STILL * mean).astype(np.int32)
    middles = _find_midpoints(domain.mesh, cells)[:, :gdim]
    local = np.append(volumes[cells].sum(), volumes[cells] @ middles)
    still, *moment = domain.mesh.comm.allreduce(local, op=MPI.SUM)
    if still > width**gdim:
        places = np.round([np.array(moment) / still, *ends.middles], 1)
        aside, start, end = map(name_point, places)
        raise InputError(
            'axes along the wire (frame = "wire") need its two ends, which are not clear here: the '
            f"part about {aside} nm does not lie between the likeliest two, {start} nm and {end} "
            "nm. Which ends are meant? Name them by facet groups 'start' and 'end' of a mesh file, "
            'crop an image to one wire, or use frame = "global"'
        )


def _compute_width(potential: fem.Function) -> float:
    """Width of the straight wire with the same measure and conductance, in mesh units."""
    domain = potential.function_space.mesh
    one = fem.Constant(domain, default_scalar_type(1.0))
    forms = (one * ufl.dx, ufl.inner(ufl.grad(potential), ufl.grad(potential)) * ufl.dx)
    measure, conductance = (compile_integral(form, domain.comm)() for form in forms)
    # In 2-D V = w L and G = w / L; in 3-D V = w^2 L and G = w^2 / L.
    return float((measure * conductance) ** (0.5 / (domain.topology.dim - 1)))


def _find_midpoints(domain: mesh.Mesh, cells: IntArray) -> FloatArray:
    """Midpoints of cells, shape (cells, 3)."""
    if len(cells) == 0:
        # DOLFINx 0.9 divides by the number of entities asked for.
        return np.empty((0, 3))
    return mesh.compute_midpoints(domain, domain.topology.dim, cells)


def _facet_corners(domain: mesh.Mesh, facets: IntArray) -> FloatArray:
    """Corners of facets, shape (corners, 3)."""
    if len(facets) == 0:
        # DOLFINx 0.9 divides by the number of facets asked for.
        return np.empty((0, 3))
    nodes = mesh.entities_to_geometry(domain, domain.topology.dim - 1, facets)
    return domain.geometry.x[np.unique(nodes)]


def _integrate_gradient(potential: fem.Function) -> FloatArray:
    """Integral of the gradient over each owned cell, shape (cells, gdim)."""
    domain = potential.function_space.mesh
    gdim = domain.geometry.dim
    # Tested with piecewise constants, a function gives its integral over each cell.
    test = ufl.TestFunction(fem.functionspace(domain, ("DG", 0, (gdim,))))
    integral = fem.assemble_vector(fem.form(ufl.inner(ufl.grad(potential), test) * ufl.dx))
    cells = domain.topology.index_map(domain.topology.dim).size_local
    slopes: FloatArray = integral.array.reshape(-1, gdim)[:cells]
    return slopes


def _integrate_one(domain: mesh.Mesh) -> FloatArray:
    """Volume of each owned cell, shape (cells,)."""
    test = ufl.TestFunction(fem.functionspace(domain, ("DG", 0)))
    volumes: FloatArray = fem.assemble_vector(fem.form(test * ufl.dx)).array
    return volumes[: domain.topology.index_map(domain.topology.dim).size_local]


def _cell_directions(potential: fem.Function, fallback: FloatArray) -> FloatArray:
    """Unit vectors along the mean gradient of each owned cell, shape (cells, gdim)."""
    slopes = _integrate_gradient(potential)
    sizes = np.linalg.norm(slopes, axis=1)
    # A cell with all its corners on one end has no slope of its own.
    comm = potential.function_space.mesh.comm
    largest = comm.allreduce(float(np.max(sizes, initial=0.0)), op=MPI.MAX)
    flat = sizes <= 1e-12 * largest
    slopes[flat], sizes[flat] = fallback, 1.0
    return slopes / sizes[:, None]


def _solve_laplace(domain: mesh.Mesh, start: IntArray, end: IntArray) -> fem.Function:
    """Solve ``div grad phi = 0`` with phi = 0 on ``start``, 1 on ``end`` and no flux elsewhere."""
    space = fem.functionspace(domain, ("Lagrange", 1))
    facet_dim = domain.topology.dim - 1
    conditions = [
        fem.dirichletbc(
            default_scalar_type(value), fem.locate_dofs_topological(space, facet_dim, facets), space
        )
        for value, facets in ((0.0, start), (1.0, end))
    ]
    trial, test = ufl.TrialFunction(space), ufl.TestFunction(space)
    form = fem.form(ufl.inner(ufl.grad(trial), ufl.grad(test)) * ufl.dx)
    load = fem.form(fem.Constant(domain, default_scalar_type(0.0)) * test * ufl.dx)
    matrix = petsc.assemble_matrix(form, bcs=conditions)
    matrix.assemble()
    vector = petsc.assemble_vector(load)
    petsc.apply_lifting(vector, [form], bcs=[conditions])
    vector.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    petsc.set_bc(vector, conditions)
    potential = fem.Function(space, name="wire_potential")
    solver = PETSc.KSP().create(domain.comm)
    solver.setOperators(matrix)
    solver.setType(PETSc.KSP.Type.CG)
    solver.getPC().setType(PETSc.PC.Type.GAMG)
    solver.setTolerances(rtol=1e-10, max_it=1000)
    solver.solve(vector, potential.x.petsc_vec)
    reason = solver.getConvergedReason()
    for used in (solver, matrix, vector):
        used.destroy()
    if reason < 0:
        raise ConvergenceError("the direction along the wire could not be found", reason=reason)
    potential.x.scatter_forward()
    return potential
