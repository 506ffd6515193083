r"""The factored Schur complement against theory.

For uniform curvature w and mobility m, S = a M + m (w K + k K M^-1 K), and a wave with K x = z M x
is an eigenvector of S and of both factors. With P for the preconditioner,

    P^-1 A (x, y) = (r x, y + (r - 1) (w + k z) x),
    r = (a + m z (w + k z)) / ((a / v + m z) (v + k z)),

which is the identity where v solves m v + a k / v = m w, and has r between (1 + w / w_0) / 2 and 1
where w is less than w_0 = 2 sqrt(a k / m), the least for which there is such a v.

On a rectangle of equal bilinear cells the waves are cosines; along a side of n cells of length h

    z = 6 / h^2 (1 - cos(p pi / n)) / (2 + cos(p pi / n)).
"""

import copy
import math

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from chemomech.forms.fields import FourthOrder
from chemomech.materials.mobility import ConstantMobility
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.cahn_hilliard_schur import FactoredSchur, _compute_mass_spectrum
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset

CELLS, SIZE = (12, 5), 0.8
MOBILITY, GRADIENT = 0.7, 2.0
PREFIX = "exact_"


class Wavy:
    """Blocks of one step on a rectangle, with a curvature and a mobility at one's choice."""

    def __init__(self, shift, curvature, mobility=MOBILITY):
        ends = [[0.0, 0.0], [CELLS[0] * SIZE, CELLS[1] * SIZE]]
        kind = mesh.CellType.quadrilateral
        self.mesh = mesh.create_rectangle(MPI.COMM_WORLD, ends, CELLS, kind)
        space = fem.functionspace(self.mesh, ("Lagrange", 1))
        self.c = fem.Function(space)
        self.mass_coefficient = fem.Constant(self.mesh, shift)
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        dx = ufl.Measure("dx", self.mesh, metadata={"quadrature_degree": 3})
        w, m = (fem.Constant(self.mesh, value) for value in (curvature, mobility))
        stiffness = ufl.dot(ufl.grad(u), ufl.grad(v)) * dx
        self.operator = FourthOrder(self.c, u * v * dx, stiffness, GRADIENT * stiffness)
        self.mass = assemble(u * v * dx)
        self.mobility = assemble(m * stiffness)
        self.curvature = assemble(-w * u * v * dx - GRADIENT * stiffness)

    def create_schur(self, prefix=PREFIX):
        return FactoredSchur(
            self.operator, self.mass_coefficient, self.mobility, self.curvature, prefix
        )

    def create_jacobian(self):
        rate = self.mass.copy()
        rate.scale(float(self.mass_coefficient.value))
        blocks = [[rate, self.mobility], [self.curvature, self.mass]]
        jacobian = PETSc.Mat().createNest(blocks, comm=self.mesh.comm)
        jacobian.assemble()
        return jacobian

    def create_wave(self, counts):
        """Cosine with so many half waves along each side, at the owned dofs."""
        wave = fem.Function(self.c.function_space)
        wave.interpolate(
            lambda x: math.prod(
                np.cos(p * np.pi * x[i] / (n * SIZE))
                for i, (p, n) in enumerate(zip(counts, CELLS, strict=True))
            )
        )
        return wave.x.array[: self.c.function_space.dofmap.index_map.size_local]


def assemble(form):
    matrix = fem_petsc.assemble_matrix(fem.form(form))
    matrix.assemble()
    return matrix


def find_eigenvalue(counts):
    """z of a wave."""
    cosines = [math.cos(p * math.pi / n) for p, n in zip(counts, CELLS, strict=True)]
    return sum(6 / SIZE**2 * (1 - cosine) / (2 + cosine) for cosine in cosines)


@pytest.fixture
def exact_solvers():
    """Factorise both factors and the mass matrix, under the tests' own prefix."""
    database = PETSc.Options(PREFIX)
    chosen = {"mass_ksp_type": "preonly"}
    for name in ("diffusion", "curvature", "mass"):
        chosen |= {f"{name}_pc_type": "lu", f"{name}_pc_factor_mat_solver_type": "mumps"}
    for name, value in chosen.items():
        database[name] = value
    yield
    for name in (*chosen, "mass_ksp_chebyshev_eigenvalues"):
        database.delValue(name)


