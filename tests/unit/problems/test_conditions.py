import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.conditions import (
    Displacement,
    Loads,
    Traction,
    create_dirichlet_conditions,
    create_free_motions,
    create_rigid_modes,
)
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress

COMM = MPI.COMM_WORLD
STIFFNESS = create_isotropic_stiffness(900.0, 0.3)


def box(dimension):
    return create_domain(Box((40e-9, 20e-9, 20e-9)[:dimension]), 10e-9, COMM)


def mechanics(dimension):
    assumption = Assumption.PLANE_STRAIN if dimension == 2 else Assumption.THREE_DIMENSIONAL
    return Mechanics(Elasticity(STIFFNESS, assumption), Eigenstrain.isotropic(0.01, 0.5))


def static(domain, loads):
    return StaticStress(domain, mechanics(domain.mesh.geometry.dim), ufl.as_ufl(0.5), loads)


def displacements(domain):
    return fem.functionspace(domain.mesh, ("Lagrange", 1, (domain.mesh.geometry.dim,)))


@pytest.mark.parametrize(
    ("dimension", "supports", "free"),
    [
        (2, [], 3),
        (3, [], 6),
        (2, [Displacement("left")], 0),
        (3, [Displacement("left")], 0),
        (2, [Roller("left")], 1),
        (3, [Roller("left")], 3),
        (2, [Roller("left"), Roller("bottom")], 0),
        (3, [Roller("left"), Roller("bottom")], 1),
        (3, [Roller("left"), Roller("bottom"), Roller("back")], 0),
    ],
)
def test_supports_leave_the_right_motions_free(dimension, supports, free):
    domain = box(dimension)
    space = displacements(domain)
    conditions, axes = create_dirichlet_conditions(space, domain, supports)
    assert axes is None
    modes = create_free_motions(space, conditions)
    assert len(modes) == free
    products = COMM.allreduce(np.array([[a @ b for a in modes] for b in modes]), op=MPI.SUM)
    np.testing.assert_allclose(products.reshape(free, free), np.eye(free), atol=1e-12)
    for condition in conditions:
        dofs, owned = condition.dof_indices()
        for mode in modes:
            assert np.abs(mode[dofs[:owned]]).max(initial=0.0) < 1e-10


def test_rigid_modes_do_not_strain():
    domain = box(3)
    u = fem.Function(displacements(domain))
    strain = ufl.sym(ufl.grad(u))
    energy = fem.form(ufl.inner(strain, strain) * ufl.dx)
    for mode in create_rigid_modes(u.function_space):
        u.x.array[: len(mode)] = mode
        u.x.scatter_forward()
        assert COMM.allreduce(fem.assemble_scalar(energy)) < 1e-20


def test_roller_holds_the_normal_component_only():
    domain = box(2)
    u = fem.Function(displacements(domain))
    u.x.array[:] = 1.0
    conditions, _ = create_dirichlet_conditions(u.function_space, domain, [Roller("top")])
    for condition in conditions:
        condition.set(u.x.array)
    y = u.function_space.tabulate_dof_coordinates()[:, 1]
    values = u.x.array.reshape(-1, 2)
    np.testing.assert_array_equal(values[:, 0], 1.0)
    np.testing.assert_array_equal(values[:, 1], np.where(np.isclose(y, 20.0), 0.0, 1.0))


def test_whole_numbers_are_values_too():
    domain = box(2)
    u = fem.Function(displacements(domain))
    supports = [Displacement("left", (3, 4))]
    conditions, _ = create_dirichlet_conditions(u.function_space, domain, supports)
    for condition in conditions:
        condition.set(u.x.array)
    assert COMM.allreduce(u.x.array.max(initial=0.0), op=MPI.MAX) == 4.0
    assert static(domain, Loads([Displacement("left")], [Traction("right", (1, 0))])).energies()


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (Loads([Displacement("left", (1.0, 0.0, 0.0))]), "3 components given for group 'left'"),
        (Loads([], [Traction("right", (1.0,))]), "1 components given for group 'right'"),
        (Loads([Roller("surface")]), "group 'surface' is not one"),
        (Loads([Roller("lft")]), "did you mean 'left'"),
    ],
)
def test_conditions_that_cannot_be_imposed_are_refused(load, message):
    with pytest.raises(InputError, match=message):
        static(box(2), load)


@pytest.mark.parametrize(
    ("supports", "tractions"),
    [
        ([], {"right": (1.0, 0.0)}),
        ([], {"right": (0.0, 1.0), "left": (0.0, -1.0)}),
        ([Roller("left")], {"right": (0.0, 1.0)}),
        ([Roller("bottom")], {"right": (1.0, 0.0)}),
    ],
    ids=["force", "moment", "along_roller", "off_roller"],
)
def test_tractions_out_of_balance_are_refused(supports, tractions):
    loads = Loads(supports, [Traction(group, value) for group, value in tractions.items()])
    domain = box(2)
    with pytest.raises(InputError, match="nothing holds") as caught:
        static(domain, loads)
    assert caught.value.key == "mechanics.boundary"
    psi = FreeEnergyDensity(RegularSolution(2.75), 22.0, mechanics(2))
    with pytest.raises(InputError, match="nothing holds"):
        ChemoMechanics(domain, psi, DegenerateMobility(1.0), loads)


@pytest.mark.parametrize(
    ("supports", "tractions"),
    [
        ([], {"right": (1.0, 0.0), "left": (-1.0, 0.0)}),
        (
            [],
            {"right": (0, 1.0), "left": (0, -1.0), "top": (1.0, 0), "bottom": (-1.0, 0)},
        ),
        ([Roller("left")], {"right": (1.0, 0.0)}),
        ([Displacement("left")], {"right": (0.3, 1.0)}),
    ],
    ids=["tension", "shear", "against_roller", "clamped"],
)
def test_balanced_or_held_tractions_are_accepted(supports, tractions):
    loads = Loads(supports, [Traction(group, value) for group, value in tractions.items()])
    assert "loads" in static(box(2), loads).energies()


def test_tension_on_a_bent_wire_turns_it():
    """Equal and opposite pulls along x at the ends of a U do not share a line of action."""
    wire = Nanowire(100e-9, 500e-9, np.pi, (200e-9, 200e-9))
    domain = create_domain(wire, 50e-9, COMM)
    pulls = [Traction("start", (-1.0, 0.0)), Traction("end", (1.0, 0.0))]
    with pytest.raises(InputError, match="nothing holds"):
        static(domain, Loads(tractions=pulls))


@pytest.mark.parametrize("dimension", [2, 3])
def test_assumption_must_suit_the_mesh(dimension):
    with pytest.raises(InputError, match="does not go with") as caught:
        StaticStress(box(dimension), mechanics(5 - dimension), ufl.as_ufl(0.5))
    assert caught.value.key == "mechanics.assumption"
