import numpy as np
import pytest
import ufl
from basix.ufl import element
from dolfinx import fem
from dolfinx.mesh import create_mesh, meshtags
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.domain import Domain
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mixed_elasticity import MixedElasticity
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.parameters import Parameters
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steady import solve
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", ["plane_strain", "generalised_plane_strain"])
def test_static_stress_is_that_of_the_coupled_problem(assumption, preset):
    """The coupled problem's initial state is elastic equilibrium at the given composition."""
    wire = Nanowire(100e-9, 300e-9, np.pi / 2, (100e-9, 100e-9))
    domain = create_domain(wire, 12.5e-9, MPI.COMM_WORLD)
    law = Mechanics(
        Elasticity(create_isotropic_stiffness(937.6, 0.3), Assumption(assumption)),
        Eigenstrain.isotropic(0.0149, 0.5),
    )
    psi = FreeEnergyDensity(RegularSolution(2.75), 22.4, law)
    coupled = ChemoMechanics(domain, psi, DegenerateMobility(1.0))
    coupled.c.interpolate(lambda x: 0.5 + 0.3 * np.sin(x[0] / 30) * np.cos(x[1] / 40))
    static = StaticStress(domain, law, coupled.c)
    result = NewtonSolver(BlockSystem(static), preset).solve()
    assert result.converged
    assert result.iterations == 1
    Bdf(coupled, NewtonSolver(BlockSystem(coupled), preset), StepControl())
    # The step that makes the state consistent moves c by about 1e-6 of the rate.
    energies = static.energies()["elastic"], coupled.energies()["elastic"]
    assert energies[0] == pytest.approx(energies[1], rel=1e-5)
    scale = MPI.COMM_WORLD.allreduce(np.abs(static.u.x.array).max(initial=0.0), op=MPI.MAX)
    np.testing.assert_allclose(static.u.x.array, coupled.u.x.array, atol=1e-4 * scale)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", ["plane_strain", "plane_stress"])
def test_set_then_solve_is_build_then_solve(assumption, preset):
    """A floating wire, whose preconditioner holds a matrix of its own."""
    wire = Nanowire(100e-9, 300e-9, np.pi / 2, (100e-9, 100e-9))
    domain = create_domain(wire, 25e-9, MPI.COMM_WORLD)
    values = {"young": 900.0, "poisson": 0.3, "expansion": 0.015, "reference": 0.5}
    changed = {"young": 700.0, "poisson": 0.2, "expansion": -0.01, "reference": 0.2}

    def create(numbers):
        parameters = Parameters(domain.mesh)
        young, poisson, expansion, reference = (
            parameters.add(name, number) for name, number in numbers.items()
        )
        law = Mechanics(
            Elasticity(create_isotropic_stiffness(young, poisson), Assumption(assumption)),
            Eigenstrain.isotropic(expansion, reference),
        )
        x = ufl.SpatialCoordinate(domain.mesh)
        c = 0.5 + 0.3 * ufl.sin(x[0] / 30) * ufl.cos(x[1] / 40)
        problem = StaticStress(domain, law, c, parameters=parameters)
        return problem, NewtonSolver(BlockSystem(problem), preset)

    problem, solver = create(values)
    assert solver.solve().converged
    for name, number in changed.items():
        problem.parameters[name] = number
        assert solver.solve().converged
        other, other_solver = create({n: problem.parameters[n] for n in values})
        assert other_solver.solve().converged
        scale = MPI.COMM_WORLD.allreduce(np.abs(other.u.x.array).max(initial=0.0), op=MPI.MAX)
        np.testing.assert_allclose(problem.u.x.array, other.u.x.array, rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize("preset", list(Preset))
def test_a_stiffness_follows_a_composition_that_is_changed(preset):
    """As of the many samples of a stress map."""
    wire = Nanowire(100e-9, 300e-9, np.pi / 2, (100e-9, 100e-9))
    domain = create_domain(wire, 25e-9, MPI.COMM_WORLD)
    solids = [
        Elasticity(create_isotropic_stiffness(young, 0.3), Assumption.PLANE_STRESS)
        for young in (900.0, 90.0)
    ]
    law = Mechanics(MixedElasticity(*solids), Eigenstrain.isotropic(0.015, 0.2))
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    problem = StaticStress(domain, law, c)
    solver = NewtonSolver(BlockSystem(problem), preset)
    for period in (30.0, 60.0):
        c.interpolate(lambda x, period=period: 0.5 + 0.4 * np.sin(x[0] / period))
        result = solver.solve()
        assert (result.converged, result.iterations) == (True, 1)
        other = StaticStress(domain, law, c)
        assert NewtonSolver(BlockSystem(other), preset).solve().converged
        scale = MPI.COMM_WORLD.allreduce(np.abs(other.u.x.array).max(initial=0.0), op=MPI.MAX)
        np.testing.assert_allclose(problem.u.x.array, other.u.x.array, rtol=0, atol=1e-10 * scale)


def test_free_body_of_curved_cells_takes_its_eigenstrain():
    """Two quadratic triangles that bulge: strain e* everywhere, and no energy."""
    corners = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]]
    middles = [[11.0, 5.0], [5.0, 5.0], [5.0, -1.0], [5.0, 11.0], [-1.0, 5.0]]
    # Corners, then the middle of the edge across from each.
    cells = np.array([[0, 1, 2, 4, 5, 6], [0, 2, 3, 7, 8, 5]])
    points = np.array(corners + middles)
    mine = slice(None) if MPI.COMM_WORLD.rank == 0 else slice(0)
    curved = ufl.Mesh(element("Lagrange", "triangle", 2, shape=(2,)))
    mesh = create_mesh(MPI.COMM_WORLD, cells=cells[mine], x=points[mine], e=curved)
    none = np.empty(0, dtype=np.int32)
    domain = Domain(mesh, meshtags(mesh, 1, none, none), {})
    law = Mechanics(
        Elasticity(create_isotropic_stiffness(900.0, 0.3), Assumption.PLANE_STRESS),
        Eigenstrain.isotropic(0.02, 0.0),
    )
    problem = StaticStress(domain, law, ufl.as_ufl(0.5), displacement_degree=2)
    solve(problem, Preset.DIRECT)
    # Held back, it were of the order of E e*^2 V.
    assert problem.energies()["elastic"] < 1e-20 * (900.0 * 0.01**2 * 100.0)
