import numpy as np
import pytest
from mpi4py import MPI

from chemomech.problems.conditions import Displacement, Loads
from chemomech.problems.rollers import Roller
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset

ASSUMPTIONS = ["plane_strain", "plane_stress", "generalised_plane_strain", "three_dimensional"]


@pytest.mark.parametrize(("assumption", "motions"), [("plane_stress", 3), ("three_dimensional", 6)])
def test_null_space_of_a_free_body_is_its_rigid_motions(
    create_chemo_mechanics, assumption, motions
):
    system = BlockSystem(create_chemo_mechanics(assumption))
    space = system.create_null_space()
    assert len(space.getVecs()) == motions
    image = system.residual.duplicate()
    for mode in space.getVecs():
        system.jacobian.mult(mode, image)
        assert image.norm() < 1e-9


@pytest.mark.parametrize("supports", [[Displacement("left")], [Roller("left"), Roller("bottom")]])
def test_held_body_has_none(create_chemo_mechanics, supports):
    system = BlockSystem(create_chemo_mechanics("plane_strain", Loads(supports)))
    assert system.create_null_space() is None
    assert len(system.fields[2].operator.find_motions()) == 3


def test_without_mechanics_there_are_two_blocks(create_chemo_mechanics):
    system = BlockSystem(create_chemo_mechanics(None))
    assert len(system.sizes) == 2
    assert system.create_null_space() is None
    nodes = system.problem.c.function_space.dofmap.index_map.size_global
    assert system.size == 2 * nodes


def test_state_passes_through_the_flat_vector(create_chemo_mechanics):
    problem = create_chemo_mechanics("generalised_plane_strain")
    system = BlockSystem(problem)
    rng = np.random.default_rng(MPI.COMM_WORLD.rank)
    for unknown in problem.unknowns:
        unknown.x.array[:] = rng.random(len(unknown.x.array))
        unknown.x.scatter_forward()
    before = [unknown.x.array.copy() for unknown in problem.unknowns]
    system.gather_unknowns()
    for unknown in problem.unknowns:
        unknown.x.array[:] = 0.0
    system.scatter_unknowns(system.x)
    for unknown, values in zip(problem.unknowns, before, strict=True):
        np.testing.assert_array_equal(unknown.x.array, values)


def test_prescribed_displacements_are_imposed_and_leave_no_residual(create_chemo_mechanics):
    loads = Loads([Displacement("left"), Displacement("right", (0.3, -0.1))])
    problem = create_chemo_mechanics("plane_strain", loads)
    result = NewtonSolver(BlockSystem(problem)).solve()
    assert result.converged
    x = problem.u.function_space.tabulate_dof_coordinates()[:, 0]
    values = problem.u.x.array.reshape(-1, 2)
    np.testing.assert_allclose(values[np.isclose(x, 0.0)], 0.0, atol=1e-14)
    held = values[np.isclose(x, 40.0)]
    np.testing.assert_allclose(held, np.tile([0.3, -0.1], (len(held), 1)), rtol=1e-12)


def test_jacobian_follows_the_step_length(create_chemo_mechanics):
    """The block of dc/dt grows with the shift by the mass matrix, whose entries sum to the area."""
    problem = create_chemo_mechanics("plane_strain")
    system = BlockSystem(problem)
    block = system.jacobian.getNestSubMatrix(0, 0)
    ones, image = block.createVecRight(), block.createVecLeft()
    ones.set(1.0)
    totals = []
    for shift in (1.0, 3.0):
        problem.mass_coefficient.value = shift
        system.assemble_jacobian()
        block.mult(ones, image)
        totals.append(image.sum())
    assert totals[1] - totals[0] == pytest.approx(2.0 * 40.0 * 20.0)


@pytest.mark.parametrize("assumption", [None, *ASSUMPTIONS])
def test_presets_find_the_same_state(create_chemo_mechanics, assumption):
    """Without supports too, where both must leave the rigid motions out."""
    states = []
    for preset in Preset:
        problem = create_chemo_mechanics(assumption)
        options = {"snes_rtol": 1e-10, "snes_atol": 1e-11}
        result = NewtonSolver(BlockSystem(problem), preset, options=options).solve()
        assert result.converged
        states.append([unknown.x.array.copy() for unknown in problem.unknowns])
    for first, second in zip(*states, strict=True):
        scale = MPI.COMM_WORLD.allreduce(np.abs(first).max(initial=0.0), op=MPI.MAX)
        np.testing.assert_allclose(second, first, atol=1e-6 * scale)


@pytest.mark.parametrize("assumption", [None, *ASSUMPTIONS])
def test_iterative_preset_needs_few_iterations(create_chemo_mechanics, assumption):
    problem = create_chemo_mechanics(assumption)
    result = NewtonSolver(BlockSystem(problem), Preset.ITERATIVE).solve()
    assert result.converged
    assert result.linear_iterations <= 40 * result.iterations
