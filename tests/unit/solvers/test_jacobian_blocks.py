"""A block in three parts is the block, and only the part that changes is assembled again."""

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc
from ufl.algorithms import expand_derivatives

from chemomech.forms.fields import find_owned_dofs
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.jacobian_blocks import HeldRows, HeldValues, JacobianBlock


class Parts:
    """Integrals of every kind on a square, its left half and its right side marked by 1."""

    def __init__(self, shape=()):
        self.mesh = mesh.create_unit_square(MPI.COMM_WORLD, 6, 5)
        scalar = fem.functionspace(self.mesh, ("Lagrange", 1))
        self.space = fem.functionspace(self.mesh, ("Lagrange", 1, shape)) if shape else scalar
        self.state, self.factor = fem.Function(scalar), fem.Constant(self.mesh, 0.7)
        # As in a problem: changes with the state, but is no unknown.
        self.other = fem.Constant(self.mesh, 1.3)
        self.varying = {self.state, self.other}
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(scalar)
        u = ufl.div(u) if shape else u
        rule = {"quadrature_degree": 2}
        dx = ufl.Measure("dx", self.mesh, subdomain_data=self.mark_cells(), metadata=rule)
        ds = ufl.Measure("ds", self.mesh, subdomain_data=self.mark_facets(), metadata=rule)
        inside, outside = u * v, v.dx(0) * u
        self.integrals = {
            "base": outside * dx,
            "base on facets": inside * ds(1),
            "scaled": self.factor * inside * dx,
            "scaled on facets": 2 * self.factor * inside * ds(1),
            "scaled in part": self.factor * inside * dx(1),
            "scaled with the state": self.factor * self.state * inside * dx,
            "changing": self.state**2 * inside * dx,
            "changing in part": self.state**2 * outside * dx(1),
            "changing on facets": self.other * ufl.exp(self.state) * inside * ds(1),
        }
        self.change(0)

    def mark_cells(self):
        return self.mark(2, lambda x: x[0] < 0.5 + 1e-9)

    def mark_facets(self):
        return self.mark(1, lambda x: x[0] > 1 - 1e-9)

    def mark(self, dimension, where):
        entities = np.sort(mesh.locate_entities(self.mesh, dimension, where))
        return mesh.meshtags(self.mesh, dimension, entities, np.ones_like(entities))

    def change(self, seed):
        """Set everything that may change to other values."""
        self.state.interpolate(lambda x: np.sin(3 * x[0] + seed) + x[1])
        self.factor.value = 0.7 + 10.0 * seed
        self.other.value = 1.3 - 0.4 * seed

    def add(self, names):
        return sum((self.integrals[name] for name in names[1:]), self.integrals[names[0]])


CASES = [
    ["base"],
    ["scaled"],
    ["base", "scaled", "changing"],
    ["base on facets", "scaled on facets", "changing on facets"],
    ["base", "scaled in part", "changing on facets"],
    ["changing in part", "scaled with the state"],
]


