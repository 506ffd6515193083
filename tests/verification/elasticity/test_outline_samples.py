"""Many compositions of one particle: one factorisation, and the same table on any ranks."""

import numpy as np
import pytest
import ufl
from mpi4py import MPI
from petsc4py import PETSc

from chemomech.geometry.frame import create_wire_tangent
from chemomech.materials.phases import Phase
from chemomech.problems.static_stress import StaticStress
from chemomech.problems.stress_regions import Regions
from chemomech.problems.stress_statistics import StressStatistics, create_stress_bands
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset

MISFIT = 1e-3
ANGLES = np.linspace(0, np.pi / 2, 12)
#: A quarter bend, 40 nm wide, about the origin.
BEND = np.concatenate(
    [
        radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        for radius, turn in ((120.0, ANGLES), (80.0, ANGLES[::-1]))
    ]
)
REGIONS = Regions((Phase("poor", -1.0, 0.4), Phase("rich", 0.6, 2.0)), 8e-9)

SEVERAL = pytest.mark.skipif(MPI.COMM_WORLD.size == 1, reason="compares several ranks with one")


@pytest.fixture
def bent_wire(mesh_outline, sample, solid):
    """Return a function for a striped bent wire: its problem and its statistics."""

    def create(comm, degree=2):
        domain = mesh_outline(BEND, 8.0, comm)
        c = sample(domain.mesh, lambda x: 0.5 + 0.4 * np.sin(12 * np.arctan2(x[1], x[0])))
        law = solid.mechanics("plane_stress", MISFIT)
        problem = StaticStress(domain, law, c, displacement_degree=degree)
        tangent = create_wire_tangent(domain)
        statistics = StressStatistics(
            problem.stress(), c, domain, 1e6, tangent=tangent, regions=REGIONS
        )
        return problem, statistics

    return create


@pytest.mark.parametrize("preset", list(Preset))
def test_samples_share_one_factorisation(preset, bent_wire, comm):
    problem, statistics = bent_wire(comm)
    c, newton = problem.composition, NewtonSolver(BlockSystem(problem), preset)
    first, tables = c.x.array.copy(), []
    PETSc.Log.begin()
    events = [PETSc.Log.Event(name) for name in ("MatLUFactorNum", "MatCholFctrNum")]
    before = sum(event.getPerfInfo()["count"] for event in events)
    for scale in (1.0, 2.0, 3.0):
        c.x.array[:] = scale * first
        assert newton.solve().converged
        tables.append(statistics.compute())
    assert sum(event.getPerfInfo()["count"] for event in events) - before == 1
    stresses = np.array([table.find("von_mises", "all").percentiles for table in tables])
    np.testing.assert_allclose(stresses[1:], stresses[:1] * [[2], [3]], rtol=1e-6)
    bands = create_stress_bands(tables).rows
    mean = next(row for row in bands if (row.stress, row.statistic) == ("von_mises", "mean"))
    assert mean.mean == pytest.approx(2 * tables[0].find("von_mises", "all").mean, rel=1e-6)


@SEVERAL
@pytest.mark.parametrize("degree", [1, 2])
def test_many_ranks_agree_with_one(degree, preset, bent_wire, comm):
    tables = []
    for ranks in (MPI.COMM_SELF, comm):
        problem, statistics = bent_wire(ranks, degree)
        assert NewtonSolver(BlockSystem(problem), preset).solve().converged
        tables.append(statistics.compute())
    alone, together = tables
    assert [r.region for r in alone.rows] == [r.region for r in together.rows]
    volumes = [[row.volume for row in table.rows] for table in tables]
    np.testing.assert_allclose(volumes[1], volumes[0], rtol=1e-12)
    # The linear solver reduces its residual by 1e-10.
    scale = alone.find("von_mises", "all").maximum
    np.testing.assert_allclose(together.values, alone.values, atol=1e-8 * scale, rtol=0)
    everywhere = comm.allgather(together)
    assert all(table == together for table in everywhere)


@SEVERAL
def test_a_given_stress_is_tabulated_alike_on_any_ranks(mesh_outline, sample, comm):
    """Without a solver between, only the gathering is left to differ."""
    tables = []
    for ranks in (MPI.COMM_SELF, comm):
        domain = mesh_outline(BEND, 4.0, ranks)
        x, y = ufl.SpatialCoordinate(domain.mesh)
        c = sample(domain.mesh, lambda x: 0.5 + 0.4 * np.sin(x[0] / 9) * np.cos(x[1] / 7))
        xx, yy, xy = x * y / 100, x - y, ufl.sin(x / 20)
        stress = ufl.as_matrix([[xx, xy, 0], [xy, yy, 0], [0, 0, 0]])
        tables.append(StressStatistics(stress, c, domain, 1e6, regions=REGIONS).compute())
    scale = np.abs(tables[0].values).max()
    np.testing.assert_allclose(tables[1].values, tables[0].values, rtol=0, atol=1e-12 * scale)
