"""FiPy: coupled finite volumes for (c, mu), backward Euler, fixed steps, LU."""

from __future__ import annotations

import numpy as np
from fipy import CellVariable, DiffusionTerm, Grid2D, ImplicitSourceTerm, TransientTerm
from fipy.solvers.scipy import LinearLUSolver
from pfhub_codes.definition import (
    KAPPA,
    LENGTH,
    MOBILITY,
    curvature,
    energy_density,
    initial_composition,
    potential,
)
from pfhub_codes.entry import Clock, hand_in, read_setting

setting = read_setting(__doc__)
size = LENGTH / setting.cells
mesh = Grid2D(nx=setting.cells, ny=setting.cells, dx=size, dy=size)
x, y = (np.asarray(values) for values in mesh.cellCenters)
c = CellVariable(mesh=mesh, name="c", hasOld=True, value=initial_composition(x, y))
mu = CellVariable(mesh=mesh, name="mu", hasOld=True, value=potential(c.value))

slope = curvature(c)
equation = (TransientTerm(var=c) == DiffusionTerm(coeff=MOBILITY, var=mu)) & (
    ImplicitSourceTerm(coeff=1.0, var=mu)
    == ImplicitSourceTerm(coeff=slope, var=c)
    - slope * c
    + potential(c)
    - DiffusionTerm(coeff=KAPPA, var=c)
)
solver = LinearLUSolver(tolerance=1e-12, iterations=1)

clock = Clock(setting)
steps = 0
while steps < round(setting.end / setting.control) and not clock.is_over():
    c.updateOld()
    mu.updateOld()
    first = None
    for _ in range(10):
        residual = equation.sweep(dt=setting.control, solver=solver)
        first = first or residual
        if residual < 1e-2 * first:
            break
    steps += 1
seconds = clock.read()
gradient = np.asarray(c.grad)
energy = np.mean(energy_density(c.value) + KAPPA / 2 * (gradient**2).sum(axis=0)) * LENGTH**2
hand_in(
    setting,
    seconds,
    points=np.column_stack([x, y]),
    composition=np.asarray(c.value),
    reached=steps * setting.control,
    steps=steps,
    energy=float(energy),
)
