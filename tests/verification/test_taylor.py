"""The Jacobian is the derivative of the residual, and the residual that of the energy.

But for one term, which is left out on purpose: that of the mobility, M'(c) dc grad mu . grad q. For
M = c (1 - c) it is written out here; with it, nothing is missing.
"""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from dolfinx import fem, la

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.elasticity import create_isotropic_stiffness
from chemomech.materials.mixed_elasticity import MixedElasticity
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics, Loads
from chemomech.problems.conditions import Displacement
from chemomech.solvers.block_system import BlockSystem

CASES = [
    (None, "quadrilateral"),
    ("plane_stress", "triangle"),
    ("plane_strain", "quadrilateral"),
    ("generalised_plane_strain", "triangle"),
    ("generalised_plane_strain", "quadrilateral"),
    ("three_dimensional", "hexahedron"),
    ("three_dimensional", "tetrahedron"),
]

MIXTURES = [
    ("plane_stress", "triangle", "smooth"),
    ("generalised_plane_strain", "quadrilateral", "linear"),
]


@pytest.fixture
def create_system(comm, material):
    """Return a function for a small system in a random state."""

    def create(assumption, cell, mobility, loads=None, blend=None):
        flat = cell in ("quadrilateral", "triangle")
        lengths = (9e-9, 6e-9) if flat else (6e-9, 4e-9, 4e-9)
        domain = create_domain(Box(lengths), 1.5e-9 if flat else 2e-9, comm, cell)
        energy = material.energy(assumption)
        if blend is not None:
            energy = soften(energy, material.young, blend)
        problem = ChemoMechanics(domain, energy, mobility, loads)
        problem.mass_coefficient.value = 0.7
        system = BlockSystem(problem)
        state = random_vector(system, 1, np.array([0.3, 1.0, 0.1, 0.01]))
        state.array_w[: system.sizes[0]] += 0.5
        return system, state

    return create


def soften(energy, young, blend):
    """The energy of a solid that becomes softer, and contracts less, with the composition."""
    mechanics = energy.mechanics
    rich = replace(mechanics.elasticity, stiffness=create_isotropic_stiffness(0.3 * young, 0.1))
    mixed = MixedElasticity(mechanics.elasticity, rich, (0.1, 0.9), smooth=blend == "smooth")
    return replace(energy, mechanics=replace(mechanics, elasticity=mixed))


def random_vector(system, seed, scales):
    """Uniform numbers in (-1, 1) times one scale for each block."""
    generator = np.random.default_rng([seed, system.comm.rank])
    vector = system.x.duplicate()
    weights = np.repeat(scales[: len(system.sizes)], system.sizes)
    vector.setArray(weights * generator.uniform(-1, 1, vector.getLocalSize()))
    return vector


def add_left_out(system, direction, product):
    """Add what the derivative of c (1 - c) contributes to the first block, at the present state."""
    problem = system.problem
    change = fem.Function(problem.c.function_space)
    change.x.array[: system.sizes[0]] = system.block(direction, 0)
    change.x.scatter_forward()
    q = ufl.TestFunction(problem.c.function_space)
    rule = {"quadrature_degree": problem.discretisation.chemical_quadrature}
    flux = (1 - 2 * problem.c) * change * ufl.grad(problem.mu)
    term = fem.assemble_vector(fem.form(ufl.dot(flux, ufl.grad(q)) * ufl.dx(metadata=rule)))
    term.scatter_reverse(la.InsertMode.add)
    product.array_w[: system.sizes[0]] += term.array[: system.sizes[0]]


def measure_slope(system, state, direction):
    """Order at which the remainder of the linearisation vanishes."""
    base, moved, product = (system.residual.duplicate() for _ in range(3))
    system.assemble_residual(state, base)
    system.assemble_jacobian()
    system.jacobian.mult(direction, product)
    if isinstance(system.problem.mobility, DegenerateMobility):
        add_left_out(system, direction, product)
    steps = [1e-2, 5e-3, 2.5e-3, 1.25e-3]
    remainders = []
    for step in steps:
        system.assemble_residual(state + step * direction, moved)
        moved.axpy(-1.0, base)
        moved.axpy(-step, product)
        remainders.append(moved.norm())
    return np.polyfit(np.log(steps), np.log(remainders), 1)[0]


MOBILITIES = [ConstantMobility(0.25), DegenerateMobility(1.0)]


@pytest.mark.parametrize("mobility", MOBILITIES, ids=["constant", "degenerate"])
@pytest.mark.parametrize(("assumption", "cell"), CASES)
def test_remainder_is_of_second_order(create_system, assumption, cell, mobility, verify):
    system, state = create_system(assumption, cell, mobility)
    for seed in (2, 3):
        direction = random_vector(system, seed, np.array([1.0, 1.0, 1.0, 1.0]))
        slope = measure_slope(system, state, direction)
        verify("order of the Jacobian's remainder", slope, 2.0, abs=0.05, against="Taylor")


@pytest.mark.parametrize(("assumption", "cell", "blend"), MIXTURES)
def test_remainder_of_a_mixture_is_of_second_order(create_system, assumption, cell, blend, verify):
    system, state = create_system(assumption, cell, MOBILITIES[0], blend=blend)
    direction = random_vector(system, 2, np.array([1.0, 1.0, 1.0, 1.0]))
    slope = measure_slope(system, state, direction)
    verify("order of the Jacobian's remainder, C(c)", slope, 2.0, abs=0.05, against="Taylor")


def test_remainder_with_a_clamp_is_of_second_order(create_system):
    clamp = Loads([Displacement("left")])
    system, state = create_system("plane_strain", "quadrilateral", MOBILITIES[1], clamp)
    direction = random_vector(system, 2, np.ones(4))
    first = system.offsets[2]
    for vector in (state, direction):
        for condition in system.fields[2].conditions:
            dofs, owned = condition.dof_indices()
            vector.array_w[first + dofs[:owned]] = 0.0
    assert measure_slope(system, state, direction) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("assumption", "cell", "blend"), [*((*case, None) for case in CASES), *MIXTURES]
)
def test_residual_is_the_derivative_of_the_energy(create_system, assumption, cell, blend, verify):
    system, state = create_system(assumption, cell, MOBILITIES[1], blend=blend)
    state.array_w[system.offsets[1] : system.offsets[2]] = 0.0
    direction = random_vector(system, 4, np.ones(4))

    def energy(step):
        system.scatter_unknowns(state + step * direction)
        return sum(system.problem.energies().values())

    # Fourth-order central difference.
    h = 1e-3
    numerical = (8 * (energy(h) - energy(-h)) - (energy(2 * h) - energy(-2 * h))) / (12 * h)

    residual = system.residual.duplicate()
    system.assemble_residual(state, residual)
    # With mu = 0 the second block is - dF/dc, tested by c's part of the direction.
    exact = -system.block(residual, 1) @ system.block(direction, 0)
    for block in range(2, len(system.sizes)):
        exact += system.block(residual, block) @ system.block(direction, block)
    ratio = numerical / system.comm.allreduce(exact)
    verify("difference of energies over residual", ratio, 1.0, rel=1e-7, against="derivative")
