"""py-pde: explicit Euler with finite differences, compiled by numba (NUMBA_NUM_THREADS=1)."""

from __future__ import annotations

from pde import PDE, CartesianGrid, ScalarField
from pde.solvers import EulerSolver
from pfhub_codes.definition import HIGH, KAPPA, LENGTH, LOW, MOBILITY, RHO, initial_composition
from pfhub_codes.entry import Clock, hand_in, read_setting

setting = read_setting(__doc__)
grid = CartesianGrid([[0, LENGTH], [0, LENGTH]], setting.cells, periodic=False)
centres = grid.cell_coords
initial = ScalarField(grid, initial_composition(centres[..., 0], centres[..., 1]))
slope = f"{2 * RHO} * (c - {LOW}) * ({HIGH} - c) * ({LOW + HIGH} - 2 * c)"
equation = PDE({"c": f"{MOBILITY} * laplace({slope} - {KAPPA} * laplace(c))"}, bc={"derivative": 0})

step = setting.control
solver = EulerSolver(equation, backend="numba")
advance = solver.make_stepper(initial, dt=step)
advance(initial.copy(), 0.0, step)  # compiles

state, t, chunk = initial.copy(), 0.0, min(1.0, setting.end)
compiling = solver.info["steps"]
clock = Clock(setting)
while t < setting.end - step and not clock.is_over():
    t = advance(state, t, min(t + chunk, setting.end))
hand_in(
    setting,
    clock.read(),
    points=centres.reshape(-1, 2),
    composition=state.data.ravel(),
    reached=t,
    steps=solver.info["steps"] - compiling,
)
