"""Eigenstrains from tables: their UFL against NumPy, their slopes and their reference."""

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import (
    Assumption,
    Elasticity,
    create_isotropic_stiffness,
)
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

NODES = np.array([0.1, 0.3, 0.45, 0.7, 0.95])
TENSORS = np.array(
    [
        [[a, b, 0.0], [b, -a / 2, d], [0.0, d, 3 * a]]
        for a, b, d in [
            (0.0, 0.001, 0.0),
            (0.01, 0.0, 0.002),
            (0.012, -0.003, 0.0),
            (0.012, 0.004, 0.001),
            (0.04, 0.0, 0.0),
        ]
    ]
)
WINDOWS = [(0.0, 0.1, 1e-6), (0.3, 0.7, 2.5e-6), (0.9, 1.0, 6e-6)]
CONCENTRATION = 18500.0
OMEGA = 2.415e-6
REFERENCES = [-0.2, 0.1, 0.2, 0.45, 0.62, 0.95, 1.3]


@pytest.fixture
def compositions():
    """c = 1.4 x - 0.2 on an interval, at 29 nodes, none of which is an entry of a table."""
    interval = mesh.create_interval(MPI.COMM_SELF, 28, (0.0, 1.0))
    c = fem.Function(fem.functionspace(interval, ("Lagrange", 1)))
    c.interpolate(lambda x: 1.4 * x[0] - 0.2 + 0.003)
    return c


def evaluate(tensor, c):
    """Values of a 3 x 3 tensor at the nodes of c, shape (nodes, 3, 3)."""
    return project(tensor, fem.functionspace(c.function_space.mesh, ("Lagrange", 1, (3, 3))))


def project(tensor, space):
    """Values of a 3 x 3 tensor at the nodes of a space of tensors, shape (nodes, 3, 3)."""
    points = space.element.interpolation_points  # a method in DOLFINx 0.9, a property later
    result = fem.Function(space)
    result.interpolate(fem.Expression(tensor, points() if callable(points) else points))
    return result.x.array.reshape(-1, 3, 3)


def evaluate_at(law, c, values):
    """Strains at up to 29 values of the composition, which overwrite c."""
    c.x.array[:] = np.resize(values, c.x.array.shape)
    return evaluate(law.strain(c), c)[: len(values)]


def interpolate(c, nodes, tensors):
    """Piecewise linear tensors, drawn on beyond the ends."""
    inner = np.clip(np.searchsorted(nodes, c, side="right") - 1, 0, len(nodes) - 2)
    weight = ((c - nodes[inner]) / (nodes[inner + 1] - nodes[inner]))[:, None, None]
    return (1 - weight) * tensors[inner] + weight * tensors[inner + 1]


@pytest.mark.parametrize("reference", REFERENCES)
def test_strain_is_the_table_less_its_value_at_the_reference(compositions, reference):
    law = TabulatedEigenstrain(NODES, TENSORS, reference)
    expected = interpolate(compositions.x.array, NODES, TENSORS)
    expected -= interpolate(np.array([reference]), NODES, TENSORS)
    values = evaluate(law.strain(compositions), compositions)
    np.testing.assert_allclose(values, expected, atol=1e-15)


@pytest.mark.parametrize("reference", REFERENCES)
def test_strain_is_exactly_zero_at_the_reference(compositions, reference):
    compositions.x.array[:] = reference
    law = TabulatedEigenstrain(NODES, TENSORS, reference)
    assert np.all(evaluate(law.strain(compositions), compositions) == 0.0)


@pytest.mark.parametrize("reference", REFERENCES)
def test_derivative_is_the_slope_of_the_segment(compositions, reference):
    law = TabulatedEigenstrain(NODES, TENSORS, reference)
    c = ufl.variable(compositions)
    values = evaluate(ufl.diff(law.strain(c), c), compositions)
    segments = np.clip(np.searchsorted(NODES, compositions.x.array) - 1, 0, len(NODES) - 2)
    slopes = (np.diff(TENSORS, axis=0) / np.diff(NODES)[:, None, None])[segments]
    np.testing.assert_allclose(values, slopes, atol=1e-14)


@pytest.mark.parametrize("reference", REFERENCES)
def test_two_entries_are_vegards_law_everywhere(compositions, reference):
    law = TabulatedEigenstrain(np.array([0.2, 0.6]), TENSORS[[0, 4]], reference)
    slope = (TENSORS[4] - TENSORS[0]) / 0.4
    vegard = Eigenstrain(tuple(map(tuple, slope)), reference)
    values = [evaluate(each.strain(compositions), compositions) for each in (law, vegard)]
    np.testing.assert_allclose(*values, atol=1e-15)


