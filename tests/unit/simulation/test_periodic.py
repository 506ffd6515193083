"""Simulations of periodic boxes: one run on any number of ranks, and what it leaves in files."""

import numpy as np
import pytest
from box import BOX, ELASTIC, create_tables
from dolfinx import fem
from mpi4py import MPI

import chemomech
from chemomech.config import create_config
from chemomech.geometry.box import Box
from chemomech.geometry.files.fields import list_fields, read_field
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.periodicity import create_fold
from chemomech.output.ledger import read_ledger
from chemomech.problems.initial_composition import Formula, Noise

COMM = MPI.COMM_WORLD
ALL_AROUND = create_tables(
    geometry=BOX | {"periodic": ["x", "y"]},
    mechanics=ELASTIC,
    initial={"kind": "noise", "mean": 0.5, "amplitude": 0.05, "seed": 3},
    time={"end": "0.05 s"},
    output={"count": 1, "pictures": False, "movie": False},
)


def assert_same_ledgers(together, alone):
    ledgers = [read_ledger(path / "ledger.csv") for path in (together, alone)]
    for name in ledgers[0].keys() - {"wall_s", "lithium_balance_error"}:
        one, other = (ledger[name] for ledger in ledgers)
        scale = max(float(np.nanmax(np.abs(other), initial=0.0)), 1e-300)
        if not name.endswith("iterations"):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-6 * scale, err_msg=name)


@pytest.mark.parametrize("preset", ["direct", "iterative"])
def test_opposite_sides_hold_the_same_on_any_number_of_ranks(folder, preset):
    solver = {"preset": preset, "relative_tolerance": 1e-10, "newton_share": 0.0}
    config = create_config(ALL_AROUND | {"solver": solver})
    chemomech.simulate(config, folder / "together", COMM, quiet=True)
    if COMM.rank:
        return
    if COMM.size > 1:
        chemomech.simulate(config, folder / "alone", MPI.COMM_SELF, quiet=True)
        assert_same_ledgers(folder / "together", folder / "alone")
    file = folder / "together" / "fields.vtkhdf"
    names, times = list_fields(file)
    assert {"composition", "stress"} <= set(names)
    for name in ("composition", "stress"):
        field = read_field(file, name, times[-1])
        assert len(field.points) == 17 * 9
        places = [tuple(place) for place in np.round(field.points[:, :2], 6).tolist()]
        values = dict(zip(places, field.values, strict=True))
        for (a, b), value in values.items():
            if a == 0.0:
                np.testing.assert_array_equal(values[40.0, b], value)
            if b == 0.0:
                np.testing.assert_array_equal(values[a, 20.0], value)


def test_noise_is_smooth_through_the_sides():
    """Steps from node to node across the sides are no larger than elsewhere."""
    domain = create_domain(Box((40e-9, 30e-9), ("x", "y")), 1e-9, COMM)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    Noise(0.5, 0.01, 4e-9, seed=2).apply(c, 1e-9, (0.0, 1.0))
    x = create_fold(domain.mesh)(c.function_space.tabulate_dof_coordinates().T).T
    places = np.rint(x[:, :2]).astype(int) % [40, 30]
    grid = np.full((40, 30), -np.inf)
    grid[tuple(places.T)] = c.x.array
    COMM.Allreduce(MPI.IN_PLACE, grid, op=MPI.MAX)
    assert np.isfinite(grid).all()
    for axis in (0, 1):
        steps = np.abs(np.roll(grid, -1, axis) - grid)
        seam = steps.take(-1, axis)
        assert seam.max() < steps.max() + 1e-12
        assert seam.mean() == pytest.approx(steps.mean(), rel=0.5)


def test_formula_counts_at_the_near_side():
    domain = create_domain(Box((40e-9, 30e-9), ("x",)), 10e-9, COMM)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    Formula("0.1 + 0.01*x").apply(c, 1e-9, (0.0, 1.0))
    extremes = COMM.allreduce(c.x.array.min(), MPI.MIN), COMM.allreduce(c.x.array.max(), MPI.MAX)
    assert extremes == pytest.approx((0.1, 0.4))
