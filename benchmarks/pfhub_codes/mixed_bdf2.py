"""DOLFINx by the textbook, but error-controlled: mixed (c, mu) on squares, BDF2, MUMPS."""

from __future__ import annotations

import numpy as np
import ufl
from basix.ufl import element, mixed_element
from dolfinx import fem, mesh
from dolfinx.fem import petsc
from mpi4py import MPI
from petsc4py import PETSc
from pfhub_codes.adaptive_bdf2 import march
from pfhub_codes.definition import HIGH, KAPPA, LENGTH, LOW, MOBILITY, RHO, initial_composition
from pfhub_codes.entry import Clock, hand_in, read_setting

setting = read_setting(__doc__)
cells = [setting.cells, setting.cells]
corners = [np.zeros(2), np.full(2, LENGTH)]
domain = mesh.create_rectangle(MPI.COMM_SELF, corners, cells, mesh.CellType.quadrilateral)
scalar = element("Lagrange", domain.basix_cell(), setting.degree)
space = fem.functionspace(domain, mixed_element([scalar, scalar]))
collapsed, dofs = space.sub(0).collapse()
u, history, field = fem.Function(space), fem.Function(collapsed), fem.Function(collapsed)
shift = fem.Constant(domain, 1.0)
c, mu = ufl.split(u)
q, v = ufl.TestFunctions(space)
dx = ufl.Measure("dx", metadata={"quadrature_degree": 2 * setting.degree + 1})

variable = ufl.variable(c)
well = RHO * (variable - LOW) ** 2 * (HIGH - variable) ** 2
form = (shift * c + history) * q * dx + MOBILITY * ufl.dot(ufl.grad(mu), ufl.grad(q)) * dx
form += mu * v * dx - ufl.diff(well, variable) * v * dx
form -= KAPPA * ufl.dot(ufl.grad(c), ufl.grad(v)) * dx
F, J = fem.form(form), fem.form(ufl.derivative(form, u))
energy = fem.form(well * dx + KAPPA / 2 * ufl.dot(ufl.grad(c), ufl.grad(c)) * dx)
square = fem.form(field**2 * dx)

A = petsc.create_matrix(J)
b, x = A.createVecLeft(), A.createVecRight()


def residual(snes, x, b):
    u.x.array[:] = x.array_r
    b.array_w[:] = 0.0
    petsc.assemble_vector(b, F)


def jacobian(snes, x, A, P):
    A.zeroEntries()
    petsc.assemble_matrix(A, J)
    A.assemble()


snes = PETSc.SNES().create(MPI.COMM_SELF)
snes.setFunction(residual, b)
snes.setJacobian(jacobian, A)
snes.setTolerances(rtol=1e-6)
snes.ksp.setType("preonly")
snes.ksp.pc.setType("lu")
snes.ksp.pc.setFactorSolverType("mumps")


def solve(factor, past, guess):
    """Newton's method for one implicit step."""
    shift.value = factor
    history.x.array[:] = past
    last = u.x.array.copy()
    u.x.array[dofs] = guess
    x.array_w[:] = u.x.array
    snes.solve(None, x)
    if snes.getConvergedReason() <= 0:
        u.x.array[:] = last
        return None
    u.x.array[:] = x.array_r
    return u.x.array[dofs].copy()


def norm(values):
    """Root mean square over the domain."""
    field.x.array[:] = values
    return np.sqrt(fem.assemble_scalar(square)) / LENGTH


field.interpolate(lambda x: initial_composition(x[0], x[1]))
start = field.x.array.copy()
clock = Clock(setting)
values, reached, steps = march(
    start, solve, norm, end=setting.end, tolerance=setting.control, first=0.01, clock=clock
)
seconds = clock.read()
u.x.array[dofs] = values
hand_in(
    setting,
    seconds,
    points=collapsed.tabulate_dof_coordinates()[:, :2],
    composition=values,
    reached=reached,
    steps=steps,
    energy=fem.assemble_scalar(energy),
)