@pytest.mark.parametrize("reference", REFERENCES)
def test_transition_rounds_the_corners(compositions, reference):
    """An eighth of jump times range at an entry, nothing half a range away, slopes continuous."""
    width, entries = 0.06, NODES[1:-1]
    rounded = TabulatedEigenstrain(NODES, TENSORS, reference, transition=width)
    shares = np.array([-2.0, -0.5, -0.25, 0.0, 0.5, 2.0])
    points = (entries[:, None] + width * shares).ravel()
    # max(0, d) and its parabola (d + w/2)^2 / (2 w), in units of w.
    excess = np.where(np.abs(shares) < 0.5, (shares + 0.5) ** 2 / 2 - np.maximum(shares, 0.0), 0.0)
    slopes = np.diff(TENSORS, axis=0) / np.diff(NODES)[:, None, None]
    jumps = np.diff(slopes, axis=0)
    expected = interpolate(points, NODES, TENSORS)
    expected += (width * excess[:, None, None] * jumps[:, None]).reshape(-1, 3, 3)
    values = evaluate_at(rounded, compositions, points)
    np.testing.assert_allclose(values - values[0], expected - expected[0], atol=1e-15)
    np.testing.assert_allclose(
        evaluate_at(rounded, compositions, np.array([reference])), np.zeros((1, 3, 3)), atol=1e-17
    )
    c = ufl.variable(compositions)
    compositions.x.array[:] = np.resize(points, compositions.x.array.shape)
    found = evaluate(ufl.diff(rounded.strain(c), c), compositions)[: len(points)]
    risen = np.clip(shares + 0.5, 0.0, 1.0)
    exact = (slopes[:-1, None] + risen[:, None, None] * jumps[:, None]).reshape(-1, 3, 3)
    np.testing.assert_allclose(found, exact, atol=1e-14)


def test_molar_volumes_strain_by_a_third_of_their_relative_change(compositions):
    """A swelling by 1 % and 12 % over V_ref = V(0.2) = 51e-6, half way between entries."""
    contents, volumes = [0.1, 0.3, 0.9], [50e-6, 52e-6, 57.12e-6]
    law = TabulatedEigenstrain.from_molar_volumes(contents, volumes, 0.2)
    expected = (np.array([50.0, 52.0, 57.12]) - 51.0) / 51.0 / 3
    values = evaluate_at(law, compositions, np.array(contents))
    np.testing.assert_allclose(values, expected[:, None, None] * np.eye(3), atol=1e-15)


def test_slope_in_each_phase_is_omega_c_over_three(compositions):
    """Eqn 10 in each window; the mean of the neighbours between two."""
    law = TabulatedEigenstrain.from_phases(WINDOWS, CONCENTRATION, 0.5)
    c = ufl.variable(compositions)
    slopes = evaluate(ufl.diff(law.strain(c), c), compositions)
    values = compositions.x.array
    omega = np.select(
        [values < 0.1, values < 0.3, values < 0.7, values < 0.9],
        [1e-6, 1.75e-6, 2.5e-6, 4.25e-6],
        6e-6,
    )
    expected = (CONCENTRATION * omega / 3)[:, None, None] * np.eye(3)
    np.testing.assert_allclose(slopes, expected, atol=1e-15)


def test_equal_phases_are_eqn_10_with_one_omega(compositions):
    windows = [(low, high, OMEGA) for low, high, _ in WINDOWS]
    law = TabulatedEigenstrain.from_phases(windows, CONCENTRATION, 0.4)
    vegard = Eigenstrain.isotropic(OMEGA * CONCENTRATION / 3, 0.4)
    values = [evaluate(each.strain(compositions), compositions) for each in (law, vegard)]
    np.testing.assert_allclose(*values, atol=1e-16)


def test_windows_that_touch_leave_no_gap():
    """0.1 + 0.2 is a little more than 0.3 in floating-point numbers."""
    windows = [(0.0, 0.1, 1e-6), (0.1, 0.1 + 0.2, 4e-6), (0.3, 0.7, 2e-6)]
    law = TabulatedEigenstrain.from_phases(windows, 3e4, 0.0)
    np.testing.assert_allclose(law.compositions, [0.0, 0.1, 0.3, 0.7])
    np.testing.assert_allclose(law.slopes[:, 0, 0], [0.01, 0.04, 0.02], rtol=1e-12)


def test_phases_and_molar_volumes_agree(compositions):
    """dV/dc = Omega and C = 1 / V_ref."""
    reference_volume = 54e-6
    by_phase = TabulatedEigenstrain.from_phases(WINDOWS, 1 / reference_volume, 0.0)
    volumes = reference_volume * (1 + 3 * by_phase.strains[:, 0, 0])
    by_volume = TabulatedEigenstrain.from_molar_volumes(by_phase.compositions, volumes, 0.0)
    values = [evaluate(each.strain(compositions), compositions) for each in (by_phase, by_volume)]
    np.testing.assert_allclose(*values, atol=1e-15)


@pytest.fixture
def stiff():
    """Elasticity of the source paper in units of R T C, plane strain."""
    return Elasticity(create_isotropic_stiffness(937.62, 0.3), Assumption.PLANE_STRAIN)


