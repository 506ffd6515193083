"""The recipe of DOLFINx's Cahn-Hilliard demo: mixed P1 x P1, theta = 0.5, fixed steps, MUMPS."""

from __future__ import annotations

import numpy as np
import ufl
from basix.ufl import element, mixed_element
from dolfinx import fem, mesh
from dolfinx.fem import petsc
from mpi4py import MPI
from petsc4py import PETSc
from pfhub_codes.definition import HIGH, KAPPA, LENGTH, LOW, MOBILITY, RHO, initial_composition
from pfhub_codes.entry import Clock, hand_in, read_setting

setting = read_setting(__doc__)
cells = [setting.cells, setting.cells]
corners = [np.zeros(2), np.full(2, LENGTH)]
domain = mesh.create_rectangle(MPI.COMM_SELF, corners, cells, mesh.CellType.triangle)
linear = element("Lagrange", domain.basix_cell(), 1)
space = fem.functionspace(domain, mixed_element([linear, linear]))
u, u_n = fem.Function(space), fem.Function(space)
(c, mu), (c_n, mu_n) = ufl.split(u), ufl.split(u_n)
q, v = ufl.TestFunctions(space)
dx = ufl.Measure("dx", metadata={"quadrature_degree": 3})

dt, theta = setting.control, 0.5
variable = ufl.variable(c)
well = RHO * (variable - LOW) ** 2 * (HIGH - variable) ** 2
mu_mid = theta * mu + (1 - theta) * mu_n
form = (c - c_n) * q * dx + dt * MOBILITY * ufl.dot(ufl.grad(mu_mid), ufl.grad(q)) * dx
form += mu * v * dx - ufl.diff(well, variable) * v * dx
form -= KAPPA * ufl.dot(ufl.grad(c), ufl.grad(v)) * dx
F, J = fem.form(form), fem.form(ufl.derivative(form, u))
energy = fem.form(well * dx + KAPPA / 2 * ufl.dot(ufl.grad(c), ufl.grad(c)) * dx)

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
snes.ksp.setType("preonly")
snes.ksp.pc.setType("lu")
snes.ksp.pc.setFactorSolverType("mumps")

u.sub(0).interpolate(lambda x: initial_composition(x[0], x[1]))
u_n.x.array[:] = u.x.array
clock = Clock(setting)
t, steps = 0.0, 0
while steps < round(setting.end / dt) and not clock.is_over():
    x.array_w[:] = u.x.array
    snes.solve(None, x)
    if snes.getConvergedReason() <= 0:
        raise SystemExit(f"Newton's method failed at t = {t}")
    u.x.array[:] = x.array_r
    u_n.x.array[:] = u.x.array
    steps += 1
    t = steps * dt
seconds = clock.read()
collapsed, dofs = space.sub(0).collapse()
hand_in(
    setting,
    seconds,
    points=collapsed.tabulate_dof_coordinates()[:, :2],
    composition=u.x.array[dofs],
    reached=t,
    steps=steps,
    energy=fem.assemble_scalar(energy),
)
