"""NGSolve: mixed (c, mu) elements on squares, error-controlled BDF2, Newton with --variant."""

from __future__ import annotations

import ngsolve as ng
import numpy as np
from ngsolve.meshes import MakeStructured2DMesh
from pfhub_codes.adaptive_bdf2 import march
from pfhub_codes.definition import HIGH, KAPPA, LENGTH, LOW, MOBILITY, RHO
from pfhub_codes.entry import Clock, hand_in, read_setting

setting = read_setting(__doc__)
mesh = MakeStructured2DMesh(
    quads=True, nx=setting.cells, ny=setting.cells, mapping=lambda x, y: (LENGTH * x, LENGTH * y)
)
space = ng.H1(mesh, order=setting.degree)
both = space * space
(c, mu), (q, v) = both.TnT()
state, history = ng.GridFunction(both), ng.GridFunction(space)
shift = ng.Parameter(1.0)
slope = 2 * RHO * (c - LOW) * (HIGH - c) * (LOW + HIGH - 2 * c)
# Divided by the shift, and with q for the second equation, the linear systems are symmetric.
form = ng.BilinearForm(both, symmetric=True, condense=True)
form += (mu * q - slope * q - KAPPA * ng.grad(c) * ng.grad(q)).Compile() * ng.dx
form += ((c + history) * v + MOBILITY / shift * ng.grad(mu) * ng.grad(v)).Compile() * ng.dx
residual, change = state.vec.CreateVector(), state.vec.CreateVector()
inverse = None


def solve(factor, past, guess):
    """Newton's method for one implicit step."""
    global inverse
    shift.Set(factor)
    history.vec.FV().NumPy()[:] = past / factor
    state.components[0].vec.FV().NumPy()[:] = guess
    first = None
    for _ in range(10):
        form.Apply(state.vec, residual)
        norm = residual.Norm()
        first = first or norm
        if norm < 1e-6 * first:
            return state.components[0].vec.FV().NumPy().copy()
        form.AssembleLinearization(state.vec)
        if inverse is None:
            inverse = form.mat.Inverse(both.FreeDofs(coupling=True), inverse=setting.variant)
        else:
            inverse.Update()
        # Unknowns inside cells are eliminated cell by cell.
        residual.data += form.harmonic_extension_trans * residual
        change.data = inverse * residual
        change.data += form.harmonic_extension * change
        change.data += form.inner_solve * residual
        state.vec.data -= change
    return None


def initial():
    """L2 projection of the initial composition."""
    x, y = ng.x, ng.y
    value = 0.5 + 0.01 * (
        ng.cos(0.105 * x) * ng.cos(0.11 * y)
        + (ng.cos(0.13 * x) * ng.cos(0.087 * y)) ** 2
        + ng.cos(0.025 * x - 0.15 * y) * ng.cos(0.07 * x - 0.02 * y)
    )
    field = ng.GridFunction(space)
    field.Set(value)
    return field.vec.FV().NumPy().copy()


u, w = space.TnT()
mass = ng.BilinearForm(u * w * ng.dx).Assemble().mat
difference = ng.GridFunction(space)


def norm(values):
    difference.vec.FV().NumPy()[:] = values
    return np.sqrt(ng.InnerProduct(difference.vec, mass * difference.vec)) / LENGTH


start = initial()
clock = Clock(setting)
values, reached, steps = march(
    start, solve, norm, end=setting.end, tolerance=setting.control, first=0.01, clock=clock
)
seconds = clock.read()
field = state.components[0]
field.vec.FV().NumPy()[:] = values
well = RHO * (field - LOW) ** 2 * (HIGH - field) ** 2
energy = ng.Integrate(
    well + KAPPA / 2 * ng.grad(field) * ng.grad(field), mesh, order=4 * setting.degree
)
# The nodes of its elements are none of the user's business: as fine a grid as the finest code's.
line = np.linspace(0.0, LENGTH, 201)
x, y = (a.ravel() for a in np.meshgrid(line, line))
hand_in(
    setting,
    seconds,
    points=np.column_stack([x, y]),
    composition=field(mesh(x, y)).ravel(),
    reached=reached,
    steps=steps,
    energy=energy,
)
