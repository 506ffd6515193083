"""The direction along the wire, at each cell of any mesh."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import default_scalar_type, fem, mesh
from dolfinx.fem import petsc
from mpi4py import MPI
from petsc4py import PETSc
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from chemomech.errors import ConvergenceError
from chemomech.geometry.domain import Domain
from chemomech.geometry.nanowire import Nanowire

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]

_ENDS = (("start", "end"), ("left", "right"))


def create_wire_tangent(domain: Domain, shape: object = None) -> fem.Function:
    """Create the unit vector t along the wire, constant in each cell, from its start to its end.

    For a nanowire it is that of the mid-line. For any other shape it is ``t = grad(phi) /
    |grad(phi)|`` with the cell mean of grad(phi), where phi solves Laplace's equation with phi = 0
    at the start, 1 at the end and no flux elsewhere, exact in straight wires and circular bends.
    The ends are the facet groups ``start`` and ``end`` (or ``left`` and ``right``) or, without
    them, the boundary around its two farthest points, the start being the one further left (then
    lower). Within about one width of such free tips t is a guess.

    Args:
        domain: Mesh with its groups; the call is collective.
        shape: Shape the mesh was made from, if known.

    Returns:
        Vector DG0 function of unit length on ``domain.mesh``.

    Raises:
        ConvergenceError: Laplace's equation could not be solved.
    """
    gdim = domain.mesh.geometry.dim
    space = fem.functionspace(domain.mesh, ("DG", 0, (gdim,)))
    tangent = fem.Function(space, name="wire_tangent")
    if isinstance(shape, Nanowire):
        tangent.interpolate(lambda x: shape.tangent(x * domain.length_unit))
        tangent.x.scatter_forward()
        return tangent
    start, end, chord = _find_ends(domain)
    potential = _solve_laplace(domain.mesh, start, end)
    tangent.x.array[:] = _cell_directions(potential, space, chord).reshape(-1)
    tangent.x.scatter_forward()
    return tangent


def _cell_directions(
    potential: fem.Function, space: fem.FunctionSpace, fallback: FloatArray
) -> FloatArray:
    """Unit vectors along the mean gradient of each cell, shape (cells, gdim)."""
    test = ufl.TestFunction(space)
    # Tested with piecewise constants, the gradient gives its integral over each cell: the mean, up
    # to a factor.
    integral = fem.assemble_vector(fem.form(ufl.inner(ufl.grad(potential), test) * ufl.dx))
    slopes: FloatArray = integral.array.reshape(-1, len(fallback))
    sizes = np.linalg.norm(slopes, axis=1)
    # A cell with all its corners on one end has no slope of its own.
    largest = space.mesh.comm.allreduce(float(np.max(sizes, initial=0.0)), op=MPI.MAX)
    flat = sizes <= 1e-12 * largest
    slopes[flat], sizes[flat] = fallback, 1.0
    return slopes / sizes[:, None]


def _find_ends(domain: Domain) -> tuple[IntArray, IntArray, FloatArray]:
    """Facets at the start and the end on this rank, and the unit vector between their middles."""
    for start, end in _ENDS:
        if start in domain.groups and end in domain.groups:
            facets = domain.facets(start), domain.facets(end)
            ends = [_mean_midpoint(domain.mesh, each) for each in facets]
            break
    else:
        ends = _farthest_points(domain.mesh)
        facets = _tips(domain.mesh, ends)
    chord = (ends[1] - ends[0])[: domain.mesh.geometry.dim]
    return *facets, chord / np.linalg.norm(chord)


def _mean_midpoint(domain: mesh.Mesh, facets: IntArray) -> FloatArray:
    """Mean of the facets' midpoints over all ranks, shape (3,)."""
    midpoints = mesh.compute_midpoints(domain, domain.topology.dim - 1, facets)
    total = domain.comm.allreduce(np.append(midpoints.sum(axis=0), len(facets)), op=MPI.SUM)
    return total[:3] / total[3]


def _boundary_midpoints(domain: mesh.Mesh) -> tuple[IntArray, FloatArray]:
    """Exterior facets on this rank and their midpoints, shape (facets, 3)."""
    facet_dim = domain.topology.dim - 1
    domain.topology.create_connectivity(facet_dim, facet_dim + 1)
    facets = mesh.exterior_facet_indices(domain.topology)
    return facets, mesh.compute_midpoints(domain, facet_dim, facets)


def _farthest_points(domain: mesh.Mesh) -> list[FloatArray]:
    """The two farthest boundary midpoints, the one further left (then lower) first."""
    _, local = _boundary_midpoints(domain)
    points = np.concatenate(domain.comm.allgather(local))
    gdim = domain.geometry.dim
    corners = points[ConvexHull(points[:, :gdim]).vertices]
    # Ranks gather in another order when the partition changes: sorted, ties fall the same way.
    corners = corners[np.lexsort(np.round(corners.T[::-1], 6))]
    distances = np.round(squareform(pdist(corners)), 6)
    first, second = np.unravel_index(np.argmax(distances), distances.shape)
    return [corners[min(first, second)], corners[max(first, second)]]


def _tips(domain: mesh.Mesh, ends: list[FloatArray]) -> tuple[IntArray, IntArray]:
    """Exterior facets within half a width, taken as measure over length, of each end."""
    facets, midpoints = _boundary_midpoints(domain)
    one = fem.Constant(domain, default_scalar_type(1.0))
    measure = domain.comm.allreduce(fem.assemble_scalar(fem.form(one * ufl.dx)), op=MPI.SUM)
    length = np.linalg.norm(ends[1] - ends[0])
    width = (measure / length) ** (1.0 / (domain.topology.dim - 1))
    distances = [np.linalg.norm(midpoints - end, axis=1) for end in ends]
    # The end's own facet is always among them, however slender the wire.
    start, end = (facets[distance <= max(width / 2.0, 1e-6 * length)] for distance in distances)
    return start, end


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