#: Shift, and curvature as a share of the least that has a root.
STEPS = [(1e-3, 3.0), (1.0, 1.01), (1e3, 1.5), (1.0, 0.5), (1e-3, 0.0), (1e2, -0.5)]


def least_curvature(shift):
    """w_0."""
    return 2 * math.sqrt(shift * GRADIENT / MOBILITY)


@pytest.mark.parametrize(("shift", "share"), STEPS)
def test_waves_are_solved_as_theory_says(exact_solvers, shift, share):
    w = share * least_curvature(shift)
    problem = Wavy(shift, w)
    schur, jacobian = problem.create_schur(), problem.create_jacobian()
    schur.refresh()
    root = math.sqrt(max(w * w - least_curvature(shift) ** 2, 0.0))
    v = (w + root) / 2 if share >= 1 else least_curvature(shift) / 2
    ratios = []
    for counts in ((0, 0), (1, 0), (2, 1), (3, 4), (8, 2), CELLS):
        z, wave = find_eigenvalue(counts), problem.create_wave(counts)
        square = MOBILITY * z * (w + GRADIENT * z)
        ratio = (shift + square) / ((shift / v + MOBILITY * z) * (v + GRADIENT * z))
        right, found = jacobian.createVecLeft(), jacobian.createVecRight()
        state = jacobian.createVecRight()
        state.setArray(np.concatenate([wave, 0.3 * wave]))
        jacobian.mult(state, right)
        schur.apply(None, right, found)
        composition, potential = np.split(found.array_r, 2)
        scale = max(1.0, abs(w) + GRADIENT * z)
        np.testing.assert_allclose(composition, ratio * wave, rtol=0, atol=1e-9)
        expected = (0.3 + (ratio - 1) * (w + GRADIENT * z)) * wave
        np.testing.assert_allclose(potential, expected, rtol=0, atol=1e-9 * scale)
        ratios.append(ratio)
    if share >= 1:
        assert ratios == pytest.approx([1.0] * len(ratios), abs=1e-12)
    else:
        assert (1 + share) / 2 - 1e-12 <= min(ratios) < 1 - (1 - share) / 4
        assert max(ratios) <= 1 + 1e-12


def count_iterations(problem, schur, accuracy=1e-8):
    """FGMRES iterations for a random right-hand side."""
    jacobian = problem.create_jacobian()
    ksp = PETSc.KSP().create(problem.mesh.comm)
    ksp.setOperators(jacobian)
    ksp.setType("fgmres")
    ksp.setTolerances(rtol=accuracy, max_it=100)
    ksp.pc.setType("python")
    ksp.pc.setPythonContext(schur)
    right, solution = jacobian.createVecLeft(), jacobian.createVecRight()
    generator = np.random.default_rng([1, problem.mesh.comm.rank])
    right.setArray(generator.standard_normal(right.getLocalSize()))
    ksp.solve(right, solution)
    assert ksp.getConvergedReason() > 0
    return ksp.getIterationNumber()


@pytest.mark.parametrize(("shift", "share"), STEPS)
def test_krylov_iterations_are_those_of_the_spectrum(exact_solvers, shift, share):
    """One where the factors are exact; else as by Chebyshev's polynomials on [(1 + share) / 2, 1].

    They gain (sqrt(q) + 1) / (sqrt(q) - 1) an iteration, q the ratio of the interval's ends. The
    other unknown takes one more, and the norm is not the one in which the matrices are symmetric.
    """
    problem = Wavy(shift, share * least_curvature(shift))
    schur = problem.create_schur()
    schur.refresh()
    iterations = count_iterations(problem, schur)
    if share >= 1:
        assert iterations == 1
        return
    root = math.sqrt(2 / (1 + share))
    gain = math.log((root + 1) / (root - 1))
    assert 1 < iterations <= math.log(2e8) / gain + 1 + math.log(1e3) / gain