def test_mechanics_takes_a_table(stiff):
    """A uniform body free in the plane: sigma_zz = -E e*(c), nothing else (plane strain)."""
    domain = create_domain(Box((60e-9, 40e-9)), 15e-9, MPI.COMM_WORLD)
    law = TabulatedEigenstrain.from_phases(WINDOWS, CONCENTRATION, 0.05)
    problem = StaticStress(domain, Mechanics(stiff, law), fem.Constant(domain.mesh, 0.95))
    assert NewtonSolver(BlockSystem(problem), Preset.DIRECT).solve().converged
    values = project(problem.stress(), fem.functionspace(domain.mesh, ("DG", 0, (3, 3))))
    change = 1e-6 * 0.05 + 1.75e-6 * 0.2 + 2.5e-6 * 0.4 + 4.25e-6 * 0.2 + 6e-6 * 0.05
    axial = -937.62 * CONCENTRATION * change / 3
    expected = np.diag([0.0, 0.0, axial])
    accuracy = 1e-8 * abs(axial)  # by which the solver reduces the residual
    np.testing.assert_allclose(values, np.broadcast_to(expected, values.shape), atol=accuracy)


def test_phases_separate_under_a_table_with_transitions(stiff):
    """Corners make Newton's method fail here within some 50 steps."""
    domain = create_domain(Box((120e-9, 40e-9)), 5e-9, MPI.COMM_SELF)
    law = TabulatedEigenstrain.from_phases(WINDOWS, CONCENTRATION, 0.4, transition=0.05)
    density = FreeEnergyDensity(RegularSolution(2.75), 22.4, Mechanics(stiff, law))
    problem = ChemoMechanics(domain, density, DegenerateMobility(1.0))
    problem.c.interpolate(lambda x: 0.4 + 0.1 * np.cos(x[0] * np.pi / 20) * np.cos(x[1] / 8))
    stepper = Bdf(problem, NewtonSolver(BlockSystem(problem), Preset.DIRECT), StepControl())
    before = sum(stepper.energies.values())
    while stepper.time < 1000.0:
        stepper.advance(1000.0)
    assert problem.c.x.array.min() < 0.3
    assert problem.c.x.array.max() > 0.7
    assert sum(stepper.energies.values()) < before


@pytest.mark.parametrize(
    ("compositions", "strains", "reference", "match"),
    [
        ([0.1], TENSORS[:1], 0.0, "at least two"),
        ([[0.1, 0.3]], TENSORS[:2], 0.0, "at least two"),
        ([0.1, 0.1], TENSORS[:2], 0.0, "increase"),
        ([0.3, 0.1], TENSORS[:2], 0.0, "increase"),
        ([0.1, np.nan], TENSORS[:2], 0.0, "finite"),
        ([0.1, 0.3], TENSORS[:3], 0.0, "need strains of shape"),
        ([0.1, 0.3], np.triu(np.ones((2, 3, 3))), 0.0, "symmetric"),
        ([0.1, 0.3], TENSORS[:2] + np.inf, 0.0, "finite"),
        ([0.1, 0.3], TENSORS[:2], np.nan, "finite composition"),
    ],
)
def test_what_is_no_table_is_refused(compositions, strains, reference, match):
    with pytest.raises(InputError, match=match):
        TabulatedEigenstrain(np.array(compositions), strains, reference)
    with pytest.raises(InputError, match="range of compositions"):
        TabulatedEigenstrain(NODES, TENSORS, 0.0, transition=-0.1)


@pytest.mark.parametrize(
    ("volumes", "reference", "match"),
    [
        ([1e-5], 0.0, "one molar volume for each"),
        ([1e-5, -1e-5], 0.0, "positive"),
        ([1e-5, np.nan], 0.0, "positive"),
        ([1e-5, 3e-5], -1.0, "at the reference too"),
    ],
)
def test_impossible_volumes_are_refused(volumes, reference, match):
    with pytest.raises(InputError, match=match):
        TabulatedEigenstrain.from_molar_volumes([0.0, 1.0], volumes, reference)


@pytest.mark.parametrize(
    ("windows", "concentration", "match"),
    [
        ([], 1e4, "must be one"),
        ([(0.0, 0.1)], 1e4, "c_low, c_high, Omega"),
        ([(0.1, 0.1, 1e-6)], 1e4, "c_low < c_high"),
        ([(0.0, 0.3, 1e-6), (0.2, 0.4, 1e-6)], 1e4, "overlap"),
        ([(0.5, 0.6, 1e-6), (0.2, 0.4, 1e-6)], 1e4, "rising c"),
        ([(0.0, 0.3, np.inf)], 1e4, "finite"),
        ([(0.0, 0.3, 1e-6)], 0.0, "positive"),
    ],
)
def test_impossible_phases_are_refused(windows, concentration, match):
    with pytest.raises(InputError, match=match):
        TabulatedEigenstrain.from_phases(windows, concentration, 0.0)
