"""Observables that a user writes: in ledger, chart and report, and through a restart."""

from pathlib import Path

import numpy as np
import pytest
import ufl
from mpi4py import MPI

import chemomech
from chemomech.config import create_config
from chemomech.drawing.charts import _create_ledger_figure
from chemomech.errors import InputError, StoppedEarly
from chemomech.models.building import create_problem
from chemomech.output.ledger import name_columns, read_ledger
from chemomech.problems.observables import Observable
from chemomech.reporting.writing import write_report

COMM = MPI.COMM_WORLD
TABLE = {
    "geometry": {"kind": "box", "size": ["40 nm", "20 nm"]},
    "material": {
        "free_energy": {"kind": "regular_solution", "chi": 2.75},
        "gradient": {"interface_width": "10 nm"},
        "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
    },
    "initial": {"kind": "noise", "mean": 0.5, "seed": 1},
    "time": {"end": "0.3 s"},
    "output": {"count": 2, "pictures": False, "movie": False},
}
NAMES = ["interface_energy_J_per_m", "vertices_above_mean"]


@pytest.fixture
def folder(tmp_path):
    """One folder that all ranks see and none has made yet."""
    path = Path(COMM.bcast(str(tmp_path / "results")))
    COMM.barrier()
    yield path
    COMM.barrier()


def create(config, particle):
    """Add the gradient energy once more, by hand, and a count that is taken at snapshots."""
    problem = create_problem(config, particle)
    unit = config.material.scales.energy(2)
    gradient = ufl.grad(problem.c)
    density = 0.5 * problem.energy_density.gradient_coefficient * ufl.dot(gradient, gradient)
    integral = problem.compile_integral(density)
    owned = problem.c.function_space.dofmap.index_map.size_local

    def count():
        return COMM.allreduce(int((problem.c.x.array[:owned] > 0.5).sum()))

    problem.observables += [
        Observable("interface_energy_J_per_m", lambda: integral() * unit),
        Observable("vertices_above_mean", count, at="snapshot"),
    ]
    return problem


def simulate(folder, tables=None, **options):
    return chemomech.simulate(
        create_config(TABLE | (tables or {})), folder, COMM, quiet=True, **options
    )


def test_an_observable_of_a_user_is_recorded_drawn_and_reported(folder):
    with pytest.raises(StoppedEarly):
        simulate(folder, {"checkpoint": {"wall_limit": "1 us"}}, create=create)
    simulate(folder, restart=True, create=create)
    ledger = read_ledger(folder / "ledger.csv")
    assert list(ledger) == [*name_columns(2), *NAMES]
    assert (np.diff(ledger["step"]) == 1).all()
    by_hand, energy = ledger[NAMES[0]], ledger["energy_gradient_J_per_m"]
    np.testing.assert_allclose(by_hand, energy, rtol=1e-10)
    # At 0, 0.15 and 0.3 s; the one in the middle is no end of a step.
    counted = ~np.isnan(ledger[NAMES[1]])
    with_snapshot = [0, np.searchsorted(ledger["time_s"], 0.15), len(counted) - 1]
    assert np.flatnonzero(counted).tolist() == with_snapshot
    figure = _create_ledger_figure(ledger)
    labels = [panel.get_ylabel() for panel in figure.axes]
    assert labels[4:] == NAMES
    np.testing.assert_array_equal(figure.axes[4].lines[0].get_ydata(), by_hand)
    np.testing.assert_array_equal(figure.axes[5].lines[0].get_xdata(), ledger["time_s"][counted])
    if COMM.rank == 0:
        text = write_report(folder).read_text(encoding="utf-8")
        assert all(f'"name":"{name}"' in text for name in NAMES)


def test_a_restart_needs_the_same_observables(folder):
    with pytest.raises(StoppedEarly):
        simulate(folder, {"checkpoint": {"wall_limit": "1 us"}}, create=create)
    with pytest.raises(InputError, match=f"{', '.join(NAMES)} would be recorded only before"):
        simulate(folder, restart=True)
    simulate(folder, restart=True, create=create)


def test_an_observable_must_not_take_a_column_that_is_taken(folder):
    def create(config, particle):
        problem = create_problem(config, particle)
        problem.observables.append(Observable("c_max", lambda: 0.0))
        return problem

    with pytest.raises(InputError, match="two columns named c_max"):
        simulate(folder, create=create)


@pytest.mark.parametrize("name", ["", "a,b", "c max", "1st", "line\n"])
def test_what_cannot_be_a_column_is_refused(name):
    with pytest.raises(InputError, match="cannot be named"):
        Observable(name, lambda: 0.0)