def test_multigrid_and_sweeps_come_near_the_factorisations(exact_solvers):
    """A cycle of multigrid solves to a tenth or so, which costs a handful of iterations."""
    problem = Wavy(1.0, 1.5 * least_curvature(1.0))
    schur = problem.create_schur("inexact_")
    schur.refresh()
    assert count_iterations(problem, schur, 1e-3) <= 6


def solve_once(problem, prefix, shift):
    """Krylov iterations of one Newton step from a uniform composition."""
    problem.mass_coefficient.value = shift
    system = BlockSystem(problem)
    options = {"snes_max_it": 1, "ksp_rtol": 1e-8, "ksp_atol": 0.0}
    newton = NewtonSolver(system, Preset.ITERATIVE, options=options, prefix=prefix)
    result = newton.solve()
    assert result.iterations == 1
    return result.linear_iterations


@pytest.mark.parametrize("mobility", [ConstantMobility(0.3), None], ids=["constant", "degenerate"])
def test_one_iteration_outside_the_spinodal(create_chemo_mechanics, exact_solvers, mobility):
    """A dilute solution of one composition; its history alone is not uniform."""
    problem = create_chemo_mechanics(None, mobility=mobility)
    problem.c.x.array[:] = 0.05
    curvature, m = 1 / (0.05 * 0.95) - 2 * 2.75, 0.05 * 0.95 if mobility is None else 0.3
    largest = curvature**2 * m / (4 * problem.energy_density.gradient_coefficient)
    assert solve_once(problem, PREFIX, 0.9 * largest) == 1
    problem.c.x.array[:] = 0.05
    problem.mu.x.array[:] = 0.0
    assert solve_once(problem, PREFIX, 10 * largest) > 1


def test_curvature_is_read_point_by_point(create_chemo_mechanics):
    """w of a node is the mean of g'' over its cells, weighted by the square of its function."""
    problem = create_chemo_mechanics(None)
    problem.c.interpolate(lambda x: 0.2 + 0.005 * x[0])
    system = BlockSystem(problem)
    system.assemble_jacobian()
    blocks = (system.jacobian.getNestSubMatrix(*at) for at in ((0, 1), (1, 0)))
    operator = problem.fields[0].operator
    schur = FactoredSchur(operator, problem.mass_coefficient, *blocks, "read_")
    schur.refresh()
    space, dx = problem.c.function_space, ufl.dx(metadata={"quadrature_degree": 3})
    square = ufl.TrialFunction(space) * ufl.TestFunction(space)
    curvature = 1 / (problem.c * (1 - problem.c)) - 2 * 2.75
    diagonals = [
        assemble(weight * square * dx).getDiagonal().array_r for weight in (curvature, 1.0)
    ]
    expected = diagonals[0] / diagonals[1]
    np.testing.assert_allclose(schur.memory.curvature[: len(expected)], expected, rtol=1e-9)
    np.testing.assert_array_equal(schur.memory.composition, problem.c.x.array)


def act(schur, problem):
    """What the preconditioner makes of a fixed vector."""
    right = problem.create_jacobian().createVecLeft()
    size = problem.mass.getLocalSize()[0]
    begin = problem.mass.getOwnershipRange()[0]
    waves = np.sin(np.arange(begin, begin + size) ** 2.0)
    right.setArray(np.concatenate([waves, waves[::-1]]))
    found = right.duplicate()
    schur.apply(None, right, found)
    return found.array_r.copy()


@pytest.fixture
def schur():
    """A preconditioner built for a shift of one, and its problem."""
    problem = Wavy(1.0, 2.0)
    schur = problem.create_schur("rule_")
    schur.refresh()
    return schur, problem


@pytest.mark.parametrize(
    ("factor", "rebuilt"), [(1.0, False), (1.9, False), (0.55, False), (2.1, True), (0.45, True)]
)
def test_built_anew_when_the_step_changes_twofold(schur, factor, rebuilt):
    schur, problem = schur
    before, action = schur.memory, act(schur, problem)
    problem.mass_coefficient.value = factor
    schur.refresh()
    assert (schur.memory is not before) == rebuilt
    assert schur.memory.shift == (factor if rebuilt else 1.0)
    assert np.array_equal(act(schur, problem), action) != rebuilt