def measure_difference(one, other):
    """Largest entry of a difference, relative to the largest of the second matrix."""
    difference = one.copy()
    difference.axpy(-1.0, other, structure=PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    infinity = PETSc.NormType.NORM_INFINITY
    return difference.norm(infinity) / other.norm(infinity)


def assemble_at_once(form, conditions=()):
    matrix = fem_petsc.assemble_matrix(fem.form(form), bcs=list(conditions))
    matrix.assemble()
    return matrix


def require_whole(block, form, conditions=()):
    assert measure_difference(block.matrix, assemble_at_once(form, conditions)) < 1e-13


def follow(parts, form, conditions=()):
    """Create a block and take it through changes of state and factor."""
    held = [HeldRows(find_owned_dofs(parts.space, one), True, True) for one in conditions]
    block = JacobianBlock(form, held, parts.factor, parts.varying)
    require_whole(block, form, conditions)
    for seed in (1, 2, 0):
        parts.change(seed)
        block.refresh()
        require_whole(block, form, conditions)
    return block


@pytest.mark.parametrize(
    ("names", "shape"),
    [*((names, ()) for names in CASES), (["base", "scaled", "changing"], (2,))],
    ids=lambda value: " + ".join(value) if value and isinstance(value[0], str) else str(value),
)
def test_parts_add_up_to_the_whole(names, shape):
    """Of square blocks, and of one whose rows and columns are of different spaces."""
    parts = Parts(shape)
    block = follow(parts, parts.add(names))
    assert block.is_constant == (names == ["base"])


COVERING = [names for names in CASES if "base on facets" not in names]


@pytest.mark.parametrize("names", COVERING, ids=" + ".join)
def test_parts_add_up_with_conditions(names):
    """Rows and columns of held dofs have a one where they meet, and nothing else, once only."""
    parts = Parts()
    left = fem.locate_dofs_geometrical(parts.space, lambda x: np.isclose(x[0], 0.0))
    condition = fem.dirichletbc(0.0, left, parts.space)
    block = follow(parts, parts.add(names), [condition])
    owned = left[left < parts.space.dofmap.index_map.size_local]
    np.testing.assert_array_equal(block.matrix.getDiagonal().array_r[owned], 1.0)
    ones, image = block.matrix.createVecRight(), block.matrix.createVecLeft()
    ones.set(1.0)
    block.matrix.mult(ones, image)
    np.testing.assert_array_equal(image.array_r[owned], 1.0)


def test_rows_alone_give_way_in_other_blocks():
    """A later condition on the same rows wins; columns stay, for their steps are zero."""
    parts = Parts()
    form = parts.add(["base", "scaled", "changing"])
    size = parts.space.dofmap.index_map.size_local
    rows = np.arange(0, size, 2, dtype=np.int32)
    held = [HeldRows(rows, False, False), HeldRows(rows[:2], True, False)]
    block = JacobianBlock(form, held, parts.factor, parts.varying)
    parts.change(1)
    block.refresh()
    whole = assemble_at_once(form)
    rng = np.random.default_rng(MPI.COMM_WORLD.rank)
    x, image, expected = whole.createVecRight(), whole.createVecLeft(), whole.createVecLeft()
    x.setArray(rng.standard_normal(size))
    whole.mult(x, expected)
    block.matrix.mult(x, image)
    target = expected.array_r.copy()
    target[rows] = 0.0
    target[rows[:2]] = x.array_r[rows[:2]]
    np.testing.assert_allclose(image.array_r, target, rtol=1e-12, atol=1e-12)


def test_without_a_factor_nothing_is_scaled():
    parts = Parts()
    form = parts.add(["base on facets", "changing"])
    block = JacobianBlock(form, [], None, parts.varying)
    parts.change(1)
    block.refresh()
    assert measure_difference(block.matrix, assemble_at_once(form)) < 1e-13


@pytest.fixture
def count_assemblies(monkeypatch):
    """Return the list that grows with each assembly of a matrix."""
    calls = []
    assemble = fem_petsc.assemble_matrix

    def count(*arguments, **options):
        calls.append(arguments)
        return assemble(*arguments, **options)

    monkeypatch.setattr(fem_petsc, "assemble_matrix", count)
    return calls


@pytest.mark.parametrize("names", CASES, ids=" + ".join)
def test_only_what_changes_is_assembled_again(names, count_assemblies):
    parts = Parts()
    block = JacobianBlock(parts.add(names), [], parts.factor, parts.varying)
    count_assemblies.clear()
    for _ in range(3):
        block.refresh()
    changes = any("chang" in name or "state" in name for name in names)
    assert len(count_assemblies) == 3 * changes


def test_what_has_changed_is_found_once_for_all_blocks(monkeypatch):
    """A field of two blocks is compared once; a value of one rank's is a change for all."""
    parts = Parts()
    field, other = fem.Function(parts.state.function_space), fem.Constant(parts.mesh, 2.0)
    u, v = ufl.TrialFunction(parts.space), ufl.TestFunction(parts.space)
    forms = [(1 + field) * u * v * ufl.dx, (1 + other * field) * u * v * ufl.dx]
    blocks = [JacobianBlock(form, [], parts.factor, parts.varying) for form in forms]
    values = HeldValues(blocks)
    assert not values.find_changed()
    field.x.array[:] = float(MPI.COMM_WORLD.rank == 0)
    compared = []
    with monkeypatch.context() as patch:
        patch.setattr(
            np, "array_equal", lambda old, new: compared.append(old) or (old == new).all()
        )
        changed = values.find_changed()
    assert (changed, len(compared)) == ({field}, 2)
    for block, form in zip(blocks, forms, strict=True):
        assert block.refresh(changed)
        require_whole(block, form)
    other.value = 3.0
    changed = values.find_changed()
    assert [block.refresh(changed) for block in blocks] == [False, True]
    assert not values.find_changed()


@pytest.mark.parametrize(("mobility", "count"), [(ConstantMobility, 1), (DegenerateMobility, 2)])
def test_of_a_particle_two_blocks_change_at_most(
    create_chemo_mechanics, count_assemblies, mobility, count
):
    """The curvature of the free energy, and the stiffness weighted by the mobility."""
    problem = create_chemo_mechanics("generalised_plane_strain", mobility=mobility(1.0))
    system = BlockSystem(problem)
    size = len(problem.unknowns)
    count_assemblies.clear()
    rng = np.random.default_rng(3)
    for shift in (0.1, 7.0):
        problem.mass_coefficient.value = shift
        problem.c.x.array[:] = 0.5 + 0.3 * rng.uniform(-1, 1)
        system.assemble_jacobian()
        assert len(count_assemblies) == count
        count_assemblies.clear()
    for row, field in enumerate(problem.fields):
        residual = field.linearised or field.residual
        for column, unknown in enumerate(problem.unknowns):
            trial = ufl.TrialFunction(unknown.function_space)
            form = expand_derivatives(ufl.derivative(residual, unknown, trial))
            block = system.jacobian.getNestSubMatrix(row, column)
            assert form.empty() == (block is None or block.handle == 0)
            if not form.empty():
                assert measure_difference(block, assemble_at_once(form)) < 1e-12
    assert size == 4
