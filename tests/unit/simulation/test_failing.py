"""Words for a step that fails: seconds, PETSc's reason, the place, and what is likely to help."""

import logging
import re

import numpy as np
import pytest
from mpi4py import MPI
from petsc4py import PETSc

from chemomech import simulate
from chemomech.config import create_config
from chemomech.errors import ConvergenceError
from chemomech.models.building import create_problem
from chemomech.models.particle import create_particle
from chemomech.simulation.failing import explaining_failures
from chemomech.solvers.failures import StepError, describe_linear, describe_newton

COMM = MPI.COMM_WORLD
#: L0^2 / D = (1 nm)^2 / 1e-16 m^2/s: a unit of time that is no second.
UNIT = 0.01
NEWTON_REASONS = [-1, -3, -4, -5, -6, -8, -9]
LINEAR_REASONS = [-3, -4, -5, -9, -11]


def create_tables(chi=2.75, cells=4, tolerance=1e-3, **mesh):
    return {
        "geometry": {"kind": "box", "size": ["40 nm", "10 nm"]},
        "mesh": {"cells_per_interface": cells, **mesh},
        "material": {
            "free_energy": {"kind": "regular_solution", "chi": chi},
            "gradient": {"interface_width": "10 nm"},
            "mobility": {"kind": "degenerate", "diffusivity": "1e-16 m^2/s"},
        },
        "initial": {"kind": "uniform", "mean": 0.5},
        "time": {"end": "1 s", "tolerance": tolerance},
    }


def fail(tables, closest=None):
    """What a user reads when a step fails 771 units after the start, with c so close to one."""
    config = create_config(tables)
    problem = create_problem(config, create_particle(config, COMM))
    x = problem.c.function_space.tabulate_dof_coordinates()
    problem.c.x.array[:] = 0.5
    if closest is not None:
        problem.c.x.array[np.isclose(x[:, 0], 40.0) & np.isclose(x[:, 1], 10.0)] = 1 - closest
    with pytest.raises(ConvergenceError) as caught, explaining_failures(config, problem):
        raise StepError(describe_newton(4, 2), 771.0, 1e-5, 4)
    assert COMM.allgather(str(caught.value)) == [str(caught.value)] * COMM.size
    return str(caught.value)


def test_a_failed_step_is_told_in_seconds_and_in_words():
    message = fail(create_tables())
    assert "from t = 7.71 s failed" in message
    assert "length of 1e-07 s:" in message
    assert "steps became short before they reached a solution" in message
    assert "reason" not in message
    assert "bound" not in message
    assert "time.tolerance" in message


@pytest.mark.parametrize(
    ("tables", "cause"),
    [
        (
            create_tables(size="12 nm", allow_coarse=True),
            "The mesh is the likely cause: its largest cells hold 1 across an interface, where 4",
        ),
        (create_tables(chi=5.5, tolerance=1e-2), "time.tolerance is the likely cause"),
        (create_tables(chi=5.5), "The law is the likely cause"),
    ],
    ids=["coarse", "tolerance", "law"],
)
def test_a_composition_at_its_bound_is_named_with_place_and_cause(tables, cause):
    message = fail(tables, 4e-10)
    assert "c = 1 - 4e-10 at (40, 10) nm" in message
    assert cause in message


@pytest.mark.parametrize("reason", [*NEWTON_REASONS, 4])
def test_every_reason_of_newtons_method_has_words(reason):
    words = describe_newton(reason, -3)
    assert words.startswith("Newton's method failed: ")
    assert not re.search(r"\d|DIVERGED", words)


@pytest.mark.parametrize("reason", LINEAR_REASONS)
def test_every_reason_of_the_linear_solver_has_words(reason):
    assert not re.search(r"\d|DIVERGED", describe_linear(reason))


def test_a_reason_without_words_has_petscs_name():
    rare = PETSc.SNES.ConvergedReason.DIVERGED_TR_DELTA
    assert "DIVERGED_TR_DELTA" in describe_newton(rare, 0)
    assert "DIVERGED_INDEFINITE_MAT" in describe_linear(
        PETSc.KSP.ConvergedReason.DIVERGED_INDEFINITE_MAT
    )


def test_a_mesh_allowed_to_be_coarse_is_said_at_the_start(tmp_path, caplog):
    """Ten nanometres hold one cell of ten (12 are cut to fit), where four are asked for."""
    path = COMM.bcast(tmp_path)
    quiet = {"fields": False, "pictures": False, "movie": False, "count": 1}
    tables = create_tables(size="12 nm", allow_coarse=True) | {"output": quiet}
    tables["checkpoint"] = {"interval": "off"}
    tables["time"]["end"] = "1e-6 s"
    with caplog.at_level(logging.WARNING, logger="chemomech"):
        simulate(create_config(tables), path / "run", COMM, quiet=True)
    said = [r.getMessage() for r in caplog.records if "mesh.allow_coarse" in r.getMessage()]
    assert len(said) == (COMM.rank == 0)
    assert all("hold 1 across an interface, where 4 resolve it" in message for message in said)