def test_built_anew_when_iterations_grow(schur):
    """Once all solves since the first have needed as many more as a build is worth."""
    schur, _ = schur
    before = schur.memory
    for iterations in (7, 7, 5, 9, 10):
        schur.note(iterations)
        schur.refresh()
        assert schur.memory is before
    assert (before.first, before.excess) == (7, 5)
    schur.note(8)
    schur.refresh()
    assert schur.memory is not before
    assert (schur.memory.first, schur.memory.excess) == (None, 0)


def test_built_from_a_memory_it_acts_as_the_one_remembered(schur):
    """Though the step has gone on since."""
    schur, problem = schur
    memory = copy.deepcopy(schur.memory)
    problem.mass_coefficient.value = 1.7
    schur.refresh()
    other = problem.create_schur("rule_")
    other.build(memory)
    other.refresh()
    np.testing.assert_allclose(act(other, problem), act(schur, problem), rtol=1e-13)
    other.memory = None
    other.refresh()
    assert np.abs(act(other, problem) - act(schur, problem)).max() > 1e-6


@pytest.mark.parametrize("recalled", [True, False])
def test_solver_takes_over_another_one_s_memory(create_chemo_mechanics, recalled):
    """The same iterates, which a solver of its own mind would not make."""
    first, second = create_chemo_mechanics(None), create_chemo_mechanics(None)
    newton, other = (
        NewtonSolver(BlockSystem(problem), Preset.ITERATIVE) for problem in (first, second)
    )
    assert newton.solve().converged
    memory = copy.deepcopy(newton.memory)
    for problem in (first, second):
        problem.mass_coefficient.value = 0.15
        problem.c.interpolate(lambda x: 0.5 - 0.3 * np.sin(x[0] / 5) * np.cos(x[1] / 7))
        problem.mu.x.array[:] = 0.0
    if recalled:
        other.recall(memory)
        mine, theirs = other.memory["chemistry"], memory["chemistry"]
        assert mine.numbers == theirs.numbers
        for name, values in theirs.arrays.items():
            np.testing.assert_array_equal(mine.arrays[name], values)
    newton.solve()
    other.solve()
    differs = MPI.COMM_WORLD.allreduce(np.abs(first.c.x.array - second.c.x.array).max(), MPI.MAX)
    assert (differs < 1e-13) == recalled
    assert differs < 1e-2


#: Of one cell's matrix (Wathen, 1987).
SPECTRA = {
    mesh.CellType.interval: (1 / 2, 3 / 2),
    mesh.CellType.triangle: (1 / 2, 2.0),
    mesh.CellType.tetrahedron: (1 / 2, 5 / 2),
    mesh.CellType.quadrilateral: (1 / 4, 9 / 4),
    mesh.CellType.hexahedron: (1 / 8, 27 / 8),
}


def create_cells(kind):
    if kind is mesh.CellType.interval:
        return mesh.create_unit_interval(MPI.COMM_SELF, 5)
    if mesh.cell_dim(kind) == 2:
        return mesh.create_unit_square(MPI.COMM_SELF, 4, 3, kind)
    return mesh.create_unit_cube(MPI.COMM_SELF, 2, 3, 2, kind)


@pytest.mark.parametrize("kind", SPECTRA, ids=lambda kind: kind.name)
def test_bounds_of_the_mass_matrix_are_wathen_s(kind):
    """Known from one cell, they hold for a mesh of them."""
    space = fem.functionspace(create_cells(kind), ("Lagrange", 1))
    bounds = _compute_mass_spectrum(space)
    assert bounds == pytest.approx(SPECTRA[kind], rel=1e-12)
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    mass = fem.assemble_matrix(fem.form(u * v * ufl.dx)).to_dense()
    eigenvalues = np.linalg.eigvals(mass / np.diag(mass)[:, None]).real
    assert bounds[0] - 1e-12 <= eigenvalues.min()
    assert eigenvalues.max() <= bounds[1] + 1e-12
